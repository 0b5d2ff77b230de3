/**
 * Lists: mapping, filtering, folding, sorting and searching.
 */
import { callOne, callTwo, drive } from "#engine/eval/call.ts";
import { addTrace, NixError } from "#engine/eval/error.ts";
import { force } from "#engine/eval/force.ts";
import { equals, lessThan, quickEquals, quickLess } from "#engine/eval/equality.ts";
import { applyOne } from "#engine/eval/codes/delayed-call.ts";
import { Keys, compareNames } from "#engine/eval/keys.ts";
import { setPlace, type Pos } from "#engine/eval/positions.ts";
import { angled, describeValue as describe, printBrief } from "#engine/eval/print.ts";
import { Attrs, Lambda, PrimOp, Thunk, isList, isString, textOf, slotArray } from "#engine/eval/value.ts";
import type { Int, List, Slot, Value } from "#engine/eval/value.ts";
import { peekSort, peekSortNow } from "./peek-sort.ts";
import { demand } from "./demand.ts";
import { asBool, askNow, demandNow } from "./direct.ts";
import { Call, arg, builtin, call, type BuiltinFamily, type Routine } from "./record.ts";

const delayApply = (fn: Slot, argument: Slot): Thunk => new Thunk(applyOne, [fn, argument]);

const orderContext = "while evaluating the ordering function passed to builtins.sort";
const orderAnswer = "while evaluating the return value of the sorting function passed to builtins.sort";

/** Asks a predicate about each element until one answers `stop`. */
function* search(name: string, f: Slot, list: List, stop: boolean): Routine<boolean> {
  const context = `while evaluating the return value of the function passed to builtins.${name}`;
  for (const element of list) {
    if (asBool(yield call(f, [element]), context) === stop) return stop;
  }
  return !stop;
}

function searchNow(name: string, f: Slot, list: List, stop: boolean): boolean {
  const context = `while evaluating the return value of the function passed to builtins.${name}`;
  for (const element of list) if (askNow(f, element, context) === stop) return stop;
  return !stop;
}

/** How `sort` compares on the way to the machine: at once where it can, else by asking. */
interface Order {
  quick(a: Slot, b: Slot): boolean | undefined;
  /** What to ask when `quick` does not know: a call, whose answer must be a Boolean, or a comparison of its own. */
  ask(a: Slot, b: Slot): Call | Routine<boolean>;
}

function* decide(order: Order, a: Slot, b: Slot): Routine<boolean> {
  const known = order.quick(a, b);
  if (known !== undefined) return known;
  const question = order.ask(a, b);
  return question instanceof Call ? asBool(yield question, orderAnswer) : yield* question;
}

function* stableSort(list: List, order: Order): Routine<Slot[]> {
  const items = [...list];
  const sort = peekSort(items);
  for (let next = sort.next(); next.done !== true;) {
    next = sort.next(yield* decide(order, next.value[0], next.value[1]));
  }
  return items;
}

function stableSortNow(list: List, before: (a: Slot, b: Slot) => boolean): Slot[] {
  const items = [...list];
  peekSortNow(items, before);
  return items;
}

/** Values of one type that the language orders as JavaScript does, sorted; undefined for other lists. */
function sortPlain(list: List): Slot[] | undefined {
  const isPlain = list.every((item) => typeof item === "number") || list.every((item) => typeof item === "string");
  return isPlain ? list.toSorted((a, b) => (a! < b! ? -1 : a! > b! ? 1 : 0)) : undefined;
}

function* compareElements(a: Slot, b: Slot): Routine<boolean> {
  try {
    return yield* lessThan(yield a, yield b);
  } catch (thrown) {
    throw addTrace(thrown, orderContext);
  }
}

function compareElementsNow(a: Slot, b: Slot): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  try {
    const first = force(a);
    const second = force(b);
    return quickLess(first, second) ?? (drive(lessThan(first, second)) as boolean);
  } catch (thrown) {
    throw addTrace(thrown, orderContext);
  }
}

