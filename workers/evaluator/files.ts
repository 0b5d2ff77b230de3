/**
 * The files an evaluation in the page can see: the channel, the workspace, and nothing else. Paths are canonical byte strings.
 * Invariant: every directory above a file exists; the workspace can be replaced as a whole between evaluations, the channel never changes.
 */
import { encodeUtf8 } from "#engine/store/format/bytes.ts";
import type { Seed, SampleFile, SeedTree } from "../samples.ts";

/** Where NixOS keeps root's channels and the machine's configuration. */
export const CHANNEL = "/nix/var/nix/profiles/per-user/root/channels/nixos";
export const CONFIGURATION = "/etc/nixos";

/** `text` is UTF-8 as a byte string; a seed's file has its description instead. */
export type VirtualFile =
  | { readonly type: "text"; readonly executable: boolean; readonly text: string }
  | { readonly type: "seed"; readonly tree: Extract<SeedTree, { type: "regular" }> };

export type VirtualNode =
  | VirtualFile
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "directory"; readonly entries: Map<string, VirtualNode> };

type VirtualDirectory = Extract<VirtualNode, { type: "directory" }>;

const newDirectory = (): VirtualDirectory => ({ type: "directory", entries: new Map() });

export interface VirtualFiles {
  /** The node at a path, links not followed. */
  lookup(path: string): VirtualNode | undefined;
  /** The seed whose whole tree lies at this path. */
  seedAt(path: string): Seed | undefined;
  /** Replaces /etc/nixos; names are relative paths, contents Unicode text. */
  setWorkspace(files: Readonly<Record<string, string>>): void;
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
  return {
    lookup: (path) => lookup(root, path),
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
  };
}

function seedNode(tree: SeedTree): VirtualNode {
  switch (tree.type) {
    case "regular":
      return { type: "seed", tree };
    case "symlink":
      return tree;
    case "directory":
      return { type: "directory", entries: new Map(tree.entries.map(([name, node]) => [name, seedNode(node)])) };
  }
}

function lookup(root: VirtualNode, path: string): VirtualNode | undefined {
  let node: VirtualNode | undefined = root;
  for (const name of path.split("/")) {
    if (name === "") continue;
    if (node?.type !== "directory") return undefined;
    node = node.entries.get(name);
  }
  return node;
}

function place(root: VirtualDirectory, path: string, node: VirtualNode): void {
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
