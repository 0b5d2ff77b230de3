/**
 * Values made of parts: lists, attribute sets, `let` frames and functions.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { Evaluate, leafCode, makeCode, routineCode, type Code } from "../code.ts";
import { NixError, addTrace } from "../error.ts";
import { expectedError, plainText } from "../expect.ts";
import { drive } from "../call.ts";
import { Keys, compareNames, noKeys } from "../keys.ts";
import type { LambdaCode } from "../lambda.ts";
import { placeSet, type Pos } from "../positions.ts";
import { printPos } from "../print.ts";
import { Attrs, Lambda, Thunk, type Env, type Slot, slotArray } from "../value.ts";

export function listCode(elements: readonly Code[]): Code {
  const make = (env: Env): Slot[] => {
    const list: Slot[] = slotArray(elements.length);
    for (let i = 0; i < elements.length; i++) list[i] = elements[i]!.delay(env);
    return list;
  };
  return leafCode(make);
}

export function lambdaExprCode(lambda: LambdaCode): Code {
  const code = leafCode((env) => new Lambda(lambda, env));
  code.quick = code.run;
  code.lambda = lambda;
  return code;
}

/** One static attribute. `outer` values (`inherit x`) are evaluated outside the set's own frame. */
export interface AttrPart {
  readonly name: string;
  readonly pos: Pos;
  readonly code: Code;
  readonly where: "inner" | "outer" | "from";
}

export interface DynamicPart {
  readonly name: Code;
  readonly pos: Pos;
  readonly value: Code;
}

export interface SetParts {
  readonly pos: Pos;
  /** In order of appearance. */
  readonly attrs: readonly AttrPart[];
  readonly dynamic: readonly DynamicPart[];
  /** The sources of `inherit (x) …`, evaluated at most once; `from` codes run in a frame that holds them. */
  readonly from: readonly Code[];
}

/** The frame of `inherit (x) …` sources. */
function fromFrame(from: readonly Code[], env: Env): Env {
  if (from.length === 0) return env;
  const frame: Env = [env];
  for (const source of from) frame.push(source.delay(env));
  return frame;
}

/** Where in byte order each attribute goes, and the set's shape. */
function shapeOf({ attrs, pos }: SetParts): { keys: Keys; target: readonly number[]; positions: readonly Pos[] } {
  const sorted = attrs.map((part, index) => ({ part, index })).sort((a, b) => compareNames(a.part.name, b.part.name));
  const target: number[] = [];
  sorted.forEach(({ index }, place) => (target[index] = place));
  const positions = sorted.map(({ part }) => part.pos);
  placeSet(positions, pos);
  return { keys: sorted.length === 0 ? noKeys : new Keys(sorted.map(({ part }) => part.name)), target, positions };
}

/** `{ … }` */
export function setCode(parts: SetParts): Code {
  const { attrs, from } = parts;
  const { keys, target, positions } = shapeOf(parts);
  const make = (env: Env): Attrs => {
    const inherited = fromFrame(from, env);
    const values: Slot[] = slotArray(attrs.length);
    for (let i = 0; i < attrs.length; i++) {
      const part = attrs[i]!;
      values[target[i]!] = part.code.delay(part.where === "from" ? inherited : env);
    }
    return new Attrs(keys, values, positions);
  };
  return withDynamic(make, (env) => env, parts.dynamic);
}

/** `rec { … }`: the attributes are the cells of a frame, in order of appearance. */
export function recursiveSetCode(parts: SetParts): Code {
  const { attrs, from } = parts;
  const { keys, target, positions } = shapeOf(parts);
  const overrides = attrs.findIndex((part) => part.name === "__overrides");
  const fill = (env: Env): Env => fillFrame(attrs, from, env, overrides >= 0);
  const collect = (frame: Env): Attrs => {
    const values: Slot[] = slotArray(attrs.length);
    for (let i = 0; i < attrs.length; i++) values[target[i]!] = frame[i + 1] as Slot;
    return new Attrs(keys, values, positions);
  };
  if (overrides < 0 && parts.dynamic.length === 0) return leafCode((env) => collect(fill(env)));
  function* build(env: Env): Routine<Slot> {
    const frame = fill(env);
    const set = overrides < 0 ? collect(frame) : yield* override(collect(frame), frame, attrs, overrides);
    return yield* addDynamic(set, parts.dynamic, frame);
  }
  return routineCode((env) => drive(build(env)), build);
}

