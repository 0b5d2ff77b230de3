/**
 * Ed25519 signatures (RFC 8032) over BigInt: signing and checking narinfos. Not constant in time: keys here sign public
 * data on their owner's own machine.
 */
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "./bytes.ts";

const P = 2n ** 255n - 19n;
/** The order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = modulo(-121665n * inverse(121666n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const IDENTITY: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
const BASE = basePoint();

/** The public key (32 bytes) of a seed (32 bytes). */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  return encodePoint(multiply(BASE, secretScalar(sha512(seed))));
}

/** The signature (64 bytes) of a message. */
export function ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array {
  const expanded = sha512(seed);
  const scalar = secretScalar(expanded);
  const publicKey = encodePoint(multiply(BASE, scalar));
  const nonce = fromLittleEndian(sha512(concatBytes([expanded.subarray(32), message]))) % L;
  const commitment = encodePoint(multiply(BASE, nonce));
  const challenge = fromLittleEndian(sha512(concatBytes([commitment, publicKey, message]))) % L;
  return concatBytes([commitment, toLittleEndian((nonce + challenge * scalar) % L)]);
}

export function ed25519Verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const commitmentBytes = signature.subarray(0, 32);
  const key = decodePoint(publicKey);
  const commitment = decodePoint(commitmentBytes);
  const response = fromLittleEndian(signature.subarray(32));
  if (key === undefined || commitment === undefined || response >= L) return false;
  const challenge = fromLittleEndian(sha512(concatBytes([commitmentBytes, publicKey, message]))) % L;
  return samePoint(multiply(BASE, response), add(commitment, multiply(key, challenge)));
}

function secretScalar(expanded: Uint8Array): bigint {
  const bytes = expanded.slice(0, 32);
  bytes[0] = (bytes[0] as number) & 248;
  bytes[31] = ((bytes[31] as number) & 127) | 64;
  return fromLittleEndian(bytes);
}

function add(left: Point, right: Point): Point {
  const a = modulo((left.y - left.x) * (right.y - right.x));
  const b = modulo((left.y + left.x) * (right.y + right.x));
  const c = modulo(2n * left.t * right.t * D);
  const d = modulo(2n * left.z * right.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: modulo(e * f), y: modulo(g * h), z: modulo(f * g), t: modulo(e * h) };
}

function multiply(point: Point, scalar: bigint): Point {
  let result = IDENTITY;
  let doubling = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(result, doubling);
    doubling = add(doubling, doubling);
  }
  return result;
}

function samePoint(left: Point, right: Point): boolean {
  return modulo(left.x * right.z - right.x * left.z) === 0n && modulo(left.y * right.z - right.y * left.z) === 0n;
}

function basePoint(): Point {
  const y = modulo(4n * inverse(5n));
  const x = recoverX(y, 0n) as bigint;
  return { x, y, z: 1n, t: modulo(x * y) };
}

function recoverX(y: bigint, sign: bigint): bigint | undefined {
  const square = modulo((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x - square) !== 0n) x = modulo(x * SQRT_MINUS_ONE);
  if (modulo(x * x - square) !== 0n || (x === 0n && sign === 1n)) return undefined;
  return (x & 1n) === sign ? x : P - x;
}

function encodePoint({ x, y, z }: Point): Uint8Array {
  const scale = inverse(z);
  const bytes = toLittleEndian(modulo(y * scale));
  bytes[31] = (bytes[31] as number) | (Number(modulo(x * scale) & 1n) << 7);
  return bytes;
}

function decodePoint(bytes: Uint8Array): Point | undefined {
  const copy = bytes.slice();
  const sign = BigInt((copy[31] as number) >> 7);
  copy[31] = (copy[31] as number) & 127;
  const y = fromLittleEndian(copy);
  if (y >= P) return undefined;
  const x = recoverX(y, sign);
  return x === undefined ? undefined : { x, y, z: 1n, t: modulo(x * y) };
}

function modulo(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] as number);
  return value;
}

function toLittleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  let rest = value;
  for (let index = 0; index < 32; index++) {
    bytes[index] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}
