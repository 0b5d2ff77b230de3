/**
 * What each rule of the grammar makes: the tree's nodes from the values of the rule's symbols.
 *
 * Invariant: an action sees only its own symbols (`frame`) and never fails; what Nix throws from a rule goes to `report`.
 */
import type {
  Antiquote,
  Apply,
  AttrName,
  BinaryOperator,
  Expr,
  Formal,
  Formals,
  Interpolation,
  Path,
  StaticName,
  Str,
} from "./ast.ts";
import { AttrSetNode, type BindingContext, bindInherit, bindPath } from "./attr-set.ts";
import type { Warning } from "./diagnostic.ts";
import type { IndentedPiece } from "./lexer.ts";
import type { ParseOptions } from "./options.ts";
import { homePathNode, pathNode, uriNode } from "./literals.ts";
import { stripIndentation } from "./strings.ts";

/** The symbols of the rule being reduced, by their place in it. */
export interface Frame extends BindingContext {
  readonly start: number;
  readonly end: number;
  readonly options: ParseOptions;
  warn(warning: Warning): void;
  /** A terminal's token value, or what a nonterminal's action returned; its type is fixed by the grammar. */
  value(place: number): unknown;
  startOf(place: number): number;
  endOf(place: number): number;
  /** An expression met `or` where it is an identifier: Nix warns if that is an argument. */
  noteOr(expr: Expr): void;
  warnOr(expr: Expr): void;
  forgetOr(expr: Expr): void;
}

export type Action = (frame: Frame) => unknown;

const expr = (frame: Frame, place: number): Expr => frame.value(place) as Expr;
const text = (frame: Frame, place: number): string => frame.value(place) as string;
const set = (frame: Frame, place: number): AttrSetNode => frame.value(place) as AttrSetNode;
const list = <T>(frame: Frame, place: number): T[] => frame.value(place) as T[];

function append(frame: Frame, item: unknown): unknown[] {
  const items = list<unknown>(frame, 0);
  items.push(item);
  return items;
}

const name = (frame: Frame, place: number): StaticName => ({
  kind: "static-name",
  start: frame.startOf(place),
  end: frame.endOf(place),
  name: text(frame, place),
});

function lambda(frame: Frame, param: StaticName | null, formals: Formals | null, body: number): Expr {
  const { start, end } = frame;
  if (formals !== null) checkFormals(frame, param, formals);
  return { kind: "lambda", start, end, param, formals, body: expr(frame, body), name: null };
}

/** Reports a formal that is there twice (of several the one that appears first), or that has the name of the whole argument. */
function checkFormals(frame: Frame, param: StaticName | null, { formals }: Formals): void {
  const seen = new Set(formals.map((formal) => formal.name));
  if (seen.size < formals.length) {
    const isTwice = ({ name: first }: Formal, at: number): boolean =>
      first !== "" && formals.findIndex(({ name: other }) => other === first) < at;
    const twice = new Set(formals.filter(isTwice).map((formal) => formal.name));
    const first = formals.find((formal) => twice.has(formal.name));
    const again = formals.find((formal) => formal !== first && formal.name === first?.name);
    if (again !== undefined) return duplicateFormal(frame, again.name, again.start, again.end);
  }
  if (param !== null && seen.has(param.name)) duplicateFormal(frame, param.name, frame.start, param.end);
}

function duplicateFormal(frame: Frame, name: string, start: number, end: number): void {
  const message = `duplicate formal function argument '${name}'`;
  frame.report({ code: "duplicate-formal", message, start, end: Math.max(end, start), name, previous: null });
}

function formalsNode(frame: Frame, formals: Formal[], ellipsis: boolean): Formals {
  return { start: frame.start, end: frame.end, formals, ellipsis };
}

function binary(frame: Frame): Expr {
  const { start, end, source } = frame;
  const opPos = frame.startOf(1);
  const op = source.text.slice(opPos, frame.endOf(1)) as BinaryOperator;
  return { kind: "binary", start, end, op, opPos, left: expr(frame, 0), right: expr(frame, 2) };
}

/** Adds an argument to a call, unless that call is in parentheses: then it is a new call of its result. */
function apply(frame: Frame): Expr {
  const func = expr(frame, 0);
  const arg = expr(frame, 1);
  frame.warnOr(arg);
  const { start, end } = frame;
  if (func.kind !== "apply" || func.end !== frame.endOf(0) || func.start !== start) {
    return { kind: "apply", start, end, func, args: [arg] };
  }
  (func.args as unknown as Expr[]).push(arg);
  (func as { end: number }).end = end;
  return func;
}

/** `f or`: a call with the variable `or`, for old code that used it as a name. */
function applyOr(frame: Frame): Expr {
  const { start, end } = frame;
  const call: Apply = {
    kind: "apply",
    start,
    end,
    func: expr(frame, 0),
    args: [{ kind: "var", start, end, name: "or" }],
  };
  frame.noteOr(call);
  return call;
}

