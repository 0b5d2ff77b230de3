/**
 * Colours for the plain editor, which shows the file before Monaco is there (and on touch screens instead of it). A scanner,
 * not a parser: it knows comments, strings with their
 * interpolations and escapes, numbers, paths, keywords, names before `=` and variables, and colours them as Monaco does.
 */

export type TokenKind =
  "text" | "comment" | "string" | "escape" | "number" | "path" | "keyword" | "name" | "variable" | "builtin";

export interface Token {
  kind: TokenKind;
  text: string;
}

const rules: [TokenKind, RegExp][] = [
  ["comment", /#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y],
  ["path", /(?:\.{0,2}\/|~\/)[\w.+-]+(?:\/[\w.+-]+)*|<[\w.+-]+(?:\/[\w.+-]+)*>/y],
  ["number", /\d+(?:\.\d+)?(?![\w'-])/y],
  ["keyword", /(?:assert|else|if|in|inherit|let|or|rec|then|with)(?![\w'-])/y],
  ["builtin", /(?:true|false|null|builtins|import|throw|abort|map|toString)(?![\w'-])/y],
  ["name", /[A-Za-z_][\w'-]*(?:\.[A-Za-z_"][\w'"-]*)*(?=\s*=(?!=))/y],
  ["variable", /[A-Za-z_][\w'-]*(?![\w'-])(?!\s*[,:?@])/y],
  ["text", /[A-Za-z_][\w'-]*|\s+/y],
];

export function highlight(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const token = stringAt(source, at) ?? wordAt(source, at);
    at += token.reduce((length, part) => length + part.text.length, 0);
    tokens.push(...token);
  }
  return tokens;
}

function wordAt(source: string, at: number): Token[] {
  for (const [kind, rule] of rules) {
    rule.lastIndex = at;
    const text = rule.exec(source)?.[0];
    if (text) return [{ kind, text }];
  }
  return [{ kind: "text", text: source[at] ?? "" }];
}

/** A string beginning here, in parts; interpolations are highlighted as what they are. */
function stringAt(source: string, at: number): Token[] | null {
  const quote = source.startsWith("''", at) ? "''" : source[at] === '"' ? '"' : null;
  if (quote === null) return null;
  const parts: Token[] = [];
  let from = at;
  let here = at + quote.length;
  const flush = (): void => {
    if (here > from) parts.push({ kind: "string", text: source.slice(from, here) });
  };
  while (here < source.length) {
    const escape = escapeLength(source, here, quote);
    if (escape > 0) {
      flush();
      parts.push({ kind: "escape", text: source.slice(here, here + escape) });
      here = Math.min(source.length, here + escape);
      from = here;
    } else if (source.startsWith("${", here)) {
      flush();
      const end = interpolationEnd(source, here + 2);
      parts.push({ kind: "escape", text: "${" }, ...highlight(source.slice(here + 2, end)));
      if (end < source.length) parts.push({ kind: "escape", text: "}" });
      here = Math.min(source.length, end + 1);
      from = here;
    } else if (source.startsWith(quote, here)) {
      here += quote.length;
      break;
    } else here += 1;
  }
  flush();
  return parts;
}

function escapeLength(source: string, at: number, quote: string): number {
  if (quote === '"') return source[at] === "\\" ? 2 : 0;
  if (source.startsWith("'''", at) || source.startsWith("''$", at)) return 3;
  return source.startsWith("''\\", at) ? 4 : 0;
}

/** Where the braces of an interpolation balance; the end of the file when they do not. */
function interpolationEnd(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length; at += 1) {
    if (source[at] === "{") depth += 1;
    else if (source[at] === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return source.length;
}
