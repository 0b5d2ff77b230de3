/** Names and strings as Nix prints them in source form. */
import type { AttrName } from "./ast.ts";
import { KEYWORDS } from "./token.ts";

/** A string literal whose value is `text`: quotes, backslashes, line ends, tabs and `${` are escaped, nothing else. */
export function quoteString(text: string): string {
  if (!/["\\\n\r\t$]/.test(text)) return `"${text}"`;
  return `"${text.replace(/["\\\n\r\t]|\$(?=\{)/g, escapeChar)}"`;
}

function escapeChar(char: string): string {
  switch (char) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default:
      return `\\${char}`;
  }
}

/** Whether the text is an identifier that may stand as an attribute name without quotes (`or` may). */
export function isPlainName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && (name === "or" || !KEYWORDS.has(name));
}

/** An attribute name in source form, quoted where needed. */
export function printName(name: string): string {
  return isPlainName(name) ? name : quoteString(name);
}

/** An attribute path as Nix's messages show it; the expressions of dynamic names are not shown in full. */
export function attrPathText(path: readonly AttrName[]): string {
  return path.map((name) => (name.kind === "static-name" ? printName(name.name) : '"${...}"')).join(".");
}
