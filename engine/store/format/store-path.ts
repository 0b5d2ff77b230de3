/**
 * Store paths: "<store dir>/<32 nix32 chars>-<name>", how their hash part is made for every kind of object, and the
 * content addresses ("text:sha256:…", "fixed:r:sha256:…") from which a path can be made again. Invariant: a path is
 * always written in full, with the store directory; only messages and narinfo speak of base names.
 */
import { NIX32_ALPHABET, encodeBase16, encodeNix32 } from "./base-n.ts";
import type { ByteString } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { type Hash, compressDigest, hashOf, parseBareHash, parseHash, parseHashAlgorithm, printHash } from "./hash.ts";

/** A whole store path, e.g. "/nix/store/00000000000000000000000000000000-name". */
export type StorePath = string;

export const DEFAULT_STORE_DIR = "/nix/store";

/** How a content address hashes an object: its NAR, its only file's bytes, its git tree, or text with references. */
export type ContentMethod = "nar" | "flat" | "git" | "text";

/** Other paths (and possibly itself) that an object refers to. */
export interface PathReferences {
  readonly others: readonly StorePath[];
  readonly self: boolean;
}

export interface ContentAddress {
  readonly method: ContentMethod;
  readonly hash: Hash;
}

export const NO_REFERENCES: PathReferences = { others: [], self: false };

const HASH_CHARS = 32;
const MAX_NAME = 211;

/** Why a name cannot be a store path's name, in Nix's words; undefined when it can. */
export function storeNameProblem(name: ByteString): string | undefined {
  if (name === "") return "name must not be empty";
  if (name.length > MAX_NAME) return `name '${name}' must be no longer than ${MAX_NAME} characters`;
  if (name === "." || name === "..") return `name '${name}' is not valid`;
  if (name.startsWith(".-") || name.startsWith("..-")) {
    const first = name.slice(0, name.indexOf("-"));
    return `name '${name}' is not valid: first dash-separated component must not be '${first}'`;
  }
  const wrong = /[^0-9a-zA-Z+\-._?=]/.exec(name);
  return wrong === null ? undefined : `name '${name}' contains illegal character '${wrong[0]}'`;
}

/**
 * Checks the base name of a store path and gives its parts. Nix does not look at the char between hash and name.
 * @throws FormatError "store-path"
 */
export function parseStoreBaseName(baseName: ByteString): { hashPart: string; name: string } {
  if (baseName.length < HASH_CHARS + 1) {
    throw pathError(`'${baseName}' is too short to be a valid store path`, baseName);
  }
  const hashPart = baseName.slice(0, HASH_CHARS);
  const name = baseName.slice(HASH_CHARS + 1);
  const problem = storeNameProblem(name);
  if (problem !== undefined) throw pathError(`path '${baseName}' is not a valid store path: ${problem}`, baseName);
  for (const char of hashPart) {
    if (NIX32_ALPHABET.includes(char)) continue;
    throw pathError(`store path '${baseName}' contains illegal base-32 character '${char}'`, baseName);
  }
  return { hashPart, name };
}

/**
 * A store path from its full text (the path itself, nothing below it).
 * @throws FormatError "store-path"
 */
export function parseStorePath(path: ByteString, storeDir = DEFAULT_STORE_DIR): StorePath {
  const slash = path.lastIndexOf("/");
  if (path.slice(0, slash) !== storeDir) throw pathError(`path '${path}' is not in the Nix store`, path);
  parseStoreBaseName(path.slice(slash + 1));
  return path;
}

/** Whether the text is a store path itself. */
export function isStorePath(path: ByteString, storeDir = DEFAULT_STORE_DIR): boolean {
  const slash = path.lastIndexOf("/");
  if (slash !== storeDir.length || !path.startsWith(storeDir)) return false;
  const baseName = path.slice(slash + 1);
  if (storeNameProblem(baseName.slice(HASH_CHARS + 1)) !== undefined) return false;
  return /^[0-9a-df-np-sv-z]{32}./.test(baseName);
}

