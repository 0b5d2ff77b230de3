/**
 * Hashes: computing them (synchronously, over bytes or byte strings) and their four written forms: base16, nix32,
 * base64 and SRI. Parsing refuses what Nix refuses, in Nix's words.
 */
import { blake3 } from "@noble/hashes/blake3.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import {
  decodeBase16,
  decodeBase64,
  decodeNix32,
  encodeBase16,
  encodeBase64,
  encodeNix32,
  nix32Length,
} from "./base-n.ts";
import { type ByteString, toBytes } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { sha256OfText } from "./sha256.ts";

export type HashAlgorithm = "blake3" | "md5" | "sha1" | "sha256" | "sha512";
export type HashFormat = "base16" | "nix32" | "base64" | "sri";

export interface Hash {
  readonly algorithm: HashAlgorithm;
  /** 16 (md5), 20 (sha1), 32 (sha256, blake3) or 64 (sha512) bytes. */
  readonly bytes: Uint8Array;
}

/** A hash that is fed piece by piece; `digest` may be called once. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

const FUNCTIONS = { blake3, md5, sha1, sha256, sha512 } as const;

/** Faster hashing where the platform has a synchronous one; it must give the same digests. */
export type HashProvider = (algorithm: HashAlgorithm) => Hasher | undefined;

let provider: HashProvider | undefined;

/** Short inputs stay with our own code: crossing over costs more than it saves. */
const PROVIDER_FROM = 4096;

/** Lets a platform's own digests do the work from now on; undefined goes back to ours. */
export function provideHashes(next: HashProvider | undefined): void {
  provider = next;
}

/**
 * Whole buffers hashed by the platform beside this thread (`crypto.subtle`); undefined where it cannot. The bytes may change as soon
 * as the call has returned.
 */
export type DigestProvider = (algorithm: HashAlgorithm, bytes: Uint8Array) => Promise<Uint8Array> | undefined;

let digests: DigestProvider | undefined;

/** Below this our own code has finished before the other thread has begun. */
const DIGESTS_FROM = 2048;

/** Lets whole buffers be hashed beside this thread from now on; undefined goes back to hashing on it. */
export function provideDigests(next: DigestProvider | undefined): void {
  digests = next;
}

/** Whether large buffers are hashed beside this thread: then it pays to put an archive together first. */
export function hasDigests(): boolean {
  return digests !== undefined;
}

/** The digest of a buffer that is wholly in memory, by whoever is fastest. */
export function digestWhole(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array> | Uint8Array {
  const provided = bytes.length < DIGESTS_FROM ? undefined : digests?.(algorithm, bytes);
  return provided ?? digest(algorithm, bytes);
}

function digest(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  const provided = bytes.length < PROVIDER_FROM ? undefined : provider?.(algorithm);
  if (provided === undefined) return FUNCTIONS[algorithm](bytes);
  provided.update(bytes);
  return provided.digest();
}

const LENGTHS: Readonly<Record<HashAlgorithm, number>> = { blake3: 32, md5: 16, sha1: 20, sha256: 32, sha512: 64 };

export function hashLength(algorithm: HashAlgorithm): number {
  return LENGTHS[algorithm];
}

/** The hash of bytes or of a byte string. */
export function hashOf(algorithm: HashAlgorithm, data: Uint8Array | ByteString): Hash {
  const bytes = typeof data === "string" ? digestText(algorithm, data) : digest(algorithm, data);
  return { algorithm, bytes };
}

/** Above this it pays to make bytes of a text where the platform can hash them. */
const TEXT_UP_TO = 1 << 14;

function digestText(algorithm: HashAlgorithm, text: ByteString): Uint8Array {
  const ours = algorithm === "sha256" && (provider === undefined || text.length < TEXT_UP_TO);
  return ours ? sha256OfText(text) : digest(algorithm, toBytes(text));
}

/** SHA-256 of bytes or of a byte string, as 32 bytes. */
export function sha256Bytes(data: Uint8Array | ByteString): Uint8Array {
  return hashOf("sha256", data).bytes;
}

/** SHA-256 in base16: the name of a blob. */
export function sha256Hex(data: Uint8Array | ByteString): string {
  return encodeBase16(sha256Bytes(data));
}

export function createHasher(algorithm: HashAlgorithm): Hasher {
  const provided = provider?.(algorithm);
  if (provided !== undefined) return provided;
  const state = FUNCTIONS[algorithm].create();
  return { update: (bytes) => void state.update(bytes), digest: () => state.digest() };
}

/** `builtins.hashString`'s result: base16 without the algorithm. */
export function hashHex(algorithm: HashAlgorithm, data: Uint8Array | ByteString): string {
  return encodeBase16(hashOf(algorithm, data).bytes);
}

/** The text of a hash; `typed` puts "sha256:" before it (SRI always names its algorithm). */
export function printHash(hash: Hash, format: HashFormat, typed = false): string {
  if (format === "sri") return `${hash.algorithm}-${encodeBase64(hash.bytes)}`;
  return (typed ? `${hash.algorithm}:` : "") + printDigest(hash.bytes, format);
}

function printDigest(bytes: Uint8Array, format: Exclude<HashFormat, "sri">): string {
  if (format === "base16") return encodeBase16(bytes);
  return format === "nix32" ? encodeNix32(bytes) : encodeBase64(bytes);
}

/**
 * Any written form of a hash: typed ("sha256:…"), SRI ("sha256-…") or, when `expected` tells the algorithm, bare.
 * @throws FormatError "hash" or "usage", in Nix's words
 */
export function parseHash(text: string, expected?: HashAlgorithm): Hash {
  const { algorithm: named, rest, sri } = splitAlgorithm(text);
  if (named === undefined && expected === undefined) {
    throw hashError(`hash '${text}' does not include a type, nor is the type otherwise known from context`);
  }
  if (named !== undefined && expected !== undefined && named !== expected) {
    throw hashError(`hash '${text}' should have type '${expected}'`);
  }
  const algorithm = named ?? (expected as HashAlgorithm);
  return { algorithm, bytes: decodeDigest(rest, algorithm, sri) };
}

/** The digest of "sha256:…"-less text whose algorithm is known, in base16, nix32 or base64, told apart by length. */
export function parseBareHash(text: string, algorithm: HashAlgorithm): Hash {
  return { algorithm, bytes: decodeDigest(text, algorithm, false) };
}

/** An SRI hash and nothing else. */
export function parseSriHash(text: string): Hash {
  const dash = text.indexOf("-");
  if (dash < 0) throw hashError(`hash '${text}' is not SRI`);
  const algorithm = parseHashAlgorithm(text.slice(0, dash));
  return { algorithm, bytes: decodeDigest(text.slice(dash + 1), algorithm, true) };
}

/** @throws FormatError "usage" on a name that Nix does not know */
export function parseHashAlgorithm(name: string): HashAlgorithm {
  if (isHashAlgorithm(name)) return name;
  const message = `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`;
  throw new FormatError("usage", message, { name });
}

export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(LENGTHS, name);
}

