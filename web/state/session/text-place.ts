/** Between offsets in a text and an editor's lines and columns (from 1, in UTF-16 units). */
import type { Position, Range } from "../model.ts";

export function offsetOf(text: string, { line, column }: Position): number {
  let at = 0;
  for (let seen = 1; seen < line; seen++) {
    const next = text.indexOf("\n", at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return Math.min(at + column - 1, text.length);
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** The range of a half-open span of offsets. */
export const rangeOf = (text: string, { start, end }: { readonly start: number; readonly end: number }): Range => ({
  start: positionOf(text, start),
  end: positionOf(text, end),
});
