/**
 * Arithmetic of Nix numbers: 64-bit integers whose overflow is an error, and floats.
 */
import { NixError } from "./error.ts";
import type { Pos } from "./positions.ts";
import { NixFloat, normalInt, type Int } from "./value.ts";

type Num = Int | NixFloat;

const floatOf = (value: Num): number => (value instanceof NixFloat ? value.value : Number(value));

function exact(value: bigint, what: () => string, pos: Pos | undefined): Int {
  const result = normalInt(value);
  if (result === undefined) throw new NixError("overflow", `integer overflow in ${what()}`, { pos });
  return result;
}

export function add(left: Num, right: Num, pos?: Pos): Num {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  if (left instanceof NixFloat || right instanceof NixFloat) return new NixFloat(floatOf(left) + floatOf(right));
  return exact(BigInt(left) + BigInt(right), () => `adding ${left} + ${right}`, pos);
}

export function subtract(left: Num, right: Num, pos?: Pos): Num {
  if (typeof left === "number" && typeof right === "number") {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  if (left instanceof NixFloat || right instanceof NixFloat) return new NixFloat(floatOf(left) - floatOf(right));
  return exact(BigInt(left) - BigInt(right), () => `subtracting ${left} - ${right}`, pos);
}

export function multiply(left: Num, right: Num, pos?: Pos): Num {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  if (left instanceof NixFloat || right instanceof NixFloat) return new NixFloat(floatOf(left) * floatOf(right));
  return exact(BigInt(left) * BigInt(right), () => `multiplying ${left} * ${right}`, pos);
}

/** Integers divide towards zero; dividing by zero is an error for floats too. */
export function divide(left: Num, right: Num, pos?: Pos): Num {
  if (floatOf(right) === 0) throw divisionByZero(pos);
  if (left instanceof NixFloat || right instanceof NixFloat) return new NixFloat(floatOf(left) / floatOf(right));
  if (typeof left === "number" && typeof right === "number") return Math.trunc(left / right) + 0;
  return exact(BigInt(left) / BigInt(right), () => `dividing ${left} / ${right}`, pos);
}

export const divisionByZero = (pos: Pos | undefined): NixError => new NixError("eval", "division by zero", { pos });
