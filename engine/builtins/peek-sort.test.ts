/** The two ways to run the sort: stable, and the same comparisons in the same order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { peekSort, peekSortNow } from "./peek-sort.ts";

const lists = fc.oneof(
  fc.array(fc.nat(9), { maxLength: 100 }),
  fc.array(fc.nat(999), { maxLength: 100 }).map((list) => list.sort((a, b) => b - a)),
  fc.array(fc.nat(999), { maxLength: 60 }).map((list) => [...list.sort((a, b) => a - b), ...list]),
);

test("both ask for the same comparisons, and sort stably", () => {
  fc.assert(
    fc.property(lists, (numbers) => {
      // Equal numbers are told apart by their fractions, which the order does not see.
      const items = numbers.map((number, i) => number + i / 1000);
      const asked: unknown[] = [];
      const before = (a: unknown, b: unknown): boolean => {
        asked.push([a, b]);
        return Math.floor(a as number) < Math.floor(b as number);
      };
      const now = [...items];
      peekSortNow(now, before);
      const madeNow = asked.splice(0);
      const slow = [...items];
      const sort = peekSort(slow);
      for (let next = sort.next(); next.done !== true;) next = sort.next(before(next.value[0], next.value[1]));
      expect(asked).toEqual(madeNow);
      expect(slow).toEqual(now);
      expect(now).toEqual(items.toSorted((a, b) => a - b));
    }),
  );
});
