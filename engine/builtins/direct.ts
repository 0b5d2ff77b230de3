/**
 * Helpers of `direct` forms of builtins: what routines ask for by `yield`, as plain calls on the JavaScript stack, with the same
 * trace lines.
 */
import { callOne } from "#engine/eval/call.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { checkArg } from "#engine/eval/expect.ts";
import { force } from "#engine/eval/force.ts";
import { describeValue } from "#engine/eval/print.ts";
import type { Slot, Value } from "#engine/eval/value.ts";
import type { ArgType, ArgTypes } from "./record.ts";

/** What `demand` does. */
export function demandNow<T extends ArgType>(slot: Slot, type: T, context: string): ArgTypes[T] {
  let value: Value;
  try {
    value = force(slot);
  } catch (thrown) {
    throw type === "list" || type === "attrs" ? thrown : addTrace(thrown, context);
  }
  try {
    return checkArg(value, type) as ArgTypes[T];
  } catch (thrown) {
    throw addTrace(thrown, context);
  }
}

/** The answer of a predicate; `context` tells of one that is no Boolean. */
export function asBool(value: Value, context: string): boolean {
  if (typeof value === "boolean") return value;
  throw addTrace(new NixError("type", `expected a Boolean but found ${describeValue(value)}`), context);
}

export const askNow = (predicate: Slot, element: Slot, context: string): boolean =>
  asBool(callOne(force(predicate), element, undefined), context);
