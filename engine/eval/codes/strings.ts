/**
 * `+` and string interpolation: what the first operand is decides between adding numbers, joining strings and extending a path.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { add } from "../arithmetic.ts";
import { Evaluate, routineCode, type Code } from "../code.ts";
import { canonPath } from "../canon-path.ts";
import { coerceNow, coerceToString, quickString } from "../coerce.ts";
import { NixError } from "../error.ts";
import { quickNumbers } from "./operators.ts";
import type { Pos } from "../positions.ts";
import {
  NixFloat,
  NixPath,
  describeType,
  isInt,
  makeString,
  type Env,
  type Int,
  type NixString,
  type Slot,
  type Value,
} from "../value.ts";

/** An operand and the position Nix reports for it. */
export interface Part {
  readonly code: Code;
  readonly pos: Pos;
}

const context = "while evaluating a path segment";
const copying = { context, copy: true };
const plain = { context };

/** What has been joined so far. */
class Joiner {
  text = "";
  private context: Set<string> | undefined;

  append(part: NixString): void {
    if (typeof part === "string") {
      this.text += part;
      return;
    }
    this.text += part.text;
    this.context ??= new Set();
    for (const element of part.context) this.context.add(element);
  }

  string(): NixString {
    return makeString(this.text, this.context);
  }

  path(pos: Pos): NixPath {
    if (this.context !== undefined) {
      throw new NixError("eval", "a string that refers to a store path cannot be appended to a path", { pos });
    }
    return new NixPath(canonPath(this.text));
  }
}

/** `"…${x}…"`: always a string. */
export function interpolationCode(parts: readonly Part[]): Code {
  const run = (env: Env): Value => {
    let text = "";
    for (let i = 0; i < parts.length; i++) {
      const value = parts[i]!.code.run(env);
      if (typeof value === "string") text += value;
      else return joinFrom(text, value, parts, i, env);
    }
    return text;
  };
  function* routine(env: Env): Routine<Slot> {
    return (yield* joinRestRoutine(new Joiner(), true, parts, 0, env)).string();
  }
  return routineCode(run, routine);
}

/** `a + b`, and paths with interpolation, whose first part is a path. */
export function plusCode(parts: readonly [Part, ...Part[]], pos: Pos): Code {
  const [first] = parts;
  const run = (env: Env): Value => {
    const value = first.code.run(env);
    if (isInt(value) || value instanceof NixFloat) {
      let sum: Int | NixFloat = value;
      for (let i = 1; i < parts.length; i++) {
        const next = parts[i]!.code.run(env);
        const small: number = typeof sum === "number" && typeof next === "number" ? sum + next : Infinity;
        sum = Number.isSafeInteger(small) ? small : addPart(sum, next, parts[i]!.pos);
      }
      return sum;
    }
    const joiner = new Joiner();
    const path = value instanceof NixPath;
    joiner.append(quickString(value, path ? plain : copying) ?? runString(value, !path, first.pos));
    joinRest(joiner, !path, parts, 1, env);
    return path ? joiner.path(pos) : joiner.string();
  };
  function* routine(env: Env): Routine<Slot> {
    const value = yield new Evaluate(first.code, env);
    if (isInt(value) || value instanceof NixFloat) {
      let sum: Int | NixFloat = value;
      for (let i = 1; i < parts.length; i++) sum = addPart(sum, yield new Evaluate(parts[i]!.code, env), parts[i]!.pos);
      return sum;
    }
    const joiner = new Joiner();
    const path = value instanceof NixPath;
    joiner.append(yield* coerceToString(value, path ? plain : copying, first.pos));
    yield* joinRestRoutine(joiner, !path, parts, 1, env);
    return path ? joiner.path(pos) : joiner.string();
  }
  const code = routineCode(run, routine);
  return parts.length === 2 ? quickNumbers(code, first.code, parts[1]!.code, (a, b) => a + b) : code;
}

function addPart(sum: Int | NixFloat, value: Value, pos: Pos): Int | NixFloat {
  if (isInt(value) || value instanceof NixFloat) return add(sum, value, pos);
  const to = sum instanceof NixFloat ? "a float" : "an integer";
  throw new NixError("type", `cannot add ${describeType(value)} to ${to}`, { pos });
}

/** The string of plain text so far, the value of a part that is no plain string, and the parts after it. */
function joinFrom(text: string, value: Value, parts: readonly Part[], at: number, env: Env): NixString {
  const joiner = new Joiner();
  joiner.append(text);
  joiner.append(quickString(value, copying) ?? runString(value, true, parts[at]!.pos));
  return joinRest(joiner, true, parts, at + 1, env).string();
}

function joinRest(joiner: Joiner, copy: boolean, parts: readonly Part[], from: number, env: Env): Joiner {
  const how = copy ? copying : plain;
  for (let i = from; i < parts.length; i++) {
    const { code, pos } = parts[i]!;
    const value = code.run(env);
    joiner.append(typeof value === "string" ? value : (quickString(value, how) ?? runString(value, copy, pos)));
  }
  return joiner;
}

function* joinRestRoutine(
  joiner: Joiner,
  copy: boolean,
  parts: readonly Part[],
  from: number,
  env: Env,
): Routine<Joiner> {
  for (let i = from; i < parts.length; i++) {
    const { code, pos } = parts[i]!;
    joiner.append(yield* coerceToString(yield new Evaluate(code, env), copy ? copying : plain, pos));
  }
  return joiner;
}

const runString = (value: Value, copy: boolean, pos: Pos): NixString => coerceNow(value, copy ? copying : plain, pos);
