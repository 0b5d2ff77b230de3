/**
 * `Code`: a compiled expression, runnable in two ways over the same frames and thunks.
 *
 * `run` evaluates on the JavaScript stack. `step` does the same for the explicit-stack machine: it returns the value when that takes no
 * evaluation of anything else, or pushes what remains to be done, says what to evaluate next, and returns `PENDING`.
 * Invariant: both give the same value, the same error and the same order of side effects (traces).
 */
import type { LambdaCode } from "./lambda.ts";
import type { Machine } from "./machine.ts";
import type { Routine } from "#engine/builtins/record.ts";
import type { Pos } from "./positions.ts";
import { Thunk, type Env, type Slot, type Value } from "./value.ts";

/** The answer of a step that has handed the machine something else to evaluate first. */
export class Pending {
  readonly pending = true;
}
export const PENDING = new Pending();

/** A request of a routine made by the compiler: evaluate a code in a frame. */
export class Evaluate {
  declare readonly code: Code;
  declare readonly env: Env;
  constructor(code: Code, env: Env) {
    this.code = code;
    this.env = env;
  }
}

/** A request of a routine: force a thunk, with the position to report. */
export class ForceAt {
  declare readonly thunk: Thunk;
  declare readonly pos: Pos | undefined;
  constructor(thunk: Thunk, pos: Pos | undefined) {
    this.thunk = thunk;
    this.pos = pos;
  }
}

export type Outcome = Value | Pending;

/** One class for all codes, so that whoever runs one sees objects of one shape. */
export class Code {
  /** Evaluates to weak head normal form. */
  declare run: (env: Env) => Value;
  declare step: (machine: Machine, env: Env) => Outcome;
  /** The slot for a use that may never be forced: a constant or the variable's own slot; undefined where it is a new thunk. */
  declare readonly slot: ((env: Env) => Slot) | undefined;
  /**
   * The value if it is at hand: constants, evaluated variables and arithmetic of these. Never forces, calls or throws. The machine asks
   * this first, because it spares it most of its frames.
   */
  declare quick: ((env: Env) => Value | undefined) | undefined;
  /** For a function expression: the function, so that a call with several arguments can go straight on. */
  declare lambda: LambdaCode | undefined;

  constructor(run: Code["run"], step: Code["step"], slot?: Code["slot"], quick?: Code["quick"]) {
    this.run = run;
    this.step = step;
    this.slot = slot;
    this.quick = quick;
    this.lambda = undefined;
  }

  /** The slot for a use that may never be forced. */
  delay(env: Env): Slot {
    return this.slot === undefined ? new Thunk(this, env) : this.slot(env);
  }
}

/** A code whose delayed form is a thunk of itself. */
export const makeCode = (run: Code["run"], step: Code["step"]): Code => new Code(run, step);

/** A code that evaluates nothing else: it runs the same in both ways. */
export const leafCode = (run: Code["run"]): Code => makeCode(run, (_machine, env) => run(env));

/** A value known when compiling. */
export function constantCode(value: Value): Code {
  const run = () => value;
  return new Code(run, run, run, run);
}

/** A code with a direct form for the JavaScript stack and a routine for the machine. */
export const routineCode = (run: Code["run"], routine: (env: Env) => Routine<Slot>): Code =>
  makeCode(run, (machine, env) => machine.start(routine(env)));

/** A code with a quick form, which its step tries first. */
export function withQuick(code: Code, quick: (env: Env) => Value | undefined): Code {
  const { step } = code;
  code.quick = quick;
  code.step = (machine, env) => {
    const value = quick(env);
    return value === undefined ? step(machine, env) : value;
  };
  return code;
}