/** Whether a path lies in the store (the store directory itself does not). */
export function isInStore(path: ByteString, storeDir = DEFAULT_STORE_DIR): boolean {
  return path.startsWith(`${storeDir}/`) && path.length > storeDir.length + 1;
}

/**
 * The store path that a path lies in and the rest after it ("" or "/bin/sh").
 * @throws FormatError "store-path"
 */
export function splitStorePath(path: ByteString, storeDir = DEFAULT_STORE_DIR): readonly [StorePath, ByteString] {
  if (!isInStore(path, storeDir)) throw pathError(`path '${path}' is not in the Nix store`, path);
  const slash = path.indexOf("/", storeDir.length + 1);
  const root = slash < 0 ? path : path.slice(0, slash);
  parseStoreBaseName(root.slice(storeDir.length + 1));
  return [root, slash < 0 ? "" : path.slice(slash)];
}

/** "00000000000000000000000000000000-name" of a store path. */
export function baseNameOf(path: StorePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The 32 chars after the store directory. */
export function hashPartOf(path: StorePath): string {
  const start = path.lastIndexOf("/") + 1;
  return path.slice(start, start + HASH_CHARS);
}

export function nameOf(path: StorePath): string {
  return path.slice(path.lastIndexOf("/") + 1 + HASH_CHARS + 1);
}

export function isDerivationPath(path: StorePath): boolean {
  return path.endsWith(".drv");
}

/**
 * The general form: `type` says what the hash is of ("source", "text", "output:out", with references appended).
 * @throws FormatError "store-path" when the name is not fit for the store
 */
export function makeStorePath(type: string, hash: Hash, name: ByteString, storeDir = DEFAULT_STORE_DIR): StorePath {
  const preimage = `${type}:${hash.algorithm}:${encodeBase16(hash.bytes)}:${storeDir}:${name}`;
  const digest = compressDigest(hashOf("sha256", preimage).bytes, 20);
  const baseName = `${encodeNix32(digest)}-${name}`;
  const problem = storeNameProblem(name);
  if (problem !== undefined) throw pathError(`path '${baseName}' is not a valid store path: ${problem}`, baseName);
  return `${storeDir}/${baseName}`;
}

/** The name that an output's path has: only "out" does not show. */
export function outputPathName(drvName: string, outputName: string): string {
  return outputName === "out" ? drvName : `${drvName}-${outputName}`;
}

/** The path of an input-addressed output, from the derivation's hash modulo. */
export function makeOutputPath(
  hash: Hash,
  outputName: string,
  drvName: string,
  storeDir = DEFAULT_STORE_DIR,
): StorePath {
  return makeStorePath(`output:${outputName}`, hash, outputPathName(drvName, outputName), storeDir);
}

/**
 * The path of content-addressed objects: text, sources (NAR by SHA-256), and fixed outputs of any kind. References are
 * possible for "text" (not to itself) and for NAR by SHA-256 only.
 * @throws FormatError "content-address"
 */
export function makeContentPath(
  address: ContentAddress,
  name: ByteString,
  references: PathReferences = NO_REFERENCES,
  storeDir = DEFAULT_STORE_DIR,
): StorePath {
  if (address.method === "text") return makeTextPathOf(address.hash, name, references, storeDir);
  if (address.method === "nar" && address.hash.algorithm === "sha256") {
    return makeStorePath(typeWithReferences("source", references), address.hash, name, storeDir);
  }
  if (references.others.length > 0 || references.self) {
    const message = `fixed output derivation '${name}' is not allowed to refer to other store paths.\nYou may need to use the 'unsafeDiscardReferences' derivation attribute, see the manual for more details.`;
    throw new FormatError("content-address", message, { name });
  }
  const method = address.method === "nar" ? "r:" : address.method === "git" ? "git:" : "";
  const inner = hashOf("sha256", `fixed:out:${method}${printHash(address.hash, "base16", true)}:`);
  return makeStorePath("output:out", inner, name, storeDir);
}

/** `builtins.toFile`'s path, and every derivation's: the text's SHA-256 and its references. */
export function makeTextPath(
  name: ByteString,
  text: Uint8Array | ByteString,
  references: readonly StorePath[],
  storeDir = DEFAULT_STORE_DIR,
): StorePath {
  return makeTextPathOf(hashOf("sha256", text), name, { others: references, self: false }, storeDir);
}

/** The path of a source tree by the SHA-256 of its NAR. */
export function makeSourcePath(name: ByteString, narSha256: Hash, storeDir = DEFAULT_STORE_DIR): StorePath {
  return makeContentPath({ method: "nar", hash: narSha256 }, name, NO_REFERENCES, storeDir);
}

function makeTextPathOf(hash: Hash, name: ByteString, references: PathReferences, storeDir: string): StorePath {
  if (references.self) {
    throw new FormatError("content-address", `text object '${name}' cannot refer to itself`, { name });
  }
  return makeStorePath(typeWithReferences("text", references), hash, name, storeDir);
}

function typeWithReferences(type: string, references: PathReferences): string {
  const sorted = [...new Set(references.others)].sort();
  return [type, ...sorted].join(":") + (references.self ? ":self" : "");
}

/** "text:sha256:…", "fixed:sha256:…", "fixed:r:sha256:…", "fixed:git:sha1:…". */
export function printContentAddress(address: ContentAddress): string {
  const method = { text: "text:", flat: "fixed:", nar: "fixed:r:", git: "fixed:git:" }[address.method];
  return method + printHash(address.hash, "nix32", true);
}

/** @throws FormatError "content-address" */
export function parseContentAddress(text: string): ContentAddress {
  const [prefix, ...rest] = text.split(":");
  if (prefix !== "text" && prefix !== "fixed") {
    if (rest.length === 0)
      throw addressError(`not a content address because it is not in the form '<prefix>:<rest>': ${text}`);
    throw addressError(
      `content address prefix '${prefix}' is unrecognized. Recogonized prefixes are 'text' or 'fixed'`,
    );
  }
  const method: ContentMethod = prefix === "text" ? "text" : fixedMethod(rest[0]);
  if (method === "nar" || method === "git") rest.shift();
  const [algorithm, digest] = rest;
  if (digest === undefined || rest.length > 2) {
    throw addressError(`content address hash must be in form '<algo>:<hash>', but found: ${rest.join(":")}`);
  }
  return { method, hash: parseBareHash(digest, parseHashAlgorithm(algorithm as string)) };
}

function fixedMethod(part: string | undefined): ContentMethod {
  return part === "r" ? "nar" : part === "git" ? "git" : "flat";
}

/** A derivation output's method and algorithm as ATerm writes them: "sha256", "r:sha256", "git:sha1", "text:sha256". */
export function printMethodAlgorithm(method: ContentMethod, algorithm: string): string {
  return { flat: "", nar: "r:", git: "git:", text: "text:" }[method] + algorithm;
}

export function parseMethodAlgorithm(text: string): { method: ContentMethod; algorithm: Hash["algorithm"] } {
  const colon = text.indexOf(":");
  const prefix = colon < 0 ? "" : text.slice(0, colon);
  const methods: Readonly<Record<string, ContentMethod>> = { "": "flat", r: "nar", git: "git", text: "text" };
  const method = methods[prefix];
  if (method === undefined) return { method: "flat", algorithm: parseHashAlgorithm(text) };
  return { method, algorithm: parseHashAlgorithm(text.slice(colon + 1)) };
}

/** The content address that a fixed output's ATerm fields stand for. */
export function outputContentAddress(hashAlgorithm: string, hash: string): ContentAddress {
  const { method, algorithm } = parseMethodAlgorithm(hashAlgorithm);
  return { method, hash: parseHash(hash, algorithm) };
}

function pathError(message: string, path: string): FormatError {
  return new FormatError("store-path", message, { path });
}

function addressError(message: string): FormatError {
  return new FormatError("content-address", message);
}