/** `builtins.lessThan` as the order: no calls where both sides are there. */
const naturalOrder: Order = {
  quick(a, b) {
    if (typeof a === "number" && typeof b === "number") return a < b;
    if (a instanceof Thunk || b instanceof Thunk) return undefined;
    try {
      return quickLess(a, b);
    } catch (thrown) {
      throw addTrace(thrown, orderContext);
    }
  },
  ask: compareElements,
};

const orderBy = (f: Slot): Order => ({ quick: () => undefined, ask: (a, b) => call(f, [a, b]) });

const groupContext = "while evaluating the return value of the grouping function passed to builtins.groupBy";

/** Elements by the answer of a function, as sets of lists: `groupBy`. */
function* group(f: Slot, list: List): Routine<Attrs> {
  const groups = new Map<string, Slot[]>();
  for (const element of list) {
    const name = yield* demand(yield call(f, [element]), "plain", groupContext);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [element]);
    else members.push(element);
  }
  return groupedSet(groups);
}

function groupNow(f: Slot, list: List): Attrs {
  const groups = new Map<string, Slot[]>();
  for (const element of list) {
    const name = demandNow(callOne(force(f), element, undefined), "plain", groupContext);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [element]);
    else members.push(element);
  }
  return groupedSet(groups);
}

function groupedSet(groups: ReadonlyMap<string, Slot[]>): Attrs {
  const names = [...groups.keys()].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => groups.get(name)!),
  );
}

/** Keys met by `genericClosure`: looked up by value where that is possible, else by comparing with each. */
class SeenKeys {
  private readonly simple = new Set<string | number>();
  private readonly others: { key: Value; element: Value }[] = [];
  private sample: { key: Value; element: Value } | undefined;

  /** Adds a key; false if an equal one is there. */
  *add(key: Value, element: Value): Routine<boolean> {
    const simple = typeof key === "number" ? key : isString(key) ? textOf(key) : undefined;
    const before = this.sample;
    if (before !== undefined && (simple === undefined || typeof before.key !== typeof key)) {
      if (!(yield* this.isNew(key, element))) return false;
    }
    this.sample ??= { key, element };
    if (simple === undefined) {
      this.others.push({ key, element });
      return true;
    }
    if (this.simple.has(simple)) return false;
    this.simple.add(simple);
    return true;
  }

  private *isNew(key: Value, element: Value): Routine<boolean> {
    const known = this.others.length > 0 ? this.others : [this.sample!];
    for (const other of known) {
      try {
        if (!(yield* lessThan(key, other.key)) && !(yield* lessThan(other.key, key))) return false;
      } catch (thrown) {
        addTrace(thrown, `with element ${printBrief(other.element)}`);
        throw addTrace(thrown, `while comparing element ${printBrief(element)}`);
      }
    }
    return true;
  }
}

function* closureElement(slot: Slot): Routine<Value> {
  try {
    return yield slot;
  } catch (thrown) {
    throw addTrace(thrown, `in genericClosure element ${angled("thunk")}`);
  }
}

function* closureKey(element: Value): Routine<Value> {
  const context = `in genericClosure element ${printBrief(element)}`;
  if (!(element instanceof Attrs)) {
    throw new NixError("type", `expected a set but found ${describe(element)}`).within(context);
  }
  const key = element.get("key");
  if (key === undefined) throw new NixError("missing", "attribute 'key' missing").within(context);
  return yield key;
}

function* genericClosure(set: Attrs): Routine<Slot[]> {
  const passed = "passed as argument to builtins.genericClosure";
  const missing = (name: string): NixError =>
    new NixError("missing", `attribute '${name}' missing`).within(`in the attrset ${passed}`);
  const start = set.get("startSet");
  if (start === undefined) throw missing("startSet");
  const work = [...(yield* demand(start, "list", `while evaluating the 'startSet' attribute ${passed}`))];
  if (work.length === 0) return [];
  const operator = set.get("operator");
  if (operator === undefined) throw missing("operator");
  const next = yield* demand(operator, "function", `while evaluating the 'operator' attribute ${passed}`);
  const seen = new SeenKeys();
  const result: Slot[] = [];
  for (let i = 0; i < work.length; i++) {
    const element = yield* closureElement(work[i]!);
    if (!(yield* seen.add(yield* closureKey(element), element))) continue;
    result.push(element);
    for (const more of yield* callOperator(next, element)) work.push(more);
  }
  return result;
}

