/**
 * What the build packs of samples/ (scripts/samples-archive.ts): archives of text, and the seeds, binaries that enter the
 * language through `builtins.path` and whose content is fetched only when the store needs it.
 */
import type { TreeNode } from "#engine/store/format/tree.ts";

/** A file of a seed: `blob` is the content's SHA-256 in base16, `url` where it is served. */
export interface SeedFile {
  readonly size: number;
  readonly blob: string;
  readonly url: string;
}

/** NAR-shaped, with directory entries as pairs in byte order. */
export type SeedTree =
  | ({ readonly type: "regular"; readonly executable: boolean } & SeedFile)
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "directory"; readonly entries: readonly (readonly [name: string, tree: SeedTree])[] };

export interface Seed {
  /** The folder below channel/seeds. */
  readonly name: string;
  /** What its store path is called, "busybox-1.35.0". */
  readonly storeName: string;
  /** SHA-256 of the NAR, base16. */
  readonly narHash: string;
  readonly narSize: number;
  readonly tree: SeedTree;
}

/** [path below samples/, executable, text]: an archive is the JSON array of these; servers compress it. */
export type SampleFile = readonly [path: string, executable: boolean, content: string];

/** The seed's tree as the store's formats have it. */
export function seedFileTree(tree: SeedTree): TreeNode<SeedFile> {
  if (tree.type !== "directory") return tree;
  return { type: "directory", entries: new Map(tree.entries.map(([name, node]) => [name, seedFileTree(node)])) };
}

/** Reads an archive. */
export const readSamples = (archive: Uint8Array): SampleFile[] =>
  JSON.parse(new TextDecoder().decode(archive)) as SampleFile[];
