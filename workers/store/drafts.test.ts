import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { createDrafts } from "./drafts.ts";

type Act = readonly ["look" | "garbage" | "work", ...names: string[]];

/** Looks that add and keep these texts, and other work; then which texts are there after a while. */
async function check(acts: readonly Act[], expected: string[]): Promise<void> {
  const store = await Store.open(new MemoryBacking(), { now: () => 0 });
  const drafts = createDrafts(() => []);
  const add = (names: readonly string[]) => store.addTexts(names.map((name) => ({ name, text: name, references: [] })));
  for (const [kind, ...names] of acts) {
    if (kind === "garbage") await add(names);
    else if (kind === "work") await drafts.during(() => add(names));
    else await drafts.look(store, async (keep) => (await add(names)).forEach(keep));
  }
  await vi.advanceTimersByTimeAsync(10_000);
  // The deletion itself may still be under way.
  await drafts.during(async () => undefined);
  expect([...store.index.paths()].map((path) => path.slice(44)).sort()).toEqual(expected);
}

describe("drafts", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  it.each<[string, Act[], string[]]>([
    ["the last look stays", [["look", "a"]], ["a"]],
    [
      "the one before goes",
      [
        ["look", "a"],
        ["look", "b"],
      ],
      ["b"],
    ],
    [
      "what both made stays",
      [
        ["look", "a", "c"],
        ["look", "b", "c"],
      ],
      ["b", "c"],
    ],
    [
      "garbage of others is not ours",
      [
        ["garbage", "g"],
        ["look", "a"],
        ["look", "b"],
      ],
      ["b", "g"],
    ],
    [
      "what was there before is no draft",
      [
        ["garbage", "a"],
        ["look", "a"],
        ["look", "b"],
      ],
      ["a", "b"],
    ],
    [
      "what was built is kept",
      [
        ["look", "a"],
        ["work", "a"],
        ["look", "b"],
      ],
      ["a", "b"],
    ],
  ])("%s", (_, acts, expected) => check(acts, expected));
});
