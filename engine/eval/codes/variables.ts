/**
 * Variables: cells of frames, builtins, and names that only a `with` can bring.
 */
import { Code, Evaluate, makeCode, routineCode } from "../code.ts";
import { NixError, addTrace } from "../error.ts";
import { expectedError } from "../expect.ts";
import { force, forceThunk, peek } from "../force.ts";
import type { Pos } from "../positions.ts";
import { Attrs, Thunk, type Env, type Slot, type Value } from "../value.ts";
import type { Routine } from "#engine/builtins/record.ts";

/** A cell `depth` frames up. A cell that is not filled yet (in `rec`, `let`, formals) becomes a thunk of the variable. */
export function localCode(depth: number, cell: number, pos: Pos | undefined): Code {
  const read = cellReader(depth, cell);
  const self = new Code(
    cellRunner(depth, cell, pos),
    (machine, env) => machine.force(read(env), pos),
    (env) => {
      const slot = read(env) as Slot | undefined;
      return slot === undefined ? new Thunk(self, env) : slot;
    },
    (env) => {
      const slot = read(env);
      return slot instanceof Thunk ? peek(slot) : slot;
    },
  );
  return self;
}

function cellReader(depth: number, cell: number): (env: Env) => Slot {
  switch (depth) {
    case 0:
      return (env) => env[cell] as Slot;
    case 1:
      return (env) => (env[0] as Env)[cell] as Slot;
    case 2:
      return (env) => ((env[0] as Env)[0] as Env)[cell] as Slot;
    default:
      return (env) => frameAt(env, depth)[cell] as Slot;
  }
}

/** Reading and forcing in one function: variables are most of what is evaluated. */
function cellRunner(depth: number, cell: number, pos: Pos | undefined): (env: Env) => Value {
  switch (depth) {
    case 0:
      return (env) => {
        const slot = env[cell] as Slot;
        return slot instanceof Thunk ? forceThunk(slot, pos) : slot;
      };
    case 1:
      return (env) => {
        const slot = (env[0] as Env)[cell] as Slot;
        return slot instanceof Thunk ? forceThunk(slot, pos) : slot;
      };
    case 2:
      return (env) => {
        const slot = ((env[0] as Env)[0] as Env)[cell] as Slot;
        return slot instanceof Thunk ? forceThunk(slot, pos) : slot;
      };
    default:
      return (env) => {
        const slot = frameAt(env, depth)[cell] as Slot;
        return slot instanceof Thunk ? forceThunk(slot, pos) : slot;
      };
  }
}

function frameAt(env: Env, depth: number): Env {
  let frame = env;
  for (let i = 0; i < depth; i++) frame = frame[0] as Env;
  return frame;
}

/** A builtin or another slot known when compiling. */
export function globalCode(slot: Slot, pos: Pos): Code {
  const delay = () => slot;
  if (slot instanceof Thunk)
    return new Code(
      () => forceThunk(slot, pos),
      (machine) => machine.force(slot, pos),
      delay,
    );
  const run = () => slot;
  return new Code(run, run, delay, run);
}

/** A name looked up in the enclosing `with`s, innermost first. */
export function withCode(name: string, depths: readonly number[], pos: Pos, withPos: readonly Pos[]): Code {
  const run = (env: Env): Value => {
    for (let i = 0; i < depths.length; i++) {
      const slot = withSet(frameAt(env, depths[i]!)[1] as Slot, withPos[i]!).get(name);
      if (slot !== undefined) return force(slot, pos);
    }
    throw undefinedInWith(name, pos);
  };
  const scopes = depths.map((depth, i) => localCode(depth, 1, withPos[i]));
  const found = localCode(0, 0, pos);
  function* routine(env: Env): Routine<Slot> {
    for (let i = 0; i < depths.length; i++) {
      const slot = asWithSet(yield new Evaluate(scopes[i]!, env), withPos[i]!).get(name);
      if (slot !== undefined) return yield new Evaluate(found, [slot]);
    }
    throw undefinedInWith(name, pos);
  }
  return routineCode(run, routine);
}

const undefinedInWith = (name: string, pos: Pos): NixError =>
  new NixError("undefined", `undefined variable '${name}'`, { pos, data: { variable: name } });

const withSet = (slot: Slot, pos: Pos): Attrs => (slot instanceof Attrs ? slot : asWithSet(force(slot, pos), pos));

function asWithSet(value: Value, pos: Pos): Attrs {
  if (value instanceof Attrs) return value;
  throw addTrace(expectedError("a set", value), "while evaluating the first subexpression of a with expression", pos);
}

/** `with scope; body`. */
export const withBodyCode = (scope: Code, body: Code): Code =>
  makeCode(
    (env) => body.run([env, scope.delay(env)]),
    (machine, env) => machine.eval(body, [env, scope.delay(env)]),
  );
