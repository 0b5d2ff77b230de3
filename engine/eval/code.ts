/**
 * `Code`: a compiled expression, runnable in two ways over the same frames and thunks.
 *
 * `run` evaluates on the JavaScript stack. `step` does the same for the explicit-stack machine: it returns the value when it takes no
 * evaluation of anything else, or pushes what remains to be done, says what to evaluate next, and returns `PENDING`.
 * Invariant: both give the same value, the same error and the same order of side effects (traces).
 */
import type { Machine } from "./machine.ts";
import { Thunk, type Env, type Slot, type Value } from "./value.ts";

/** The answer of a step that has handed the machine something else to evaluate first. */
export class Pending {
  readonly pending = true;
}
export const PENDING = new Pending();

export type Outcome = Value | Pending;

export interface Code {
  /** Evaluates to weak head normal form. */
  run: (env: Env) => Value;
  step: (machine: Machine, env: Env) => Outcome;
  /** The slot for a use that may never be forced: a constant, the variable's own slot, or a new thunk. */
  delay: (env: Env) => Slot;
  /** JavaScript frames `run` may nest before it forces or calls, roughly: the expression's height. */
  readonly height: number;
}

/** A code whose delayed form is a thunk of itself. */
export function code(height: number, run: Code["run"], step: Code["step"]): Code {
  const self: Code = { run, step, delay: (env) => new Thunk(self, env), height };
  return self;
}
