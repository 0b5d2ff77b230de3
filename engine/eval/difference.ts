/**
 * Why two values are not equal: the error of `assert a == b`.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { equals, isDerivationForced, quickEquals } from "./equality.ts";
import { NixError } from "./error.ts";
import { attributePos } from "./positions.ts";
import { printBrief, printName } from "./print.ts";
import {
  Attrs,
  NixFloat,
  NixPath,
  describeType,
  isFunction,
  isInt,
  isList,
  isString,
  typeName,
  type List,
  type Slot,
  type Value,
} from "./value.ts";

const different = (message: string): NixError => new NixError("assert", message);

/** The error for the first difference of two values that are not equal. */
export function* explainDifference(left: Slot, right: Slot): Routine<NixError> {
  const a = yield left;
  const b = yield right;
  const isNumber = (value: Value): boolean => isInt(value) || value instanceof NixFloat;
  if (isNumber(a) && isNumber(b)) {
    return different(
      `${describeType(a)} with value '${printBrief(a)}' is not equal to ${describeType(b)} with value '${printBrief(b)}'`,
    );
  }
  if (typeName(a) !== typeName(b)) {
    return different(
      `${describeType(a)} of value '${printBrief(a)}' is not equal to ${describeType(b)} of value '${printBrief(b)}'`,
    );
  }
  if (a instanceof Attrs) return yield* explainSets(a, b as Attrs);
  if (isList(a)) return yield* explainLists(a, b as List);
  if (isFunction(a))
    return different("distinct functions and immediate comparisons of identical functions compare as unequal");
  const type = typeof a === "boolean" ? "boolean" : isString(a) ? "string" : a instanceof NixPath ? "path" : "null";
  return different(`${type} '${printBrief(a)}' is not equal to ${type} '${printBrief(b)}'`);
}

function* explainLists(left: List, right: List): Routine<NixError> {
  if (left.length !== right.length) {
    const sizes = `list of size '${left.length}' is not equal to list of size '${right.length}'`;
    return different(`${sizes}, left hand side is '${printBrief(left)}', right hand side is '${printBrief(right)}'`);
  }
  for (let i = 0; i < left.length; i++) {
    if (yield* same(left[i]!, right[i]!)) continue;
    return (yield* explainDifference(left[i]!, right[i]!)).within(`while comparing list element ${i}`);
  }
  throw new Error("equal lists were said to differ");
}

function* explainSets(left: Attrs, right: Attrs): Routine<NixError> {
  if (
    (yield* isDerivationForced(left)) &&
    (yield* isDerivationForced(right)) &&
    left.has("outPath") &&
    right.has("outPath")
  ) {
    const error = yield* explainDifference(left.get("outPath")!, right.get("outPath")!);
    return error.within("while comparing a derivation by its 'outPath' attribute");
  }
  if (left.size !== right.size) {
    return different(
      `attribute names of attribute set '${printBrief(left)}' differs from attribute set '${printBrief(right)}'`,
    );
  }
  for (let i = 0; i < left.size; i++) {
    const name = left.keys.names[i]!;
    if (right.keys.names[i] !== name) {
      return different(
        `attribute name '${printName(name)}' is contained in '${printBrief(left)}', but not in '${printBrief(right)}'`,
      );
    }
    if (yield* same(left.values[i]!, right.values[i]!)) continue;
    return (yield* explainDifference(left.values[i]!, right.values[i]!))
      .within("where right hand side is", attributePos(right.positions, right.keys, name))
      .within("where left hand side is", attributePos(left.positions, left.keys, name))
      .within(`while comparing attribute '${printName(name)}'`);
  }
  throw new Error("equal sets were said to differ");
}

function* same(left: Slot, right: Slot): Routine<boolean> {
  if (left === right && typeof left === "object" && left !== null) return true;
  return quickEquals(yield left, yield right) ?? (yield* equals(left, right));
}
