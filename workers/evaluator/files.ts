/**
 * The files an evaluation in the page can see: the channel, the workspace and its package sets, and nothing else. Paths are canonical
 * byte strings. Invariant: every directory above a file exists; the workspace and the sets can be replaced as a whole between
 * evaluations, the channel never changes.
 */
import { NeedsIO } from "#engine/eval/io.ts";
import { encodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { type TreeNode, nodeAt } from "#engine/store/format/tree.ts";
import type { Seed, SampleFile, SeedTree } from "../samples.ts";
import type { PackedFile, PackedTree, SourcePin } from "../transfer/types.ts";

/** Where NixOS keeps root's channels and the machine's configuration. */
export const CHANNELS = "/nix/var/nix/profiles/per-user/root/channels";
export const CHANNEL = `${CHANNELS}/nixos`;
export const CONFIGURATION = "/etc/nixos";

/** `text` is UTF-8 as a byte string; a seed's file has its description instead, a package set's the place of its bytes. */
export type VirtualFile =
  | { readonly type: "text"; readonly executable: boolean; readonly text: string }
  | { readonly type: "seed"; readonly tree: Extract<SeedTree, { type: "regular" }> }
  | { readonly type: "packed"; readonly executable: boolean; readonly narHash: string; readonly place: PackedFile };

interface Symlink {
  readonly type: "symlink";
  readonly target: string;
}

type Kind = VirtualFile["type"] | TreeNode<unknown>["type"];

export type VirtualNode =
  | VirtualFile
  | Symlink
  | { readonly type: "directory"; readonly entries: ReadonlyMap<string, { readonly type: Kind }> };

/** What is made of the samples and the workspace's texts. */
type OwnNode = VirtualFile | Symlink | OwnDirectory;
interface OwnDirectory {
  readonly type: "directory";
  readonly entries: Map<string, OwnNode>;
}

const newDirectory = (): OwnDirectory => ({ type: "directory", entries: new Map() });

/** What has to be loaded of a package set before a path of it can be read: a chunk of contents, or (null) the index. */
export interface MissingPart {
  readonly narHash: string;
  readonly chunk: number | null;
}

export interface VirtualFiles {
  /** The node at a path, links not followed. @throws NeedsIO for a package set whose index is not loaded */
  lookup(path: string): VirtualNode | undefined;
  /** The seed whose whole tree lies at this path. */
  seedAt(path: string): Seed | undefined;
  /** Replaces /etc/nixos; names are relative paths, contents Unicode text. */
  setWorkspace(files: Readonly<Record<string, string>>): void;
  /** Replaces the package sets; each lies among root's channels under its name. Loaded parts of those that stay are kept. */
  setSources(pins: readonly SourcePin[]): void;
  /** A package set's file; undefined while its chunk is not loaded. */
  readPacked(file: Extract<VirtualFile, { type: "packed" }>): string | undefined;
  missing(path: string): MissingPart | undefined;
  /** Supplies an index or a chunk; an index of null says that the set is not to be had, and it is as if it were not there. */
  supplyIndex(narHash: string, index: PackedTree | null): void;
  supplyChunk(narHash: string, chunk: number, bytes: Uint8Array): void;
}

/** The channel's files with an empty workspace. */
export function createVirtualFiles(samples: readonly SampleFile[], seeds: readonly Seed[]): VirtualFiles {
  const root = newDirectory();
  for (const [path, executable, content] of samples) {
    if (!path.startsWith("channel/")) continue;
    place(root, CHANNEL + path.slice("channel".length), { type: "text", executable, text: encodeUtf8(content) });
  }
  for (const seed of seeds) place(root, `${CHANNEL}/seeds/${seed.name}`, seedNode(seed.tree));
  const seedPaths = new Map(seeds.map((seed) => [`${CHANNEL}/seeds/${seed.name}`, seed]));
  place(root, CONFIGURATION, newDirectory());
  const sets = createSets();
  return {
    lookup: (path) => (sets.at(path) === undefined ? lookup(root, path) : sets.lookup(path)),
    seedAt: (path) => seedPaths.get(path),
    setWorkspace(files) {
      place(root, CONFIGURATION, newDirectory());
      for (const [name, text] of Object.entries(files)) {
        place(root, `${CONFIGURATION}/${encodeUtf8(name)}`, {
          type: "text",
          executable: false,
          text: encodeUtf8(text),
        });
      }
    },
    setSources(pins) {
      const channels = lookup(root, CHANNELS);
      if (channels?.type === "directory") {
        for (const name of channels.entries.keys()) if (name !== "nixos") channels.entries.delete(name);
      }
      // So that the folder of channels lists it; what is below comes from the set.
      for (const { name } of pins) place(root, `${CHANNELS}/${name}`, newDirectory());
      sets.replace(pins);
    },
    readPacked: sets.read,
    missing: sets.missing,
    supplyIndex: sets.supplyIndex,
    supplyChunk: sets.supplyChunk,
  };
}

interface LoadedSet {
  /** Undefined until it was asked for, null when it is not to be had. */
  index: PackedTree | null | undefined;
  readonly chunks: Map<number, Uint8Array>;
}

/** The package sets: which lies where, and what of them is loaded. */
function createSets() {
  let byName = new Map<string, string>();
  const loaded = new Map<string, LoadedSet>();
  const need = (narHash: string): LoadedSet => {
    const set = loaded.get(narHash) ?? { index: undefined, chunks: new Map<number, Uint8Array>() };
    loaded.set(narHash, set);
    return set;
  };

  const at = (path: string): { narHash: string; below: string } | undefined => {
    if (byName.size === 0 || !path.startsWith(`${CHANNELS}/`)) return undefined;
    const rest = path.slice(CHANNELS.length + 1);
    const slash = rest.indexOf("/");
    const narHash = byName.get(slash < 0 ? rest : rest.slice(0, slash));
    return narHash === undefined ? undefined : { narHash, below: slash < 0 ? "" : rest.slice(slash) };
  };

  return {
    at,
    replace(pins: readonly SourcePin[]): void {
      byName = new Map(pins.map(({ name, narHash }) => [name, narHash]));
      const used = new Set(byName.values());
      for (const [narHash, { index }] of loaded) if (!used.has(narHash) || index === null) loaded.delete(narHash);
    },
    lookup(path: string): VirtualNode | undefined {
      const place = at(path);
      if (place === undefined) return undefined;
      const { index } = need(place.narHash);
      if (index === undefined) throw new NeedsIO({ kind: "read", path });
      const node = index === null ? undefined : nodeAt(index, place.below);
      if (node?.type !== "regular") return node;
      return { type: "packed", executable: node.executable, narHash: place.narHash, place: node };
    },
    read({ narHash, place: { chunk, offset, size } }: Extract<VirtualFile, { type: "packed" }>): string | undefined {
      const bytes = need(narHash).chunks.get(chunk);
      return bytes && fromBytes(bytes, offset, offset + size);
    },
    missing(path: string): MissingPart | undefined {
      const place = at(path);
      if (place === undefined) return undefined;
      const { index, chunks } = need(place.narHash);
      if (index === undefined) return { narHash: place.narHash, chunk: null };
      const node = index === null ? undefined : nodeAt(index, place.below);
      if (node?.type !== "regular" || chunks.has(node.chunk)) return undefined;
      return { narHash: place.narHash, chunk: node.chunk };
    },
    supplyIndex: (narHash: string, index: PackedTree | null) => void (need(narHash).index = index),
    supplyChunk: (narHash: string, chunk: number, bytes: Uint8Array) => void need(narHash).chunks.set(chunk, bytes),
  };
}

function seedNode(tree: SeedTree): OwnNode {
  switch (tree.type) {
    case "regular":
      return { type: "seed", tree };
    case "symlink":
      return tree;
    case "directory":
      return { type: "directory", entries: new Map(tree.entries.map(([name, node]) => [name, seedNode(node)])) };
  }
}

function lookup(root: OwnNode, path: string): OwnNode | undefined {
  let node: OwnNode | undefined = root;
  for (const name of path.split("/")) {
    if (name === "") continue;
    if (node?.type !== "directory") return undefined;
    node = node.entries.get(name);
  }
  return node;
}

function place(root: OwnDirectory, path: string, node: OwnNode): void {
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop() as string;
  let folder = root;
  for (const name of names) {
    const found = folder.entries.get(name);
    const next = found?.type === "directory" ? found : newDirectory();
    if (next !== found) folder.entries.set(name, next);
    folder = next;
  }
  folder.entries.set(last, node);
}
