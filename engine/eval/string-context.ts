/**
 * Elements of string contexts, decoded.
 */

export type ContextElement =
  | { readonly kind: "path"; readonly path: string }
  /** A derivation with all its outputs and everything it needs. */
  | { readonly kind: "all"; readonly path: string }
  /** An output; `path` is the derivation's, or an output element of its own for dynamic derivations. */
  | { readonly kind: "output"; readonly path: string; readonly output: string };

export function parseContextElement(encoded: string): ContextElement {
  if (encoded.startsWith("=")) return { kind: "all", path: encoded.slice(1) };
  if (!encoded.startsWith("!")) return { kind: "path", path: encoded };
  const end = encoded.indexOf("!", 1);
  return { kind: "output", output: encoded.slice(1, end), path: encoded.slice(end + 1) };
}

export const outputElement = (drvPath: string, output: string): string => `!${output}!${drvPath}`;

/** An element as messages show it. */
export function printContextElement(encoded: string): string {
  const element = parseContextElement(encoded);
  if (element.kind === "path") return element.path;
  return element.kind === "all" ? `${element.path} (deep)` : `${element.path}^${element.output}`;
}
