/**
 * Calling functions on the JavaScript stack: lambdas, builtins, partial applications and functors, and driving routines.
 *
 * One `call` counts once against max-call-depth however many arguments it passes, as in C++ Nix.
 */
import { Call, type Arg, type Builtin, type Request, type Routine } from "#engine/builtins/record.ts";
import { Evaluate, ForceAt } from "./code.ts";
import { NixError, addTrace } from "./error.ts";
import { checkArg } from "./expect.ts";
import { force, forceThunk } from "./force.ts";
import { bindFormals, forceFormalsArgument } from "./formals.ts";
import type { LambdaCode } from "./lambda.ts";
import { attributePos, type Pos } from "./positions.ts";
import { callDepthExceeded, deepEvaluator, evalContext, runtime } from "./runtime.ts";
import { describeValue, printName } from "./print.ts";
import { Attrs, Lambda, PrimOp, PrimOpApp, Thunk, type Env, type Slot, type Value } from "./value.ts";

/** Calls a forced function with one argument or more. */
export function callFunction(fn: Value, args: readonly Slot[], pos: Pos | undefined): Value {
  if (runtime.depth >= runtime.maxDepth) return deepEvaluator().call(fn, args, pos);
  if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(pos);
  runtime.depth++;
  let current = fn;
  let used = 0;
  while (used < args.length) {
    if (current instanceof Lambda) {
      let { code } = current;
      const argument = args[used++]!;
      let env: Env;
      if (code.formals === null) {
        env = [current.env, argument];
        // A curried function takes its next arguments without becoming a value in between.
        for (let next = code.body.lambda; next?.formals === null && used < args.length; next = code.body.lambda) {
          env = [env, args[used++]!];
          code = next;
        }
      } else {
        env = bindFormals(current, argument, forceFormalsArgument(current, argument, pos), pos);
      }
      current = runBody(code, env, pos);
    } else if (current instanceof PrimOp || current instanceof PrimOpApp) {
      const before = current instanceof PrimOp ? noSlots : current.args;
      const take = Math.min(current.builtin.arity - before.length, args.length - used);
      const given = args.slice(used, used + take);
      const all = before.length === 0 ? given : before.concat(given);
      used += take;
      current =
        all.length < current.builtin.arity
          ? new PrimOpApp(current.builtin, all)
          : runBuiltin(current.builtin, all, pos);
    } else {
      current = enterFunctor(current, args[used++]!, pos);
    }
  }
  runtime.depth--;
  runtime.calls--;
  return current;
}

const noSlots: readonly Slot[] = [];

/** Runs a lambda's body; the caller has counted the call. */
function runBody(code: LambdaCode, env: Env, pos: Pos | undefined): Value {
  try {
    return code.body.run(env);
  } catch (thrown) {
    throw lambdaTrace(thrown, code, pos);
  }
}

/** Calls a forced function with one argument: the common case, without an array of arguments. */
export function callOne(fn: Value, argument: Slot, pos: Pos | undefined): Value {
  if (runtime.depth >= runtime.maxDepth) return callFunction(fn, [argument], pos);
  if (fn instanceof Lambda) {
    if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(pos);
    runtime.depth++;
    const code = fn.code;
    const env: Env =
      code.formals === null
        ? [fn.env, argument]
        : bindFormals(fn, argument, forceFormalsArgument(fn, argument, pos), pos);
    let value: Value;
    try {
      value = code.body.run(env);
    } catch (thrown) {
      throw lambdaTrace(thrown, code, pos);
    }
    runtime.depth--;
    runtime.calls--;
    return value;
  }
  if (fn instanceof PrimOp) {
    const { builtin } = fn;
    return builtin.arity === 1 ? callBuiltin(builtin, [argument], pos) : new PrimOpApp(builtin, [argument]);
  }
  return callFunction(fn, [argument], pos);
}

/** Calls a forced function with two arguments. */
export function callTwo(fn: Value, first: Slot, second: Slot, pos: Pos | undefined): Value {
  if (runtime.depth < runtime.maxDepth) {
    if (fn instanceof Lambda && fn.code.formals === null) {
      const inner = fn.code.body.lambda;
      if (inner?.formals === null) {
        if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(pos);
        runtime.depth++;
        const value = runBody(inner, [[fn.env, first], second], pos);
        runtime.depth--;
        runtime.calls--;
        return value;
      }
    } else if (fn instanceof PrimOp && fn.builtin.arity === 2) return callBuiltin(fn.builtin, [first, second], pos);
  }
  return callFunction(fn, [first, second], pos);
}

