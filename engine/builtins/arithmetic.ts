/**
 * Arithmetic, bits and order.
 */
import { add, divide, multiply, subtract } from "#engine/eval/arithmetic.ts";
import { addTrace, NixError } from "#engine/eval/error.ts";
import { numberError } from "#engine/eval/codes/operators.ts";
import { lessThan } from "#engine/eval/equality.ts";
import { expectedError } from "#engine/eval/expect.ts";
import { printFloat } from "#engine/eval/float-text.ts";
import { NixFloat, isInt, normalInt } from "#engine/eval/value.ts";
import type { Int, Value } from "#engine/eval/value.ts";
import { arg, builtin, type Builtin, type BuiltinFamily } from "./record.ts";

type Num = Int | NixFloat;

const isNumber = (value: Value): value is Num => isInt(value) || value instanceof NixFloat;

const operation = (name: string, noun: string, doc: string, compute: (a: Num, b: Num) => Num): Builtin =>
  builtin({
    name,
    args: [arg("e1", "any"), arg("e2", "any")],
    doc,
    impl: ([a, b]) => {
      if (isNumber(a) && isNumber(b)) return compute(a, b);
      throw numberError(a, b, noun);
    },
  });

const bits = (name: string, what: string, compute: (a: bigint, b: bigint) => bigint): Builtin =>
  builtin({
    name,
    args: [arg("e1", "int"), arg("e2", "int")],
    doc: `Returns the bitwise ${what} of two integers.`,
    impl: ([a, b]) => normalInt(compute(BigInt(a), BigInt(b)))!,
  });

/** Integers pass unchanged, but those that a float cannot hold are refused, because earlier versions of Nix spoilt them. */
function checkedInt(value: Int): Int {
  const rounded = BigInt(Number(value));
  if (rounded === BigInt(value)) return value;
  const bug = "Due to a bug (see https://github.com/NixOS/nix/issues/12899)";
  const later = "Future Nix versions might implement the correct behavior.";
  const message =
    rounded >= 2n ** 63n
      ? `${bug} the NixInt argument ${value} caused undefined behavior in previous Nix versions.\n\t${later}`
      : `${bug} a loss of precision occurred in previous Nix versions because the NixInt argument ${value} was rounded to ${rounded}.\n\t${later}`;
  throw new NixError("eval", message);
}

const rounding = (name: string, what: string, round: (value: number) => number): Builtin =>
  builtin({
    name,
    args: [arg("number", "any", `while evaluating the first argument passed to builtins.${name}`)],
    doc: `Rounds a number to the nearest integer ${what} it.`,
    impl: ([value]) => {
      if (isInt(value)) return checkedInt(value);
      if (!(value instanceof NixFloat)) {
        throw addTrace(
          expectedError("a float", value),
          `while evaluating the first argument passed to builtins.${name}`,
        );
      }
      const rounded = round(value.value);
      const int = Number.isFinite(rounded) ? normalInt(BigInt(rounded)) : undefined;
      if (int !== undefined) return int;
      throw new NixError("eval", `NixFloat argument ${printFloat(value.value)} is not in the range of NixInt`);
    },
  });

export const arithmeticBuiltins: BuiltinFamily = [
  operation("add", "addition", "Returns the sum of two numbers.", add),
  operation("sub", "subtraction", "Returns the difference of two numbers.", subtract),
  operation("mul", "multiplication", "Returns the product of two numbers.", multiply),
  operation("div", "division", "Returns the quotient of two numbers; integers divide towards zero.", divide),
  bits("bitAnd", "AND", (a, b) => a & b),
  bits("bitOr", "OR", (a, b) => a | b),
  bits("bitXor", "XOR", (a, b) => a ^ b),
  rounding("ceil", "not below", Math.ceil),
  rounding("floor", "not above", Math.floor),
  builtin({
    name: "lessThan",
    args: [arg("e1", "any"), arg("e2", "any")],
    doc: "Returns `true` if *e1* comes before *e2*: the `<` operator. Numbers, strings, paths and lists of these can be compared.",
    routine: ([a, b]) => lessThan(a, b),
  }),
];