function fillFrame(attrs: readonly AttrPart[], from: readonly Code[], env: Env, alwaysThunk: boolean): Env {
  const frame: Env = slotArray(attrs.length + 1);
  frame[0] = env;
  const inherited = fromFrame(from, frame);
  for (let i = 0; i < attrs.length; i++) {
    const part = attrs[i]!;
    if (part.where === "outer") frame[i + 1] = part.code.delay(env);
    else if (alwaysThunk && part.where === "inner") frame[i + 1] = new Thunk(part.code, frame);
    else frame[i + 1] = part.code.delay(part.where === "from" ? inherited : frame);
  }
  return frame;
}

/** Legacy `__overrides`: its attributes replace those of the set, also for references inside it. */
function* override(set: Attrs, frame: Env, attrs: readonly AttrPart[], index: number): Routine<Attrs> {
  const value = yield frame[index + 1] as Slot;
  if (!(value instanceof Attrs)) {
    throw addTrace(expectedError("a set", value), "while evaluating the `__overrides` attribute");
  }
  value.keys.names.forEach((name, i) => {
    const cell = attrs.findIndex((part) => part.name === name);
    if (cell >= 0) frame[cell + 1] = value.values[i]!;
  });
  const names = [...new Set([...set.keys.names, ...value.keys.names])].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => value.get(name) ?? set.get(name)!),
  );
}

/** `let … in body` */
export function letCode(parts: SetParts, body: Code): Code {
  const { attrs, from } = parts;
  return makeCode(
    (env) => body.run(fillFrame(attrs, from, env, false)),
    (machine, env) => machine.eval(body, fillFrame(attrs, from, env, false)),
  );
}

/** A set with `${name} = value;` attributes after its static ones. */
function withDynamic(make: (env: Env) => Attrs, frameOf: (env: Env) => Env, dynamic: readonly DynamicPart[]): Code {
  if (dynamic.length === 0) return leafCode(make);
  const build = (env: Env): Routine<Slot> => addDynamic(make(env), dynamic, frameOf(env));
  return routineCode((env) => drive(build(env)), build);
}

function* addDynamic(set: Attrs, dynamic: readonly DynamicPart[], frame: Env): Routine<Attrs> {
  if (dynamic.length === 0) return set;
  const slots = new Map<string, { slot: Slot; pos: Pos | undefined }>();
  const known = Array.isArray(set.positions) ? (set.positions as readonly Pos[]) : [];
  set.keys.names.forEach((name, i) => slots.set(name, { slot: set.values[i]!, pos: known[i] }));
  for (const part of dynamic) {
    const name = yield* dynamicName(part, frame);
    if (name === undefined) continue;
    const before = slots.get(name);
    if (before !== undefined) {
      const where = before.pos === undefined ? "" : ` at ${printPos(before.pos)}`;
      throw new NixError("eval", `dynamic attribute '${name}' already defined${where}`, { pos: part.pos });
    }
    slots.set(name, { slot: part.value.delay(frame), pos: part.pos });
  }
  const names = [...slots.keys()].sort(compareNames);
  return new Attrs(
    new Keys(names),
    names.map((name) => slots.get(name)!.slot),
    names.map((name) => slots.get(name)!.pos),
  );
}

/** The name, or undefined for `null`, which leaves the attribute out. */
function* dynamicName(part: DynamicPart, frame: Env): Routine<string | undefined> {
  const value = yield new Evaluate(part.name, frame);
  try {
    return value === null ? undefined : plainText(value, part.pos);
  } catch (thrown) {
    throw addTrace(thrown, "while evaluating the name of a dynamic attribute", part.pos);
  }
}
