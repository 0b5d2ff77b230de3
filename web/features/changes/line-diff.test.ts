import { describe, expect, it } from "vitest";
import { diffLines } from "./line-diff.ts";

const signs = { same: " ", added: "+", removed: "-", gap: "…" };
const show = (before: string, after: string): string =>
  diffLines(before, after)
    .map((line) => signs[line.kind] + line.text)
    .join("|");

describe("diffLines", () => {
  it.each([
    ["", "", ""],
    ["a\n", "a\n", "…"],
    ["", "a\nb\n", "+a|+b"],
    ["a\nb\n", "", "-a|-b"],
    ["a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c"],
    ["a\nb", "a\nb\nc", " a| b|+c"],
    ["1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\n6\n8", "…| 5| 6|-7|+8"],
  ])("%j to %j", (before, after, expected) => expect(show(before, after)).toBe(expected));

  it("gives both texts back", () => {
    const lines = diffLines("a\nb\nc\nd", "b\nx\nd\ny");
    expect(lines.filter((line) => line.kind !== "added").map((line) => line.text)).toEqual(["a", "b", "c", "d"]);
    expect(lines.filter((line) => line.kind !== "removed").map((line) => line.text)).toEqual(["b", "x", "d", "y"]);
  });
});
