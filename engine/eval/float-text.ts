/**
 * Floats as text, as C's `printf` writes them.
 */

/** `%g` with six significant digits: what printing a value shows. */
export function printFloat(value: number): string {
  // JavaScript does not show the sign of a NaN; arithmetic on x86 only makes negative ones.
  if (Number.isNaN(value)) return "-nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, power] = halfEven((digits) => value.toExponential(digits), 5).split("e") as [string, string];
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) {
    const sign = exponent < 0 ? "-" : "+";
    return `${dropZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return dropZeros(halfEven((digits) => value.toFixed(digits), 5 - exponent));
}

/** JavaScript rounds what lies exactly between two results upwards, C to the even one. */
function halfEven(format: (digits: number) => string, digits: number): string {
  const [number, power] = format(digits + 40).split("e") as [string, string | undefined];
  const end = number.indexOf(".") + 1 + digits;
  if (!/^50*$/.test(number.slice(end)) || /[13579]/.test(number.slice(0, end).replace(".", "").at(-1)!))
    return format(digits);
  const kept = number.slice(0, end).replace(/\.$/, "");
  return power === undefined ? kept : `${kept}e${power}`;
}

const dropZeros = (digits: string): string => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);

/** `%f`: what `toString 1.5` gives. */
export function fixedFloat(value: number): string {
  if (!Number.isFinite(value)) return printFloat(value);
  const magnitude = Math.abs(value);
  if (magnitude < 1e21) return (Object.is(value, -0) ? "-" : "") + halfEven((digits) => value.toFixed(digits), 6);
  return `${BigInt(value)}.000000`;
}
