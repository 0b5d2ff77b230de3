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
 * A line as it stands at last: a carriage return begins it anew, colours go, tabs become blanks up to the next eighth column, and blanks at
 * its end go. `column` is where it begins.
 */
export function plainLine(line: ByteString, column: number): ByteString {
  return expandTabs(line.slice(line.lastIndexOf("\r") + 1).replace(CONTROL, ""), column).trimEnd();
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const CONTROL = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?|\x07/g;

function expandTabs(line: ByteString, column: number): ByteString {
  let text = "";
  for (const char of line) text += char === "\t" ? " ".repeat(8 - ((column + text.length) % 8)) : char;
  return text;
}
