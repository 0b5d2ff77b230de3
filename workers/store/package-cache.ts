/**
 * The binary cache that lies beside the page (web/public/cache, written by scripts/record-cache.mjs) as a substituter. Invariant: only
 * what the cache's own list names is asked for, and the list itself not before somebody wants a path; what comes is believed for
 * its signature alone, by the key that this program was built with.
 */
import type { Substituter } from "#engine/build/substituter.ts";
import { StoreError } from "#engine/store/error.ts";
import { decodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { parsePublicKey } from "#engine/store/format/signature.ts";
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import { packageKey } from "./package-key.ts";

export const packageKeys = [parsePublicKey(packageKey)];

/** `fetch` takes an address relative to the page. Where the cache cannot be reached nothing is offered. */
export function packageCache(fetch: (url: string) => Promise<Uint8Array>): Substituter {
  let opened: Promise<Substituter | undefined> | undefined;
  const cache = () => (opened ??= openCache(fetch).catch(() => (opened = undefined)));
  return {
    name: "cache",
    priority: 40,
    trusted: false,
    offer: async (path, signal) => (await cache())?.offer(path, signal),
    async *nar(path, signal) {
      const reader = await cache();
      if (reader === undefined) throw new StoreError("network", `the package cache cannot be reached for '${path}'`);
      yield* reader.nar(path, signal);
    },
  };
}

async function openCache(fetch: (url: string) => Promise<Uint8Array>): Promise<Substituter> {
  const [{ BinaryCacheReader }, { decompress }, list] = await Promise.all([
    import("#engine/build/binary-cache.ts"),
    import("./decompress.ts"),
    fetch("cache/paths"),
  ]);
  const known = new Set(decodeUtf8(fromBytes(list)).split("\n"));
  const read = async (name: string) =>
    name.endsWith(".narinfo") && !known.has(name.slice(0, -".narinfo".length)) ? undefined : fetch(`cache/${name}`);
  return BinaryCacheReader.open({ url: "cache", read }, { storeDir: DEFAULT_STORE_DIR, trusted: false, decompress });
}
