/**
 * Forcing a value and everything in it: `--strict`, `deepSeq` and every conversion to plain data.
 *
 * Works with a list of its own rather than by recursion, so that data may nest as deep as it likes.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { ForceAt } from "./code.ts";
import { delayedCallPos } from "./codes/delayed-call.ts";
import { addTrace } from "./error.ts";
import { attributePos, type Pos } from "./positions.ts";
import { printName } from "./print.ts";
import { callDepthExceeded, evalContext, runtime } from "./runtime.ts";
import { evaluationOrder } from "./symbols.ts";
import { Attrs, Thunk, type List, type Slot, type Value } from "./value.ts";

/** A set or list whose parts are being forced. */
interface Open {
  readonly value: Attrs | List;
  /** For a set: which value comes when. */
  readonly order: readonly number[] | undefined;
  next: number;
}

/** Forces everything reachable once; cycles are fine. Traces name the attribute or list element that failed. */
export function* forceDeep(slot: Slot): Routine<void> {
  const seen = new Set<Value>();
  const open: Open[] = [];
  const { symbols } = evalContext();
  const enter = (value: Value): void => {
    if (value === null || typeof value !== "object" || seen.has(value)) return;
    if (!(value instanceof Attrs || Array.isArray(value))) return;
    seen.add(value);
    const order = value instanceof Attrs ? evaluationOrder(value, symbols) : undefined;
    open.push({ value: value as Attrs | List, order, next: 0 });
  };
  const { calls } = runtime;
  enter(slot instanceof Thunk ? yield slot : slot);
  while (open.length > 0) {
    const top = open[open.length - 1]!;
    const parts = top.value instanceof Attrs ? top.value.values : top.value;
    if (top.next === parts.length) {
      open.pop();
      continue;
    }
    const part = parts[top.order === undefined ? top.next : top.order[top.next]!]!;
    top.next++;
    // What is inside something counts as deeper, so that data without an end is an error.
    if (calls + open.length > runtime.maxCalls) throw traced(callDepthExceeded(delayedPos(part)), open);
    if (part === null || typeof part !== "object") continue;
    let value: Value;
    try {
      runtime.calls = calls + open.length + 1;
      value = part instanceof Thunk ? yield new ForceAt(part, delayedCallPos(part)) : part;
    } catch (thrown) {
      runtime.calls = calls;
      throw traced(thrown, open);
    }
    enter(value);
  }
  runtime.calls = calls;
}

const delayedPos = (slot: Slot): Pos | undefined => (slot instanceof Thunk ? delayedCallPos(slot) : undefined);

/** Adds the way from the outside to the part that failed, innermost first. */
function traced(thrown: unknown, open: readonly Open[]): unknown {
  for (let i = open.length - 1; i >= 0; i--) {
    const { value, order, next } = open[i]!;
    if (value instanceof Attrs) {
      const name = value.keys.names[order![next - 1]!]!;
      addTrace(
        thrown,
        `while evaluating the attribute '${printName(name)}'`,
        attributePos(value.positions, value.keys, name),
      );
    } else addTrace(thrown, `while evaluating list element at index ${next - 1}`);
  }
  return thrown;
}
