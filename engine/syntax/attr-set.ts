/**
 * Attribute sets while they are parsed: bindings added one by one, merged and checked as Nix does.
 *
 * Invariant: a name is defined once; a second definition either merges (both are sets, written as `{…}` or implied by a
 * path) or is a duplicate, reported with Nix's message.
 */
import type { Attr, AttrName, AttrSet, Binding, DynamicAttr, Expr, Lambda, Source, Var } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { attrPathText } from "./names.ts";
import { originName, positionAt } from "./source.ts";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Sets of more attributes than this get an index. */
const INDEX_FROM = 8;

/** An attribute set under construction; it is the tree's node too. */
export class AttrSetNode implements AttrSet {
  readonly kind = "attr-set";
  start: number;
  end: number;
  recursive = false;
  readonly attrs: Attr[] = [];
  readonly dynamic: DynamicAttr[] = [];
  readonly inheritFrom: Expr[] = [];
  readonly bindings: Binding[] = [];
  private index: Map<string, number> | null = null;

  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
  }

  find(name: string): Attr | undefined {
    if (this.attrs.length <= INDEX_FROM) return this.attrs.find((attr) => attr.name === name);
    this.index ??= new Map(this.attrs.map((attr, index) => [attr.name, index]));
    const index = this.index.get(name);
    return index === undefined ? undefined : this.attrs[index];
  }

  add(attr: Attr): void {
    this.index?.set(attr.name, this.attrs.length);
    this.attrs.push(attr);
  }
}

/** What adding a binding needs to know besides the set. */
export interface BindingContext {
  readonly source: Source;
  report(diagnostic: Diagnostic): void;
}

/** Whether recovery made the name up: it has no width. */
const isInvented = (name: AttrName): boolean => name.start === name.end;

/** Adds `path = value;`, whose semicolon ends at `end`, to a set. */
export function bindPath(
  context: BindingContext,
  set: AttrSetNode,
  path: readonly AttrName[],
  value: Expr,
  end: number,
): void {
  const last = path.at(-1)!;
  const { start: pos } = path[0]!;
  set.bindings.push({ kind: "path-binding", start: pos, end, path, value });
  if (path.some(isInvented)) return;
  const target = descend(context, set, path, pos, value.end);
  if (target === null) return;
  if (last.kind === "dynamic-name") target.dynamic.push({ name: last.expr, pos, value });
  else define(context, target, { kind: "plain", name: last.name, pos, value }, path.slice(0, -1));
}

/** The set that the last name of the path goes into, inventing sets on the way; null after a duplicate. */
function descend(
  context: BindingContext,
  set: AttrSetNode,
  path: readonly AttrName[],
  pos: number,
  end: number,
): AttrSetNode | null {
  let current = set;
  for (let index = 0; index < path.length - 1; index++) {
    const name = path[index]!;
    if (name.kind === "dynamic-name") {
      const value = new AttrSetNode(pos, end);
      current.dynamic.push({ name: name.expr, pos, value });
      current = value;
      continue;
    }
    const existing = current.find(name.name);
    if (existing === undefined) {
      const value = new AttrSetNode(pos, end);
      current.add({ kind: "plain", name: name.name, pos, value });
      current = value;
    } else if (existing.kind === "plain" && existing.value instanceof AttrSetNode) {
      current = existing.value;
    } else {
      reportDuplicate(context, path.slice(0, index + 1), name.name, pos, existing.pos);
      return null;
    }
  }
  return current;
}

/** Adds an attribute, merging sets; `prefix` is the path that led here, for the message. */
function define(context: BindingContext, set: AttrSetNode, attr: Attr, prefix: readonly AttrName[]): void {
  const existing = set.find(attr.name);
  if (existing === undefined) {
    set.add(attr);
    if (attr.kind === "plain") nameFunction(attr.value, attr.name);
    return;
  }
  const path: AttrName[] = [...prefix, { kind: "static-name", start: attr.pos, end: attr.pos, name: attr.name }];
  const into = existing.kind === "plain" ? existing.value : null;
  const from = attr.kind === "plain" ? attr.value : null;
  if (into instanceof AttrSetNode && from instanceof AttrSetNode) merge(context, into, from, path);
  else reportDuplicate(context, path, attr.name, attr.pos, existing.pos);
}

/** Nix keeps the first set's `rec` and forgets the second's. */
function merge(context: BindingContext, into: AttrSetNode, from: AttrSetNode, path: readonly AttrName[]): void {
  const moved = movedInherits(into.inheritFrom.length, from);
  for (const attr of from.attrs) {
    define(context, into, attr.kind === "inherit-from" ? { ...attr, from: moved(attr.from) } : attr, path);
  }
  into.inheritFrom.push(...from.inheritFrom);
  into.dynamic.push(...from.dynamic);
}

/**
 * Where the `inherit (x)` expressions of a merged set come to lie behind `offset` others. C++ Nix 2.34 moves each once for
 * every name it gives, so `inherit (x) a b;` may end up taking both from a later expression: it is the same here. Where
 * that leads past the last one, C++ Nix fails an assertion; here the expression is the right one.
 */
function movedInherits(offset: number, { attrs, inheritFrom }: AttrSetNode): (index: number) => number {
  const names = inheritFrom.map(
    (_, index) => attrs.filter((attr) => attr.kind === "inherit-from" && attr.from === index).length,
  );
  return (index) => {
    const target = index + offset * names[index]!;
    return target < offset + inheritFrom.length ? target : index + offset;
  };
}

/** Adds `inherit names;` or, with an expression, `inherit (from) names;`. */
export function bindInherit(
  context: BindingContext,
  set: AttrSetNode,
  span: { start: number; end: number },
  from: Expr | null,
  names: readonly AttrName[],
): void {
  set.bindings.push({ kind: "inherit-binding", start: span.start, end: span.end, from, names });
  if (from !== null) set.inheritFrom.push(from);
  for (const name of names) {
    if (name.kind === "dynamic-name" || isInvented(name)) continue;
    const existing = set.find(name.name);
    if (existing !== undefined) reportDuplicate(context, [name], name.name, name.start, existing.pos);
    else set.add(inherited(name.name, name.start, name.end, from === null ? null : set.inheritFrom.length - 1));
  }
}

function inherited(name: string, start: number, end: number, from: number | null): Attr {
  if (from !== null) return { kind: "inherit-from", name, pos: start, from };
  const value: Var = { kind: "var", start, end, name };
  return { kind: "inherit", name, pos: start, value };
}

/** A function is shown by the name it was first bound to; so are the functions it returns. */
function nameFunction(value: Expr, name: string): void {
  for (let expr = value; expr.kind === "lambda"; expr = expr.body) (expr as Writable<Lambda>).name = name;
}

function reportDuplicate(
  context: BindingContext,
  path: readonly AttrName[],
  name: string,
  start: number,
  previous: number,
): void {
  const { line, column } = positionAt(context.source, previous);
  const where = `${originName(context.source.origin)}:${line}:${column}`;
  context.report({
    code: "duplicate-attribute",
    message: `attribute '${attrPathText(path)}' already defined at ${where}`,
    start,
    end: path.at(-1)!.end,
    name,
    previous,
  });
}
