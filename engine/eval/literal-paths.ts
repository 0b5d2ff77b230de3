/**
 * Every path that a file's text names: path literals, the fixed beginnings of interpolated ones, and absolute strings.
 */
import type { AttrName, AttrSet, Expr } from "#engine/syntax/ast.ts";

/** Paths without trailing slash; "/" for what could be anywhere. */
export function literalPaths(expr: Expr): string[] {
  const found = new Set<string>();
  const stack: Expr[] = [expr];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === "path") found.add(next.value);
    else if (next.kind === "string") {
      if (next.text.startsWith("/") && next.text.length > 1) found.add(next.text.replace(/\/+$/, ""));
    } else pushParts(next, stack, found);
  }
  return [...found];
}

function pushParts(expr: Expr, stack: Expr[], found: Set<string>): void {
  switch (expr.kind) {
    case "path-interpolation":
      found.add(expr.parts[0].value.replace(/\/[^/]*$/, "") || "/");
      for (const part of expr.parts) if (part.kind === "antiquote") stack.push(part.expr);
      return;
    case "interpolation":
      for (const part of expr.parts) stack.push(part.kind === "antiquote" ? part.expr : part);
      return;
    case "select":
      stack.push(expr.target);
      if (expr.fallback !== null) stack.push(expr.fallback);
      pushNames(expr.path, stack);
      return;
    case "has-attr":
      stack.push(expr.target);
      pushNames(expr.path, stack);
      return;
    case "attr-set":
      pushSet(expr, stack);
      return;
    case "let":
      pushSet(expr.attrs, stack);
      stack.push(expr.body);
      return;
    case "list":
      stack.push(...expr.elements);
      return;
    case "lambda":
      for (const formal of expr.formals?.formals ?? []) if (formal.fallback !== null) stack.push(formal.fallback);
      stack.push(expr.body);
      return;
    case "apply":
      stack.push(expr.func, ...expr.args);
      return;
    case "if":
      stack.push(expr.condition, expr.then, expr.otherwise);
      return;
    case "with":
      stack.push(expr.scope, expr.body);
      return;
    case "assert":
      stack.push(expr.condition, expr.body);
      return;
    case "not":
    case "negate":
      stack.push(expr.operand);
      return;
    case "binary":
      stack.push(expr.left, expr.right);
      return;
    default:
  }
}

function pushNames(path: readonly AttrName[], stack: Expr[]): void {
  for (const name of path) if (name.kind === "dynamic-name") stack.push(name.expr);
}

function pushSet(set: AttrSet, stack: Expr[]): void {
  stack.push(...set.inheritFrom);
  for (const attr of set.attrs) if (attr.kind === "plain") stack.push(attr.value);
  for (const attr of set.dynamic) stack.push(attr.name, attr.value);
}
