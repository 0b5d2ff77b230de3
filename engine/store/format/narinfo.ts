/** .narinfo and nix-cache-info: the texts by which a binary cache says what it has. */
import type { PathInfo } from "../path-info.ts";
import { decodeBase64 } from "./base-n.ts";
import { FormatError } from "./error.ts";
import { parseHash, printHash } from "./hash.ts";
import {
  DEFAULT_STORE_DIR,
  baseNameOf,
  parseContentAddress,
  parseStoreBaseName,
  parseStorePath,
} from "./store-path.ts";

export interface NarInfo {
  readonly info: Omit<PathInfo, "registrationTime">;
  /** Relative to the cache's root. */
  readonly url: string;
  /** "none", "xz", "bzip2", "gzip", "zstd", "br", … as written. */
  readonly compression: string;
  /** Of the compressed file: "sha256:" and nix32; absent when the cache does not say. */
  readonly fileHash?: string;
  readonly fileSize?: number;
}

export function printNarInfo({ info, url, compression, fileHash, fileSize }: NarInfo): string {
  const lines = [
    `StorePath: ${info.path}`,
    `URL: ${url}`,
    `Compression: ${compression}`,
    ...(fileHash === undefined ? [] : [`FileHash: ${fileHash}`]),
    ...(fileSize === undefined ? [] : [`FileSize: ${fileSize}`]),
    `NarHash: ${info.narHash}`,
    `NarSize: ${info.narSize}`,
    `References: ${info.references.map(baseNameOf).join(" ")}`,
    ...(info.deriver === undefined ? [] : [`Deriver: ${baseNameOf(info.deriver)}`]),
    ...info.signatures.map((signature) => `Sig: ${signature}`),
    ...(info.ca === undefined ? [] : [`CA: ${info.ca}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Reads as Nix does: unknown fields are skipped, a field that comes twice is what it was last, and what stands between the end of a
 * line and the next colon is a name.
 * @throws FormatError "narinfo" that names the line; "store-path", "content-address" or "signature" from what the fields hold
 */
export function parseNarInfo(text: string, whence: string, storeDir = DEFAULT_STORE_DIR): NarInfo {
  const fields = new Map<string, Field>();
  const signatures: string[] = [];
  for (const field of readFields(text, whence)) {
    if (field.name === "Sig") signatures.push(checkedSignature(field.value));
    else fields.set(field.name, field);
  }
  const required = (name: string) => {
    const field = fields.get(name);
    if (field === undefined || field.value === "") throw corrupt(whence, `${name} missing`);
    return field;
  };
  const path = parseStorePath(required("StorePath").value, storeDir);
  const narHash = parseNarHash(required("NarHash"), whence);
  const url = required("URL").value;
  const narSize = parseSize(fields.get("NarSize") ?? { name: "NarSize", value: "0", line: 0 }, whence);
  if (narSize === 0) throw corrupt(whence, "NarSize missing or zero");
  const names = (fields.get("References")?.value ?? "").split(" ").filter((name) => name !== "");
  const deriver = fields.get("Deriver")?.value;
  const ca = fields.get("CA")?.value;
  const info = {
    path,
    narHash,
    narSize,
    references: names.map((name) => parseName(name, storeDir)).sort(),
    ...(deriver === undefined || deriver === "unknown-deriver" ? {} : { deriver: parseName(deriver, storeDir) }),
    ...(ca === undefined || ca === "" ? {} : { ca: (parseContentAddress(ca), ca) }),
    signatures: signatures.sort(),
    ultimate: false,
  };
  const fileHash = fields.get("FileHash");
  const fileSize = fields.get("FileSize");
  return {
    info,
    url,
    compression: fields.get("Compression")?.value ?? "bzip2",
    ...(fileHash === undefined ? {} : { fileHash: parseNarHash(fileHash, whence) }),
    ...(fileSize === undefined ? {} : { fileSize: parseSize(fileSize, whence) }),
  };
}

interface Field {
  readonly name: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

function* readFields(text: string, whence: string): Generator<Field, void> {
  let line = 1;
  for (let at = 0; at < text.length; line++) {
    const colon = text.indexOf(":", at);
    if (colon < 0) throw corrupt(whence, `expecting ':' at line ${line}`);
    const end = text.indexOf("\n", colon + 2);
    if (end < 0) throw corrupt(whence, `expecting '\n' at line ${line}`);
    yield { name: text.slice(at, colon), value: text.slice(colon + 2, end), line };
    at = end + 1;
  }
}

function checkedSignature(text: string): string {
  const payload = decodeBase64(text.slice(text.indexOf(":") + 1));
  if (text.indexOf(":") > 0 && payload !== undefined && payload.length > 0) return text;
  throw new FormatError("signature", "signature is corrupt", { text });
}

export interface CacheInfo {
  readonly storeDir: string;
  readonly wantMassQuery: boolean;
  readonly priority: number;
}

export function printCacheInfo({ storeDir, wantMassQuery, priority }: CacheInfo): string {
  return `StoreDir: ${storeDir}\nWantMassQuery: ${wantMassQuery ? 1 : 0}\nPriority: ${priority}\n`;
}

export function parseCacheInfo(text: string): CacheInfo {
  const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "m").exec(text)?.[1];
  const priority = Number(field("Priority") ?? "50");
  return {
    storeDir: field("StoreDir") ?? DEFAULT_STORE_DIR,
    wantMassQuery: field("WantMassQuery") === "1",
    priority: Number.isFinite(priority) ? priority : 50,
  };
}

function parseName(text: string, storeDir: string): string {
  parseStoreBaseName(text);
  return `${storeDir}/${text}`;
}

function parseNarHash({ value, line }: Field, whence: string): string {
  try {
    return printHash(parseHash(value), "nix32", true);
  } catch {
    throw corrupt(whence, `bad hash at line ${line}`);
  }
}

function parseSize({ name, value, line }: Field, whence: string): number {
  const size = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw corrupt(whence, `invalid ${name} at line ${line}`);
  return size;
}

function corrupt(whence: string, why: string): FormatError {
  return new FormatError("narinfo", `NAR info file '${whence}' is corrupt: ${why}`, { whence });
}