function string(frame: Frame): Expr {
  return stringNode(frame.start, frame.end, list(frame, 1));
}

function stringNode(start: number, end: number, parts: readonly (Str | Antiquote)[]): Str | Interpolation {
  const [first] = parts;
  if (first === undefined) return { kind: "string", start, end, text: "" };
  if (parts.length === 1 && first.kind === "string") return { kind: "string", start, end, text: first.text };
  return { kind: "interpolation", start, end, parts };
}

/** Nix takes the expression of `''${"x"}''` for the string itself. */
function indentedString(frame: Frame): Expr {
  const { start, end } = frame;
  const parts = stripIndentation(list(frame, 1));
  const [first] = parts;
  const lone = parts.length === 1 && first!.kind === "antiquote" ? first!.expr : null;
  return lone?.kind === "string" ? { kind: "string", start, end, text: lone.text } : stringNode(start, end, parts);
}

const piece = (frame: Frame, place: number): Str => ({
  kind: "string",
  start: frame.startOf(place),
  end: frame.endOf(place),
  text: text(frame, place),
});

/** `${ expr }` whose `${` is at `place`. */
const antiquote = (frame: Frame, place: number): Antiquote => ({
  kind: "antiquote",
  start: frame.startOf(place),
  end: frame.endOf(place + 2),
  expr: expr(frame, place + 1),
});

function setNode(frame: Frame, bindings: AttrSetNode, recursive: boolean): AttrSetNode {
  bindings.start = frame.start;
  bindings.end = frame.end;
  bindings.recursive = recursive;
  return bindings;
}

function letIn(frame: Frame): Expr {
  const { start, end } = frame;
  const attrs = set(frame, 1);
  attrs.start = frame.startOf(1);
  attrs.end = frame.endOf(1);
  attrs.recursive = true;
  if (attrs.dynamic.length > 0) {
    frame.report({ code: "dynamic-let", message: "dynamic attributes not allowed in let", start, end: start + 3 });
  }
  return { kind: "let", start, end, attrs, body: expr(frame, 3) };
}

/** `let { … }`: the attribute `body` of a recursive set. */
function legacyLet(frame: Frame): Expr {
  const { start, end } = frame;
  const target = setNode(frame, set(frame, 2), true);
  return {
    kind: "select",
    start,
    end,
    target,
    path: [{ kind: "static-name", start, end, name: "body" }],
    fallback: null,
  };
}

function inherit(frame: Frame, from: Expr | null, names: number): AttrSetNode {
  const bindings = set(frame, 0);
  bindInherit(frame, bindings, { start: frame.startOf(1), end: frame.end }, from, list(frame, names));
  return bindings;
}

/** Adds the binding `path = value;` whose path is at `place`, spanning its semicolon. */
function bind(frame: Frame, bindings: AttrSetNode, place: number): AttrSetNode {
  bindPath(frame, bindings, list(frame, place), expr(frame, place + 2), frame.endOf(place + 3));
  return bindings;
}

function dynamicName(frame: Frame, value: Expr): AttrName {
  const { start, end } = frame;
  if (value.kind === "string") return { kind: "static-name", start, end, name: value.text };
  return { kind: "dynamic-name", start, end, expr: value };
}

function appendToInherit(frame: Frame): unknown {
  const item = frame.value(1) as AttrName;
  if (item.kind === "dynamic-name") {
    const { start, end } = item;
    frame.report({ code: "dynamic-inherit", message: "dynamic attributes not allowed in inherit", start, end });
  }
  return append(frame, item);
}

function appendElement(frame: Frame): unknown {
  frame.warnOr(expr(frame, 1));
  return append(frame, expr(frame, 1));
}

function variable(frame: Frame): Expr {
  const { start, end } = frame;
  const value = text(frame, 0);
  if (value === "") return { kind: "missing", start, end };
  return value === "__curPos" ? { kind: "cur-pos", start, end } : { kind: "var", start, end, name: value };
}

