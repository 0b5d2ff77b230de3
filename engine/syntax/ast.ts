/**
 * The syntax tree: what C++ Nix 2.34 makes of a text, plus what an editor needs.
 *
 * Invariants: nothing is resolved here (names are names); all text is byte strings; `start`/`end` are byte offsets of the
 * node's own production, so parentheses around an expression lie outside its span while those around its first part lie
 * inside. Where Nix gives a position for a construct it is `start`, except where a field `…Pos` says otherwise.
 *
 * Operators are kept as written; what Nix desugars them to is said at `Binary`, `Negate` and `SearchPath`: those names
 * (`__lessThan`, `__sub`, …) are looked up in scope, so `let __sub = a: b: 7; in 5 - 1` is 7.
 */

export interface Node {
  readonly start: number;
  readonly end: number;
}

export type Expr =
  | Int
  | Float
  | Str
  | Interpolation
  | Path
  | PathInterpolation
  | SearchPath
  | CurPos
  | Var
  | Select
  | HasAttr
  | AttrSet
  | Let
  | List
  | Lambda
  | Apply
  | If
  | With
  | Assert
  | Not
  | Negate
  | Binary
  | Missing;

/** A number while it is a safe integer, else a bigint below 2^63. */
export interface Int extends Node {
  readonly kind: "int";
  readonly value: number | bigint;
}

export interface Float extends Node {
  readonly kind: "float";
  readonly value: number;
}

/** A string without interpolation (escapes and indentation already resolved), or a bare URL. */
export interface Str extends Node {
  readonly kind: "string";
  readonly text: string;
}

/** A string with interpolation; always a string when evaluated (`"${x}"` coerces even a lone part). */
export interface Interpolation extends Node {
  readonly kind: "interpolation";
  readonly parts: readonly (Str | Antiquote)[];
}

/** `${expr}`; `start` is the `$`, `exprPos` where Nix says the part is (the first token inside). */
export interface Antiquote extends Node {
  readonly kind: "antiquote";
  readonly expr: Expr;
}

/** A path literal: `value` is absolute and canonical (`./x` against the source's base, `~/x` against the home). */
export interface Path extends Node {
  readonly kind: "path";
  readonly value: string;
}

/** `./a${b}/c`: a path, made by appending the coerced parts to the first, whose trailing slash is kept. */
export interface PathInterpolation extends Node {
  readonly kind: "path-interpolation";
  readonly parts: readonly [Path, ...(Str | Antiquote)[]];
}

/** `<nixpkgs/lib>`: the call `__findFile __nixPath "nixpkgs/lib"`. */
export interface SearchPath extends Node {
  readonly kind: "search-path";
  readonly text: string;
}

/** `__curPos`: `{ file; line; column; }` of `start`. */
export interface CurPos extends Node {
  readonly kind: "cur-pos";
}

export interface Var extends Node {
  readonly kind: "var";
  readonly name: string;
}

export type AttrName = StaticName | DynamicName;

/** A name known when parsing: an identifier, `or`, or a string without interpolation. */
export interface StaticName extends Node {
  readonly kind: "static-name";
  readonly name: string;
}

/** `${expr}` or a string with interpolation. */
export interface DynamicName extends Node {
  readonly kind: "dynamic-name";
  readonly expr: Expr;
}

/** `target.a.b or fallback`. Legacy `let { … }` is the selection of `body` from a recursive set. */
export interface Select extends Node {
  readonly kind: "select";
  readonly target: Expr;
  readonly path: readonly AttrName[];
  readonly fallback: Expr | null;
}

/** `target ? a.b`. */
export interface HasAttr extends Node {
  readonly kind: "has-attr";
  readonly target: Expr;
  readonly path: readonly AttrName[];
}

/**
 * An attribute set, merged as Nix merges it: `a.b = 1; a.c = 2;` is one attribute `a` whose value is a set of two (a set
 * that has no text of its own: it spans the first binding's path and value).
 */
export interface AttrSet extends Node {
  readonly kind: "attr-set";
  readonly recursive: boolean;
  /** Static attributes in order of appearance; names are unique. */
  readonly attrs: readonly Attr[];
  readonly dynamic: readonly DynamicAttr[];
  /** The `x` of each `inherit (x) …`: evaluated at most once, in the set's scope if it is recursive (or a `let`). */
  readonly inheritFrom: readonly Expr[];
  /** The bindings as written, for editors; empty in sets that merging invented. */
  readonly bindings: readonly Binding[];
}

