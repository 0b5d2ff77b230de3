/**
 * The static check for undefined variables, made right after parsing as C++ Nix does: an undefined variable is an error even where it is
 * never evaluated. Walks with an explicit stack, because source text may nest deeper than the JavaScript stack.
 */
import type { AttrName, AttrSet, Expr, Source } from "#engine/syntax/ast.ts";
import { NixError } from "./error.ts";
import { resolve, type Scope } from "./scope.ts";

type Task = { readonly expr: Expr; readonly scope: Scope };

const noCell = 0;

/** Throws Nix's error for the first variable that nothing defines. */
export function checkVariables(expr: Expr, source: Source, scope: Scope): void {
  const stack: Task[] = [{ expr, scope }];
  for (let task = stack.pop(); task !== undefined; task = stack.pop()) {
    if (task.expr.kind === "var") checkVariable(task.expr.name, task.expr.start, source, task.scope);
    else {
      const children = childrenOf(task.expr, task.scope);
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
function childrenOf(expr: Expr, scope: Scope): Task[] {
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
      return attrSetParts(expr, scope);
    case "let": {
      const inner: Scope = { kind: "frame", names: names(expr.attrs.attrs), up: scope };
      return [...bindings(expr.attrs, scope, inner), { expr: expr.body, scope: inner }];
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
      return [here(expr.left), here(expr.right)];
    default:
      return [];
  }
}

const dynamicNames = (path: readonly AttrName[], scope: Scope): Task[] =>
  path.flatMap((name) => (name.kind === "dynamic-name" ? [{ expr: name.expr, scope }] : []));

function attrSetParts(expr: AttrSet, scope: Scope): Task[] {
  const inner: Scope = expr.recursive ? { kind: "frame", names: names(expr.attrs), up: scope } : scope;
  const dynamic = expr.dynamic.flatMap((attr) => [
    { expr: attr.name, scope: inner },
    { expr: attr.value, scope: inner },
  ]);
  return [...bindings(expr, scope, inner), ...dynamic];
}

function bindings(set: AttrSet, outer: Scope, inner: Scope): Task[] {
  const tasks: Task[] = set.inheritFrom.map((expr) => ({ expr, scope: inner }));
  for (const attr of set.attrs) {
    if (attr.kind === "plain") tasks.push({ expr: attr.value, scope: inner });
    else if (attr.kind === "inherit") tasks.push({ expr: attr.value, scope: outer });
  }
  return tasks;
}
