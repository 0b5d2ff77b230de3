/**
 * Names and what they mean: every definition, every reference, and the scope at any place, without evaluating.
 *
 * Invariant: a name refers to the innermost definition around it, as in Nix: `let`, `rec` and functions come before any
 * `with`; names are taken from the bindings as written. All offsets are the tree's (bytes).
 */
import type { AttrName, AttrSet, Expr, InheritBinding, Lambda, StaticName, Var } from "#engine/syntax/ast.ts";
import { type AnyNode, childrenOf, isLegacyLet } from "#engine/syntax/children.ts";
import type { Document } from "./document.ts";
import type { Span } from "./types.ts";

export type DefinitionKind = "let" | "rec" | "param" | "formal" | "inherit";

export interface Definition {
  readonly name: string;
  readonly kind: DefinitionKind;
  /** Where the name is given: more than one place for `a.b = 1; a.c = 2;`. */
  readonly names: Span[];
  /** The bound expression if there is one binding and its path is the name alone; a formal's default. */
  readonly value: Expr | null;
  /** The whole binding (with its semicolon), formal or parameter. */
  readonly node: AnyNode;
  /** The function, `let` or set it belongs to. */
  readonly owner: Expr;
  readonly scope: Scope;
  readonly references: NameReference[];
}

export interface NameReference extends Span {
  readonly name: string;
  readonly scope: Scope;
  readonly definition: Definition | null;
  /** The `inherit` it stands in, where the name is an attribute's too. */
  readonly inherit: InheritBinding | null;
}

/** Where a set of names holds. `withs` are the `with` expressions inside the nearest names, innermost first. */
export interface Scope extends Span {
  readonly parent: Scope | null;
  readonly names: Map<string, Definition>;
  readonly with: Expr | null;
}

export interface Names {
  readonly definitions: readonly Definition[];
  readonly references: readonly NameReference[];
  readonly scopes: readonly Scope[];
}

const analysed = new WeakMap<Document, Names>();

/** The names of a document, worked out once. */
export function namesOf(document: Document): Names {
  let names = analysed.get(document);
  if (names === undefined) analysed.set(document, (names = new Analysis(document).run()));
  return names;
}

/** The innermost scope around an offset. */
export function scopeAt(document: Document, offset: number): Scope {
  let best = namesOf(document).scopes[0]!;
  for (const scope of namesOf(document).scopes) {
    if (scope.start <= offset && offset <= scope.end && scope.start >= best.start && scope.end <= best.end)
      best = scope;
  }
  return best;
}

/** What a name means in a scope; null for a builtin, a `with` or nothing. */
export function lookUp(scope: Scope, name: string): Definition | null {
  for (let current: Scope | null = scope; current !== null; current = current.parent) {
    const definition = current.names.get(name);
    if (definition !== undefined) return definition;
  }
  return null;
}

/** The `with` expressions around a scope, innermost first. */
export function withsOf(scope: Scope): Expr[] {
  const found: Expr[] = [];
  for (let current: Scope | null = scope; current !== null; current = current.parent) {
    if (current.with !== null) found.push(current.with);
  }
  return found;
}

/** A definition or reference whose name is at the offset. */
export function nameAt(
  document: Document,
  offset: number,
): { span: Span; definition: Definition | null; name: string } | null {
  const touches = (span: Span): boolean => span.start <= offset && offset <= span.end;
  const { definitions, references } = namesOf(document);
  const reference = references.find(touches);
  if (reference?.definition) return { span: reference, definition: reference.definition, name: reference.name };
  for (const definition of definitions) {
    const span = definition.names.find(touches);
    if (span !== undefined) return { span, definition, name: definition.name };
  }
  return reference === undefined ? null : { span: reference, definition: null, name: reference.name };
}

class Analysis {
  private readonly definitions: Definition[] = [];
  private readonly references: { name: Var | StaticName; scope: Scope; inherit: InheritBinding | null }[] = [];
  private readonly scopes: Scope[] = [];
  private readonly pending: [AnyNode, Scope][] = [];
  private readonly root: Expr;

  constructor(document: Document) {
    this.root = document.ast;
    this.scopes.push({ start: 0, end: document.source.text.length, parent: null, names: new Map(), with: null });
  }

  run(): Names {
    this.pending.push([this.root, this.scopes[0]!]);
    for (let entry = this.pending.pop(); entry !== undefined; entry = this.pending.pop()) this.visit(...entry);
    const references = this.references.map(({ name, scope, inherit }): NameReference => {
      const definition = lookUp(scope, name.name);
      const reference = { start: name.start, end: name.end, name: name.name, scope, definition, inherit };
      definition?.references.push(reference);
      return reference;
    });
    return { definitions: this.definitions, references, scopes: this.scopes };
  }

