/** What of taking in and taking home runs in the page itself: it reads the library for its evaluator, and loads the embedded channel. */
import { channelUrl, seeds } from "virtual:samples";
import type { FetchRequest } from "#engine/eval/io.ts";
import { encodeUtf8 } from "#engine/store/format/bytes.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import { makeSourcePath } from "#engine/store/format/store-path.ts";
import { type SourceTree, directory, regularFile } from "#engine/store/format/tree.ts";
import type { StoreItem } from "../api.ts";
import type { SeedTree } from "../samples.ts";
import { openIdb } from "../store/idb.ts";
import { LIBRARY, listSources, loadSource, readChunk, readIndex } from "./library.ts";
import type { ChannelParts } from "./types.ts";

const backing = openIdb(LIBRARY);

export const sourceRecords = () => listSources(backing);
export const sourceIndex = (narHash: string) => readIndex(backing, narHash);
export const sourceChunk = (narHash: string, chunk: number) => readChunk(backing, narHash, chunk);

/**
 * What a fetch with the hash of a tree asks for (`fetchTarball`, an input with `narHash`), as a source for the store, when the library has
 * that tree; null when not. The address does not count, the hash does: it is as if the store had it already.
 */
export async function lockedArchive({ kind, name, hash }: FetchRequest): Promise<StoreItem | null> {
  if (kind === "file" || hash === undefined) return null;
  const wanted = parseHash(hash, "sha256");
  const tree = await loadSource(backing, printHash(wanted, "sri"));
  return tree === null ? null : { kind: "source", path: makeSourcePath(name, wanted), method: "nar", tree };
}

/** The embedded channel with every byte of its seeds. */
export async function channelParts(load: (url: string) => Promise<Uint8Array>): Promise<ChannelParts> {
  const [archive, ...trees] = await Promise.all([load(channelUrl), ...seeds.map(({ tree }) => loadSeed(tree, load))]);
  return { archive, seeds: seeds.map(({ name }, index) => [name, trees[index]]) };
}

async function loadSeed(tree: SeedTree, load: (url: string) => Promise<Uint8Array>): Promise<SourceTree> {
  switch (tree.type) {
    case "symlink":
      return tree;
    case "regular":
      return regularFile(await load(tree.url), tree.executable);
    case "directory": {
      const entries = tree.entries.map(async ([name, node]) => [encodeUtf8(name), await loadSeed(node, load)] as const);
      return directory(await Promise.all(entries));
    }
  }
}
