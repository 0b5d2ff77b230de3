/**
 * The browser's own digests for whole buffers: several times as fast as any code of ours, and beside the worker's thread. Without a
 * secure context there are none, and the engine's own stay in use.
 */
import type { HashAlgorithm } from "#engine/store/format/hash.ts";

const NAMES: Readonly<Partial<Record<HashAlgorithm, string>>> = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" };

/** For `provideDigests`; undefined where the browser has no digests. */
export function browserDigest(algorithm: HashAlgorithm, bytes: Uint8Array): Promise<Uint8Array> | undefined {
  const name = NAMES[algorithm];
  if (name === undefined || !isSecureContext) return undefined;
  return crypto.subtle.digest(name, bytes as Uint8Array<ArrayBuffer>).then((digest) => new Uint8Array(digest));
}
