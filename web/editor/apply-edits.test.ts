import { describe, expect, it } from "vitest";
import { applyEdits, offsetOf } from "./apply-edits.ts";

const text = "ab\ncd\n\nef";

describe("offsetOf", () => {
  it.each([
    [1, 1, 0],
    [1, 3, 2],
    [1, 9, 2],
    [2, 2, 4],
    [3, 1, 6],
    [4, 3, 9],
    [4, 8, 9],
    [9, 1, 9],
  ])("%i:%i", (line, column, expected) => expect(offsetOf(text, { line, column })).toBe(expected));
});

describe("applyEdits", () => {
  const edit = (line: number, from: number, to: number, put: string, path = "a") => ({
    path,
    range: { start: { line, column: from }, end: { line, column: to } },
    text: put,
  });
  it("leaves files without edits out", () =>
    expect(applyEdits([{ path: "a", text }], [edit(1, 1, 1, "x", "b")])).toEqual([]));
  it("applies several in any order", () =>
    expect(applyEdits([{ path: "a", text }], [edit(1, 1, 2, "X"), edit(4, 3, 3, ";"), edit(2, 1, 3, "")])).toEqual([
      { path: "a", text: "Xb\n\n\nef;" },
    ]));
});
