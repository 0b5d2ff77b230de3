/**
 * Binary operators on values: arithmetic, comparison, equality, `//` and `++`.
 *
 * `-`, `*`, `/`, `<` … are calls of builtins in C++ Nix, so they count as calls and leave the builtin's line in traces.
 */
import type { Routine } from "#engine/builtins/record.ts";
import { divisionByZero, divide, multiply, subtract } from "../arithmetic.ts";
import { drive } from "../call.ts";
import { makeCode, withQuick, type Code, type Outcome } from "../code.ts";
import { addTrace } from "../error.ts";
import { equals, lessThan, quickEquals, quickLess } from "../equality.ts";
import { expectedError } from "../expect.ts";
import type { Frame, Machine } from "../machine.ts";
import { mergeAttrs } from "../merge.ts";
import type { Pos } from "../positions.ts";
import { callDepthExceeded, runtime } from "../runtime.ts";
import { Attrs, NixFloat, isInt, isList, type Env, type Int, type List, type Slot, type Value } from "../value.ts";

/** How an operator works on its two forced operands, in evaluation order. */
interface Operator {
  /** The result if no further evaluation is needed, else undefined. */
  quick(first: Value, second: Value): Value | undefined;
  slow?(first: Value, second: Value): Routine<Slot>;
  /** Checks an operand as soon as it is evaluated. */
  check?(value: Value): void;
  /** Adds the trace lines of an error in evaluating or checking an operand. */
  trace?(thrown: unknown, which: 0 | 1): unknown;
  /** Line for errors anywhere in the operator: the builtin's. */
  outer?(thrown: unknown): unknown;
  readonly counted: boolean;
  readonly pos: Pos;
}

