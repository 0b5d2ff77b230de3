/**
 * Finding references: a path refers to another when the other's hash part occurs anywhere in its NAR. The scan is over
 * bytes as they pass, also across pieces. The hash of a self-referring object is taken "modulo" its own hash part.
 */
import { NIX32_ALPHABET } from "./format/base-n.ts";
import { toBytes } from "./format/bytes.ts";
import { type Hash, type HashAlgorithm, hashOf } from "./format/hash.ts";
import { type StorePath, hashPartOf } from "./format/store-path.ts";

const HASH_CHARS = 32;

const IS_NIX32 = new Uint8Array(256);
for (const char of NIX32_ALPHABET) IS_NIX32[char.charCodeAt(0)] = 1;

/** Looks for the hash parts of some paths in pieces of bytes. */
export class ReferenceScanner {
  readonly #wanted: Map<string, StorePath>;
  readonly #found = new Set<StorePath>();
  #tail = new Uint8Array(0);

  constructor(candidates: Iterable<StorePath>) {
    this.#wanted = new Map(Array.from(candidates, (path) => [hashPartOf(path), path]));
  }

  push(piece: Uint8Array): void {
    if (this.#wanted.size === 0) return;
    this.#scan(this.#joinedWithTail(piece));
    this.#scan(piece);
    this.#keepTail(piece);
  }

  /** The candidates seen so far, in byte order. */
  found(): StorePath[] {
    return [...this.#found].sort();
  }

  /** Only what may straddle the border: the last 31 bytes before and the first 31 bytes of the piece. */
  #joinedWithTail(piece: Uint8Array): Uint8Array {
    const head = piece.subarray(0, HASH_CHARS - 1);
    const joined = new Uint8Array(this.#tail.length + head.length);
    joined.set(this.#tail);
    joined.set(head, this.#tail.length);
    return joined;
  }

  #keepTail(piece: Uint8Array): void {
    const joined = piece.length >= HASH_CHARS - 1 ? piece : this.#joinedWithTail(piece);
    this.#tail = joined.slice(-(HASH_CHARS - 1));
  }

  /** Skips ahead by looking at a window's last byte first, as a wrong one rules out every window over it. */
  #scan(bytes: Uint8Array): void {
    for (let start = 0; start + HASH_CHARS <= bytes.length;) {
      let at = start + HASH_CHARS - 1;
      while (at >= start && IS_NIX32[bytes[at] as number] === 1) at--;
      if (at >= start) {
        start = at + 1;
        continue;
      }
      const path = this.#wanted.get(String.fromCharCode(...bytes.subarray(start, start + HASH_CHARS)));
      if (path !== undefined) this.#found.add(path);
      start++;
    }
  }
}

/** Which of the candidates some bytes refer to. */
export function scanReferences(bytes: Uint8Array, candidates: Iterable<StorePath>): StorePath[] {
  const scanner = new ReferenceScanner(candidates);
  scanner.push(bytes);
  return scanner.found();
}

/** Where a hash part occurs in some bytes. */
export function occurrences(bytes: Uint8Array, hashPart: string): number[] {
  const wanted = toBytes(hashPart);
  const offsets: number[] = [];
  for (let at = bytes.indexOf(wanted[0] as number); at >= 0; at = bytes.indexOf(wanted[0] as number, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) offsets.push(at);
  }
  return offsets;
}

/** The same bytes with every occurrence of one hash part replaced by another of the same length. */
export function rewriteHash(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const offsets = occurrences(bytes, from);
  if (offsets.length === 0) return bytes;
  const rewritten = bytes.slice();
  for (const offset of offsets) rewritten.set(toBytes(to), offset);
  return rewritten;
}

/**
 * The hash of bytes that may contain the hash part it will become: the part counts as zero bytes. (Nix means to hash the
 * places where it stood as well; version 2.34 does not, and a content address has to be the same as its.)
 */
export function hashModulo(bytes: Uint8Array, algorithm: HashAlgorithm, selfHashPart: string): Hash {
  const blanked = bytes.slice();
  for (const offset of occurrences(bytes, selfHashPart)) blanked.fill(0, offset, offset + selfHashPart.length);
  return hashOf(algorithm, blanked);
}
