/**
 * base16, nix32 and base64 of bytes. nix32 is Nix's own base 32: 32 letters without e, o, t, u; the number is read from
 * its last byte, so the text looks reversed beside other base 32 encodings. Decoders give undefined for what they refuse.
 */
import { EMPTY_BYTES } from "./bytes.ts";

const HEX = "0123456789abcdef";
const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => HEX.charAt(byte >> 4) + HEX.charAt(byte & 15));
export const NIX32_ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const HEX_VALUE = reverseTable(HEX, "ABCDEF");
const NIX32_VALUE = reverseTable(NIX32_ALPHABET);
const BASE64_VALUE = reverseTable(BASE64);

export function encodeBase16(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at++) out += HEX_BYTES[bytes[at] as number] as string;
  return out;
}

/** Undefined when a char is no hexadecimal digit (either case) or the length is odd. */
export function decodeBase16(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const high = valueIn(HEX_VALUE, text, 2 * index);
    const low = valueIn(HEX_VALUE, text, 2 * index + 1);
    if (high < 0 || low < 0) return undefined;
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

export function nix32Length(byteLength: number): number {
  return byteLength === 0 ? 0 : Math.floor((byteLength * 8 - 1) / 5) + 1;
}

export function encodeNix32(bytes: Uint8Array): string {
  let out = "";
  for (let digit = nix32Length(bytes.length) - 1; digit >= 0; digit--) {
    const bit = digit * 5;
    const byte = bit >> 3;
    const shift = bit & 7;
    const value = ((bytes[byte] as number) >> shift) | ((bytes[byte + 1] ?? 0) << (8 - shift));
    out += NIX32_ALPHABET.charAt(value & 31);
  }
  return out;
}

/**
 * Undefined when a char is not of the alphabet. Bits beyond the last whole byte make one byte more, which the caller
 * refuses by its length: that is also how Nix words its complaint.
 */
export function decodeNix32(text: string): Uint8Array<ArrayBuffer> | undefined {
  const whole = Math.floor((text.length * 5) / 8);
  const bytes = new Uint8Array(whole + 1);
  for (let digit = 0; digit < text.length; digit++) {
    const value = valueIn(NIX32_VALUE, text, text.length - digit - 1);
    if (value < 0) return undefined;
    const bit = digit * 5;
    const byte = bit >> 3;
    const spread = value << (bit & 7);
    bytes[byte] = (bytes[byte] as number) | (spread & 255);
    if (spread > 255) bytes[byte + 1] = (bytes[byte + 1] as number) | (spread >> 8);
  }
  return bytes[whole] === 0 ? bytes.subarray(0, whole) : bytes;
}

export function encodeBase64(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const word = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    out += BASE64.charAt(word >> 18) + BASE64.charAt((word >> 12) & 63);
    out += at + 1 < bytes.length ? BASE64.charAt((word >> 6) & 63) : "=";
    out += at + 2 < bytes.length ? BASE64.charAt(word & 63) : "=";
  }
  return out;
}

/** As Nix reads it: newlines are skipped, the first "=" ends the text, left-over bits are dropped. Undefined on another char. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes: number[] = [];
  let word = 0;
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 0x3d) break;
    if (char === 0x0a) continue;
    const value = valueIn(BASE64_VALUE, text, index);
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((word >> bits) & 255);
    }
  }
  return bytes.length === 0 ? EMPTY_BYTES : Uint8Array.from(bytes);
}

function reverseTable(alphabet: string, upper = ""): Int8Array {
  const table = new Int8Array(256).fill(-1);
  for (let value = 0; value < alphabet.length; value++) table[alphabet.charCodeAt(value)] = value;
  for (let value = 0; value < upper.length; value++) table[upper.charCodeAt(value)] = 10 + value;
  return table;
}

function valueIn(table: Int8Array, text: string, index: number): number {
  return table[text.charCodeAt(index)] ?? -1;
}
