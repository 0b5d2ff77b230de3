/**
 * A read-only view of the IndexedDB store for other workers (the machine's 9P server, the evaluator). It sees every
 * commit of the store worker as soon as it is made, because it keeps nothing but what never changes.
 */
import { INDEX, PROFILE, TREE, BLOB } from "#engine/store/backing.ts";
import type { FileTree } from "#engine/store/format/tree.ts";
import type { PathInfo } from "#engine/store/path-info.ts";
import type { Profile } from "#engine/store/profile.ts";
import { StoreError } from "#engine/store/error.ts";
import { openIdb } from "./idb.ts";

/** Names are base names, "<hash>-<name>". */
export interface StoreReader {
  has(name: string): Promise<boolean>;
  names(): Promise<string[]>;
  /** @throws StoreError "invalid-path" */
  tree(name: string): Promise<FileTree>;
  /** @throws StoreError "corrupt" */
  blob(sha256: string): Promise<Uint8Array>;
  /** The infos of all valid paths. */
  infos(): Promise<PathInfo[]>;
  profiles(): Promise<Profile[]>;
}

export function openReader(databaseName: string): StoreReader {
  const backing = openIdb(databaseName);
  return {
    has: async (name) => (await backing.existing([TREE + name])).size > 0,
    names: async () => (await backing.keys(TREE)).map((key) => key.slice(TREE.length)),
    tree: async (name) => {
      const tree = await backing.get(TREE + name);
      if (tree === undefined) throw new StoreError("invalid-path", `path '${name}' is not valid`, { name });
      return tree as FileTree;
    },
    blob: async (sha256) => {
      const bytes = await backing.get(BLOB + sha256);
      if (bytes === undefined) throw new StoreError("corrupt", `file content ${sha256} is missing`, { blob: sha256 });
      return bytes as Uint8Array;
    },
    infos: async () => ((await backing.getMany(await backing.keys(INDEX))) as PathInfo[][]).flat(),
    profiles: async () => (await backing.getMany(await backing.keys(PROFILE))) as Profile[],
  };
}
