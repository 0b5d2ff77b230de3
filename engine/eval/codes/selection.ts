/**
 * Attribute selection `e.a.b or d` and the test `e ? a.b`.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { Evaluate, makeCode, routineCode, type Code, type Outcome } from "../code.ts";
import { NixError, addTrace } from "../error.ts";
import { expectedError, plainText } from "../expect.ts";
import { blackHole, force, forceThunk, infiniteRecursion, settled } from "../force.ts";
import type { Keys } from "../keys.ts";
import type { Frame, Machine } from "../machine.ts";
import { attributePos, isInternal, type Pos } from "../positions.ts";
import { printName } from "../print.ts";
import { suggest } from "../suggest.ts";
import { Attrs, Thunk, type Env, type Slot, type Value } from "../value.ts";

/** An element of an attribute path: known, or an expression for it. */
export type NameCode = string | Code;

const nameContext = "while evaluating an attribute name";

function runName(name: NameCode, env: Env): string {
  return typeof name === "string" ? name : nameText(name.run(env));
}

function* nameRoutine(name: NameCode, env: Env): Routine<string> {
  return typeof name === "string" ? name : nameText(yield new Evaluate(name, env));
}

function nameText(value: Value): string {
  try {
    return plainText(value);
  } catch (thrown) {
    throw addTrace(thrown, nameContext);
  }
}

/** The path as a trace line shows it: `a."b c"`. */
const printPath = (names: readonly string[]): string => names.map(printName).join(".");

const missing = (set: Attrs, name: string, pos: Pos | undefined): NixError =>
  new NixError("missing", `attribute '${printName(name)}' missing`, {
    pos,
    suggestions: suggest(name, set.keys.names),
    data: { attribute: name },
  });

const notASet = (value: Value, pos: Pos | undefined): NixError =>
  expectedError("a set", value).within("while selecting an attribute", pos);

/** Trace of an error below an attribute: where it was written, if that is known. */
const attributeTrace = (thrown: unknown, path: readonly string[], pos: Pos | undefined): unknown =>
  pos === undefined || isInternal(pos)
    ? thrown
    : addTrace(thrown, `while evaluating the attribute '${printPath(path)}'`, pos);

/** `target.name`: one known name, with an inline cache on the shape last seen. */
export function selectOneCode(target: Code, name: string, pos: Pos | undefined): Code {
  const runTarget = target.run;
  let seen: Keys | undefined;
  let seenIndex = -1;
  const find = (value: Value): Attrs => {
    if (!(value instanceof Attrs)) throw notASet(value, pos);
    if (value.keys !== seen) {
      seen = value.keys;
      seenIndex = seen.indexOf(name);
    }
    if (seenIndex < 0) throw missing(value, name, pos);
    return value;
  };
  const where = (set: Attrs): Pos | undefined => attributePos(set.positions, set.keys, name);
  const trace = (thrown: unknown, set: Attrs): unknown => attributeTrace(thrown, [name], where(set));
  const run = (env: Env): Value => {
    const set = find(runTarget(env));
    const slot = set.values[seenIndex]!;
    if (!(slot instanceof Thunk)) return slot;
    try {
      if (slot.code === blackHole) throw infiniteRecursion(where(set) ?? pos);
      return forceThunk(slot, pos);
    } catch (thrown) {
      throw trace(thrown, set);
    }
  };
  const frame: Frame = {
    resume(machine, value) {
      const set = find(value);
      const slot = set.values[seenIndex]!;
      if (!(slot instanceof Thunk)) return slot;
      machine.push(new SelectedFrame(set, trace));
      return machine.force(slot, slot.code === blackHole ? (where(set) ?? pos) : pos);
    },
  };
  return makeCode(run, (machine, env) => {
    machine.push(frame);
    return machine.eval(target, env);
  });
}

/** Waits for the selected attribute's value. */
class SelectedFrame implements Frame {
  declare readonly set: Attrs;
  declare readonly trace: (thrown: unknown, set: Attrs) => unknown;
  constructor(set: Attrs, trace: (thrown: unknown, set: Attrs) => unknown) {
    this.set = set;
    this.trace = trace;
  }
  resume(_machine: Machine, value: Value): Outcome {
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw this.trace(thrown, this.set);
  }
}

