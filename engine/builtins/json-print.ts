/**
 * Scalars in JSON as `builtins.toJSON` writes them: strings with the fewest escapes, floats by the Grisu2 algorithm that
 * the JSON library inside C++ Nix uses, whose digits are now and then not the shortest.
 */
import { decodeCodePoint } from "#engine/store/format/bytes.ts";

/** A string that is not UTF-8; the message is the library's. */
export class JsonEncodingError extends Error {}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A byte string as a JSON string literal. Throws JsonEncodingError. */
export function jsonString(text: string): string {
  checkUtf8(text);
  const escaped = text.replace(
    /["\\]|[^ -\xff]/g,
    (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

function checkUtf8(text: string): void {
  for (let at = 0; at < text.length;) {
    if (text.charCodeAt(at) < 0x80) {
      at++;
      continue;
    }
    const [point, length] = decodeCodePoint(text, at);
    if (point < 0) throw encodingError(text, at, length);
    at += length;
  }
}

/** `length` is that of the malformed part that could have begun a character. */
function encodingError(text: string, at: number, length: number): JsonEncodingError {
  const hex = (index: number): string => text.charCodeAt(index).toString(16).toUpperCase();
  const isLead = text.charCodeAt(at) >= 0xc2 && text.charCodeAt(at) <= 0xf4;
  if (isLead && at + length >= text.length) {
    return new JsonEncodingError(
      `[json.exception.type_error.316] incomplete UTF-8 string; last byte: 0x${hex(text.length - 1)}`,
    );
  }
  const wrong = isLead ? at + length : at;
  return new JsonEncodingError(`[json.exception.type_error.316] invalid UTF-8 byte at index ${wrong}: 0x${hex(wrong)}`);
}

/** A float as JSON; `null` for what JSON cannot say. */
export function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0.0`;
  const { digits, exponent } = grisu2(Math.abs(value));
  return sign + placePoint(digits, exponent);
}

/** `digits`·10^`exponent` in the library's layout: plain between 1e-4 and 1e15, else with an exponent of two digits. */
function placePoint(digits: string, exponent: number): string {
  const count = digits.length;
  const point = count + exponent;
  if (count <= point && point <= 15) return `${digits}${"0".repeat(point - count)}.0`;
  if (point > 0 && point <= 15) return `${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -4 && point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  const fraction = count === 1 ? "" : `.${digits.slice(1)}`;
  const power = point - 1;
  return `${digits[0]!}${fraction}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A number f·2^e with 64 bits of f. */
interface Scaled {
  readonly f: bigint;
  readonly e: number;
}

const MASK32 = 0xffffffffn;

/** The upper 64 bits of a product, rounded as the library rounds it. */
function multiply(x: Scaled, y: Scaled): Scaled {
  const [xLow, xHigh, yLow, yHigh] = [x.f & MASK32, x.f >> 32n, y.f & MASK32, y.f >> 32n];
  const middle = ((xLow * yLow) >> 32n) + ((xHigh * yLow) & MASK32) + ((xLow * yHigh) & MASK32) + (1n << 31n);
  const f = xHigh * yHigh + ((xHigh * yLow) >> 32n) + ((xLow * yHigh) >> 32n) + (middle >> 32n);
  return { f, e: x.e + y.e + 64 };
}

function normalize({ f, e }: Scaled): Scaled {
  const shift = 64 - f.toString(2).length;
  return { f: f << BigInt(shift), e: e - shift };
}

/** The float's neighbours halfway, and the float, all with the upper one's exponent. */
function boundaries(value: number): { low: Scaled; exact: Scaled; high: Scaled } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const exact: Scaled = biased === 0 ? { f: fraction, e: -1074 } : { f: fraction | (1n << 52n), e: biased - 1075 };
  const isLowerCloser = fraction === 0n && biased > 1;
  const high = normalize({ f: 2n * exact.f + 1n, e: exact.e - 1 });
  const low: Scaled = isLowerCloser
    ? { f: 4n * exact.f - 1n, e: exact.e - 2 }
    : { f: 2n * exact.f - 1n, e: exact.e - 1 };
  return { low: { f: low.f << BigInt(low.e - high.e), e: high.e }, exact: normalize(exact), high };
}

/** 10^k with 64 bits, rounded to nearest. */
function powerOfTen(k: number): Scaled {
  if (k >= 0) {
    const power = 10n ** BigInt(k);
    const length = power.toString(2).length;
    if (length <= 64) return { f: power << BigInt(64 - length), e: length - 64 };
    const shift = BigInt(length - 64);
    return roundedUp((power + (1n << (shift - 1n))) >> shift, length - 64);
  }
  const divisor = 10n ** BigInt(-k);
  const shift = divisor.toString(2).length + 64;
  let f = (1n << BigInt(shift + 1)) / divisor;
  let e = -shift - 1;
  const extra = f.toString(2).length - 64;
  f = (f + (1n << BigInt(extra - 1))) >> BigInt(extra);
  e += extra;
  return roundedUp(f, e);
}

const roundedUp = (f: bigint, e: number): Scaled => (f >> 64n === 0n ? { f, e } : { f: f >> 1n, e: e + 1 });

const cachedPowers = new Map<number, Scaled>();

/** A cached power (every eighth from 10^-300 on) that brings a product with exponent `e` into the digit generator's range. */
function cachedPowerFor(e: number): { power: Scaled; k: number } {
  const wanted = -60 - e - 1;
  const estimate = Math.trunc((wanted * 78913) / 2 ** 18) + (wanted > 0 ? 1 : 0);
  const index = Math.trunc((300 + estimate + 7) / 8);
  const k = -300 + 8 * index;
  let power = cachedPowers.get(k);
  if (power === undefined) cachedPowers.set(k, (power = powerOfTen(k)));
  return { power, k };
}

/** Decimal digits of a positive float: value ≈ digits·10^exponent. */
function grisu2(value: number): { digits: string; exponent: number } {
  const { low, exact, high } = boundaries(value);
  const { power, k } = cachedPowerFor(high.e);
  const lowest = multiply(low, power);
  const highest = multiply(high, power);
  const middle = multiply(exact, power);
  return generateDigits({ f: lowest.f + 1n, e: lowest.e }, middle, { f: highest.f - 1n, e: highest.e }, -k);
}

/** The digits of `high` until they determine a number between `low` and `high`, the last one moved towards `middle`. */
function generateDigits(
  low: Scaled,
  middle: Scaled,
  high: Scaled,
  decimal: number,
): { digits: string; exponent: number } {
  let delta = high.f - low.f;
  let distance = high.f - middle.f;
  const shift = BigInt(-high.e);
  const one = 1n << shift;
  const whole = (high.f >> shift).toString();
  let integral = high.f >> shift;
  let fractional = high.f & (one - 1n);
  let digits = "";
  for (let left = whole.length; left > 0; left--) {
    const power = 10n ** BigInt(left - 1);
    digits += (integral / power).toString();
    integral %= power;
    const rest = (integral << shift) + fractional;
    if (rest <= delta) {
      return { digits: roundLast(digits, distance, delta, rest, power << shift), exponent: decimal + left - 1 };
    }
  }
  let exponent = decimal;
  do {
    fractional *= 10n;
    digits += (fractional >> shift).toString();
    fractional &= one - 1n;
    exponent--;
    delta *= 10n;
    distance *= 10n;
  } while (fractional > delta);
  return { digits: roundLast(digits, distance, delta, fractional, one), exponent };
}

/** Lowers the last digit while that comes closer to the exact value and stays within the interval. */
function roundLast(digits: string, distance: bigint, delta: bigint, rest: bigint, unit: bigint): string {
  let last = digits.charCodeAt(digits.length - 1) - 0x30;
  let remainder = rest;
  while (
    remainder < distance &&
    delta - remainder >= unit &&
    (remainder + unit < distance || distance - remainder > remainder + unit - distance)
  ) {
    last--;
    remainder += unit;
  }
  return digits.slice(0, -1) + String(last);
}
