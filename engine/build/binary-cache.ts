/**
 * Binary caches: reading one as a Substituter and writing paths into one. Both work on files by name, so that a cache may
 * be a directory, an uploaded archive or a web address. What a cache says is never believed: hash and size of the
 * compressed file, of the NAR, and the signature are checked, the last two by whoever registers the path.
 */
import { fromBytes, toBytes } from "../store/format/bytes.ts";
import { createHasher, hashOf, parseHash, printHash } from "../store/format/hash.ts";
import { type NarInfo, parseCacheInfo, parseNarInfo, printNarInfo } from "../store/format/narinfo.ts";
import { type SecretKey, signInfo } from "../store/format/signature.ts";
import { type StorePath, hashPartOf } from "../store/format/store-path.ts";
import { StoreError } from "../store/error.ts";
import type { Store } from "../store/store.ts";
import type { Offer, Substituter } from "./substituter.ts";

/** A cache's files by name: "nix-cache-info", "<hash>.narinfo", "nar/…". */
export interface CacheFiles {
  readonly url: string;
  /** Undefined when there is no such file. @throws StoreError "network" */
  read(name: string): Promise<Uint8Array | undefined>;
}

export interface WritableCacheFiles extends CacheFiles {
  write(name: string, contents: Uint8Array): Promise<void>;
}

export interface CacheOptions {
  readonly storeDir: string;
  readonly trusted: boolean;
  readonly priority?: number;
  /** Unpacks a file whose compression is named; without it only uncompressed NARs are read. */
  readonly decompress?: (bytes: Uint8Array, compression: string) => Promise<Uint8Array>;
}

export class BinaryCacheReader implements Substituter {
  readonly name: string;
  readonly trusted: boolean;
  readonly priority: number;
  readonly #files: CacheFiles;
  readonly #options: CacheOptions;
  /** Answers kept, misses too: a path is asked for once. */
  readonly #known = new Map<StorePath, Promise<NarInfo | undefined>>();

  constructor(files: CacheFiles, options: CacheOptions) {
    this.name = files.url;
    this.trusted = options.trusted;
    this.priority = options.priority ?? 50;
    this.#files = files;
    this.#options = options;
  }

  /** Opens a cache with the priority it asks for itself. @throws StoreError "usage" when it is of another store directory */
  static async open(files: CacheFiles, options: CacheOptions): Promise<BinaryCacheReader> {
    const bytes = await files.read("nix-cache-info");
    if (bytes === undefined) throw new StoreError("network", `'${files.url}' does not appear to be a binary cache`);
    const info = parseCacheInfo(fromBytes(bytes));
    if (info.storeDir !== options.storeDir) {
      const message = `binary cache '${files.url}' is for Nix stores with prefix '${info.storeDir}', not '${options.storeDir}'`;
      throw new StoreError("network", message);
    }
    return new BinaryCacheReader(files, { priority: info.priority, ...options });
  }

  async offer(path: StorePath): Promise<Offer | undefined> {
    const found = await this.#narInfo(path);
    return found && { info: found.info, downloadSize: found.fileSize ?? found.info.narSize };
  }

  async *nar(path: StorePath): AsyncGenerator<Uint8Array> {
    const found = await this.#narInfo(path);
    const file = found && (await this.#files.read(found.url));
    if (found === undefined || file === undefined) {
      throw new StoreError("network", `file '${found?.url ?? path}' does not exist in binary cache`, {
        path,
      });
    }
    checkFile(found, file);
    yield await this.#unpack(found, file);
  }

  #narInfo(path: StorePath): Promise<NarInfo | undefined> {
    let known = this.#known.get(path);
    if (known !== undefined) return known;
    known = this.#readNarInfo(path);
    this.#known.set(path, known);
    // What went wrong may go right the next time.
    known.catch(() => this.#known.delete(path));
    return known;
  }

  async #readNarInfo(path: StorePath): Promise<NarInfo | undefined> {
    const name = `${hashPartOf(path)}.narinfo`;
    const bytes = await this.#files.read(name);
    if (bytes === undefined) return undefined;
    const found = parseNarInfo(fromBytes(bytes), name, this.#options.storeDir);
    if (found.info.path === path) return found;
    throw new StoreError("corrupt", `NAR info file '${name}' is for another path: '${found.info.path}'`, { path });
  }

  async #unpack({ compression, url }: NarInfo, file: Uint8Array): Promise<Uint8Array> {
    if (compression === "none" || compression === "") return file;
    if (this.#options.decompress === undefined) {
      throw new StoreError("network", `cannot decompress '${url}': ${compression} is not known here`, { compression });
    }
    return this.#options.decompress(file, compression);
  }
}

function checkFile({ fileHash, fileSize, url, info }: NarInfo, file: Uint8Array): void {
  if (fileSize !== undefined && fileSize !== file.length) {
    throw new StoreError("hash-mismatch", `size of '${url}' is ${file.length}, not ${fileSize}`, { path: info.path });
  }
  if (fileHash === undefined) return;
  const wanted = parseHash(fileHash);
  const got = printHash(hashOf(wanted.algorithm, file), "nix32", true);
  if (got !== fileHash) {
    throw new StoreError("hash-mismatch", `hash of '${url}' is '${got}', not '${fileHash}'`, { path: info.path });
  }
}

export interface WriteOptions {
  readonly compress?: {
    readonly name: string;
    readonly extension: string;
    readonly run: (bytes: Uint8Array) => Promise<Uint8Array>;
  };
  readonly key?: SecretKey;
  readonly onCopy?: (path: StorePath) => void;
}

/** Writes paths (references first, so that a reader never sees a path whose references are missing). */
export async function writeToCache(
  store: Store,
  paths: readonly StorePath[],
  files: WritableCacheFiles,
  options: WriteOptions = {},
): Promise<void> {
  if ((await files.read("nix-cache-info")) === undefined) {
    await files.write("nix-cache-info", toBytes(`StoreDir: ${store.storeDir}\n`));
  }
  for (const path of paths) {
    const name = `${hashPartOf(path)}.narinfo`;
    if ((await files.read(name)) !== undefined) continue;
    options.onCopy?.(path);
    await files.write(name, toBytes(printNarInfo(await writeNarFile(store, path, files, options))));
  }
}

async function writeNarFile(
  store: Store,
  path: StorePath,
  files: WritableCacheFiles,
  options: WriteOptions,
): Promise<NarInfo> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.nar(path)) pieces.push(piece);
  const nar = joined(pieces);
  const { compress } = options;
  const packed = compress === undefined ? nar : await compress.run(nar);
  const hasher = createHasher("sha256");
  hasher.update(packed);
  const hash = { algorithm: "sha256" as const, bytes: hasher.digest() };
  const url = `nar/${printHash(hash, "nix32")}.nar${compress === undefined ? "" : `.${compress.extension}`}`;
  await files.write(url, packed);
  const info = store.requireInfo(path);
  const signatures =
    options.key === undefined ? info.signatures : [...new Set([...info.signatures, signInfo(info, options.key)])];
  return {
    info: { ...info, signatures },
    url,
    compression: compress?.name ?? "none",
    fileHash: printHash(hash, "nix32", true),
    fileSize: packed.length,
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