/** "base32" is an old name of nix32: the caller may warn (`"base32" is a deprecated alias for hash format "nix32".`). */
export function parseHashFormat(name: string): HashFormat {
  if (name === "base16" || name === "nix32" || name === "base64" || name === "sri") return name;
  if (name === "base32") return "nix32";
  const message = `unknown hash format '${name}', expect 'base16', 'base32', 'base64', or 'sri'`;
  throw new FormatError("usage", message, { name });
}

export function equalHashes(left: Hash, right: Hash): boolean {
  return left.algorithm === right.algorithm && encodeBase16(left.bytes) === encodeBase16(right.bytes);
}

/** The all-zero hash, which Nix puts where a hash is still unknown. */
export function zeroHash(algorithm: HashAlgorithm): Hash {
  return { algorithm, bytes: new Uint8Array(LENGTHS[algorithm]) };
}

/** Folds a hash onto `size` bytes with exclusive or: how Nix shortens hashes for store paths. */
export function compressDigest(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const folded = new Uint8Array(size);
  for (let index = 0; index < bytes.length; index++) {
    folded[index % size] = (folded[index % size] as number) ^ (bytes[index] as number);
  }
  return folded;
}

function splitAlgorithm(text: string): { algorithm: HashAlgorithm | undefined; rest: string; sri: boolean } {
  const colon = text.indexOf(":");
  const at = colon >= 0 ? colon : text.indexOf("-");
  if (at < 0) return { algorithm: undefined, rest: text, sri: false };
  return { algorithm: parseHashAlgorithm(text.slice(0, at)), rest: text.slice(at + 1), sri: colon < 0 };
}

function decodeDigest(text: string, algorithm: HashAlgorithm, sri: boolean): Uint8Array {
  const length = LENGTHS[algorithm];
  const [form, decode] = decoderFor(text, length, sri);
  if (decode === undefined) throw hashError(`hash '${text}' has wrong length for hash algorithm '${algorithm}'`);
  // A wrong char leaves nothing: Nix then speaks of "length 0".
  const bytes = decode(text) ?? new Uint8Array(0);
  if (bytes.length === length) return bytes;
  throw hashError(`invalid ${form} hash '${text}', length ${bytes.length} != expected length ${length}`);
}

function decoderFor(
  text: string,
  length: number,
  sri: boolean,
): [string, ((text: string) => Uint8Array | undefined) | undefined] {
  if (sri) return ["SRI", decodeBase64];
  if (text.length === 2 * length) return ["base16", decodeBase16];
  if (text.length === nix32Length(length)) return ["nix32", decodeNix32];
  if (text.length === Math.ceil(length / 3) * 4) return ["Base64", decodeBase64];
  return ["", undefined];
}

function hashError(message: string): FormatError {
  return new FormatError("hash", message);
}
