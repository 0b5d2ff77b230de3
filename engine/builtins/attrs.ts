/**
 * Attribute sets: names, values, selection and mapping.
 */
import { applyTwo } from "#engine/eval/codes/delayed-call.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { force } from "#engine/eval/force.ts";
import { plainText } from "#engine/eval/expect.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { positionSet } from "#engine/eval/position-value.ts";
import { attributePos, type Pos } from "#engine/eval/positions.ts";
import { printName } from "#engine/eval/print.ts";
import { Attrs, Thunk, slotArray } from "#engine/eval/value.ts";
import type { Slot } from "#engine/eval/value.ts";
import { demand } from "./demand.ts";
import { demandNow } from "./direct.ts";
import { arg, builtin, type BuiltinFamily, type Routine } from "./record.ts";

const delayApply = (fn: Slot, first: Slot, second: Slot): Thunk => new Thunk(applyTwo, [fn, first, second]);

/** A set of some of another's attributes, with their positions. */
function pick(set: Attrs, keep: (name: string) => boolean): Attrs {
  const names: string[] = [];
  const values: Slot[] = [];
  const positions: (Pos | undefined)[] = [];
  for (let i = 0; i < set.size; i++) {
    const name = set.keys.names[i]!;
    if (!keep(name)) continue;
    names.push(name);
    values.push(set.values[i]!);
    if (set.positions !== undefined) positions.push(attributePos(set.positions, set.keys, name));
  }
  if (names.length === set.size) return set;
  return new Attrs(new Keys(names), values, set.positions === undefined ? undefined : positions);
}

interface Pair {
  readonly slot: Slot;
  readonly pos: Pos | undefined;
}

function attribute(set: Attrs, name: string): Pair {
  const slot = set.get(name);
  if (slot === undefined) {
    throw new NixError("missing", `attribute '${name}' missing`).within("in a {name=...; value=...;} pair");
  }
  return { slot, pos: attributePos(set.positions, set.keys, name) };
}

const nameContext = "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs";

function* nameOf(pair: Pair): Routine<string> {
  try {
    return plainText(yield pair.slot, pair.pos);
  } catch (thrown) {
    throw addTrace(thrown, nameContext, pair.pos);
  }
}

function nameOfNow(set: Attrs): string {
  const slot = set.get("name");
  if (typeof slot === "string") return slot;
  const pair = attribute(set, "name");
  try {
    return plainText(force(pair.slot), pair.pos);
  } catch (thrown) {
    throw addTrace(thrown, nameContext, pair.pos);
  }
}

/** Attributes from a table in any order, positions included. */
function fromPairs(pairs: ReadonlyMap<string, Pair>): Attrs {
  const names = [...pairs.keys()].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => pairs.get(name)!.slot),
    names.map((name) => pairs.get(name)!.pos),
  );
}

function* collectValues(list: readonly Slot[]): Routine<Map<string, Slot[]>> {
  const collected = new Map<string, Slot[]>();
  for (const element of list) {
    const context = "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith";
    const set = yield* demand(element, "attrs", context);
    set.keys.names.forEach((name, i) => {
      const values = collected.get(name);
      if (values === undefined) collected.set(name, [set.values[i]!]);
      else values.push(set.values[i]!);
    });
  }
  return collected;
}

const elementContext = "while evaluating an element of the list passed to builtins.listToAttrs";
const removedContext = "while evaluating the values of the second argument passed to builtins.removeAttrs";