/** `target.a.${b}.c or fallback`. */
export function selectCode(target: Code, path: readonly NameCode[], fallback: Code | null, pos: Pos | undefined): Code {
  const cells = path.map(nameCell);
  const run = (env: Env): Value => {
    let slot: Slot = target.run(env);
    let found: Attrs | undefined;
    let at = 0;
    const names: string[] = [];
    try {
      for (;;) {
        const cell = cells[at]!;
        let name = cell.name;
        if (name === undefined) name = names[at] = runName(path[at]!, env);
        const set: Value = slot instanceof Thunk ? forceThunk(slot, pos) : slot;
        const next: Slot | undefined = set instanceof Attrs ? cell.find(set, name) : undefined;
        if (next === undefined) {
          if (fallback !== null) return fallback.run(env);
          throw set instanceof Attrs ? missing(set, name, pos) : notASet(set, pos);
        }
        found = set as Attrs;
        at++;
        if (at === cells.length) return next instanceof Thunk ? forceFound(next, found, name, pos) : next;
        slot = next;
      }
    } catch (thrown) {
      if (found === undefined) throw thrown;
      const last = cells[at - 1]!.name ?? names[at - 1]!;
      throw attributeTrace(thrown, pathShown(path, names), attributePos(found.positions, found.keys, last));
    }
  };
  function* routine(env: Env): Routine<Slot> {
    let slot: Slot = yield new Evaluate(target, env);
    let found: Pos | undefined;
    const names: string[] = [];
    try {
      for (const element of path) {
        const name = yield* nameRoutine(element, env);
        names.push(name);
        const set: Value = yield slot;
        const next: Slot | undefined = set instanceof Attrs ? set.get(name) : undefined;
        if (next === undefined) {
          if (fallback !== null) return yield new Evaluate(fallback, env);
          throw set instanceof Attrs ? missing(set, name, pos) : notASet(set, pos);
        }
        found = attributePos((set as Attrs).positions, (set as Attrs).keys, name);
        slot = next;
      }
      return yield slot;
    } catch (thrown) {
      throw attributeTrace(thrown, pathShown(path, names), found);
    }
  }
  return routineCode(run, routine);
}

/** An element of an attribute path at run time: its name if that is known, and where it was in the shape last seen. */
class NameCell {
  readonly name: string | undefined;
  private seen: Keys | undefined;
  private index = -1;
  constructor(name: string | undefined) {
    this.name = name;
    this.seen = undefined;
  }

  find(set: Attrs, name: string): Slot | undefined {
    if (this.name === undefined) return set.get(name);
    if (set.keys !== this.seen) {
      this.seen = set.keys;
      this.index = set.keys.indexOf(name);
    }
    return this.index < 0 ? undefined : set.values[this.index];
  }
}

const nameCell = (name: NameCode): NameCell => new NameCell(typeof name === "string" ? name : undefined);

/** Forces the selected attribute; where it was written is looked up only if it has to be evaluated. */
function forceFound(slot: Thunk, set: Attrs, name: string, pos: Pos | undefined): Value {
  return slot.code === undefined ? settled(slot) : forceThunk(slot, attributePos(set.positions, set.keys, name) ?? pos);
}

/** The whole path, with the names that were computed before the error. */
const pathShown = (path: readonly NameCode[], names: readonly string[]): string[] =>
  path.map((element, i) => names[i] ?? (typeof element === "string" ? element : "?"));

/** `target ? a.b` */
export function hasAttrCode(target: Code, path: readonly NameCode[]): Code {
  const cells = path.map(nameCell);
  const run = (env: Env): Value => {
    let slot: Slot = target.run(env);
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      const name = cell.name ?? runName(path[i]!, env);
      const set: Value = force(slot);
      const next = set instanceof Attrs ? cell.find(set, name) : undefined;
      if (next === undefined) return false;
      slot = next;
    }
    return true;
  };
  function* routine(env: Env): Routine<Slot> {
    let slot: Slot = yield new Evaluate(target, env);
    for (const element of path) {
      const name = yield* nameRoutine(element, env);
      const set: Value = yield slot;
      const next: Slot | undefined = set instanceof Attrs ? set.get(name) : undefined;
      if (next === undefined) return false;
      slot = next;
    }
    return true;
  }
  return routineCode(run, routine);
}
