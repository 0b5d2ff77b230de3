/**
 * The binary caches that the visitor gave to this browser, as one substituter. Invariant: it offers a path only when the key trusted for
 * the cache that has it signed it, or when it is content-addressed; whoever registers it checks the content itself.
 */
import type { CancelSignal } from "#engine/build/builder.ts";
import type { Substituter } from "#engine/build/substituter.ts";
import { type PublicKey, isTrusted, parsePublicKey } from "#engine/store/format/signature.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "#engine/store/format/store-path.ts";
import { CACHES, listCaches, readCacheFile } from "../transfer/caches.ts";
import { openIdb } from "./idb.ts";

/** What the uploaded caches have, and after them another substituter's paths that these keys trust. */
export function withUploads(rest: Substituter, keys: readonly PublicKey[]): Substituter {
  const uploads = uploadedCaches();
  const ofRest = async (path: StorePath, signal?: CancelSignal) => {
    const offer = await rest.offer(path, signal);
    return offer !== undefined && isTrusted(offer.info, keys) ? offer : undefined;
  };
  return {
    name: rest.name,
    priority: uploads.priority,
    trusted: true,
    offer: async (path, signal) => (await uploads.offer(path, signal)) ?? ofRest(path, signal),
    async *nar(path, signal) {
      yield* (await uploads.offer(path)) === undefined ? rest.nar(path, signal) : uploads.nar(path, signal);
    },
  };
}

/** Caches are opened when a path is first wanted, and those that came or changed since when the next is. */
function uploadedCaches(): Substituter {
  const backing = openIdb(CACHES);
  const opened = new Map<string, Promise<Substituter>>();

  const openCache = async (id: string, title: string): Promise<Substituter> => {
    const [{ BinaryCacheReader }, { decompress }] = await Promise.all([
      import("#engine/build/binary-cache.ts"),
      import("./decompress.ts"),
    ]);
    const files = { url: title, read: (name: string) => readCacheFile(backing, id, name) };
    return BinaryCacheReader.open(files, { storeDir: DEFAULT_STORE_DIR, trusted: false, decompress });
  };

  /** The first cache that has the path and is trusted for it. */
  const find = async (path: StorePath) => {
    const records = (await listCaches(backing)).sort((left, right) => left.priority - right.priority);
    for (const { id, title, key } of records) {
      const opening = opened.get(id) ?? openCache(id, title);
      opened.set(id, opening);
      const cache = await opening;
      const offer = await cache.offer(path);
      const keys = key === null ? [] : [parsePublicKey(key)];
      if (offer !== undefined && isTrusted(offer.info, keys)) return { cache, offer };
    }
    return undefined;
  };

  return {
    name: "uploads",
    priority: 30,
    trusted: true,
    offer: async (path) => (await find(path))?.offer,
    async *nar(path, signal) {
      const found = await find(path);
      if (found !== undefined) yield* found.cache.nar(path, signal);
    },
  };
}
