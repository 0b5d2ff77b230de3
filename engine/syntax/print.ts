/**
 * The printer: what `nix-instantiate --parse` shows of a tree, byte for byte.
 *
 * Invariant: it prints Nix's tree, not ours: operators that are calls appear as calls, a call of a call as one call, and
 * attributes sorted by name. It keeps its own stack, so no tree is too deep.
 */
import type { Attr, AttrName, AttrSet, Binary, Expr, Formals, Lambda } from "./ast.ts";
import { printName, quoteString } from "./names.ts";

/** Text, a tree still to be printed, or pieces of either. */
type Piece = string | Expr | readonly Piece[];

export function printExpr(expr: Expr): string {
  const pending: Piece[] = [expr];
  let result = "";
  for (let piece = pending.pop(); piece !== undefined; piece = pending.pop()) {
    if (typeof piece === "string") result += piece;
    else {
      const pieces = "kind" in piece ? exprPieces(piece) : piece;
      for (let index = pieces.length - 1; index >= 0; index--) pending.push(pieces[index]!);
    }
  }
  return result;
}

function exprPieces(expr: Expr): readonly Piece[] {
  const call = callPieces(expr);
  if (call !== null) return ["(", separated(call, " "), ")"];
  switch (expr.kind) {
    case "int":
      return [String(expr.value)];
    case "float":
      return [printFloat(expr.value)];
    case "string":
      return [quoteString(expr.text)];
    case "path":
      return [expr.value];
    case "interpolation":
    case "path-interpolation":
      return [
        "(",
        separated(
          expr.parts.map((part) => (part.kind === "antiquote" ? part.expr : part)),
          " + ",
        ),
        ")",
      ];
    case "cur-pos":
      return ["__curPos"];
    case "var":
      return [expr.name];
    case "select":
      return ["(", expr.target, ").", pathPieces(expr.path), ...(expr.fallback ? [" or (", expr.fallback, ")"] : [])];
    case "has-attr":
      return ["((", expr.target, ") ? ", pathPieces(expr.path), ")"];
    case "attr-set":
      return [expr.recursive ? "rec { " : "{ ", bindingPieces(expr), "}"];
    case "let":
      return ["(let ", bindingPieces(expr.attrs), "in ", expr.body, ")"];
    case "list":
      return ["[ ", expr.elements.map((element) => ["(", element, ") "]), "]"];
    case "lambda":
      return ["(", paramPieces(expr), ": ", expr.body, ")"];
    case "if":
      return ["(if ", expr.condition, " then ", expr.then, " else ", expr.otherwise, ")"];
    case "with":
      return ["(with ", expr.scope, "; ", expr.body, ")"];
    case "assert":
      return ["assert ", expr.condition, "; ", expr.body];
    case "not":
      return ["(! ", expr.operand, ")"];
    case "binary":
      return operatorPieces(expr);
    default:
      return [""];
  }
}

/** Function and arguments of what Nix's tree has as a call; null for anything else. */
function callPieces(expr: Expr): Piece[] | null {
  switch (expr.kind) {
    case "apply":
      return [...flattened(expr.func), ...expr.args];
    case "negate":
      return ["__sub", "0", expr.operand];
    case "search-path":
      return ["__findFile", "__nixPath", quoteString(expr.text)];
    case "binary":
      return binaryCall(expr);
    default:
      return null;
  }
}

function binaryCall({ op, left, right }: Binary): Piece[] | null {
  switch (op) {
    case "-":
      return ["__sub", left, right];
    case "*":
      return ["__mul", left, right];
    case "/":
      return ["__div", left, right];
    case "<":
      return ["__lessThan", left, right];
    case ">":
      return ["__lessThan", right, left];
    case "|>":
      return [...flattened(right), left];
    case "<|":
      return [...flattened(left), right];
    default:
      return null;
  }
}

/** A call's function is one with it if it is a call itself. */
function flattened(func: Expr): Piece[] {
  const calls: Expr[] = [];
  let current = func;
  for (; current.kind === "apply"; current = current.func) calls.push(current);
  const pieces = callPieces(current) ?? [current];
  for (const call of calls.reverse()) if (call.kind === "apply") pieces.push(...call.args);
  return pieces;
}

function operatorPieces({ op, left, right }: Binary): readonly Piece[] {
  if (op === "<=") return ["(! (__lessThan ", right, " ", left, "))"];
  if (op === ">=") return ["(! (__lessThan ", left, " ", right, "))"];
  return ["(", left, ` ${op} `, right, ")"];
}

function separated(pieces: readonly Piece[], separator: string): Piece[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [piece] : [separator, piece]));
}

function pathPieces(path: readonly AttrName[]): Piece[] {
  const names = path.map((name): Piece =>
    name.kind === "static-name" ? printName(name.name) : ['"${', name.expr, '}"'],
  );
  return separated(names, ".");
}

/** By bytes, as Nix orders names. */
const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

/** Each binding and a space; inherited names first. */
function bindingPieces(set: AttrSet): Piece[] {
  const attrs = [...set.attrs].sort(byName);
  const pieces: Piece[] = [
    inheritPieces(
      null,
      attrs.filter((attr) => attr.kind === "inherit"),
    ),
  ];
  set.inheritFrom.forEach((from, index) => {
    pieces.push(
      inheritPieces(
        from,
        attrs.filter((attr) => attr.kind === "inherit-from" && attr.from === index),
      ),
    );
  });
  for (const attr of attrs) if (attr.kind === "plain") pieces.push(printName(attr.name), " = ", attr.value, "; ");
  for (const attr of set.dynamic) pieces.push('"${', attr.name, '}" = ', attr.value, "; ");
  return pieces;
}

function inheritPieces(from: Expr | null, attrs: readonly Attr[]): Piece[] {
  if (attrs.length === 0) return [];
  const names = attrs.map((attr) => ` ${printName(attr.name)}`).join("");
  return from === null ? [`inherit${names}; `] : ["inherit (", from, `)${names}; `];
}

function paramPieces({ param, formals }: Lambda): Piece[] {
  if (formals === null) return [param === null ? "" : param.name];
  return [formalsPieces(formals), param === null ? "" : ` @ ${param.name}`];
}

function formalsPieces({ formals, ellipsis }: Formals): Piece[] {
  const entries: Piece[] = [...formals]
    .sort(byName)
    .map((formal) => (formal.fallback === null ? formal.name : [formal.name, " ? ", formal.fallback]));
  if (ellipsis) entries.push("...");
  return ["{ ", separated(entries, ", "), " }"];
}

/** A float as C++ streams print it: six significant digits, halves to even, no trailing zeros. */
function printFloat(value: number): string {
  const [mantissa, exponentText] = roundHalfEven(value).toExponential(5).split("e") as [string, string];
  const exponent = Number(exponentText);
  const trim = (digits: string): string => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
  if (exponent >= -4 && exponent < 6) return trim(Number(`${mantissa}e${exponent}`).toFixed(5 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${trim(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** The value, moved down to six digits if it lies just between two of which the lower one is even. */
function roundHalfEven(value: number): number {
  const [, digits, exponent] = /^(\d\.\d{4}[02468])50*e(.*)$/.exec(value.toExponential(20)) ?? [];
  return digits === undefined ? value : Number(`${digits}e${exponent}`);
}
