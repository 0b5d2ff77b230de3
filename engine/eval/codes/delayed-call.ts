/**
 * A function applied to arguments when somebody asks for the result: the elements of `map` and `genList`, the attributes of `mapAttrs`
 * and `zipAttrsWith`. The call site is where the thunk is forced.
 */
import { call, type Routine } from "#engine/builtins/record.ts";
import { callFunction, callOne } from "../call.ts";
import { makeCode, type Code } from "../code.ts";
import { force, peek } from "../force.ts";
import type { Pos } from "../positions.ts";
import { runtime } from "../runtime.ts";
import { Lambda, type Slot, type Thunk } from "../value.ts";

/** Code of a thunk whose frame is the function and its argument. */
export const applyOne: Code = makeCode(
  (env) => {
    const pos = runtime.forcedAt;
    return callOne(force(env[0] as Slot), env[1] as Slot, pos);
  },
  (machine, env) => machine.start(applyRoutine(env[0] as Slot, [env[1] as Slot], runtime.forcedAt)),
);

/** Code of a thunk whose frame is the function and its two arguments. */
export const applyTwo: Code = makeCode(
  (env) => {
    const pos = runtime.forcedAt;
    return callFunction(force(env[0] as Slot), [env[1] as Slot, env[2] as Slot], pos);
  },
  (machine, env) => machine.start(applyRoutine(env[0] as Slot, [env[1] as Slot, env[2] as Slot], runtime.forcedAt)),
);

function* applyRoutine(fn: Slot, args: readonly Slot[], pos: Pos | undefined): Routine<Slot> {
  return yield call(fn, args, pos);
}

/** The position that C++ Nix gives for forcing a thunk nobody wrote down: a delayed call's function. */
export function delayedCallPos(thunk: Thunk): Pos | undefined {
  if (thunk.code !== applyOne && thunk.code !== applyTwo) return undefined;
  const fn = peek(thunk.env[0] as Slot);
  return fn instanceof Lambda ? fn.code.pos : undefined;
}
