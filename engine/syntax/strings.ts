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
    let offset = 0;
    while (offset < part.text.length) {
      if (atLineStart) {
        const textStart = skipSpaces(part.text, offset);
        dropped += textStart - offset;
        text += " ".repeat(Math.min(Math.max(dropped - indentation, 0), textStart - offset));
        offset = textStart;
        if (offset === part.text.length) break;
        dropped = 0;
      }
      const newline = part.text.indexOf("\n", offset);
      const stop = newline < 0 ? part.text.length : newline + 1;
      text += part.text.slice(offset, stop);
      atLineStart = newline >= 0;
      offset = stop;
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
    let offset = 0;
    while (offset < part.text.length) {
      if (atLineStart) {
        const textStart = skipSpaces(part.text, offset);
        current += textStart - offset;
        offset = textStart;
        if (offset === part.text.length) break;
        if (part.text[offset] !== "\n") {
          least = Math.min(least, current);
          atLineStart = false;
        }
      }
      const newline = part.text.indexOf("\n", offset);
      if (newline < 0) break;
      atLineStart = true;
      current = 0;
      offset = newline + 1;
    }
  }
  return least;
}

function dropBlankLastLine(text: string): string {
  const newline = text.lastIndexOf("\n");
  return newline >= 0 && /^ *$/.test(text.slice(newline + 1)) ? text.slice(0, newline + 1) : text;
}

function skipSpaces(text: string, offset: number): number {
  while (text.charCodeAt(offset) === 0x20) offset++;
  return offset;
}
