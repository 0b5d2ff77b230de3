/**
 * A source is a text that Nix code was read from, with what its positions are called.
 *
 * Invariant: `text` is a byte string (one JavaScript char, 0–255, for each byte; UTF-8 is kept as it is), so every offset
 * in the syntax tree is a byte offset, as in C++ Nix.
 */

/** Where a text came from. Nix prints `path`, `«stdin»`, `«string»` or nothing in front of `:line:column`. */
export type Origin =
  | { readonly type: "file"; readonly path: string; readonly shown?: string }
  | { readonly type: "stdin" }
  | { readonly type: "string" };

export interface Source {
  readonly origin: Origin;
  readonly text: string;
  /** Absolute directory that `./x` is relative to; a byte string. */
  readonly basePath: string;
}

/** Line and column count from 1; the column counts bytes. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * A file's source. Relative paths in it start at the directory of `path`, an absolute byte string; positions are of the file `shown`
 * where that is another: the one that a copy in the store was made of.
 */
export function fileSource(path: string, text: string, shown?: string): Source {
  const slash = path.lastIndexOf("/");
  const origin: Origin = shown === undefined ? { type: "file", path } : { type: "file", path, shown };
  return { origin, text, basePath: slash <= 0 ? "/" : path.slice(0, slash) };
}

/** A text given with `--expr`, `scopedImport` of a string and the like. */
export function stringSource(text: string, basePath = "/"): Source {
  return { origin: { type: "string" }, text, basePath };
}

/** A text read from standard input. */
export function stdinSource(text: string, basePath = "/"): Source {
  return { origin: { type: "stdin" }, text, basePath };
}

/** How Nix names the origin in front of a position. */
export function originName(origin: Origin): string {
  switch (origin.type) {
    case "file":
      return origin.shown ?? origin.path;
    case "stdin":
      return "\u00c2\u00abstdin\u00c2\u00bb"; // «stdin» in UTF-8 bytes
    case "string":
      return "\u00c2\u00abstring\u00c2\u00bb";
  }
}

const lineIndexes = new WeakMap<Source, readonly number[]>();

/** The offset each line starts at. A line ends after LF, CR LF or a lone CR, as Nix counts them. */
export function lineStarts(source: Source): readonly number[] {
  let index = lineIndexes.get(source);
  if (index === undefined) {
    index = computeLineStarts(source.text);
    lineIndexes.set(source, index);
  }
  return index;
}

function computeLineStarts(text: string): number[] {
  const starts = [0];
  for (let offset = 0; offset < text.length; offset++) {
    const char = text.charCodeAt(offset);
    if (char === 10 || (char === 13 && text.charCodeAt(offset + 1) !== 10)) starts.push(offset + 1);
  }
  return starts;
}

/** Line and column of a byte offset. */
export function positionAt(source: Source, offset: number): Position {
  const starts = lineStarts(source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

/** The byte offset of a position; past the end of its line it is the line's end. */
export function offsetAt(source: Source, position: Position): number {
  const starts = lineStarts(source);
  const line = Math.min(Math.max(position.line, 1), starts.length);
  const end = line < starts.length ? starts[line]! - 1 : source.text.length;
  return Math.min(starts[line - 1]! + position.column - 1, end);
}

/** The text of a line (from 1) without its line end; undefined outside the text. */
export function lineText(source: Source, line: number): string | undefined {
  const starts = lineStarts(source);
  if (line < 1 || line > starts.length) return undefined;
  const end = line < starts.length ? starts[line]! : source.text.length;
  return source.text.slice(starts[line - 1], end).replace(/[\r\n]+$/, "");
}
