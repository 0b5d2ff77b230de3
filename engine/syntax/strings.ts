/** Escapes and indentation of string literals: from what is written to what is meant. */
import type { Antiquote, Str } from "./ast.ts";
import type { IndentedPiece } from "./lexer.ts";

/** Resolves backslash escapes; CR and CR LF become LF. */
export function unescapeString(raw: string): string {
  return raw.replace(/\\([^])|\r\n?/g, (match, char: string | undefined) => {
    if (char === undefined) return "\n";
    switch (char) {
      case "n":
        return "\n";
      case "r":
        return "\r";
      case "t":
        return "\t";
      default:
        return match.slice(1);
    }
  });
}

/** A part of an indented string as lexed. */
export type IndentedPart = Antiquote | (IndentedPiece & { readonly start: number; readonly end: number });

/** Removes the indentation that all lines share, and a last line of nothing but spaces. Empty pieces vanish. */
export function stripIndentation(parts: readonly IndentedPart[]): (Str | Antiquote)[] {
  const indentation = sharedIndentation(parts);
  const result: (Str | Antiquote)[] = [];
  let atLineStart = true;
  let dropped = 0;
  parts.forEach((part, index) => {
    if ("kind" in part) {
      atLineStart = false;
      dropped = 0;
      result.push(part);
      return;
    }
    let text = "";
    for (const char of part.text) {
      if (!atLineStart) {
        text += char;
        if (char === "\n") atLineStart = true;
      } else if (char === " ") {
        if (dropped++ >= indentation) text += char;
      } else {
        dropped = 0;
        if (char !== "\n") atLineStart = false;
        text += char;
      }
    }
    if (index === parts.length - 1) text = dropBlankLastLine(text);
    if (text !== "") result.push({ kind: "string", start: part.start, end: part.end, text });
  });
  return result;
}

/** The least number of spaces at the start of a line that has something else. */
function sharedIndentation(parts: readonly IndentedPart[]): number {
  let least = 1_000_000;
  let current = 0;
  let atLineStart = true;
  for (const part of parts) {
    if ("kind" in part || !part.hasIndentation) {
      if (atLineStart) least = Math.min(least, current);
      atLineStart = false;
      continue;
    }
    for (const char of part.text) {
      if (!atLineStart) {
        if (char !== "\n") continue;
        atLineStart = true;
        current = 0;
      } else if (char === " ") current++;
      else if (char === "\n") current = 0;
      else {
        atLineStart = false;
        least = Math.min(least, current);
      }
    }
  }
  return least;
}

function dropBlankLastLine(text: string): string {
  const newline = text.lastIndexOf("\n");
  return newline >= 0 && /^ *$/.test(text.slice(newline + 1)) ? text.slice(0, newline + 1) : text;
}
