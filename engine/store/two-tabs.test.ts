/** Two stores on one backing, as two tabs have them, doing random things at once: the store stays sound throughout. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StoreError } from "./error.ts";
import { MemoryBacking } from "./memory-backing.ts";
import { deleteGenerations, generationsToDelete, rollback, setPath } from "./profile.ts";
import { Store } from "./store.ts";

type Action =
  | { readonly kind: "add"; readonly name: number; readonly uses: readonly number[] }
  | { readonly kind: "switch"; readonly pick: number }
  | { readonly kind: "rollback" | "forget" | "collect" }
  | { readonly kind: "root" | "unroot" | "delete" | "hold"; readonly pick: number };

const number = fc.nat(30);
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), name: number, uses: fc.array(number, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("switch" as const), pick: number }),
  fc.record({ kind: fc.constantFrom("rollback" as const, "forget" as const, "collect" as const) }),
  fc.record({
    kind: fc.constantFrom("root" as const, "unroot" as const, "delete" as const, "hold" as const),
    pick: number,
  }),
);

/** A lock like the browser's: first come, first served, over all stores. */
function sharedLock(): <Result>(body: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (body) => {
    const run = last.then(body);
    last = run.catch(() => undefined);
    return run;
  };
}

async function perform(store: Store, item: Action): Promise<unknown> {
  const paths = store.paths();
  const pick = (index: number) => paths[index % Math.max(1, paths.length)] ?? "";
  switch (item.kind) {
    case "add": {
      const references = [...new Set(item.uses.map(pick))].filter((path) => path !== "");
      return store.addText(`t${item.name}`, references.join(" "), references);
    }
    case "switch":
      return store.updateProfile("system", (profile) => setPath(profile, pick(item.pick), 1));
    case "rollback":
      return store.updateProfile("system", rollback);
    case "forget":
      return store.updateProfile("system", (profile) =>
        deleteGenerations(profile, generationsToDelete(profile, ["old"], 1)),
      );
    case "collect":
      return store.collectGarbage();
    case "root":
      return store.addRoot(`/r${item.pick}`, pick(item.pick));
    case "unroot":
      return store.removeRoot(`/r${item.pick}`);
    case "delete":
      return store.delete([pick(item.pick)].filter((path) => path !== ""));
    case "hold":
      return store.holdTemporarily(`work${item.pick % 3}`, [pick(item.pick)]);
  }
}

/** What the other tab did in between may make an action impossible; it may never make it half done. */
async function attempt(store: Store, item: Action): Promise<void> {
  try {
    await perform(store, item);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    expect(["missing", "invalid-path", "alive"]).toContain(error.code);
  }
}

test("random actions in two tabs", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), action), { minLength: 10, maxLength: 40 }), async (actions) => {
      const backing = new MemoryBacking();
      const lock = sharedLock();
      const open = () => Store.open(backing, { now: () => 1, lock });
      const [left, right] = [await open(), await open()];
      await Promise.all(actions.map(([first, item]) => attempt(first ? left : right, item)));
      const fresh = await open();
      expect(await fresh.verify(true)).toEqual([]);
      for (const { path } of fresh.roots()) expect(fresh.isValid(path)).toBe(true);
      await left.refresh();
      expect(left.paths()).toEqual(fresh.paths());
      const { current, generations } = fresh.profile("system");
      expect(current === undefined || generations.some((generation) => generation.number === current)).toBe(true);
    }),
    { numRuns: 60 },
  ));
