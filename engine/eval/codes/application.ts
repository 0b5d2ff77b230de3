/**
 * Function application.
 */
import { callFunction, callOne, callTwo } from "../call.ts";
import { makeCode, type Code, type Outcome } from "../code.ts";
import type { Frame, Machine } from "../machine.ts";
import type { Pos } from "../positions.ts";
import { slotArray, type Env, type Slot, type Value } from "../value.ts";

/** `f a b`: one call for all arguments. */
export function applyCode(fn: Code, args: readonly Code[], pos: Pos): Code {
  const step = (machine: Machine, env: Env): Outcome => {
    const callee = fn.quick?.(env);
    if (callee !== undefined) return machine.call(callee, delayAll(args, env), pos);
    machine.push(new FunctionFrame(args, env, pos));
    return machine.eval(fn, env);
  };
  const [argument, second] = args as readonly [Code, Code?];
  if (args.length === 1) {
    return makeCode((env) => {
      const callee = fn.run(env);
      return callOne(callee, argument.delay(env), pos);
    }, step);
  }
  if (args.length === 2) {
    return makeCode((env) => {
      const callee = fn.run(env);
      return callTwo(callee, argument.delay(env), second!.delay(env), pos);
    }, step);
  }
  return makeCode((env) => {
    const callee = fn.run(env);
    return callFunction(callee, delayAll(args, env), pos);
  }, step);
}

function delayAll(args: readonly Code[], env: Env): Slot[] {
  const slots: Slot[] = slotArray(args.length);
  for (let i = 0; i < args.length; i++) slots[i] = args[i]!.delay(env);
  return slots;
}

/** Waits for the function. */
class FunctionFrame implements Frame {
  declare readonly args: readonly Code[];
  declare readonly env: Env;
  declare readonly pos: Pos;
  constructor(args: readonly Code[], env: Env, pos: Pos) {
    this.args = args;
    this.env = env;
    this.pos = pos;
  }
  resume(machine: Machine, value: Value): Outcome {
    return machine.call(value, delayAll(this.args, this.env), this.pos);
  }
}
