/** Definition, references and rename of the name at an offset. */
import type { AttrSet, Select } from "#engine/syntax/ast.ts";
import { nodesAt } from "#engine/syntax/children.ts";
import { isPlainName } from "#engine/syntax/names.ts";
import { type Document, toByteOffset, toText, toTextSpan } from "./document.ts";
import {
  attributeValue,
  type Definition,
  knownSet,
  lookUp,
  nameAt,
  type NameReference,
  namesOf,
  type Scope,
  scopeAt,
  withsOf,
} from "./scopes.ts";
import type { Location, Reference, RenameResult, Span, TextEdit } from "./types.ts";

/** Where the name at the offset is defined (`x.a`: where a set of this file has it); for a path the file it leads to. */
export function definitionAt(document: Document, offset: number): Location[] {
  const at = toByteOffset(document, offset);
  const node = nodesAt(document.ast, at).at(-1)!;
  if (node.kind === "path") return [{ path: toText(node.value), start: 0, end: 0 }];
  const spans = nameAt(document, at)?.definition?.names ?? attributeSpans(document, at);
  return spans.map((span) => ({ path: document.path, ...toTextSpan(document, span) }));
}

/** Every place of the name at the offset, its definition first. */
export function referencesAt(document: Document, offset: number): Reference[] {
  const definition = nameAt(document, toByteOffset(document, offset))?.definition;
  if (!definition) return [];
  const isName = (span: Span): boolean => definition.names.some((name) => name.start === span.start);
  const uses = definition.references.filter((reference) => !isName(reference)).sort((a, b) => a.start - b.start);
  return [
    ...definition.names.map((span) => ({ ...toTextSpan(document, span), isDefinition: true })),
    ...uses.map((span) => ({ ...toTextSpan(document, span), isDefinition: false })),
  ];
}

/** What an editor offers for renaming: the name's span, or null where there is none of this file. */
export function renameSpan(document: Document, offset: number): Span | null {
  const found = nameAt(document, toByteOffset(document, offset));
  return found?.definition ? toTextSpan(document, found.span) : null;
}

/** The edits that give the name at the offset another name everywhere in the file, without changing what anything means. */
export function rename(document: Document, offset: number, name: string): RenameResult {
  const definition = nameAt(document, toByteOffset(document, offset))?.definition;
  if (!definition) return { ok: false, reason: "There is no name of this file here." };
  if (!isPlainName(name) || name === "or") return { ok: false, reason: `'${name}' is not an identifier.` };
  if (name === definition.name) return { ok: true, edits: [] };
  const clash = findClash(document, definition, name);
  if (clash !== null) return { ok: false, reason: clash };
  const edits = renameEdits(document, definition, name).map((edit) => ({
    ...toTextSpan(document, edit),
    text: edit.text,
  }));
  const isInterface = definition.kind === "formal" || definition.kind === "rec";
  const note = "Whoever uses this from outside the file knows it by its old name.";
  return isInterface ? { ok: true, edits, note } : { ok: true, edits };
}

/** Why the new name would mean something else somewhere; null if it would not. */
function findClash(document: Document, definition: Definition, name: string): string | null {
  if (definition.scope.names.has(name)) return `'${name}' is already defined in the same place.`;
  for (const reference of definition.references) {
    const other = lookUp(reference.scope, name);
    if (other !== null && isInside(other.scope, definition.scope))
      return `'${name}' is defined between this name and a use of it.`;
  }
  const captured = namesOf(document).references.some(
    (reference) => reference.name === name && isInside(reference.scope, definition.scope),
  );
  return captured ? `'${name}' is used here with another meaning.` : null;
}

function isInside(scope: Scope, outer: Scope): boolean {
  for (let current: Scope | null = scope; current !== null; current = current.parent)
    if (current === outer) return true;
  return false;
}

function renameEdits(document: Document, definition: Definition, name: string): TextEdit[] {
  const edits: TextEdit[] = [];
  for (const span of definition.names) {
    if (definition.kind === "inherit" && definition.node.kind === "inherit-binding") {
      const { from } = definition.node;
      const value = from === null ? definition.name : `${parenthesised(document, from)}.${definition.name}`;
      edits.push(...replaceInherited(document, definition.node, span, `${name} = ${value};`));
    } else edits.push({ start: span.start, end: span.end, text: name });
  }
  for (const reference of definition.references) edits.push(...referenceEdits(document, reference, name));
  return edits.sort((a, b) => a.start - b.start);
}

/** `inherit x;` defines an attribute that keeps its name, so it becomes `x = new;`. */
function referenceEdits(document: Document, reference: NameReference, name: string): TextEdit[] {
  if (reference.inherit === null) return [{ start: reference.start, end: reference.end, text: name }];
  return replaceInherited(document, reference.inherit, reference, `${reference.name} = ${name};`);
}

/** Takes a name out of an `inherit` and puts a binding in its place. */
function replaceInherited(
  document: Document,
  inherit: Extract<Definition["node"], { kind: "inherit-binding" }>,
  name: Span,
  binding: string,
): TextEdit[] {
  if (inherit.names.length === 1) return [{ start: inherit.start, end: inherit.end, text: binding }];
  let start = name.start;
  while (/\s/.test(document.source.text[start - 1] ?? "")) start--;
  return [
    { start, end: name.end, text: "" },
    { start: inherit.end, end: inherit.end, text: ` ${binding}` },
  ];
}

function parenthesised(document: Document, expr: Span & { kind: string }): string {
  const text = document.source.text.slice(expr.start, expr.end);
  return expr.kind === "var" || expr.kind === "select" ? text : `(${text})`;
}

/** The names that define the attribute under the offset, in a set of this file. */
function attributeSpans(document: Document, offset: number): Span[] {
  const nodes = nodesAt(document.ast, offset);
  const name = nodes.at(-1);
  if (name?.kind === "var") return withAttribute(document, name.name, scopeAt(document, offset));
  const select = nodes.at(-2);
  if (name?.kind !== "static-name" || select?.kind !== "select") return [];
  return definedAttribute(document, select, name, scopeAt(document, offset));
}

/** A name that a `with` over a known set brings. */
function withAttribute(document: Document, name: string, scope: Scope): Span[] {
  for (const one of withsOf(scope)) {
    const spans = attributeNames(document, knownSet(one, scope)?.set ?? null, name);
    if (spans.length > 0) return spans;
  }
  return [];
}

function definedAttribute(document: Document, select: Select, name: Span & { name: string }, scope: Scope): Span[] {
  const root = knownSet(select.target, scope);
  if (root === null) return [];
  const before = select.path.filter((one) => one.end < name.start);
  const set = before.length === 0 ? root.set : attributeValue(root.set, before);
  return set?.kind === "attr-set" ? attributeNames(document, set, name.name) : [];
}

/** The place of an attribute's own name in the path that defines it. */
function attributeNames(document: Document, set: AttrSet | null, name: string): Span[] {
  const attr = set?.attrs.find((one) => one.name === name);
  if (attr === undefined) return [];
  const binding = nodesAt(document.ast, attr.pos).findLast(
    (node) => node.kind === "path-binding" && node.start === attr.pos,
  );
  const names = binding?.kind === "path-binding" ? binding.path : [];
  const own = names.find((one) => one.kind === "static-name" && one.name === name);
  return [own === undefined ? { start: attr.pos, end: attr.pos + name.length } : { start: own.start, end: own.end }];
}
