/** Formatting a document as an editor does it. */
import { format } from "#engine/syntax/format/format.ts";
import type { ParseOptions } from "#engine/syntax/options.ts";
import { type Document, toText } from "./document.ts";
import type { FormatResult } from "./types.ts";

/** The document in the style of RFC 166. */
export function formatDocument(document: Document, options: Partial<ParseOptions> = {}): FormatResult {
  if (document.diagnostics.length > 0) return { text: document.text, changed: false };
  const text = toText(format(document.source, options));
  return { text, changed: text !== document.text };
}
