/** A tree's nodes one below another, as written: bindings before merging, names and formals included. */
import type { Antiquote, AttrName, Binding, Expr, Formal } from "./ast.ts";

export type AnyNode = Expr | Antiquote | AttrName | Binding | FormalNode;

/** A formal as a node with a kind of its own. */
export interface FormalNode {
  readonly kind: "formal";
  readonly start: number;
  readonly end: number;
  readonly formal: Formal;
}

/** The nodes directly below one, in the order of the text (a merged set's are where they were written). */
export function childrenOf(node: AnyNode): readonly AnyNode[] {
  switch (node.kind) {
    case "interpolation":
    case "path-interpolation":
      return node.parts;
    case "antiquote":
    case "dynamic-name":
      return [node.expr];
    case "select":
      return isLegacyLet(node) ? [node.target] : [node.target, ...node.path, ...(node.fallback ? [node.fallback] : [])];
    case "has-attr":
      return [node.target, ...node.path];
    case "attr-set":
      return node.bindings;
    case "path-binding":
      return [...node.path, node.value];
    case "inherit-binding":
      return node.from === null ? node.names : [node.from, ...node.names];
    case "let":
      return [node.attrs, node.body];
    case "list":
      return node.elements;
    case "lambda":
      return lambdaChildren(node);
    case "formal":
      return node.formal.fallback === null ? [] : [node.formal.fallback];
    case "apply":
      return [node.func, ...node.args];
    case "if":
      return [node.condition, node.then, node.otherwise];
    case "with":
      return [node.scope, node.body];
    case "assert":
      return [node.condition, node.body];
    case "not":
    case "negate":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    default:
      return [];
  }
}

/** Whether a selection is written `let { … }`. */
export function isLegacyLet(node: Expr): boolean {
  return (
    node.kind === "select" &&
    node.path[0]!.start === node.start &&
    node.path[0]!.end === node.end &&
    node.start < node.end
  );
}

function lambdaChildren(node: Extract<Expr, { kind: "lambda" }>): AnyNode[] {
  const formals = (node.formals?.formals ?? []).map((formal): FormalNode => ({
    kind: "formal",
    start: formal.start,
    end: formal.end,
    formal,
  }));
  if (node.param === null) return [...formals, node.body];
  const paramFirst = node.formals === null || node.param.start < node.formals.start;
  return paramFirst ? [node.param, ...formals, node.body] : [...formals, node.param, node.body];
}

/** Visits every node under one, parents before children, on a stack of its own. */
export function walk(root: AnyNode, visit: (node: AnyNode) => void): void {
  const pending: AnyNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    const children = childrenOf(node);
    for (let index = children.length - 1; index >= 0; index--) pending.push(children[index]!);
  }
}

/** The nodes around an offset, outermost first; an offset at a node's end counts as inside. */
export function nodesAt(root: Expr, offset: number): AnyNode[] {
  const path: AnyNode[] = [root];
  for (;;) {
    const inside = childrenOf(path[path.length - 1]!).filter((child) => child.start <= offset && offset <= child.end);
    if (inside.length === 0) return path;
    path.push(inside[inside.length - 1]!);
  }
}