function* callOperator(operator: Slot, element: Value): Routine<List> {
  try {
    const context = "while evaluating the return value of the `operator` passed to builtins.genericClosure";
    const found = yield* demand(yield call(operator, [element]), "list", context);
    for (const one of found) yield one;
    return found;
  } catch (thrown) {
    throw addTrace(thrown, `while calling operator on genericClosure element ${printBrief(element)}`);
  }
}

const concatContext = "while evaluating a value of the list passed to builtins.concatLists";
const filterContext = "while evaluating the return value of the filtering function passed to builtins.filter";
const partitionContext = "while evaluating the return value of the partition function passed to builtins.partition";

/** What a function given to `concatMap` returned, which must be a list. */
function mappedList(part: Value, f: Slot): List {
  if (isList(part)) return part;
  const context = "while evaluating the return value of the function passed to builtins.concatMap";
  const where = writtenAt(part instanceof Lambda || part instanceof Attrs ? part : f);
  throw addTrace(new NixError("type", `expected a list but found ${describe(part)}`), context, where);
}

/** Where a value was written, as far as Nix knows. */
function writtenAt(value: Slot): Pos | undefined {
  if (value instanceof Lambda) return value.code.pos;
  return value instanceof Attrs ? setPlace(value.positions) : undefined;
}

/** Elements of a generated list, each a value to be computed, that no heap has room for. */
const maxGenerated = 2 ** 25;

function listSize(length: Int): number {
  const size = Number(length);
  if (size < 0 || size > 2 ** 31) throw new NixError("eval", `cannot create list of size ${length}`);
  if (size > maxGenerated) throw new NixError("overflow", "out of memory");
  return size;
}

function generated(fn: Slot, size: number): Slot[] {
  const result: Slot[] = slotArray(size);
  for (let i = 0; i < size; i++) result[i] = delayApply(fn, i);
  return result;
}

function mapped(fn: Slot, list: List): Slot[] {
  const result: Slot[] = slotArray(list.length);
  for (let i = 0; i < list.length; i++) result[i] = delayApply(fn, list[i]!);
  return result;
}

