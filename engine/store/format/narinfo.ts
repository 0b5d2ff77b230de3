/** .narinfo and nix-cache-info: the texts by which a binary cache says what it has. */
import type { PathInfo } from "../path-info.ts";
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
 * Unknown fields are skipped, as Nix does.
 * @throws FormatError "narinfo", naming the field
 */
export function parseNarInfo(text: string, whence: string, storeDir = DEFAULT_STORE_DIR): NarInfo {
  const fields = new Map<string, string>();
  const signatures: string[] = [];
  for (const line of text.split("\n").slice(0, text.endsWith("\n") ? -1 : undefined)) {
    const colon = line.indexOf(":");
    if (colon < 0 || line[colon + 1] !== " ") throw corrupt(whence, "expecting ': '");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    if (name === "Sig") signatures.push(value);
    else if (fields.has(name)) throw corrupt(whence, `extra ${name}`);
    else fields.set(name, value);
  }
  const required = (name: string) => {
    const value = fields.get(name);
    if (value === undefined || value === "") throw corrupt(whence, `missing ${name}`);
    return value;
  };
  const references = (fields.get("References") ?? "").split(" ").filter((name) => name !== "");
  const deriver = fields.get("Deriver");
  const ca = fields.get("CA");
  const info = {
    path: parsePath(required("StorePath"), whence, storeDir),
    narHash: parseNarHash(required("NarHash"), whence),
    narSize: parseSize(required("NarSize"), "NarSize", whence),
    references: references.map((name) => parseName(name, whence, storeDir)).sort(),
    ...(deriver === undefined || deriver === "unknown-deriver"
      ? {}
      : { deriver: parseName(deriver, whence, storeDir) }),
    ...(ca === undefined || ca === "" ? {} : { ca: (parseContentAddress(ca), ca) }),
    signatures: signatures.sort(),
    ultimate: false,
  };
  const fileHash = fields.get("FileHash");
  const fileSize = fields.get("FileSize");
  return {
    info,
    url: required("URL"),
    compression: fields.get("Compression") ?? "bzip2",
    ...(fileHash === undefined ? {} : { fileHash: parseNarHash(fileHash, whence) }),
    ...(fileSize === undefined ? {} : { fileSize: parseSize(fileSize, "FileSize", whence) }),
  };
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

function parsePath(text: string, whence: string, storeDir: string): string {
  try {
    return parseStorePath(text, storeDir);
  } catch {
    throw corrupt(whence, "bad store path");
  }
}

function parseName(text: string, whence: string, storeDir: string): string {
  try {
    parseStoreBaseName(text);
  } catch {
    throw corrupt(whence, `bad store path name '${text}'`);
  }
  return `${storeDir}/${text}`;
}

function parseNarHash(text: string, whence: string): string {
  try {
    return printHash(parseHash(text), "nix32", true);
  } catch {
    throw corrupt(whence, "bad hash");
  }
}

function parseSize(text: string, name: string, whence: string): number {
  const size = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw corrupt(whence, `invalid ${name}`);
  return size;
}

function corrupt(whence: string, why: string): FormatError {
  return new FormatError("narinfo", `NAR info file '${whence}' is corrupt: ${why}`, { whence });
}
