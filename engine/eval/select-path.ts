/**
 * `-A` and `--arg`: selecting an attribute path written as text, and calling functions with the arguments of the command line.
 */
import { call, type Routine } from "#engine/builtins/record.ts";
import { NixError } from "./error.ts";
import { Keys, compareNames } from "./keys.ts";
import { suggest } from "./suggest.ts";
import { Attrs, Lambda, describeType, isList, type Slot, type Value } from "./value.ts";

export type ArgumentSlots = ReadonlyMap<string, Slot>;

/** The value; a function with formals is called with the arguments it names, a functor is called first. */
export function* autoCallRoutine(slot: Slot, args: ArgumentSlots): Routine<Value> {
  const value = yield slot;
  if (value instanceof Attrs && value.has("__functor")) {
    return yield* autoCallRoutine(yield call(value.get("__functor")!, [value]), args);
  }
  if (!(value instanceof Lambda) || value.code.formals === null) return value;
  const passed = new Map<string, Slot>();
  if (value.code.ellipsis) for (const [name, argument] of args) passed.set(name, argument);
  for (const formal of value.code.formals) {
    const argument = args.get(formal.name);
    if (argument !== undefined) passed.set(formal.name, argument);
    else if (formal.fallback === null) throw missingArgument(formal.name, value);
  }
  const names = [...passed.keys()].sort(compareNames);
  return yield call(value, [
    new Attrs(
      new Keys(names),
      names.map((name) => passed.get(name)!),
    ),
  ]);
}

function missingArgument(name: string, lambda: Lambda): NixError {
  const formal = lambda.code.formals!.find((candidate) => candidate.name === name)!;
  return new NixError(
    "missing",
    `cannot evaluate a function that has an argument without a value ('${name}')
Nix attempted to evaluate a function as a top level expression; in
this case it must have its arguments supplied either by default
values, or passed explicitly with '--arg' or '--argstr'. See
https://nix.dev/manual/nix/stable/language/syntax.html#functions.`,
    { pos: formal.pos },
  );
}

/** The elements of a path such as `a."b.c".0`. */
export function parseAttrPath(path: string): string[] {
  const names: string[] = [];
  let current = "";
  for (let i = 0; i < path.length; i++) {
    if (path[i] === ".") {
      names.push(current);
      current = "";
    } else if (path[i] === '"') {
      const end = path.indexOf('"', i + 1);
      if (end < 0) throw new NixError("usage", `missing closing quote in selection path '${path}'`);
      current += path.slice(i + 1, end);
      i = end;
    } else current += path[i]!;
  }
  if (current !== "") names.push(current);
  return names;
}

export function* selectPath(slot: Slot, path: string, args: ArgumentSlots): Routine<Value> {
  let value = yield slot;
  for (const name of parseAttrPath(path)) {
    value = yield* autoCallRoutine(value, args);
    value = yield selectOne(value, name, path);
  }
  return value;
}

function selectOne(value: Value, name: string, path: string): Slot {
  const index = /^\d+$/.test(name) ? Number(name) : undefined;
  if (index === undefined) return selectAttr(value, name, path);
  if (!isList(value)) throw selectionType(path, "a list", value);
  if (index < value.length) return value[index]!;
  throw new NixError("missing", `list index ${index} in selection path '${path}' is out of range`);
}

function selectAttr(value: Value, name: string, path: string): Slot {
  if (!(value instanceof Attrs)) throw selectionType(path, "a set", value);
  if (name === "") throw new NixError("usage", `empty attribute name in selection path '${path}'`);
  const slot = value.get(name);
  if (slot !== undefined) return slot;
  const suggestions = suggest(name, value.keys.names);
  throw new NixError("missing", `attribute '${name}' in selection path '${path}' not found`, { suggestions });
}

const selectionType = (path: string, wanted: string, value: Value): NixError =>
  new NixError(
    "type",
    `the expression selected by the selection path '${path}' should be ${wanted} but is ${describeType(value)}`,
  );
