/**
 * Equality (`==`) and order (`<`) of values, as routines because both force.
 *
 * Functions are never equal, except that the same slot is equal to itself when it is inside a list or set (C++ Nix compares addresses
 * first there). Two derivations are equal when their `outPath`s are.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { NixError, addTrace } from "./error.ts";
import { describeType } from "./value.ts";
import { printBrief } from "./print.ts";
import { evalContext } from "./runtime.ts";
import { evaluationOrder } from "./symbols.ts";
import type { Pos } from "./positions.ts";
import {
  Attrs,
  ContextString,
  NixFloat,
  NixPath,
  Thunk,
  isInt,
  isString,
  textOf,
  type Int,
  type List,
  type Slot,
  type Value,
} from "./value.ts";

/** Equality of two forced values where nothing has to be forced for it; undefined where something has. */
export function quickEquals(left: Value, right: Value): boolean | undefined {
  if (typeof left === "object" && left !== null) {
    if (left instanceof Attrs)
      return right instanceof Attrs ? (left === right && left.size === 0 ? true : undefined) : false;
    if (Array.isArray(left)) {
      if (!Array.isArray(right) || left.length !== right.length) return false;
      return left.length === 0 ? true : undefined;
    }
    if (left instanceof NixFloat)
      return right instanceof NixFloat ? left.value === right.value : isInt(right) && left.value === Number(right);
    if (left instanceof ContextString) return isString(right) && left.text === textOf(right);
    if (left instanceof NixPath) return right instanceof NixPath && left.path === right.path;
    return false;
  }
  if (left === right) return true;
  if (typeof left === "string") return right instanceof ContextString && left === right.text;
  return right instanceof NixFloat && isInt(left) && Number(left) === right.value;
}

/** Equality of two slots. */
export function* equals(left: Slot, right: Slot): Routine<boolean> {
  const a = left instanceof Thunk ? yield left : left;
  const b = right instanceof Thunk ? yield right : right;
  const quick = quickEquals(a, b);
  if (quick !== undefined) return quick;
  return a instanceof Attrs ? yield* attrsEqual(a, b as Attrs) : yield* listsEqual(a as List, b as List);
}

/** Equality inside a list or set, where a slot equals itself once it is evaluated. */
function innerEquals(left: Slot, right: Slot): Routine<boolean> | boolean {
  if (left === right && typeof left === "object")
    return left instanceof Thunk && left.code !== undefined ? evaluated(left) : true;
  if (left instanceof Thunk || right instanceof Thunk) return equals(left, right);
  return quickEquals(left, right) ?? equals(left, right);
}

function* evaluated(slot: Slot): Routine<boolean> {
  yield slot;
  return true;
}

function* listsEqual(left: List, right: List): Routine<boolean> {
  for (let i = 0; i < left.length; i++) {
    const same = innerEquals(left[i]!, right[i]!);
    if (same === false || (same !== true && !(yield* same))) return false;
  }
  return true;
}

function* attrsEqual(left: Attrs, right: Attrs): Routine<boolean> {
  if ((yield* isDerivationForced(left)) && (yield* isDerivationForced(right))) {
    const a = left.get("outPath");
    const b = right.get("outPath");
    if (a !== undefined && b !== undefined) return yield* equals(a, b);
  }
  if (left.size !== right.size) return false;
  if (left.keys !== right.keys && !left.keys.names.every((name, i) => name === right.keys.names[i])) return false;
  for (const i of evaluationOrder(left, evalContext().symbols)) {
    const same = innerEquals(left.values[i]!, right.values[i]!);
    if (same === false || (same !== true && !(yield* same))) return false;
  }
  return true;
}

/** Is `type` of this set "derivation"? Forces `type`. */
export function* isDerivationForced(attrs: Attrs): Routine<boolean> {
  const slot = attrs.get("type");
  if (slot === undefined) return false;
  const type = yield slot;
  return isString(type) && textOf(type) === "derivation";
}

/** -1, 0 or 1 of two numbers, exactly. */
function compareNumbers(left: Int | NixFloat, right: Int | NixFloat): number {
  if (left instanceof NixFloat || right instanceof NixFloat) {
    const a = left instanceof NixFloat ? left.value : Number(left);
    const b = right instanceof NixFloat ? right.value : Number(right);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

const isNumber = (value: Value): value is Int | NixFloat => isInt(value) || value instanceof NixFloat;

/** `left < right` of forced values; undefined for lists, which have to be forced element by element. */
export function quickLess(left: Value, right: Value, pos?: Pos): boolean | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) < 0;
  if (isString(left) && isString(right)) return textOf(left) < textOf(right);
  if (left instanceof NixPath && right instanceof NixPath) return left.path < right.path;
  if (Array.isArray(left) && Array.isArray(right)) return undefined;
  throw incomparable(left, right, pos);
}

function incomparable(left: Value, right: Value, pos: Pos | undefined): NixError {
  const types = `cannot compare ${describeType(left)} with ${describeType(right)}`;
  const values = `${printBrief(left)} and ${printBrief(right)}`;
  const same = typeTag(left) === typeTag(right);
  return new NixError(
    "type",
    same ? `${types}; values of that type are incomparable (values are ${values})` : `${types}; values are ${values}`,
    { pos },
  );
}

const typeTag = (value: Value): string => {
  if (value instanceof ContextString) return "string";
  if (value === null || typeof value !== "object") return typeof value;
  return value.constructor.name;
};

/** `left < right` of forced values. */
export function* lessThan(left: Value, right: Value, pos?: Pos): Routine<boolean> {
  const quick = quickLess(left, right, pos);
  return quick ?? (yield* listLess(left as List, right as List, pos));
}

/** Lists compare by their first elements that are not equal. */
function* listLess(left: List, right: List, pos: Pos | undefined): Routine<boolean> {
  for (let i = 0; i < right.length; i++) {
    if (i === left.length) return true;
    const same = innerEquals(left[i]!, right[i]!);
    if (same === true || (same !== false && (yield* same))) continue;
    try {
      return yield* lessThan(yield left[i]!, yield right[i]!, pos);
    } catch (thrown) {
      throw addTrace(thrown, "while comparing two list elements");
    }
  }
  return false;
}
