/**
 * Forcing: bringing a slot to weak head normal form, at most once a thunk.
 *
 * A thunk under evaluation holds the black hole; meeting it again is infinite recursion. A thunk whose evaluation failed keeps the
 * error, as C++ Nix does; one unwound by anything else (a `NeedsIO`, exceeded call depth) returns to unevaluated.
 */
import { Code } from "./code.ts";
import { NixError } from "./error.ts";
import type { Pos } from "./positions.ts";
import { deepEvaluator, runtime } from "./runtime.ts";
import { Failure, Thunk, type Env, type Slot, type Value } from "./value.ts";

function neverRun(): never {
  throw new Error("the black hole was run");
}

/** The code of a thunk that is being evaluated. */
export const blackHole = new Code(neverRun, neverRun, neverRun);

const noEnv: Env = [];

export const infiniteRecursion = (pos: Pos | undefined): NixError =>
  new NixError("recursion", "infinite recursion encountered", { pos });

/** The value of a slot. `pos` is where an infinite recursion is reported. */
export const force = (slot: Slot, pos?: Pos): Value => (slot instanceof Thunk ? forceThunk(slot, pos) : slot);

export function forceThunk(thunk: Thunk, pos?: Pos): Value {
  const code = thunk.code;
  if (code === undefined) return settled(thunk);
  if (code === blackHole) throw infiniteRecursion(pos);
  if (runtime.depth >= runtime.maxDepth) return deepEvaluator().force(thunk, pos);
  const env = thunk.env;
  thunk.code = blackHole;
  runtime.forcedAt = pos;
  runtime.depth++;
  let value: Value;
  try {
    value = code.run(env);
  } catch (thrown) {
    failThunk(thunk, code, thrown);
    throw thrown;
  }
  runtime.depth--;
  settle(thunk, value);
  return value;
}

/** The value of a thunk that was evaluated, or its error again. */
export function settled(thunk: Thunk): Value {
  const value = thunk.value as Value | Failure;
  if (value instanceof Failure) throw value.error.again(value.frames);
  return value;
}

export function settle(thunk: Thunk, value: Value): void {
  thunk.value = value;
  thunk.code = undefined;
  thunk.env = noEnv;
}

/** Ends a thunk's evaluation by an error: kept if the program made it, else the thunk can be tried again. */
export function failThunk(thunk: Thunk, code: Code, thrown: unknown): void {
  if (thrown instanceof NixError && thrown.kind !== "overflow" && thrown.kind !== "recursion") {
    thunk.value = new Failure(thrown, thrown.trace.length);
    thunk.code = undefined;
    thunk.env = noEnv;
  } else {
    thunk.code = code;
  }
}

/** The value of a slot if it is there already. */
export function peek(slot: Slot): Value | undefined {
  if (!(slot instanceof Thunk)) return slot;
  return slot.code === undefined && !(slot.value instanceof Failure) ? slot.value : undefined;
}
