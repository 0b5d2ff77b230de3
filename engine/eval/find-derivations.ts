/**
 * The derivations in a value: itself, or those in the sets and lists that say `recurseForDerivations`.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { addTrace, NixError } from "./error.ts";
import { coerceToString } from "./coerce.ts";
import { isDerivationForced } from "./equality.ts";
import { attributePos } from "./positions.ts";
import { autoCallRoutine, type ArgumentSlots } from "./select-path.ts";
import { Attrs, isList, textOf, type Slot, type Value } from "./value.ts";

export interface FoundDerivation {
  readonly set: Attrs;
  readonly drvPath: string;
  readonly outputName: string;
}

const attributeName = /^[A-Za-z_][A-Za-z0-9-_+]*$/;

/** All of them, sets in byte order of their names. What each is is evaluated when all have been found. */
export function* findDerivations(slot: Slot, args: ArgumentSlots): Routine<FoundDerivation[]> {
  const sets: Attrs[] = [];
  yield* collect(yield* autoCallRoutine(slot, args), args, sets, new Set());
  const found: FoundDerivation[] = [];
  for (const set of sets) found.push(yield* describe(set));
  return found;
}

function* collect(value: Value, args: ArgumentSlots, found: Attrs[], done: Set<Attrs>): Routine<void> {
  if (value instanceof Attrs) {
    if (yield* addDerivation(value, found, done)) return;
    for (let i = 0; i < value.size; i++) yield* collectAttribute(value, i, args, found, done);
  } else if (isList(value)) {
    for (const element of value) {
      const inner = yield element;
      if (inner instanceof Attrs && (yield* addDerivation(inner, found, done))) continue;
      yield* collect(yield* autoCallRoutine(inner, args), args, found, done);
    }
  } else {
    throw new NixError("type", "expression does not evaluate to a derivation (or a set or list of those)");
  }
}

function* collectAttribute(
  set: Attrs,
  index: number,
  args: ArgumentSlots,
  found: Attrs[],
  done: Set<Attrs>,
): Routine<void> {
  const name = set.keys.names[index]!;
  if (!attributeName.test(name)) return;
  try {
    const value = yield set.values[index]!;
    if (!(value instanceof Attrs) || (yield* addDerivation(value, found, done))) return;
    const recurse = value.get("recurseForDerivations");
    if (recurse !== undefined && (yield recurse) === true) yield* collect(value, args, found, done);
  } catch (thrown) {
    throw addTrace(thrown, `while evaluating the attribute '${name}'`, attributePos(set.positions, set.keys, name));
  }
}

/** Adds a set that is a derivation; false when it is none. */
function* addDerivation(set: Attrs, found: Attrs[], done: Set<Attrs>): Routine<boolean> {
  if (!(yield* isDerivationForced(set))) return false;
  if (done.has(set)) return true;
  done.add(set);
  found.push(set);
  return true;
}

function* describe(set: Attrs): Routine<FoundDerivation> {
  const drvPath = set.get("drvPath");
  if (drvPath === undefined) throw new NixError("eval", "derivation does not contain a 'drvPath' attribute");
  const path = textOf(
    yield* coerceToString(drvPath, { context: "while evaluating the 'drvPath' attribute of a derivation" }),
  );
  const output = set.get("outputName");
  const context = "while evaluating the output name of a derivation";
  return {
    set,
    drvPath: path,
    outputName: output === undefined ? "out" : textOf(yield* coerceToString(output, { context })),
  };
}
