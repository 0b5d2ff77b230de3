/**
 * Forcing a value and everything in it: `--strict`, `deepSeq` and every conversion to plain data.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { addTrace } from "./error.ts";
import { attributePos } from "./positions.ts";
import { Attrs, Thunk, type Slot, type Value } from "./value.ts";

/** Forces everything reachable once; cycles are fine. Traces name the attribute or list element that failed. */
export function* forceDeep(slot: Slot, seen: Set<Value> = new Set()): Routine<void> {
  const value = slot instanceof Thunk ? yield slot : slot;
  if (value === null || typeof value !== "object" || seen.has(value)) return;
  if (value instanceof Attrs) {
    seen.add(value);
    for (let i = 0; i < value.values.length; i++) yield* forceAttribute(value, i, seen);
  } else if (Array.isArray(value)) {
    seen.add(value);
    for (let i = 0; i < value.length; i++) yield* forceElement((value as readonly Slot[])[i]!, i, seen);
  }
}

function* forceAttribute(set: Attrs, index: number, seen: Set<Value>): Routine<void> {
  const slot = set.values[index]!;
  if (isFlat(slot)) return;
  try {
    yield* forceDeep(slot, seen);
  } catch (thrown) {
    const name = set.keys.names[index]!;
    throw addTrace(thrown, `while evaluating the attribute '${name}'`, attributePos(set.positions, set.keys, name));
  }
}

function* forceElement(slot: Slot, index: number, seen: Set<Value>): Routine<void> {
  if (isFlat(slot)) return;
  try {
    yield* forceDeep(slot, seen);
  } catch (thrown) {
    throw addTrace(thrown, `while evaluating list element at index ${index}`);
  }
}

const isFlat = (slot: Slot): boolean => slot === null || typeof slot !== "object";