export const listBuiltins: BuiltinFamily = [
  builtin({
    name: "all",
    args: [arg("pred", "function"), arg("list", "list")],
    doc: "Returns `true` if *pred* returns `true` for every element of *list*, `false` at the first element for which it does not.",
    routine: ([f, list]) => search("all", f, list, false),
    direct: ([f, list]) => searchNow("all", f, list, false),
  }),
  builtin({
    name: "any",
    args: [arg("pred", "function"), arg("list", "list")],
    doc: "Returns `true` at the first element of *list* for which *pred* returns `true`, `false` if there is none.",
    routine: ([f, list]) => search("any", f, list, true),
    direct: ([f, list]) => searchNow("any", f, list, true),
  }),
  builtin({
    name: "concatLists",
    args: [arg("lists", "list")],
    doc: "Joins a list of lists into one list.",
    *routine([lists]) {
      const result: Slot[] = [];
      for (const list of lists) {
        const part = yield* demand(list, "list", concatContext);
        for (const element of part) result.push(element);
      }
      return result;
    },
    direct([lists]) {
      const result: Slot[] = [];
      for (const list of lists) {
        for (const element of demandNow(list, "list", concatContext)) result.push(element);
      }
      return result;
    },
  }),
  builtin({
    name: "concatMap",
    args: [arg("f", "function"), arg("list", "list")],
    doc: "Applies *f*, which returns lists, to each element and joins the results: `concatLists (map f list)`, but strict.",
    *routine([f, list]) {
      const result: Slot[] = [];
      for (const element of list) for (const inner of mappedList(yield call(f, [element]), f)) result.push(inner);
      return result;
    },
    direct([f, list]) {
      const result: Slot[] = [];
      for (const element of list) {
        for (const inner of mappedList(callOne(f, element, undefined), f)) result.push(inner);
      }
      return result;
    },
  }),
  builtin({
    name: "elem",
    args: [arg("x", "lazy"), arg("list", "list")],
    doc: "Returns `true` if an element of *list* equals *x*.",
    *routine([x, list]) {
      for (const element of list) {
        const wanted = yield x;
        const found = yield element;
        if (x === element && typeof x === "object") return true;
        if (quickEquals(wanted, found) ?? (yield* equals(wanted, found))) return true;
      }
      return false;
    },
    direct([x, list]) {
      for (const element of list) {
        const wanted = force(x);
        const found = force(element);
        if (x === element && typeof x === "object") return true;
        if (quickEquals(wanted, found) ?? (drive(equals(wanted, found)) as boolean)) return true;
      }
      return false;
    },
  }),
  builtin({
    name: "elemAt",
    args: [
      arg("list", "list", "while evaluating the first argument passed to 'builtins.elemAt'"),
      arg("n", "int", "while evaluating the second argument passed to 'builtins.elemAt'"),
    ],
    reversed: true,
    doc: "Returns element *n* of *list*, counting from 0; an index outside the list is an error.",
    impl: ([list, index]) => {
      const n = Number(index);
      if (n >= 0 && n < list.length) return list[n]!;
      throw new NixError("eval", `'builtins.elemAt' called with index ${index} on a list of size ${list.length}`);
    },
  }),
  builtin({
    name: "filter",
    args: [arg("f", "lazy"), arg("list", "list")],
    doc: "Returns the elements of *list* for which *f* returns `true`.",
    *routine([f, list]) {
      if (list.length === 0) return list;
      const fn = yield* demand(f, "function", "while evaluating the first argument passed to builtins.filter");
      const result: Slot[] = [];
      for (const element of list) if (asBool(yield call(fn, [element]), filterContext)) result.push(element);
      return result.length === list.length ? list : result;
    },
    direct([f, list]) {
      if (list.length === 0) return list;
      const fn = demandNow(f, "function", "while evaluating the first argument passed to builtins.filter");
      const result: Slot[] = [];
      for (const element of list) if (askNow(fn, element, filterContext)) result.push(element);
      return result.length === list.length ? list : result;
    },
  }),
  builtin({
    name: "foldl'",
    args: [
      arg("op", "function", "while evaluating the first argument passed to builtins.foldlStrict"),
      arg("nul", "lazy"),
      arg("list", "list", "while evaluating the third argument passed to builtins.foldlStrict"),
    ],
    doc: "Folds *list* from the left with the binary function *op*, starting with *nul*; each result is evaluated before the next step.",
    *routine([f, nul, list]) {
      let result: Slot = nul;
      for (const element of list) result = yield call(f, [result, element]);
      return result;
    },
    direct([f, nul, list]) {
      let result: Slot = nul;
      for (const element of list) result = callTwo(f, result, element, undefined);
      return result;
    },
  }),
  builtin({
    name: "genList",
    args: [arg("generator", "lazy"), arg("length", "int")],
    doc: "Makes a list of *length* elements by applying *generator* to each index, from 0.",
    *routine([generator, length]) {
      const size = listSize(length);
      const f = yield* demand(generator, "function", "while evaluating the first argument passed to builtins.genList");
      return generated(f, size);
    },
    direct([generator, length]) {
      const size = listSize(length);
      const f = demandNow(generator, "function", "while evaluating the first argument passed to builtins.genList");
      return generated(f, size);
    },
  }),
  builtin({
    name: "genericClosure",
    args: [arg("attrset", "attrs")],
    doc: "Finds everything reachable: from the list `startSet`, applies `operator` to each element to get more, and keeps the first element of each `key`, in the order met.",
    routine: ([set]) => genericClosure(set),
  }),
  builtin({
    name: "groupBy",
    args: [arg("f", "function"), arg("list", "list")],
    doc: "Groups the elements of *list* by the string that *f* returns for each; the result is a set of lists.",
    routine: ([f, list]) => group(f, list),
    direct: ([f, list]) => groupNow(f, list),
  }),
  builtin({
    name: "head",
    args: [arg("list", "list", "while evaluating the first argument passed to 'builtins.head'")],
    doc: "Returns the first element of a list; the empty list is an error.",
    impl: ([list]) => {
      if (list.length > 0) return list[0]!;
      throw new NixError("eval", "'builtins.head' called on an empty list");
    },
  }),
  builtin({
    name: "length",
    args: [arg("list", "list")],
    doc: "Returns the number of elements of a list.",
    impl: ([list]) => list.length,
  }),
  builtin({
    name: "map",
    global: true,
    args: [arg("f", "lazy"), arg("list", "list")],
    doc: "Applies *f* to each element of *list*; each result is computed when it is needed.",
    *routine([f, list]) {
      if (list.length === 0) return list;
      const fn = yield* demand(f, "function", "while evaluating the first argument passed to builtins.map");
      return mapped(fn, list);
    },
    direct([f, list]) {
      if (list.length === 0) return list;
      return mapped(demandNow(f, "function", "while evaluating the first argument passed to builtins.map"), list);
    },
  }),
  builtin({
    name: "partition",
    args: [arg("pred", "function"), arg("list", "list")],
    doc: "Splits *list* into `{ right; wrong; }`: the elements for which *pred* returns `true`, and the others.",
    *routine([f, list]) {
      const right: Slot[] = [];
      const wrong: Slot[] = [];
      for (const element of list) {
        yield element;
        (asBool(yield call(f, [element]), partitionContext) ? right : wrong).push(element);
      }
      return new Attrs(partitionKeys, [right, wrong]);
    },
    direct([f, list]) {
      const right: Slot[] = [];
      const wrong: Slot[] = [];
      for (const element of list) {
        force(element);
        (askNow(f, element, partitionContext) ? right : wrong).push(element);
      }
      return new Attrs(partitionKeys, [right, wrong]);
    },
  }),
  builtin({
    name: "sort",
    args: [arg("comparator", "lazy"), arg("list", "list")],
    doc: "Sorts *list*, stably; *comparator* says whether its first argument comes before its second.",
    *routine([f, list]) {
      if (list.length === 0) return list;
      const fn = yield* demand(f, "function", "while evaluating the first argument passed to builtins.sort");
      const natural = fn instanceof PrimOp && fn.builtin.name === "lessThan";
      const values: Value[] = [];
      for (const element of list) values.push(yield element);
      return yield* stableSort(values, natural ? naturalOrder : orderBy(fn));
    },
    direct([f, list]) {
      if (list.length === 0) return list;
      const fn = demandNow(f, "function", "while evaluating the first argument passed to builtins.sort");
      const values = list.map((element) => force(element));
      if (fn instanceof PrimOp && fn.builtin.name === "lessThan")
        return sortPlain(values) ?? stableSortNow(values, compareElementsNow);
      return stableSortNow(values, (a, b) => asBool(callTwo(fn, a, b, undefined), orderAnswer));
    },
  }),
  builtin({
    name: "tail",
    args: [arg("list", "list", "while evaluating the first argument passed to 'builtins.tail'")],
    doc: "Returns a list without its first element; the empty list is an error. Copies the list, so folding is faster than recursion.",
    impl: ([list]) => {
      if (list.length > 0) return list.slice(1);
      throw new NixError("eval", "'builtins.tail' called on an empty list");
    },
  }),
];

const partitionKeys = new Keys(["right", "wrong"]);
