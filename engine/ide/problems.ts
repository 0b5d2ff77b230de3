/** Problems of a text that need no evaluation: what the parser found, and names that nothing uses. */
import { type Document, toByteOffset, toText, toTextSpan } from "./document.ts";
import { isUnused } from "./tokens.ts";
import { namesOf } from "./scopes.ts";
import type { Problem } from "./types.ts";

/** Errors and warnings as Nix words them, then hints. */
export function problemsOf(document: Document): Problem[] {
  const errors = document.diagnostics.map((diagnostic): Problem => {
    const end = Math.max(diagnostic.end, Math.min(diagnostic.start + 1, document.source.text.length));
    const span = toTextSpan(document, { start: diagnostic.start, end });
    return {
      ...span,
      severity: "error",
      message: toText(diagnostic.message),
      code: diagnostic.code,
      unnecessary: false,
      data: diagnostic,
    };
  });
  const warnings = document.warnings.map((warning): Problem => {
    const span = toTextSpan(document, warning);
    return { ...span, severity: "warning", message: toText(warning.message), code: warning.code, unnecessary: false };
  });
  return [...errors, ...warnings, ...(errors.length === 0 ? unusedNames(document) : [])];
}

function unusedNames(document: Document): Problem[] {
  return namesOf(document)
    .definitions.filter(isUnused)
    .map((definition) => {
      const name = definition.names[0]!;
      const message = `'${definition.name}' is never used.`;
      const data = { at: name.start };
      return { ...toTextSpan(document, name), severity: "hint", message, code: "unused", unnecessary: true, data };
    });
}

/** The definition a hint of `unusedNames` is about. */
export function unusedAt(
  document: Document,
  offset: number,
): ReturnType<typeof namesOf>["definitions"][number] | undefined {
  const at = toByteOffset(document, offset);
  return namesOf(document).definitions.find((definition) => isUnused(definition) && definition.names[0]!.start === at);
}