export type Attr = PlainAttr | InheritedAttr | InheritedFromAttr;

/** `name = value;` `pos` is what `unsafeGetAttrPos` answers. */
export interface PlainAttr {
  readonly kind: "plain";
  readonly name: string;
  readonly pos: number;
  readonly value: Expr;
}

/** `inherit name;`: the variable of that name in the scope outside the set. */
export interface InheritedAttr {
  readonly kind: "inherit";
  readonly name: string;
  readonly pos: number;
  readonly value: Var;
}

/** `inherit (x) name;`: `inheritFrom[from].name`. */
export interface InheritedFromAttr {
  readonly kind: "inherit-from";
  readonly name: string;
  readonly pos: number;
  readonly from: number;
}

/** `${name} = value;` */
export interface DynamicAttr {
  readonly name: Expr;
  readonly pos: number;
  readonly value: Expr;
}

/** One binding as written. `value` of a `path = value;` is the expression before any merging into another set. */
export type Binding = PathBinding | InheritBinding;

export interface PathBinding extends Node {
  readonly kind: "path-binding";
  readonly path: readonly AttrName[];
  readonly value: Expr;
}

export interface InheritBinding extends Node {
  readonly kind: "inherit-binding";
  readonly from: Expr | null;
  readonly names: readonly AttrName[];
}

/** `let … in body`; `attrs` is recursive and has no dynamic attributes. */
export interface Let extends Node {
  readonly kind: "let";
  readonly attrs: AttrSet;
  readonly body: Expr;
}

export interface List extends Node {
  readonly kind: "list";
  readonly elements: readonly Expr[];
}

/** `param: body`, `{ formals }: body`, or both with `@`. */
export interface Lambda extends Node {
  readonly kind: "lambda";
  readonly param: StaticName | null;
  readonly formals: Formals | null;
  readonly body: Expr;
  /** The attribute the function was defined as, shown as `«lambda name @ …»`; null for an anonymous one. */
  readonly name: string | null;
}

/** `{ a, b ? 1, ... }`, in the order written; names are unique. */
export interface Formals extends Node {
  readonly formals: readonly Formal[];
  readonly ellipsis: boolean;
}

/** `start` is the name's; `end` is after the default if there is one. */
export interface Formal extends Node {
  readonly name: string;
  readonly fallback: Expr | null;
}

/**
 * `f a b`: one node for all arguments. `(f a) b` is two nodes here, and one call in Nix, whose position is then that of the
 * innermost `f`; the same goes for a function that is an operator Nix has as a call (`(-1) 2` prints `(__sub 0 1 2)`).
 */
export interface Apply extends Node {
  readonly kind: "apply";
  readonly func: Expr;
  readonly args: readonly [Expr, ...Expr[]];
}

export interface If extends Node {
  readonly kind: "if";
  readonly condition: Expr;
  readonly then: Expr;
  readonly otherwise: Expr;
}

export interface With extends Node {
  readonly kind: "with";
  readonly scope: Expr;
  readonly body: Expr;
}

export interface Assert extends Node {
  readonly kind: "assert";
  readonly condition: Expr;
  readonly body: Expr;
}

export interface Not extends Node {
  readonly kind: "not";
  readonly operand: Expr;
}

/** `-x`: the call `__sub 0 x`. */
export interface Negate extends Node {
  readonly kind: "negate";
  readonly operand: Expr;
}

/**
 * Calls in Nix's tree: `a - b` = `__sub a b`, `*` = `__mul`, `/` = `__div`, `a < b` = `__lessThan a b`, `a > b` =
 * `__lessThan b a`, `a <= b` = `! (__lessThan b a)`, `a >= b` = `! (__lessThan a b)`, `a |> f` and `f <| a` = `f a`.
 */
export type BinaryOperator =
  | "+" | "-" | "*" | "/" | "++" | "//" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "->" | "|>" | "<|"; // prettier-ignore

/** `opPos` is the operator's offset: the position Nix reports for it. */
export interface Binary extends Node {
  readonly kind: "binary";
  readonly op: BinaryOperator;
  readonly opPos: number;
  readonly left: Expr;
  readonly right: Expr;
}

/** What stands where recovery from a syntax error had to invent an expression; never in a tree without diagnostics. */
export interface Missing extends Node {
  readonly kind: "missing";
}

export type { Origin, Position, Source } from "./source.ts";
