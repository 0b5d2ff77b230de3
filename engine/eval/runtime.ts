/**
 * The state of the evaluation that is running: how deep it is, and what it may use.
 *
 * Invariant: evaluation is synchronous, so one evaluation runs at a time in a program; an evaluator puts its own state here when it
 * starts and takes it away when it ends. Whoever catches an error and goes on restores `depth` and `calls` to what they were; nobody
 * else does on the way of an error.
 */
import type { Code } from "./code.ts";
import type { EvalContext } from "./context.ts";
import { NixError } from "./error.ts";
import type { Pos } from "./positions.ts";
import type { Env, Slot, Thunk, Value } from "./value.ts";

/** The explicit-stack machine as the direct evaluator sees it; machine.ts installs itself. */
export interface DeepEvaluator {
  force(thunk: Thunk, pos: Pos | undefined): Value;
  run(code: Code, env: Env): Value;
  call(fn: Value, args: readonly Slot[], pos: Pos | undefined): Value;
}

interface Runtime {
  /** Nested forces and calls on the JavaScript stack. */
  depth: number;
  maxDepth: number;
  /** Nested function calls as C++ Nix counts them. */
  calls: number;
  maxCalls: number;
  /** Where the thunk that is about to run was forced; a delayed call takes it as its call site. */
  forcedAt: Pos | undefined;
  deep: DeepEvaluator | undefined;
  context: EvalContext | undefined;
}

export const runtime: Runtime = {
  depth: 0,
  maxDepth: 250,
  calls: 0,
  maxCalls: 10_000,
  forcedAt: undefined,
  deep: undefined,
  context: undefined,
};

/** The machine, which is there whenever anything is evaluated. */
export function deepEvaluator(): DeepEvaluator {
  if (runtime.deep === undefined) throw new Error("the explicit-stack machine is not installed");
  return runtime.deep;
}

export function evalContext(): EvalContext {
  if (runtime.context === undefined) throw new Error("no evaluation is running");
  return runtime.context;
}

export const callDepthExceeded = (pos: Pos | undefined): NixError =>
  new NixError("overflow", "stack overflow; max-call-depth exceeded", { pos });