export const attrsBuiltins: BuiltinFamily = [
  builtin({
    name: "attrNames",
    args: [arg("set", "attrs", "while evaluating the argument passed to builtins.attrNames")],
    doc: "Returns the names of the attributes of *set*, sorted by their bytes.",
    impl: ([set]) => set.keys.names,
  }),
  builtin({
    name: "attrValues",
    args: [arg("set", "attrs", "while evaluating the argument passed to builtins.attrValues")],
    doc: "Returns the values of the attributes of *set*, in the order of `attrNames`.",
    impl: ([set]) => set.values,
  }),
  builtin({
    name: "catAttrs",
    args: [arg("attr", "plain"), arg("list", "list")],
    doc: "Collects the attribute *attr* from the sets in *list* that have it.",
    *routine([name, list]) {
      const context = "while evaluating an element in the list passed as second argument to builtins.catAttrs";
      const result: Slot[] = [];
      for (const element of list) {
        const slot = (yield* demand(element, "attrs", context)).get(name);
        if (slot !== undefined) result.push(slot);
      }
      return result;
    },
    direct([name, list]) {
      const context = "while evaluating an element in the list passed as second argument to builtins.catAttrs";
      const result: Slot[] = [];
      for (const element of list) {
        const slot = demandNow(element, "attrs", context).get(name);
        if (slot !== undefined) result.push(slot);
      }
      return result;
    },
  }),
  builtin({
    name: "getAttr",
    args: [arg("s", "plain"), arg("set", "attrs")],
    doc: "Returns the attribute named *s* of *set*, which must exist: the `.` operator for a computed name.",
    impl: ([name, set]) => {
      const slot = set.get(name);
      if (slot !== undefined) return slot;
      throw new NixError("missing", `attribute '${printName(name)}' missing`, {
        data: { attribute: name },
      }).within("in the attribute set under consideration");
    },
  }),
  builtin({
    name: "hasAttr",
    args: [arg("s", "plain"), arg("set", "attrs")],
    doc: "Returns `true` if *set* has an attribute named *s*: the `?` operator for a computed name.",
    impl: ([name, set]) => set.has(name),
  }),
  builtin({
    name: "intersectAttrs",
    args: [arg("e1", "attrs"), arg("e2", "attrs")],
    doc: "Returns the attributes of *e2* whose names are also in *e1*.",
    impl: ([left, right]) => {
      if (left.size >= right.size) return pick(right, (name) => left.has(name));
      const names = left.keys.names.filter((name) => right.has(name));
      const pairs = names.map(
        (name) => [name, { slot: right.get(name)!, pos: attributePos(right.positions, right.keys, name) }] as const,
      );
      return fromPairs(new Map(pairs));
    },
  }),
  builtin({
    name: "listToAttrs",
    args: [arg("e", "list", "while evaluating the argument passed to builtins.listToAttrs")],
    doc: "Makes a set from a list of `{ name; value; }`; of pairs with the same name the first counts.",
    *routine([list]) {
      const pairs = new Map<string, Pair>();
      for (const element of list) {
        const set = yield* demand(element, "attrs", elementContext);
        const name = yield* nameOf(attribute(set, "name"));
        if (!pairs.has(name)) pairs.set(name, attribute(set, "value"));
      }
      return fromPairs(pairs);
    },
    direct([list]) {
      const pairs = new Map<string, Pair>();
      for (const element of list) {
        const set = demandNow(element, "attrs", elementContext);
        const name = nameOfNow(set);
        if (!pairs.has(name)) pairs.set(name, attribute(set, "value"));
      }
      return fromPairs(pairs);
    },
  }),
  builtin({
    name: "mapAttrs",
    args: [arg("f", "lazy"), arg("attrset", "attrs")],
    doc: "Applies *f* to the name and value of each attribute; each result is computed when it is needed.",
    impl: ([f, set]) => {
      const names = set.keys.names;
      const values: Slot[] = slotArray(names.length);
      for (let i = 0; i < names.length; i++) values[i] = delayApply(f, names[i]!, set.values[i]!);
      return new Attrs(set.keys, values);
    },
  }),
  builtin({
    name: "removeAttrs",
    global: true,
    args: [arg("set", "attrs"), arg("list", "list")],
    doc: "Returns *set* without the attributes named in *list*; names it does not have are ignored.",
    *routine([set, list]) {
      const removed = new Set<string>();
      for (const name of list) {
        removed.add(yield* demand(name, "plain", removedContext));
      }
      return pick(set, (name) => !removed.has(name));
    },
    direct([set, list]) {
      const removed = new Set<string>();
      for (const name of list) removed.add(demandNow(name, "plain", removedContext));
      return pick(set, (name) => !removed.has(name));
    },
  }),
  builtin({
    name: "unsafeGetAttrPos",
    args: [arg("s", "plain"), arg("set", "attrs")],
    doc: "Returns where attribute *s* of *set* was written, as `{ column; file; line; }`, or `null` if that is not known.",
    impl: ([name, set]) => {
      const pos = set.has(name) ? attributePos(set.positions, set.keys, name) : undefined;
      return pos === undefined ? null : positionSet(pos);
    },
  }),
  builtin({
    name: "zipAttrsWith",
    args: [arg("f", "function"), arg("list", "list")],
    doc: "Merges the sets of *list*: each attribute becomes *f* of its name and the list of its values.",
    *routine([f, list]) {
      const collected = yield* collectValues(list);
      const names = [...collected.keys()].sort(compareNames);
      return new Attrs(
        new Keys(names),
        names.map((name) => delayApply(f, name, collected.get(name)!)),
      );
    },
  }),
];
