/** Text edits applied to files. Edits of a file must not overlap; they may come in any order. */
import type { Position, TextEdit, WorkFile } from "#web/state/model.ts";

/** The files that change, with their new text. */
export function applyEdits(files: WorkFile[], edits: TextEdit[]): WorkFile[] {
  return files.flatMap(({ path, text }) => {
    const own = edits.filter((edit) => edit.path === path);
    return own.length === 0 ? [] : [{ path, text: applyToText(text, own) }];
  });
}

/** From the end to the beginning, so that earlier positions stay true. */
function applyToText(text: string, edits: TextEdit[]): string {
  const placed = edits
    .map((edit) => ({ from: offsetOf(text, edit.range.start), to: offsetOf(text, edit.range.end), text: edit.text }))
    .toSorted((a, b) => b.from - a.from);
  return placed.reduce((result, edit) => result.slice(0, edit.from) + edit.text + result.slice(edit.to), text);
}

/** A place past the end of its line, or of the text, is that end. */
export function offsetOf(text: string, { line, column }: Position): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return Math.min(start + column - 1, end < 0 ? text.length : end);
}
