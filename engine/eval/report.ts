/**
 * Errors as C++ Nix prints them on a terminal, without colours.
 */
import { lineText, originName, positionAt } from "#engine/syntax/source.ts";
import type { NixError, TraceFrame } from "./error.ts";
import type { Pos } from "./positions.ts";
import { suggestionLine } from "./suggest.ts";
import { terminalText } from "./terminal-text.ts";

export interface ReportOptions {
  readonly showTrace?: boolean;
}

/** Indentation of what belongs to the error. */
const indent = "       ";
/** Lines of trace after which the rest is left out, unless --show-trace. */
const maxShown = 3;
/** So many repetitions are printed; more are only counted. */
const maxRepetitions = 5;
const bullet = "\u00e2\u0080\u00a6";

/** The whole report, "error:" first, with a line end. Bytes, as everything. */
export function reportError(error: NixError, options: ReportOptions = {}): string {
  const frames = shownFrames(error, options.showTrace === true);
  // What the program says itself stands at the end of the message; everything else that does is in colours, whose end keeps spaces.
  const message = error.kind === "throw" ? error.message : `${error.message}${endMark}`;
  const body = `error: ${indentRest(message, indent)}\n${locate(error.pos, indent)}${didYouMean(error)}`;
  const text =
    frames.length === 0 ? body : `error:\n${printFrames(frames, options.showTrace === true)}\n${indent}${body}`;
  return terminalText(`${chomp(text)}\n`).replaceAll(endMark, "");
}

/** Stands at the end of a message that ends with a value: what is before it is no end of a line. */
const endMark = "\0";

/** Without white space at the ends of lines and of the whole. */
const chomp = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.replace(/[ \t\r]+$/, ""))
    .join("\n")
    .replace(/\n+$/, "");

/** A warning with the text it is about; one without a position is printed as it is. */
export const reportWarning = (message: string, pos: Pos | undefined): string =>
  pos === undefined
    ? `warning: ${message}`
    : `warning: ${indentRest(message, indent)}\n${locate(pos, `${indent}  `, "  ")}`.trimEnd();

function didYouMean(error: NixError): string {
  const line = suggestionLine(error.suggestions);
  return line === undefined ? "" : `${indent}${line}\n`;
}

/** Outermost first, without what is only recorded for --show-trace. */
const shownFrames = (error: NixError, showTrace: boolean): TraceFrame[] =>
  error.trace.filter((frame) => frame.message !== "" && (showTrace || frame.shown !== "detail")).reverse();

const frameKey = (frame: TraceFrame): string =>
  `${frame.message}\n${frame.pos === undefined ? "" : `${originName(frame.pos.source.origin)}:${frame.pos.offset}`}`;

function printFrames(frames: readonly TraceFrame[], showTrace: boolean): string {
  let out = "";
  let count = 0;
  let truncated = false;
  let repeated: TraceFrame[] = [];
  const seen = new Set<string>();
  const print = (frame: TraceFrame): void => {
    out += printFrame(frame);
    if (frame.pos !== undefined) count++;
  };
  const flush = (): void => {
    if (repeated.length > maxRepetitions) {
      out += `\n${indent}(${repeated.length} duplicate frames omitted)\n`;
      seen.clear();
    } else repeated.forEach(print);
    repeated = [];
  };
  for (const frame of frames) {
    if (!showTrace && count > maxShown) truncated = true;
    if (truncated && frame.shown !== "always") continue;
    const key = frameKey(frame);
    if (seen.has(key)) {
      repeated.push(frame);
      continue;
    }
    seen.add(key);
    flush();
    count++;
    print(frame);
  }
  flush();
  if (truncated) out += `\n${indent}(stack trace truncated; use '--show-trace' to show the full, detailed trace)\n`;
  return out.startsWith("\n") ? out.slice(1) : out;
}

const printFrame = (frame: TraceFrame): string =>
  `\n${indent}${bullet} ${indentRest(frame.message, indent)}\n${locate(frame.pos, `${indent}  `)}`;

/** A text of several lines, all but the first indented. */
const indentRest = (text: string, by: string): string => text.replace(/\n(?=[^\n])/g, `\n${by}`);

/** "at FILE:L:C:" and the lines around, or nothing. */
function locate(pos: Pos | undefined, by: string, more = ""): string {
  if (pos === undefined) return "";
  const { line, column } = positionAt(pos.source, pos.offset);
  const place = `${by}at ${originName(pos.source.origin)}:${line}:${column}:`;
  if (pos.source.text === "") return `${place}\n`;
  const caret = `${more}${" ".repeat(indent.length + 6)}| ${" ".repeat(column - 1)}^`;
  const lines = [place, codeLine(pos, line - 1, more), codeLine(pos, line, more), caret, codeLine(pos, line + 1, more)];
  return `${lines.filter((text) => text !== undefined).join("\n")}\n`;
}

function codeLine(pos: Pos, line: number, more: string): string | undefined {
  const text = lineText(pos.source, line);
  return text === undefined ? undefined : `${more}${indent}${String(line).padStart(6)}| ${text}`.trimEnd();
}