function operatorCode(
  first: Code,
  second: Code,
  operator: Operator,
  run: Code["run"] = plainRun(first, second, operator),
): Code {
  return makeCode(run, (machine, env) => {
    if (operator.counted && runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(operator.pos);
    machine.push(new FirstFrame(operator, second, env));
    return machine.eval(first, env);
  });
}

/** An operator that is no call: operands in order, each checked as it comes. */
function plainRun(first: Code, second: Code, operator: Operator): Code["run"] {
  const operand = (code: Code, env: Env, which: 0 | 1): Value => {
    try {
      const value = code.run(env);
      operator.check?.(value);
      return value;
    } catch (thrown) {
      throw operator.trace === undefined ? thrown : operator.trace(thrown, which);
    }
  };
  return (env) => finish(operator, operand(first, env, 0), operand(second, env, 1));
}

const finish = (operator: Operator, a: Value, b: Value): Value => operator.quick(a, b) ?? drive(operator.slow!(a, b));

/**
 * The ways to run the operators that count as calls, one function each so that each sees its own kinds of values. `quick` says what is
 * the result of two small numbers.
 */
const countedRuns = {
  "-": (first, second, operator) => (env) => {
    if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(operator.pos);
    let value: Value;
    try {
      const a = first.run(env);
      const b = second.run(env);
      const small = typeof a === "number" && typeof b === "number" ? a - b : Infinity;
      value = Number.isSafeInteger(small) ? small : finish(operator, a, b);
    } catch (thrown) {
      throw operator.outer!(thrown);
    }
    runtime.calls--;
    return value;
  },
  "<": (first, second, operator) => (env) => {
    if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(operator.pos);
    let value: Value;
    try {
      const a = first.run(env);
      const b = second.run(env);
      value = typeof a === "number" && typeof b === "number" ? a < b : finish(operator, a, b);
    } catch (thrown) {
      throw operator.outer!(thrown);
    }
    runtime.calls--;
    return value;
  },
  other: (first, second, operator) => (env) => {
    if (runtime.calls++ > runtime.maxCalls) throw callDepthExceeded(operator.pos);
    let value: Value;
    try {
      value = finish(operator, first.run(env), second.run(env));
    } catch (thrown) {
      throw operator.outer!(thrown);
    }
    runtime.calls--;
    return value;
  },
} satisfies Record<string, (first: Code, second: Code, operator: Operator) => Code["run"]>;

/** Waits for the first operand. */
class FirstFrame implements Frame {
  declare readonly operator: Operator;
  declare readonly second: Code;
  declare readonly env: Env;
  constructor(operator: Operator, second: Code, env: Env) {
    this.operator = operator;
    this.second = second;
    this.env = env;
  }
  resume(machine: Machine, value: Value): Outcome {
    try {
      this.operator.check?.(value);
    } catch (thrown) {
      this.unwind(machine, thrown);
    }
    machine.push(new SecondFrame(this.operator, value));
    return machine.eval(this.second, this.env);
  }
  unwind(_machine: Machine, thrown: unknown): never {
    const traced = this.operator.trace === undefined ? thrown : this.operator.trace(thrown, 0);
    throw this.operator.outer === undefined ? traced : this.operator.outer(traced);
  }
}

/** Waits for the second operand. */
class SecondFrame implements Frame {
  declare readonly operator: Operator;
  declare readonly first: Value;
  constructor(operator: Operator, first: Value) {
    this.operator = operator;
    this.first = first;
  }
  resume(machine: Machine, value: Value): Outcome {
    const { operator } = this;
    try {
      operator.check?.(value);
    } catch (thrown) {
      this.unwind(machine, thrown);
    }
    machine.push(new OuterFrame(operator));
    return operator.quick(this.first, value) ?? machine.start(operator.slow!(this.first, value));
  }
  unwind(_machine: Machine, thrown: unknown): never {
    const traced = this.operator.trace === undefined ? thrown : this.operator.trace(thrown, 1);
    throw this.operator.outer === undefined ? traced : this.operator.outer(traced);
  }
}

/** The end of an operator. */
class OuterFrame implements Frame {
  declare readonly operator: Operator;
  constructor(operator: Operator) {
    this.operator = operator;
  }
  resume(_machine: Machine, value: Value): Outcome {
    if (this.operator.counted) runtime.calls--;
    return value;
  }
  unwind(_machine: Machine, thrown: unknown): never {
    throw this.operator.outer === undefined ? thrown : this.operator.outer(thrown);
  }
}

const builtinLine =
  (name: string, pos: Pos) =>
  (thrown: unknown): unknown =>
    addTrace(thrown, `while calling the '${name}' builtin`, pos);

type Arithmetic = (left: Int | NixFloat, right: Int | NixFloat, pos?: Pos) => Int | NixFloat;

const arithmetic: Readonly<Record<"-" | "*" | "/", { name: string; noun: string; compute: Arithmetic }>> = {
  "-": { name: "sub", noun: "subtraction", compute: subtract },
  "*": { name: "mul", noun: "multiplication", compute: multiply },
  "/": { name: "div", noun: "division", compute: divide },
};

export const operandLine = (which: 0 | 1, noun: string): string =>
  `while evaluating the ${which === 0 ? "first" : "second"} ${noun === "division" ? "operand" : "argument"} of the ${noun}`;

const isNumber = (value: Value): value is Int | NixFloat => isInt(value) || value instanceof NixFloat;

/**
 * `-`, `*`, `/`. Both operands are evaluated to a number in order; whether a non-number is called "an integer" or "a float" depends on
 * the other operand, as in C++ Nix.
 */
export function arithmeticCode(operator: "-" | "*" | "/", left: Code, right: Code, pos: Pos): Code {
  const { name, noun, compute } = arithmetic[operator];
  const outer = builtinLine(name, pos);
  const described: Operator = {
    quick: (a, b) => {
      if (isNumber(a) && isNumber(b)) return compute(a, b);
      throw numberError(a, b, noun);
    },
    outer,
    counted: true,
    pos,
  };
  const run = operator === "-" ? countedRuns["-"] : countedRuns.other;
  const code = operatorCode(left, right, described, run(left, right, described));
  if (operator === "/") return code;
  return quickNumbers(code, left, right, operator === "-" ? (a, b) => a - b : (a, b) => a * b + 0);
}

/** Adds the quick form of arithmetic on small integers. */
export function quickNumbers(code: Code, left: Code, right: Code, compute: (a: number, b: number) => number): Code {
  if (left.quick === undefined || right.quick === undefined) return code;
  const first = left.quick;
  const second = right.quick;
  return withQuick(code, (env) => {
    if (runtime.calls >= runtime.maxCalls) return undefined;
    const a = first(env);
    const b = second(env);
    if (typeof a !== "number" || typeof b !== "number") return undefined;
    const value = compute(a, b);
    return Number.isSafeInteger(value) ? value : undefined;
  });
}

/** Adds the quick form of a comparison of numbers. */
function quickTest(code: Code, left: Code, right: Code, test: (a: number, b: number) => boolean): Code {
  if (left.quick === undefined || right.quick === undefined) return code;
  const first = left.quick;
  const second = right.quick;
  return withQuick(code, (env) => {
    if (runtime.calls >= runtime.maxCalls) return undefined;
    const a = first(env);
    const b = second(env);
    return typeof a === "number" && typeof b === "number" ? test(a, b) : undefined;
  });
}

/** The error for operands of which one is no number. Division looks at its second operand first, as a float. */
export function numberError(a: Value, b: Value, noun: string): unknown {
  if (noun === "division" && !isNumber(b)) return addTrace(expectedError("a float", b), operandLine(1, noun));
  // The divisor is looked at before the dividend.
  if (noun === "division" && isZero(b)) return divisionByZero(undefined);
  const floating = a instanceof NixFloat || b instanceof NixFloat;
  const which = isNumber(a) ? 1 : 0;
  // One of Nix's texts misses a word.
  const line =
    floating && which === 0 && noun === "multiplication"
      ? "while evaluating the first of the multiplication"
      : operandLine(which, noun);
  return addTrace(expectedError(floating ? "a float" : "an integer", which === 0 ? a : b), line);
}

const isZero = (value: Value): boolean => (value instanceof NixFloat ? value.value : value) === 0;

/** `<` of the operands in evaluation order: `a > b` passes them swapped. */
export function lessCode(left: Code, right: Code, pos: Pos): Code {
  const described: Operator = {
    quick: (a, b) => quickLess(a, b),
    slow: (a, b) => lessThan(a, b),
    outer: builtinLine("lessThan", pos),
    counted: true,
    pos,
  };
  const code = operatorCode(left, right, described, countedRuns["<"](left, right, described));
  return quickTest(code, left, right, (a, b) => a < b);
}

/** `==`, and `!=` when negated. */
export function equalCode(left: Code, right: Code, negated: boolean, pos: Pos): Code {
  const described: Operator = {
    quick: (a, b) => {
      const same = quickEquals(a, b);
      return same === undefined ? undefined : same !== negated;
    },
    *slow(a, b) {
      return (yield* equals(a, b)) !== negated;
    },
    counted: false,
    pos,
  };
  const code = operatorCode(left, right, described, (env) => {
    const a = left.run(env);
    const b = right.run(env);
    const same = a === b && typeof a !== "object" ? true : quickEquals(a, b);
    return same === undefined ? finish(described, a, b) : same !== negated;
  });
  return quickTest(code, left, right, negated ? (a, b) => a !== b : (a, b) => a === b);
}

/** Trace line and position of an operand of `//`; none for an operand that is another `//`, which C++ Nix flattens. */
export interface UpdateOperand {
  readonly nested: boolean;
  readonly pos: Pos | undefined;
}

/** `left // right`; the right side is evaluated first, and `operands` are the right one and the left one. */
export const updateCode = (
  left: Code,
  right: Code,
  pos: Pos,
  operands: readonly [UpdateOperand, UpdateOperand],
): Code =>
  operatorCode(right, left, {
    quick: (b, a) => mergeAttrs(a as Attrs, b as Attrs),
    check: (value) => {
      if (!(value instanceof Attrs)) throw expectedError("a set", value);
    },
    trace: (thrown, which) => {
      const { nested, pos: where } = operands[which];
      return nested
        ? thrown
        : addTrace(thrown, `in the ${which === 0 ? "right" : "left"} operand of the update (//) operator`, where);
    },
    counted: false,
    pos,
  });

/** `left ++ right` */
export const concatCode = (left: Code, right: Code, pos: Pos): Code =>
  operatorCode(left, right, {
    // Both sides are evaluated before either is checked.
    quick: (a, b) => concatLists(asList(a, pos), asList(b, pos)),
    counted: false,
    pos,
  });

function asList(value: Value, pos: Pos): List {
  if (isList(value)) return value;
  throw addTrace(expectedError("a list", value), "while evaluating one of the elements to concatenate", pos);
}

const concatLists = (a: List, b: List): List => (a.length === 0 ? b : b.length === 0 ? a : a.concat(b));
