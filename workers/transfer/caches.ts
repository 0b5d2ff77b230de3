/**
 * Binary caches that the visitor gave to this browser: their files, kept as they came, and which key is trusted for each. What they say
 * is believed only for a path whose signature that key has made, or whose name is the hash of its content.
 *
 * Keys: `record/<id>` CacheRecord, `file/<id>/<name>` bytes. Invariant: a cache is there when its record is, which is committed last.
 */
import type { Backing } from "#engine/store/backing.ts";
import { StoreError } from "#engine/store/error.ts";
import { fromBytes } from "#engine/store/format/bytes.ts";
import { type CacheInfo, type NarInfo, parseCacheInfo, parseNarInfo } from "#engine/store/format/narinfo.ts";
import { isTrusted, parsePublicKey } from "#engine/store/format/signature.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import { type SourceTree, nodeAt, walkTree } from "#engine/store/format/tree.ts";
import type { CacheRecord, OnProgress } from "./types.ts";

export const CACHES = "terrarium-caches";

const RECORD = "record/";
const FILE = "file/";
const BATCH_BYTES = 4_000_000;
const BATCH_COUNT = 500;

export async function listCaches(backing: Backing): Promise<CacheRecord[]> {
  const records = (await backing.getMany(await backing.keys(RECORD))) as CacheRecord[];
  return records.sort((left, right) => left.added - right.added);
}

/** A cache's file by the name it has below `nix-cache-info`'s folder. */
export async function readCacheFile(backing: Backing, id: string, name: string): Promise<Uint8Array | undefined> {
  return (await backing.get(`${FILE}${id}/${name}`)) as Uint8Array | undefined;
}

interface NewCache {
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Keeps a cache; it may lie in any folder of the tree.
 * @throws StoreError "usage" when there is none, "corrupt" when what it lists is not in it
 */
export async function addCache(
  backing: Backing,
  tree: SourceTree,
  { id, title, now }: NewCache,
  onProgress: OnProgress,
): Promise<CacheRecord> {
  const files = cacheFiles(tree, title);
  const infos = [...files].flatMap(([name, bytes]) =>
    name.endsWith(".narinfo") ? [parseNarInfo(fromBytes(bytes), name)] : [],
  );
  for (const { info, url } of infos) {
    if (!files.has(url)) throw new StoreError("corrupt", `${title} lists '${info.path}', but has no ${url}`);
  }
  const wanted = new Set(["nix-cache-info", ...infos.map(({ url }) => url)]);
  const kept = [...files].filter(([name]) => name.endsWith(".narinfo") || wanted.has(name));
  let puts: [string, Uint8Array][] = [];
  let size = 0;
  for (const [count, [name, bytes]] of kept.entries()) {
    puts.push([`${FILE}${id}/${name}`, bytes.slice()]);
    size += bytes.length;
    if (size < BATCH_BYTES && puts.length < BATCH_COUNT && count < kept.length - 1) continue;
    onProgress(`Keeping ${infos.length} paths`, count / kept.length);
    await backing.commit({ puts, deletes: [], expect: [], require: [] });
    [puts, size] = [[], 0];
  }
  const record: CacheRecord = {
    id,
    title,
    added: now,
    paths: infos.length,
    bytes: kept.reduce((sum, [, bytes]) => sum + bytes.length, 0),
    signers: [...new Set(infos.flatMap(({ info }) => info.signatures.map((signature) => signature.split(":")[0])))],
    key: null,
    trusted: countTrusted(infos, null),
    priority: cacheInfo(files).priority,
  };
  await backing.commit({ puts: [[RECORD + id, record]], deletes: [], expect: [], require: [] });
  return record;
}

/**
 * Trusts a key (`name:base64`) for a cache, or none.
 * @throws FormatError "signature" on what is no key
 */
export async function trustKey(backing: Backing, id: string, key: string | null): Promise<CacheRecord> {
  const record = (await backing.get(RECORD + id)) as CacheRecord | undefined;
  if (record === undefined) throw new StoreError("missing", "this cache is not in this browser any more");
  const names = (await backing.keys(`${FILE}${id}/`)).filter((name) => name.endsWith(".narinfo"));
  const infos = (await backing.getMany(names)).map((bytes, at) =>
    parseNarInfo(fromBytes(bytes as Uint8Array), names[at]),
  );
  const changed: CacheRecord = { ...record, key, trusted: countTrusted(infos, key) };
  await backing.commit({ puts: [[RECORD + id, changed]], deletes: [], expect: [], require: [] });
  return changed;
}

export async function removeCache(backing: Backing, id: string): Promise<void> {
  await backing.commit({ puts: [], deletes: [RECORD + id], expect: [], require: [] });
  const deletes = await backing.keys(`${FILE}${id}/`);
  await backing.commit({ puts: [], deletes, expect: [], require: [] });
}

const countTrusted = (infos: readonly NarInfo[], key: string | null): number => {
  const keys = key === null ? [] : [parsePublicKey(key)];
  return infos.filter(({ info }) => isTrusted(info, keys)).length;
};

/** The files of the cache by name: those below the folder that `nix-cache-info` lies in. */
function cacheFiles(tree: SourceTree, title: string): Map<string, Uint8Array> {
  const [marker] = [...walkTree(tree)].map(([path]) => path).filter((path) => /(?:^|\/)nix-cache-info$/.test(path));
  if (marker === undefined) throw new StoreError("usage", `${title} is no binary cache: it has no nix-cache-info`);
  const folder = marker.slice(0, -"nix-cache-info".length);
  const files = new Map<string, Uint8Array>();
  const root = nodeAt(tree, folder);
  if (root === undefined) return files;
  for (const [path, node] of walkTree(root)) if (node.type === "regular") files.set(path.slice(1), node.contents);
  const { storeDir } = cacheInfo(files);
  if (storeDir !== DEFAULT_STORE_DIR) {
    throw new StoreError("usage", `${title} is for Nix stores with prefix '${storeDir}', not '${DEFAULT_STORE_DIR}'`);
  }
  return files;
}

const cacheInfo = (files: ReadonlyMap<string, Uint8Array>): CacheInfo =>
  parseCacheInfo(fromBytes(files.get("nix-cache-info") as Uint8Array));
