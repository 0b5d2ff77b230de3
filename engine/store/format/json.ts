/**
 * JSON as Nix writes it for builders and commands: members in byte order of their names, byte strings kept byte by byte
 * (a JavaScript string whose chars are UTF-8 bytes goes through JSON.parse unchanged).
 */
import { type ByteString, compareByteStrings } from "./bytes.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Compact, or with `indent` spaces a level. */
export function printJson(value: Json, indent = 0, margin = ""): ByteString {
  if (value === null || typeof value !== "object")
    return typeof value === "string" ? quoteJson(value) : JSON.stringify(value);
  const inner = margin + " ".repeat(indent);
  const open = indent === 0 ? "" : `\n${inner}`;
  const separator = indent === 0 ? "," : `,\n${inner}`;
  const close = indent === 0 ? "" : `\n${margin}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${open}${value.map((item: Json) => printJson(item, indent, inner)).join(separator)}${close}]`;
  }
  const members = Object.entries(value as Record<string, Json>).sort((a, b) => compareByteStrings(a[0], b[0]));
  if (members.length === 0) return "{}";
  const colon = indent === 0 ? ":" : ": ";
  const texts = members.map(([name, item]) => quoteJson(name) + colon + printJson(item, indent, inner));
  return `{${open}${texts.join(separator)}${close}}`;
}

/** Control characters escaped, everything else (UTF-8 bytes included) as it is. */
function quoteJson(text: ByteString): ByteString {
  return JSON.stringify(text);
}

/** The same value with every string (not the names) rewritten. */
export function rewriteJson(value: Json, rewrite: (text: string) => string): Json {
  if (typeof value === "string") return rewrite(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: Json) => rewriteJson(item, rewrite));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rewriteJson(item as Json, rewrite)]));
}
