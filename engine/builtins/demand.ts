/**
 * Helpers of routines: forcing and checking values that are not declared arguments (attributes, list elements), with the trace
 * line Nix adds when that fails.
 */
import { NixError, addTrace } from "#engine/eval/error.ts";
import { checkArg } from "#engine/eval/expect.ts";
import { attributePos, type Pos } from "#engine/eval/positions.ts";
import type { Attrs, Slot, Value } from "#engine/eval/value.ts";
import { FormatError } from "#engine/store/format/error.ts";
import type { ArgType, ArgTypes, Routine } from "./record.ts";

/**
 * Forces a slot and checks its type; `context` is the trace line of a wrong type and, unless a list or set is wanted, of a value
 * that could not be evaluated.
 */
export function* demand<T extends ArgType>(slot: Slot, type: T, context: string, pos?: Pos): Routine<ArgTypes[T]> {
  let value: Value;
  try {
    value = yield slot;
  } catch (thrown) {
    throw type === "list" || type === "attrs" ? thrown : addTrace(thrown, context, pos);
  }
  try {
    return checkArg(value, type) as ArgTypes[T];
  } catch (thrown) {
    throw addTrace(thrown, context, pos);
  }
}

/** An attribute of an argument set, forced and checked; failures carry where it was written. */
export function* demandAttribute<T extends ArgType>(
  attrs: Attrs,
  name: string,
  type: T,
  context: string,
): Routine<ArgTypes[T]> {
  const pos = attributePos(attrs.positions, attrs.keys, name);
  try {
    return yield* demand(attrs.get(name)!, type, "");
  } catch (thrown) {
    if (!(thrown instanceof NixError)) throw thrown;
    // A wrong type is reported where the attribute was written; an error inside keeps its own place.
    const isOwn = thrown.trace.length === 1;
    const at = isOwn && thrown.kind === "type" ? new NixError(thrown.kind, thrown.message, { pos }) : thrown;
    if (at === thrown) thrown.trace.pop();
    throw at.within(context, pos);
  }
}

/** An attribute that must be there: "attribute 'x' missing" while locating it. */
export function locate(attrs: Attrs, name: string): Slot {
  const slot = attrs.get(name);
  if (slot !== undefined) return slot;
  throw new NixError("missing", `attribute '${name}' missing`).within(`while locating the attribute '${name}'`);
}

/** Runs what the store formats do to user input; their errors become errors of the program. */
export function withFormatErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw thrown instanceof FormatError
      ? new NixError(thrown.code === "usage" ? "usage" : "eval", thrown.message, {
          data: { usage: thrown.code === "usage" },
        })
      : thrown;
  }
}