/** A counted call of a builtin with all its arguments. */
function callBuiltin(builtin: Builtin, slots: Slot[], pos: Pos | undefined): Value {
  if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(pos);
  runtime.depth++;
  const value = runBuiltin(builtin, slots, pos);
  runtime.depth--;
  runtime.calls--;
  return value;
}

/** The trace of an error that leaves a lambda. */
export function lambdaTrace(thrown: unknown, code: LambdaCode, pos: Pos | undefined): unknown {
  if (!(thrown instanceof NixError)) return thrown;
  thrown.within(`while calling ${lambdaName(code)}`, code.pos, "detail");
  if (pos !== undefined) thrown.within("from call site", pos, "detail");
  return thrown;
}

export const lambdaName = (code: LambdaCode): string =>
  code.name === null ? "anonymous lambda" : `'${printName(code.name)}'`;

export const functorTrace = "while calling a functor (an attribute set with a '__functor' attribute)";

/** Calls a set: its `__functor` with itself and one argument. */
function enterFunctor(value: Value, argument: Slot, pos: Pos | undefined): Value {
  const functor = functorOf(value, pos);
  try {
    return callFunction(force(functor.slot, pos), [value, argument], functor.pos);
  } catch (thrown) {
    throw addTrace(thrown, functorTrace, pos);
  }
}

/** The `__functor` of a set and where it was written, or the error for a value that cannot be called. */
export function functorOf(value: Value, pos: Pos | undefined): { slot: Slot; pos: Pos | undefined } {
  if (value instanceof Attrs) {
    const slot = value.get("__functor");
    if (slot !== undefined) return { slot, pos: attributePos(value.positions, value.keys, "__functor") };
  }
  throw new NixError("type", `attempt to call something which is not a function but ${describeValue(value)}`, { pos });
}

/** Forces and checks the arguments of a builtin in order and runs it; the caller has counted the call. */
export function runBuiltin(builtin: Builtin, slots: Slot[], pos: Pos | undefined): Value {
  const { args, impl, direct, reversed } = builtin;
  try {
    for (let turn = 0; turn < args.length; turn++) {
      const i = reversed === true ? args.length - 1 - turn : turn;
      const arg = args[i]!;
      if (arg.type !== "lazy") slots[i] = forceArg(slots[i]!, builtin, arg, i);
    }
    const plain = impl ?? direct;
    if (plain === undefined) return drive(builtin.routine!(slots as never, evalContext(), pos));
    const result = plain(slots as never, evalContext(), pos);
    return result instanceof Thunk ? force(result) : result;
  } catch (thrown) {
    throw builtin.traced ? builtinTrace(thrown, builtin, pos) : thrown;
  }
}

export const builtinTrace = (thrown: unknown, builtin: Builtin, pos: Pos | undefined): unknown =>
  addTrace(thrown, `while calling the '${builtin.name}' builtin`, pos);

function forceArg(slot: Slot, builtin: Builtin, arg: Arg, index: number): Slot {
  let value: Value;
  if (slot instanceof Thunk) {
    try {
      value = force(slot);
    } catch (thrown) {
      throw arg.type === "list" || arg.type === "attrs" ? thrown : argTrace(thrown, builtin, arg, index);
    }
  } else {
    value = slot;
  }
  if (arg.type === "any") return value;
  try {
    return checkArg(value, arg.type);
  } catch (thrown) {
    throw argTrace(thrown, builtin, arg, index);
  }
}

const ordinals = ["first", "second", "third", "fourth"];

/** The trace line for an argument that has the wrong type or, unless it is to be a list or set, could not be forced. */
export function argTrace(thrown: unknown, builtin: Builtin, arg: Arg, index: number): unknown {
  if (arg.context === "" || (arg.context === undefined && arg.type === "any")) return thrown;
  const context = arg.context ?? `while evaluating the ${ordinals[index]} argument passed to builtins.${builtin.name}`;
  return addTrace(thrown, context);
}

/** Runs a routine to its end on the JavaScript stack. */
export function drive(routine: Routine<Slot>): Value {
  const { depth, calls } = runtime;
  let next = routine.next();
  while (next.done !== true) {
    let answer: Value;
    try {
      answer = perform(next.value);
    } catch (thrown) {
      runtime.depth = depth;
      runtime.calls = calls;
      next = routine.throw(thrown);
      continue;
    }
    next = routine.next(answer);
  }
  return force(next.value);
}

function perform(request: Request): Value {
  if (request instanceof Thunk) return force(request);
  if (request instanceof Call) return callFunction(force(request.fn), request.args, request.pos);
  if (request instanceof Evaluate) return request.code.run(request.env);
  if (request instanceof ForceAt) return forceThunk(request.thunk, request.pos);
  return request;
}
