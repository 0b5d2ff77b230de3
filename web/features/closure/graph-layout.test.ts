import { describe, expect, it } from "vitest";
import type { ClosurePath } from "#web/state/model.ts";
import { layOut, nearby } from "./graph-layout.ts";

const path = (name: string, ...references: string[]): ClosurePath => ({
  path: name,
  name,
  narSize: 1,
  closureSize: 1,
  references,
  referrers: [],
});

const paths = [path("a", "b", "c"), path("b", "d"), path("c", "d"), path("d", "d")];

describe("layOut", () => {
  it("stands what refers above what it refers to", () => {
    const at = layOut(paths);
    expect(at.get("a")?.y).toBeLessThan(at.get("b")?.y ?? 0);
    expect(at.get("b")?.y).toBe(at.get("c")?.y);
    expect(at.get("c")?.y).toBeLessThan(at.get("d")?.y ?? 0);
  });
});

describe("nearby", () => {
  it("keeps all that fit", () => expect(nearby(paths, "a", 4)).toHaveLength(4));
  it("keeps the nearest", () => expect(nearby(paths, "a", 2).map((each) => each.name)).toEqual(["a", "b"]));
});
