/**
 * Coercion of values to strings and paths, with context.
 */
import { call, type Routine } from "#engine/builtins/record.ts";
import { drive } from "./call.ts";
import { canonPath } from "./canon-path.ts";
import { NixError, addTrace } from "./error.ts";
import { force } from "./force.ts";
import { fixedFloat } from "./float-text.ts";
import type { Pos } from "./positions.ts";
import { describeType } from "./value.ts";
import { printBrief } from "./print.ts";
import { copyToStore } from "./source-tree.ts";
import {
  Attrs,
  ContextString,
  NixFloat,
  NixPath,
  contextOf,
  isInt,
  isString,
  makeString,
  textOf,
  type List,
  type NixString,
  type Slot,
  type Value,
} from "./value.ts";

export interface Coercion {
  /** Also booleans, numbers, null and lists, as `toString` and derivation attributes do. */
  readonly more?: boolean;
  /** Paths are copied to the store and become the store path. */
  readonly copy?: boolean;
  /** Trace line when the value cannot be coerced. */
  readonly context: string;
}

/** The value as a string if no evaluation is needed for that, else undefined. */
export function quickString(value: Value, how: Coercion): NixString | undefined {
  if (typeof value === "string" || value instanceof ContextString) return value;
  if (value instanceof NixPath && how.copy !== true) return value.path;
  return how.more === true ? scalarString(value) : undefined;
}

function scalarString(value: Value): string | undefined {
  if (value === true) return "1";
  if (value === false || value === null) return "";
  if (isInt(value)) return String(value);
  return value instanceof NixFloat ? fixedFloat(value.value) : undefined;
}

/** The value of a slot as a string. */
export function* coerceToString(slot: Slot, how: Coercion, pos?: Pos): Routine<NixString> {
  const value = yield slot;
  const quick = quickString(value, how);
  if (quick !== undefined) return quick;
  if (value instanceof NixPath) {
    const storePath = copyToStore(value.path);
    return new ContextString(storePath, new Set([storePath]));
  }
  if (value instanceof Attrs) {
    const byFunction = yield* callToString(value, how, pos);
    if (byFunction !== undefined) return byFunction;
    const outPath = value.get("outPath");
    if (outPath !== undefined) return yield* coerceToString(outPath, how, pos);
  }
  if (how.more === true && Array.isArray(value)) return yield* coerceList(value as List, how, pos);
  throw coercionError(value, how, pos);
}

/** What `coerceToString` does, on the JavaScript stack. */
export function coerceNow(slot: Slot, how: Coercion, pos?: Pos): NixString {
  let value = force(slot);
  for (;;) {
    const quick = quickString(value, how);
    if (quick !== undefined) return quick;
    if (!(value instanceof Attrs) || value.has("__toString")) break;
    const outPath = value.get("outPath");
    if (outPath === undefined) break;
    value = force(outPath);
  }
  if (how.more === true && Array.isArray(value)) return coerceListNow(value as List, how, pos);
  return drive(coerceToString(value, how, pos)) as NixString;
}

function coerceListNow(list: List, how: Coercion, pos: Pos | undefined): NixString {
  const inner = { ...how, context: elementContext };
  let text = "";
  let context: Set<string> | undefined;
  for (let i = 0; i < list.length; i++) {
    let part: NixString;
    try {
      part = coerceNow(list[i]!, inner, pos);
    } catch (thrown) {
      throw addTrace(thrown, how.context, pos);
    }
    if (typeof part === "string") text += part;
    else {
      text += part.text;
      context ??= new Set();
      for (const element of part.context) context.add(element);
    }
    if (i < list.length - 1 && !isEmptyList(force(list[i]!))) text += " ";
  }
  return makeString(text, context);
}

const elementContext = "while evaluating one element of the list";
const isEmptyList = (value: Value): boolean => Array.isArray(value) && value.length === 0;

export const coercionError = (value: Value, how: Coercion, pos?: Pos): NixError =>
  new NixError("type", `cannot coerce ${describeType(value)} to a string: ${printBrief(value)}`).within(
    how.context,
    pos,
  );

/** What `__toString` of a set gives, undefined when it has none. */
function* callToString(value: Attrs, how: Coercion, pos: Pos | undefined): Routine<NixString | undefined> {
  const method = value.get("__toString");
  if (method === undefined) return undefined;
  const result = yield call(method, [value], pos);
  return yield* coerceToString(
    result,
    { ...how, context: "while evaluating the result of the `__toString` attribute" },
    pos,
  );
}

/** The elements with a space between, none after an empty list. */
function* coerceList(list: List, how: Coercion, pos: Pos | undefined): Routine<NixString> {
  const inner = { ...how, context: elementContext };
  let text = "";
  const context = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    let part: NixString;
    try {
      part = yield* coerceToString(list[i]!, inner, pos);
    } catch (thrown) {
      throw addTrace(thrown, how.context, pos);
    }
    text += textOf(part);
    for (const element of contextOf(part)) context.add(element);
    const value = yield list[i]!;
    if (i < list.length - 1 && !isEmptyList(value)) text += " ";
  }
  return makeString(text, context);
}

/** The value of a slot as an absolute path, and the context it came with. */
export function* coerceToPath(
  slot: Slot,
  context: string,
  pos?: Pos,
): Routine<{ path: string; context: ReadonlySet<string> }> {
  let value: Value;
  try {
    value = yield slot;
  } catch (thrown) {
    throw addTrace(thrown, context, pos);
  }
  if (value instanceof NixPath) return { path: value.path, context: new Set() };
  if (value instanceof Attrs) {
    const byFunction = yield* callToString(value, { context }, pos);
    if (byFunction === undefined && value.has("outPath"))
      return yield* coerceToPath(yield value.get("outPath")!, context, pos);
    if (byFunction !== undefined) return pathOfText(byFunction, context, pos);
  }
  return pathOfText(yield* coerceToString(value, { context }, pos), context, pos);
}

function pathOfText(
  string: NixString,
  context: string,
  pos: Pos | undefined,
): { path: string; context: ReadonlySet<string> } {
  const text = textOf(string);
  if (!text.startsWith("/")) {
    throw new NixError("eval", `string '${text}' doesn't represent an absolute path`).within(context, pos);
  }
  return { path: canonPath(text), context: contextOf(string) };
}

/** The string of a slot that must already be a string (no coercion), with context. */
export function* forceString(slot: Slot, context: string, pos?: Pos): Routine<NixString> {
  const value = yield slot;
  if (isString(value)) return value;
  throw new NixError("type", `expected a string but found ${describeType(value)}: ${printBrief(value)}`).within(
    context,
    pos,
  );
}
