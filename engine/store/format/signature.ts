/**
 * Signatures of store paths: "name:base64". What is signed is the fingerprint "1;path;narHash;narSize;references". Keys
 * are written "name:base64" too: 32 bytes for a public one, 64 (seed and public key) for a secret one.
 */
import type { PathInfo } from "../path-info.ts";
import { decodeBase64, encodeBase64 } from "./base-n.ts";
import { concatBytes, toBytes } from "./bytes.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";
import { FormatError } from "./error.ts";
import { type StorePath, makeContentPath, nameOf, parseContentAddress } from "./store-path.ts";

export interface PublicKey {
  readonly name: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface SecretKey {
  readonly name: string;
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

type SignedInfo = Pick<PathInfo, "path" | "narHash" | "narSize" | "references" | "signatures" | "ca">;

function fingerprint(info: Pick<PathInfo, "path" | "narHash" | "narSize" | "references">): string {
  return `1;${info.path};${info.narHash};${info.narSize};${info.references.join(",")}`;
}

export function signInfo(info: SignedInfo, { name, seed }: SecretKey): string {
  return `${name}:${encodeBase64(ed25519Sign(toBytes(fingerprint(info)), seed))}`;
}

/** Whether one signature is by one of the keys and right. */
export function checkSignature(info: SignedInfo, signature: string, keys: readonly PublicKey[]): boolean {
  const { name, payload } = splitKey(signature, "signature");
  const key = keys.find((candidate) => candidate.name === name);
  return key !== undefined && ed25519Verify(toBytes(fingerprint(info)), payload, key.key);
}

/** How many of the info's signatures are right ones of the keys. */
function countSignatures(info: SignedInfo, keys: readonly PublicKey[]): number {
  return info.signatures.filter((signature) => checkSignature(info, signature, keys)).length;
}

/** Content-addressed paths prove themselves; all others need one trusted signature. */
export function isTrusted(info: SignedInfo, keys: readonly PublicKey[]): boolean {
  return isContentAddressed(info) || countSignatures(info, keys) > 0;
}

/** Whether a path's name is what its content address makes it: only then is the address worth anything. */
export function isContentAddressed({ path, ca, references }: Pick<SignedInfo, "path" | "ca" | "references">): boolean {
  if (ca === undefined) return false;
  const others = references.filter((reference) => reference !== path);
  try {
    const wanted = { others, self: others.length < references.length };
    return makeContentPath(parseContentAddress(ca), nameOf(path), wanted, storeDirOf(path)) === path;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

function storeDirOf(path: StorePath): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** @throws FormatError "signature" */
export function parsePublicKey(text: string): PublicKey {
  const { name, payload } = splitKey(text, "key");
  if (payload.length !== 32) throw new FormatError("signature", "public key is not valid", { name });
  return { name, key: payload };
}

export function printPublicKey({ name, key }: PublicKey): string {
  return `${name}:${encodeBase64(key)}`;
}

/** @throws FormatError "signature" */
export function parseSecretKey(text: string): SecretKey {
  const { name, payload } = splitKey(text, "key");
  if (payload.length !== 64) throw new FormatError("signature", "secret key is not valid", { name });
  return { name, seed: payload.slice(0, 32) };
}

export function printSecretKey({ name, seed }: SecretKey): string {
  return `${name}:${encodeBase64(concatBytes([seed, ed25519PublicKey(seed)]))}`;
}

export function publicKeyOf({ name, seed }: SecretKey): PublicKey {
  return { name, key: ed25519PublicKey(seed) };
}

function splitKey(text: string, what: string): { name: string; payload: Uint8Array } {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  const payload = decodeBase64(trimmed.slice(colon + 1));
  if (colon <= 0 || payload === undefined || payload.length === 0) {
    throw new FormatError("signature", `${what} is corrupt`, { text: trimmed.slice(0, Math.max(0, colon)) });
  }
  return { name: trimmed.slice(0, colon), payload };
}
