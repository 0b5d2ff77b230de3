/**
 * Bytes in their two shapes: a ByteString (a JavaScript string with one char 0…255 a byte, which V8 keeps in one byte
 * each and which Nix's own string operations work on unchanged) and a Uint8Array. UTF-8 is handled here too, because
 * the engine has neither TextEncoder nor TextDecoder. Invariant: a ByteString never holds a char above 255.
 */

/** A string whose every char is one byte. Text from outside becomes one by `encodeUtf8`. */
export type ByteString = string;

/** Chars given to one `String.fromCharCode` call: large enough to be fast, small enough for every engine's argument limit. */
const CHUNK = 8192;

export const EMPTY_BYTES = new Uint8Array(0);

/** The bytes of a byte string; chars above 255 are a caller's bug and lose their high bits. */
export function toBytes(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The byte string of some bytes (of `bytes[start, end)` when given). */
export function fromBytes(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  if (end - start <= CHUNK) return chunkToString(bytes, start, end);
  const parts: string[] = [];
  for (let at = start; at < end; at += CHUNK) parts.push(chunkToString(bytes, at, Math.min(end, at + CHUNK)));
  return parts.join("");
}

function chunkToString(bytes: Uint8Array, start: number, end: number): ByteString {
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}

/** Unicode text as UTF-8 in a byte string. A lone surrogate becomes U+FFFD, as TextEncoder has it. */
export function encodeUtf8(text: string): ByteString {
  if (isAscii(text)) return text;
  let out = "";
  for (const char of text) out += encodeCodePoint(char.codePointAt(0) as number);
  return out;
}

/** One code point as UTF-8. */
export function encodeCodePoint(point: number): ByteString {
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
  if (point >= 0xd800 && point <= 0xdfff) return "\xef\xbf\xbd";
  if (point < 0x10000) {
    return String.fromCharCode(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
  }
  return String.fromCharCode(
    0xf0 | (point >> 18),
    0x80 | ((point >> 12) & 0x3f),
    0x80 | ((point >> 6) & 0x3f),
    0x80 | (point & 0x3f),
  );
}

/** UTF-8 in a byte string as Unicode text; every malformed sequence becomes one U+FFFD (the WHATWG rule). */
export function decodeUtf8(text: ByteString): string {
  if (isAscii(text)) return text;
  let out = "";
  for (let at = 0; at < text.length;) {
    const [point, length] = decodeCodePoint(text, at);
    out += point < 0 ? "\uFFFD" : String.fromCodePoint(point);
    at += length;
  }
  return out;
}

/** Whether a byte string is well-formed UTF-8. */
export function isUtf8(text: ByteString): boolean {
  for (let at = 0; at < text.length;) {
    if (text.charCodeAt(at) < 0x80) {
      at++;
      continue;
    }
    const [point, length] = decodeCodePoint(text, at);
    if (point < 0) return false;
    at += length;
  }
  return true;
}

/** The code point at `at` and its length in bytes; [-1, length of the maximal malformed part] when malformed. */
export function decodeCodePoint(text: ByteString, at: number): readonly [point: number, length: number] {
  const lead = text.charCodeAt(at);
  if (lead < 0x80) return [lead, 1];
  if (lead < 0xc2 || lead > 0xf4) return [-1, 1];
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let point = lead & (0xff >> (length + 1));
  for (let index = 1; index < length; index++) {
    const byte = at + index < text.length ? text.charCodeAt(at + index) : 0;
    if (byte < lowestContinuation(lead, index) || byte > highestContinuation(lead, index)) return [-1, index];
    point = (point << 6) | (byte & 0x3f);
  }
  return [point, length];
}

/** The first continuation byte rules out overlong forms … */
function lowestContinuation(lead: number, index: number): number {
  if (index !== 1) return 0x80;
  return lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
}

/** … and surrogates and points beyond U+10FFFF. */
function highestContinuation(lead: number, index: number): number {
  if (index !== 1) return 0xbf;
  return lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Byte order of two byte strings (JavaScript's own string order is by char, hence by byte). */
export function compareByteStrings(left: ByteString, right: ByteString): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
