/**
 * Values of the Nix language as the evaluator holds them.
 *
 * Invariants: text is a byte string (one JavaScript char a byte, 0–255); an integer is a JavaScript number while it is safe and a
 * bigint beyond, always within 64 signed bits and never a bigint when a number could hold it; a float is always a `NixFloat`.
 * A string without context is a plain JavaScript string, one with context a `ContextString` (whose context is never empty).
 * A list is a JavaScript array and is never changed once another value can see it.
 *
 * Fields of what is made by the million are declared, not defined: JavaScript writes a defined field once more before the constructor.
 *
 * A `Value` is in weak head normal form. What may still have to be evaluated is a `Slot`: elements of lists, attributes,
 * arguments and variables are slots.
 */
import type { Code } from "./code.ts";
import type { NixError } from "./error.ts";
import type { Keys } from "./keys.ts";
import type { PosTable } from "./positions.ts";
import type { Builtin } from "#engine/builtins/record.ts";
import type { LambdaCode } from "./lambda.ts";

export type Int = number | bigint;
export type NixString = string | ContextString;
export type List = readonly Slot[];
export type NixFunction = Lambda | PrimOp | PrimOpApp;
export type Value = Int | NixFloat | boolean | null | NixString | NixPath | List | Attrs | NixFunction;
export type Slot = Value | Thunk;

/**
 * A variable frame: slot 0 is the frame above (null at the top), the others hold the variables in the order the compiler resolved.
 * The type is loose on purpose: frames are what tier 1, tier 2 and the machine share, and only compiled code touches them.
 */
export type Env = EnvCell[];
export type EnvCell = Slot | Env | undefined;

/** A floating point number; a class of its own because 1.0 and 1 differ in Nix. */
export class NixFloat {
  declare readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/**
 * String context: what a string drags into the closure of a derivation built with it. Each element is encoded as in C++ Nix:
 * `/nix/store/x` (a plain path), `=/nix/store/x.drv` (a derivation with all its outputs), `!out!/nix/store/x.drv` (one output).
 */
export type Context = ReadonlySet<string>;

export class ContextString {
  declare readonly text: string;
  declare readonly context: Context;
  constructor(text: string, context: Context) {
    this.text = text;
    this.context = context;
  }
}

/** An absolute, canonical path, as a byte string. */
export class NixPath {
  declare readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
}

/** An attribute set: `values[i]` belongs to `keys.names[i]`; `positions` says where each attribute was written, if known. */
export class Attrs {
  declare readonly keys: Keys;
  declare readonly values: Slot[];
  declare positions: PosTable | undefined;
  constructor(keys: Keys, values: Slot[], positions?: PosTable) {
    this.keys = keys;
    this.values = values;
    this.positions = positions;
  }

  /** The attribute's slot, or undefined when the set has none of that name. */
  get(name: string): Slot | undefined {
    const index = this.keys.indexOf(name);
    return index < 0 ? undefined : this.values[index];
  }

  has(name: string): boolean {
    return this.keys.indexOf(name) >= 0;
  }

  get size(): number {
    return this.values.length;
  }
}

/** A function written in the language, with the frame it was made in. */
export class Lambda {
  declare readonly code: LambdaCode;
  declare readonly env: Env;
  constructor(code: LambdaCode, env: Env) {
    this.code = code;
    this.env = env;
  }
}

/** A builtin without arguments yet. */
export class PrimOp {
  declare readonly builtin: Builtin;
  constructor(builtin: Builtin) {
    this.builtin = builtin;
  }
}

/** A builtin with fewer arguments than it takes. */
export class PrimOpApp {
  declare readonly builtin: Builtin;
  declare readonly args: readonly Slot[];
  constructor(builtin: Builtin, args: readonly Slot[]) {
    this.builtin = builtin;
    this.args = args;
  }
}

/** What a thunk holds whose evaluation failed: the error as it left the thunk. */
export class Failure {
  declare readonly error: NixError;
  /** Trace frames the error had then; what was added further out belongs to another use. */
  declare readonly frames: number;
  constructor(error: NixError, frames: number) {
    this.error = error;
    this.frames = frames;
  }
}

/**
 * A computation done at most once. Its states: pending (`code` set), running (`code` is the black hole), done (`code` undefined and
 * `value` set) and failed (`value` is a `Failure`, thrown again by every force). Only force.ts and the machine change it.
 */
export class Thunk {
  declare code: Code | undefined;
  declare env: Env;
  declare value: Value | Failure | undefined;
  constructor(code: Code | undefined, env: Env) {
    this.code = code;
    this.env = env;
    this.value = undefined;
  }
}

/** An array of so many slots, to be filled at once. */
// oxlint-disable-next-line unicorn/no-new-array -- allocated at its length: lists and frames are most of what is allocated
export const slotArray = (length: number): Slot[] => new Array<Slot>(length);

export const isInt = (value: Value): value is Int => typeof value === "number" || typeof value === "bigint";
export const isString = (value: Value): value is NixString =>
  typeof value === "string" || value instanceof ContextString;
export const isList = (value: Value): value is List => Array.isArray(value);
export const isFunction = (value: Value): value is NixFunction =>
  value instanceof Lambda || value instanceof PrimOp || value instanceof PrimOpApp;

/** The bytes of a string value. */
export const textOf = (value: NixString): string => (typeof value === "string" ? value : value.text);

const noContext: Context = new Set();

/** The context of a string value; the shared empty set when it has none. */
export const contextOf = (value: NixString): Context => (typeof value === "string" ? noContext : value.context);

/** A string value from bytes and context: plain when the context is empty. */
export const makeString = (text: string, context: Context | undefined): NixString =>
  context === undefined || context.size === 0 ? text : new ContextString(text, context);

/** The union of two contexts, sharing one of them where possible. */
export function joinContexts(left: Context, right: Context): Context {
  if (right.size === 0 || left === right) return left;
  if (left.size === 0) return right;
  return new Set([...left, ...right]);
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** An integer in its one representation, or undefined when it does not fit in 64 signed bits. */
export function normalInt(value: bigint): Int | undefined {
  if (value >= -9007199254740991n && value <= 9007199254740991n) return Number(value);
  return value < minInt64 || value > maxInt64 ? undefined : value;
}

/** `typeOf` in the words of `builtins.typeOf`. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "number":
    case "bigint":
      return "int";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    default:
      if (value === null) return "null";
      if (value instanceof Attrs) return "set";
      if (Array.isArray(value)) return "list";
      if (value instanceof ContextString) return "string";
      if (value instanceof NixPath) return "path";
      if (value instanceof NixFloat) return "float";
      return "lambda";
  }
}

/** The type with its article as error messages print it: "a string with context", "the built-in function 'map'". */
export function describeType(value: Value): string {
  switch (typeof value) {
    case "number":
    case "bigint":
      return "an integer";
    case "string":
      return "a string";
    case "boolean":
      return "a Boolean";
    default:
      return describeObject(value);
  }
}

function describeObject(value: Exclude<Value, Int | string | boolean>): string {
  if (value === null) return "null";
  if (value instanceof Attrs) return "a set";
  if (value instanceof ContextString) return "a string with context";
  if (value instanceof NixPath) return "a path";
  if (value instanceof NixFloat) return "a float";
  if (value instanceof Lambda) return "a function";
  if (value instanceof PrimOp) return `the built-in function '${value.builtin.name}'`;
  if (value instanceof PrimOpApp) return `the partially applied built-in function '${value.builtin.name}'`;
  return "a list";
}
