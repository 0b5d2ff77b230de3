/** The platform's digests for the engine: OpenSSL's are some eight times as fast as ours; it has no BLAKE3. */
import { createHash } from "node:crypto";
import { type HashAlgorithm, type Hasher, provideHashes } from "#engine/store/format/hash.ts";

export const useNativeHashes = (): void => provideHashes(nativeHasher);

function nativeHasher(algorithm: HashAlgorithm): Hasher | undefined {
  if (algorithm === "blake3") return undefined;
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}
