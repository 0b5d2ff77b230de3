/**
 * `//` on shapes: names, values and positions of the union.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringSource } from "#engine/syntax/source.ts";
import { Keys, compareNames } from "./keys.ts";
import { mergeAttrs } from "./merge.ts";
import { attributePos } from "./positions.ts";
import { Attrs } from "./value.ts";

const source = stringSource("");

/** A set of names whose values and positions say where they come from. */
function make(names: readonly string[], base: number): Attrs {
  const sorted = [...new Set(names)].sort(compareNames);
  return new Attrs(
    new Keys(sorted),
    sorted.map((_name, i) => base + i),
    sorted.map((_name, i) => ({ source, offset: base + i })),
  );
}

const names = fc.array(fc.string({ maxLength: 3 }), { maxLength: 30 });

describe("//", () => {
  test("is the union, right side first, sorted", () => {
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 30 }), (lists) => {
        const sets = lists.map((list, i) => make(list, i * 1000));
        const merged = sets.reduce(mergeAttrs);
        const expected = new Map(
          sets.flatMap((set) => set.keys.names.map((name, i) => [name, set.values[i]!] as const)),
        );
        expect([...merged.keys.names]).toEqual([...expected.keys()].sort(compareNames));
        for (const [name, value] of expected) {
          expect(merged.get(name)).toBe(value);
          expect(attributePos(merged.positions, merged.keys, name)?.offset).toBe(value);
        }
      }),
    );
  });

  test("is the union of many attributes and a few", () => {
    const many = Array.from({ length: 300 }, (_, i) => `m${i}`);
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.stringMatching(/^[a-z][0-9]?$/), { maxLength: 6 }), { maxLength: 80 }),
        (lists) => {
          const sets = [make(many, 0), ...lists.map((list, i) => make(list, (i + 1) * 1000))];
          const merged = sets.reduce(mergeAttrs);
          const expected = new Map(
            sets.flatMap((set) => set.keys.names.map((name, i) => [name, set.values[i]!] as const)),
          );
          expect([...merged.keys.names]).toEqual([...expected.keys()].sort(compareNames));
          for (const [name, value] of expected) {
            expect(merged.get(name)).toBe(value);
            expect(attributePos(merged.positions, merged.keys, name)?.offset).toBe(value);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test("the same shapes give the same shape again", () => {
    const left = make(["a", "b"], 0);
    const right = make(["b", "c"], 10);
    expect(mergeAttrs(left, right).keys).toBe(mergeAttrs(left, right).keys);
  });

  test("an empty side gives the other", () => {
    const set = make(["a"], 0);
    expect(mergeAttrs(set, make([], 0))).toBe(set);
    expect(mergeAttrs(make([], 0), set)).toBe(set);
  });
});

describe("keys", () => {
  test("finds every name and nothing else, also after many searches", () => {
    fc.assert(
      fc.property(names, fc.string({ maxLength: 3 }), (list, other) => {
        const { keys } = make(list, 0);
        for (let round = 0; round < 3; round++) keys.names.forEach((name, i) => expect(keys.indexOf(name)).toBe(i));
        if (!keys.names.includes(other)) expect(keys.indexOf(other)).toBe(-1);
      }),
    );
  });
});
