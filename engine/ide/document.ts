/**
 * A document is a file open in an editor: its text, its tree, and the way between the editor's offsets and the tree's.
 *
 * Invariant: a document never changes; an edit makes a new one.
 */
import { decodeUtf8, encodeUtf8 } from "#engine/store/format/bytes.ts";
import { parse, type ParseResult } from "#engine/syntax/parser.ts";
import type { ParseOptions } from "#engine/syntax/options.ts";
import { fileSource, type Source } from "#engine/syntax/source.ts";
import type { BuiltinInfo, OptionInfo, Span } from "./types.ts";

export interface Document extends ParseResult {
  readonly path: string;
  readonly text: string;
  readonly source: Source;
  /** Whether offsets mean the same in `text` and in the tree. */
  readonly isAscii: boolean;
}

/** What is known beside the document. */
export interface Workspace {
  readonly builtins: readonly BuiltinInfo[];
  readonly options: readonly OptionInfo[];
  /** Attribute names of values that only evaluation knows, by the name code has for them: `pkgs`, `lib`, `lib.types`. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

export const EMPTY_WORKSPACE: Workspace = { builtins: [], options: [] };

/** Parses a text of the editor (UTF-16). */
export function openDocument(path: string, text: string, options: Partial<ParseOptions> = {}): Document {
  const bytes = encodeUtf8(text);
  const source = fileSource(encodeUtf8(path), bytes);
  return { path, text, source, isAscii: bytes.length === text.length, ...parse(source, options) };
}

/** An editor's offset as the tree's. */
export function toByteOffset(document: Document, offset: number): number {
  return document.isAscii ? offset : encodeUtf8(document.text.slice(0, offset)).length;
}

/** A span of the tree as the editor's. */
export function toTextSpan(document: Document, { start, end }: Span): Span {
  if (document.isAscii) return { start, end };
  const index = offsetIndex(document);
  return { start: index[start]!, end: index[end]! };
}

const indexes = new WeakMap<Document, Uint32Array>();

/** The editor's offset of each byte. */
function offsetIndex(document: Document): Uint32Array {
  let index = indexes.get(document);
  if (index === undefined) {
    const bytes = document.source.text;
    index = new Uint32Array(bytes.length + 1);
    let offset = -1;
    for (let byte = 0; byte <= bytes.length; byte++) {
      const char = byte < bytes.length ? bytes.charCodeAt(byte) : 0;
      if ((char & 0xc0) !== 0x80) offset++;
      index[byte] = offset;
      if (char >= 0xf0) offset++;
    }
    indexes.set(document, index);
  }
  return index;
}

export const toText = decodeUtf8;
