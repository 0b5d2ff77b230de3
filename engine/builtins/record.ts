/**
 * The form of a builtin: one record that the evaluator, completion, hover, the documentation page and the coverage test all read.
 *
 * A builtin declares its arguments with their types. Whoever calls it (the direct evaluator or the explicit-stack machine) forces and
 * checks them in order, with Nix's message and trace line, and then hands over plain values. Two kinds of body:
 *
 * - `impl`, a plain function that never forces and never calls back. It may return an unevaluated slot (`head`, `getAttr`, `seq`):
 *   the caller forces it in tail position.
 * - `routine`, a generator for what forces inside or calls functions. It yields a `Slot` to have it forced (and gets the `Value`),
 *   or `call(f, [args])` to have a function called. Errors of what it asked for arrive as exceptions at the `yield`, so `try` works.
 *   The same routine runs on the JavaScript stack or, at depth, on the machine's; it must not keep state outside itself.
 *
 * A routine that is called very often may have a `direct` form beside it, for the JavaScript stack only: a plain function that asks for
 * the same things in the same order by `force` and `callOne` (direct.ts), because a generator can cost more than the work.
 *
 * Routines compose by `yield*`: engine/eval/coerce.ts, equality.ts and force-deep.ts export such helpers.
 */
import type { Evaluate, ForceAt } from "#engine/eval/code.ts";
import type { EvalContext } from "#engine/eval/context.ts";
import type { Pos } from "#engine/eval/positions.ts";
import type { Attrs, Int, List, NixFloat, NixFunction, NixString, Slot, Value } from "#engine/eval/value.ts";

/** A request of a routine: call a function (or functor) with these arguments. The answer is its value. */
export class Call {
  declare readonly fn: Slot;
  declare readonly args: readonly Slot[];
  declare readonly pos: Pos | undefined;
  constructor(fn: Slot, args: readonly Slot[], pos: Pos | undefined) {
    this.fn = fn;
    this.args = args;
    this.pos = pos;
  }
}

export const call = (fn: Slot, args: readonly Slot[], pos?: Pos): Call => new Call(fn, args, pos);

/** What a routine may yield; `Evaluate` is for compiled expressions, `ForceAt` says where. */
export type Request = Slot | Call | Evaluate | ForceAt;

/** What yields requests and ends with a result. */
export type Routine<T> = Generator<Request, T, Value>;

/**
 * How an argument arrives: `lazy` untouched; `any` forced; `function` forced and checked to be a lambda, builtin or functor;
 * `number` an integer or float; `string` a string with its context; `plain` the bytes of a string that must not have context;
 * `bool`, `int`, `list`, `attrs` as they say.
 */
export interface ArgTypes {
  lazy: Slot;
  any: Value;
  int: Int;
  number: Int | NixFloat;
  bool: boolean;
  string: NixString;
  plain: string;
  list: List;
  attrs: Attrs;
  function: NixFunction | Attrs;
}

export type ArgType = keyof ArgTypes;

export interface Arg<T extends ArgType = ArgType> {
  readonly name: string;
  readonly type: T;
  /**
   * Trace line added when forcing or checking the argument fails; "" adds none. Unless told it is
   * "while evaluating the first argument passed to 'builtins.NAME'" (none for `lazy` and `any`).
   */
  readonly context?: string;
}

export const arg = <const T extends ArgType>(name: string, type: T, context?: string): Arg<T> =>
  context === undefined ? { name, type } : { name, type, context };

export type ArgValues<A extends readonly Arg[]> = { [I in keyof A]: A[I] extends Arg<infer T> ? ArgTypes[T] : never };

interface BuiltinInfo {
  readonly name: string;
  /** Visible without `builtins.` under its own name; the others as `__name`. */
  readonly global?: boolean;
  /** Experimental feature without which the builtin does not exist. */
  readonly feature?: string;
  /** Markdown, own words, for hover and the documentation page. */
  readonly doc: string;
}

export interface Builtin extends BuiltinInfo {
  readonly args: readonly Arg[];
  readonly arity: number;
  readonly impl?: (args: never, context: EvalContext, pos: Pos | undefined) => Slot;
  readonly routine?: (args: never, context: EvalContext, pos: Pos | undefined) => Routine<Slot>;
  /** What the routine does, on the JavaScript stack. */
  readonly direct?: (args: never, context: EvalContext, pos: Pos | undefined) => Slot;
  /** Arguments are forced and checked last first. */
  readonly reversed?: boolean;
  /** False for builtins that leave no "while calling the 'x' builtin" line in traces. */
  readonly traced: boolean;
}

/** A member of `builtins` that is not a function. */
export interface BuiltinConstant extends BuiltinInfo {
  readonly constant: (context: EvalContext) => Slot;
  /** Absent under pure evaluation. */
  readonly impure?: boolean;
}

interface BuiltinSpec<A extends readonly Arg[]> extends BuiltinInfo {
  readonly args: A;
  readonly reversed?: boolean;
  readonly traced?: boolean;
  readonly impl?: (args: ArgValues<A>, context: EvalContext, pos: Pos | undefined) => Slot;
  readonly routine?: (args: ArgValues<A>, context: EvalContext, pos: Pos | undefined) => Routine<Slot>;
  readonly direct?: (args: ArgValues<A>, context: EvalContext, pos: Pos | undefined) => Slot;
}

/** Makes a builtin of a record; exactly one of `impl` and `routine` must be there, and `direct` only beside a routine. */
export function builtin<const A extends readonly Arg[]>(spec: BuiltinSpec<A>): Builtin {
  return { traced: true, ...spec, arity: spec.args.length };
}

export const constant = (spec: BuiltinConstant): BuiltinConstant => spec;

export type BuiltinFamily = readonly (Builtin | BuiltinConstant)[];