  private visit(node: AnyNode, scope: Scope): void {
    switch (node.kind) {
      case "var":
        this.references.push({ name: node, scope, inherit: null });
        return;
      case "let": {
        const inner = this.scope(scope, node);
        this.bindings(node.attrs, node, inner, scope, "let");
        this.pending.push([node.body, inner]);
        return;
      }
      case "attr-set":
        this.attrSet(node, scope, "rec");
        return;
      case "select":
        if (isLegacyLet(node)) this.attrSet(node.target as AttrSet, scope, "let");
        else this.children(node, scope);
        return;
      case "lambda":
        this.lambda(node, scope);
        return;
      case "with": {
        this.pending.push([node.scope, scope]);
        this.pending.push([node.body, this.scope(scope, node.body, node.scope)]);
        return;
      }
      default:
        this.children(node, scope);
    }
  }

  private children(node: AnyNode, scope: Scope): void {
    for (const child of childrenOf(node)) this.pending.push([child, scope]);
  }

  private scope(parent: Scope, { start, end }: Span, withExpr: Expr | null = null): Scope {
    const scope: Scope = { start, end, parent, names: new Map(), with: withExpr };
    this.scopes.push(scope);
    return scope;
  }

  private attrSet(set: AttrSet, scope: Scope, kind: DefinitionKind): void {
    this.bindings(set, set, set.recursive ? this.scope(scope, set) : null, scope, kind);
  }

  /** The bindings of a `let` or set; `inner` is the scope they define names in, if they do. */
  private bindings(set: AttrSet, owner: Expr, inner: Scope | null, outer: Scope, kind: DefinitionKind): void {
    for (const binding of set.bindings) {
      if (binding.kind === "inherit-binding") {
        for (const name of binding.names) {
          if (name.kind !== "static-name") continue;
          if (binding.from === null) this.references.push({ name, scope: outer, inherit: binding });
          if (inner !== null) this.define(inner, name, "inherit", null, binding, owner);
        }
        if (binding.from !== null) this.pending.push([binding.from, inner ?? outer]);
        continue;
      }
      const [first] = binding.path;
      const value = binding.path.length === 1 ? binding.value : null;
      if (inner !== null && first!.kind === "static-name") this.define(inner, first!, kind, value, binding, owner);
      for (const name of binding.path) if (name.kind === "dynamic-name") this.pending.push([name, inner ?? outer]);
      this.pending.push([binding.value, inner ?? outer]);
    }
  }

  private lambda(node: Lambda, scope: Scope): void {
    const inner = this.scope(scope, node);
    if (node.param !== null) this.define(inner, node.param, "param", null, node.param, node);
    for (const formal of node.formals?.formals ?? []) {
      const name: StaticName = {
        kind: "static-name",
        start: formal.start,
        end: formal.start + formal.name.length,
        name: formal.name,
      };
      this.define(
        inner,
        name,
        "formal",
        formal.fallback,
        { kind: "formal", start: formal.start, end: formal.end, formal },
        node,
      );
      if (formal.fallback !== null) this.pending.push([formal.fallback, inner]);
    }
    this.pending.push([node.body, inner]);
  }

  private define(
    scope: Scope,
    name: StaticName,
    kind: DefinitionKind,
    value: Expr | null,
    node: AnyNode,
    owner: Expr,
  ): void {
    if (name.start === name.end) return;
    const span = { start: name.start, end: name.end };
    const existing = scope.names.get(name.name);
    if (existing !== undefined) {
      existing.names.push(span);
      return;
    }
    const definition: Definition = { name: name.name, kind, names: [span], value, node, owner, scope, references: [] };
    scope.names.set(name.name, definition);
    this.definitions.push(definition);
  }
}

/** The attribute set an expression obviously is: written as one, bound to one, or one under a `let`, `with` or `assert`. */
export function knownSet(expr: Expr | null, scope: Scope): { set: AttrSet; scope: Scope } | null {
  let current = expr;
  for (let steps = 0; current !== null && steps < 16; steps++) {
    switch (current.kind) {
      case "attr-set":
        return { set: current, scope };
      case "var": {
        const definition: Definition | null = lookUp(scope, current.name);
        current = definition === null || definition.kind === "formal" ? null : definition.value;
        break;
      }
      case "let":
      case "with":
      case "assert":
        current = current.body;
        break;
      case "binary":
        current = current.op === "//" ? current.right : null;
        break;
      case "select": {
        const inner = knownSet(current.target, scope);
        current = inner === null || current.fallback !== null ? null : attributeValue(inner.set, current.path);
        break;
      }
      default:
        return null;
    }
  }
  return null;
}

/** The value of an attribute path in a set as merged; null if it is not plainly there. */
export function attributeValue(set: AttrSet, path: readonly AttrName[]): Expr | null {
  let current: Expr = set;
  for (const name of path) {
    if (name.kind !== "static-name" || current.kind !== "attr-set") return null;
    const attr: AttrSet["attrs"][number] | undefined = current.attrs.find((one) => one.name === name.name);
    if (attr?.kind !== "plain") return null;
    current = attr.value;
  }
  return current;
}
