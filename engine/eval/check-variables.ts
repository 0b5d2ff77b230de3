/**
 * The static check for undefined variables, made right after parsing as C++ Nix does: an undefined variable is an error even where it is
 * never evaluated. Walks with an explicit stack, because source text may nest deeper than the JavaScript stack.
 */
import type { AttrName, AttrSet, Expr, Source } from "#engine/syntax/ast.ts";
import { NixError } from "./error.ts";
import { resolve, type Scope } from "./scope.ts";
import type { SymbolTable } from "./symbols.ts";

type Task = { readonly expr: Expr; readonly scope: Scope };

const noCell = 0;

/** Throws Nix's error for the first variable that nothing defines; attributes are looked at in the order of their symbols. */
export function checkVariables(expr: Expr, source: Source, scope: Scope, symbols: SymbolTable): void {
  const stack: Task[] = [{ expr, scope }];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task.expr.kind === "var") checkVariable(task.expr.name, task.expr.start, source, task.scope);
    else {
      const children = childrenOf(task.expr, task.scope, symbols);
      for (let i = children.length - 1; i >= 0; i--) stack.push(children[i]!);
    }
  }
}

function checkVariable(name: string, offset: number, source: Source, scope: Scope): void {
  if (resolve(scope, name) !== undefined) return;
  throw new NixError("undefined", `undefined variable '${name}'`, {
    pos: { source, offset },
    data: { variable: name },
  });
}

const names = (list: readonly { readonly name: string }[]): Map<string, number> =>
  new Map(list.map(({ name }) => [name, noCell]));

/** The parts of an expression, each with the scope it is in, in the order C++ Nix binds them. */
function childrenOf(expr: Expr, scope: Scope, symbols: SymbolTable): Task[] {
  const here = (child: Expr): Task => ({ expr: child, scope });
  switch (expr.kind) {
    case "interpolation":
    case "path-interpolation":
      return expr.parts.flatMap((part) => (part.kind === "antiquote" ? [here(part.expr)] : []));
    case "select":
      return [
        here(expr.target),
        ...(expr.fallback === null ? [] : [here(expr.fallback)]),
        ...dynamicNames(expr.path, scope),
      ];
    case "has-attr":
      return [here(expr.target), ...dynamicNames(expr.path, scope)];
    case "attr-set":
      return attrSetParts(expr, scope, symbols);
    case "let": {
      const inner: Scope = { kind: "frame", names: names(expr.attrs.attrs), up: scope };
      return [...bindings(expr.attrs, scope, inner, symbols), { expr: expr.body, scope: inner }];
    }
    case "list":
      return expr.elements.map(here);
    case "lambda": {
      const own = [...(expr.param === null ? [] : [expr.param]), ...(expr.formals?.formals ?? [])];
      const inner: Scope = { kind: "frame", names: names(own), up: scope };
      const fallbacks =
        expr.formals?.formals.flatMap((formal) => (formal.fallback === null ? [] : [formal.fallback])) ?? [];
      return [...fallbacks, expr.body].map((child) => ({ expr: child, scope: inner }));
    }
    case "apply":
      return [here(expr.func), ...expr.args.map(here)];
    case "if":
      return [here(expr.condition), here(expr.then), here(expr.otherwise)];
    case "with":
      return [here(expr.scope), { expr: expr.body, scope: { kind: "with", up: scope } }];
    case "assert":
      return [here(expr.condition), here(expr.body)];
    case "not":
    case "negate":
      return [here(expr.operand)];
    case "binary":
      return SWAPPED.has(expr.op) ? [here(expr.right), here(expr.left)] : [here(expr.left), here(expr.right)];
    default:
      return [];
  }
}

/** Operators that are calls with their operands the other way round: `a > b` is `__lessThan b a`, `a |> f` is `f a`. */
const SWAPPED: ReadonlySet<string> = new Set([">", "<=", "|>"]);

const dynamicNames = (path: readonly AttrName[], scope: Scope): Task[] =>
  path.flatMap((name) => (name.kind === "dynamic-name" ? [{ expr: name.expr, scope }] : []));

function attrSetParts(expr: AttrSet, scope: Scope, symbols: SymbolTable): Task[] {
  const inner: Scope = expr.recursive ? { kind: "frame", names: names(expr.attrs), up: scope } : scope;
  const dynamic = expr.dynamic.flatMap((attr) => [
    { expr: attr.name, scope: inner },
    { expr: attr.value, scope: inner },
  ]);
  return [...bindings(expr, scope, inner, symbols), ...dynamic];
}

function bindings(set: AttrSet, outer: Scope, inner: Scope, symbols: SymbolTable): Task[] {
  const tasks: Task[] = set.inheritFrom.map((expr) => ({ expr, scope: inner }));
  const order = set.attrs.map((attr) => ({ attr, id: symbols.intern(attr.name) }));
  for (const { attr } of order.sort((a, b) => a.id - b.id)) {
    if (attr.kind === "plain") tasks.push({ expr: attr.value, scope: inner });
    else if (attr.kind === "inherit") tasks.push({ expr: attr.value, scope: outer });
  }
  return tasks;
}
