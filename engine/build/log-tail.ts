/** The end of a build's log as Nix quotes it: whole lines, without what moves a terminal's cursor. */
import { type ByteString, fromBytes } from "../store/format/bytes.ts";

/** The last `count` lines. */
export function logTail(log: Uint8Array, count: number): ByteString[] {
  if (count === 0 || log.length === 0) return [];
  const lines = fromBytes(log).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count).map((line) => plainLine(line, QUOTE));
}

/** Columns of the mark before a quoted line. */
const QUOTE = 2;

/**
 * A line as it stands at last: carriage returns overwrite, colours go, tabs become blanks up to the next eighth column. `column` is where it
 * begins.
 */
export function plainLine(line: ByteString, column: number): ByteString {
  return expandTabs(overwrite(line).replace(CONTROL, ""), column);
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const CONTROL = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?|\x07/g;

function overwrite(line: ByteString): ByteString {
  return line.split("\r").reduce((shown, piece) => piece + shown.slice(piece.length));
}

function expandTabs(line: ByteString, column: number): ByteString {
  let text = "";
  for (const char of line) text += char === "\t" ? " ".repeat(8 - ((column + text.length) % 8)) : char;
  return text;
}