/** Actions by the names the grammar uses; `pass` (the only value goes on) is the parser's own. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  lambda: (frame) => lambda(frame, name(frame, 0), null, 2),
  lambdaFormals: (frame) => lambda(frame, null, frame.value(0) as Formals, 2),
  lambdaFormalsAt: (frame) => lambda(frame, name(frame, 2), frame.value(0) as Formals, 4),
  lambdaAtFormals: (frame) => lambda(frame, name(frame, 0), frame.value(2) as Formals, 4),
  assert: (frame) => ({
    kind: "assert",
    start: frame.start,
    end: frame.end,
    condition: expr(frame, 1),
    body: expr(frame, 3),
  }),
  with: (frame) => ({ kind: "with", start: frame.start, end: frame.end, scope: expr(frame, 1), body: expr(frame, 3) }),
  let: letIn,
  if: (frame) => ({
    kind: "if",
    start: frame.start,
    end: frame.end,
    condition: expr(frame, 1),
    // oxlint-disable-next-line unicorn/no-thenable -- the tree's word; a node is never awaited
    then: expr(frame, 3),
    otherwise: expr(frame, 5),
  }),
  binary,
  not: (frame) => ({ kind: "not", start: frame.start, end: frame.end, operand: expr(frame, 1) }),
  negate: (frame) => ({ kind: "negate", start: frame.start, end: frame.end, operand: expr(frame, 1) }),
  hasAttr: (frame) => ({
    kind: "has-attr",
    start: frame.start,
    end: frame.end,
    target: expr(frame, 0),
    path: list(frame, 2),
  }),
  apply,
  applyOr,
  select: (frame) => ({
    kind: "select",
    start: frame.start,
    end: frame.end,
    target: expr(frame, 0),
    path: list(frame, 2),
    fallback: null,
  }),
  selectOr: (frame) => {
    const fallback = expr(frame, 4);
    frame.warnOr(fallback);
    return {
      kind: "select",
      start: frame.start,
      end: frame.end,
      target: expr(frame, 0),
      path: list(frame, 2),
      fallback,
    };
  },
  variable,
  integer: (frame) => ({ kind: "int", start: frame.start, end: frame.end, value: frame.value(0) as number | bigint }),
  float: (frame) => ({ kind: "float", start: frame.start, end: frame.end, value: frame.value(0) as number }),
  searchPath: (frame) => ({
    kind: "search-path",
    start: frame.start,
    end: frame.end,
    text: text(frame, 0).slice(1, -1),
  }),
  uri: (frame) => uriNode(frame, text(frame, 0)),
  pathStart: (frame) => pathNode(frame, text(frame, 0)),
  homePathStart: (frame) => homePathNode(frame, text(frame, 0)),
  string,
  indentedString,
  path: (frame) => frame.value(0),
  pathInterpolation: (frame) => ({
    kind: "path-interpolation",
    start: frame.start,
    end: frame.end,
    parts: [frame.value(0) as Path, ...list<Str | Antiquote>(frame, 1)],
  }),
  parenthesis: (frame) => {
    frame.forgetOr(expr(frame, 1));
    return frame.value(1);
  },
  legacyLet,
  recSet: (frame) => setNode(frame, set(frame, 2), true),
  set: (frame) => setNode(frame, set(frame, 1), false),
  emptySet: (frame) => new AttrSetNode(frame.start, frame.end),
  list: (frame) => ({ kind: "list", start: frame.start, end: frame.end, elements: list(frame, 1) }),
  none: () => [],
  one: (frame) => [frame.value(0)],
  oneString: (frame) => [piece(frame, 0)],
  append: (frame) => append(frame, frame.value(1)),
  appendElement,
  appendString: (frame) => append(frame, piece(frame, 1)),
  appendIndented: (frame) => {
    const { text, hasIndentation } = frame.value(1) as IndentedPiece;
    return append(frame, { text, hasIndentation, start: frame.startOf(1), end: frame.endOf(1) });
  },
  appendAntiquote: (frame) => append(frame, antiquote(frame, 1)),
  oneAntiquote: (frame) => [antiquote(frame, 0)],
  stringAntiquote: (frame) => [piece(frame, 0), antiquote(frame, 1)],
  noBinds: (frame) => new AttrSetNode(frame.start, frame.end),
  firstBind: (frame) => bind(frame, new AttrSetNode(frame.start, frame.end), 0),
  appendBind: (frame) => bind(frame, set(frame, 0), 1),
  appendInherit: (frame) => inherit(frame, null, 2),
  appendInheritFrom: (frame) => inherit(frame, expr(frame, 3), 5),
  appendToInherit,
  appendName: (frame) => append(frame, frame.value(2)),
  attr: (frame) => name(frame, 0),
  stringAttr: (frame) => dynamicName(frame, stringNode(frame.start, frame.end, list(frame, 1))),
  dynamicAttr: (frame) => dynamicName(frame, expr(frame, 1)),
  formalsEllipsis: (frame) => formalsNode(frame, list(frame, 1), true),
  onlyEllipsis: (frame) => formalsNode(frame, [], true),
  formalsComma: (frame) => formalsNode(frame, list(frame, 1), false),
  formals: (frame) => formalsNode(frame, list(frame, 1), false),
  noFormals: (frame) => formalsNode(frame, [], false),
  appendFormal: (frame) => append(frame, frame.value(2)),
  formal: (frame) => ({ start: frame.start, end: frame.end, name: text(frame, 0), fallback: null }),
  formalDefault: (frame) => ({ start: frame.start, end: frame.end, name: text(frame, 0), fallback: expr(frame, 2) }),
};
