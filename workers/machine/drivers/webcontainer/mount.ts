/**
 * A closure as the tree that a WebContainer mounts below `nix/store`. Links into the store become relative, because the container's root
 * is not ours; native programs and whatever is large become a sentence, because nothing there could run them.
 */
import type { DirectoryNode, FileSystemTree } from "@webcontainer/api";
import type { FileTree } from "#engine/store/format/tree.ts";

/** Bytes above which a file is taken for a native program or an image. */
const largest = 512 * 1024;
const elf = [0x7f, 0x45, 0x4c, 0x46];
const nativeText = "A native program: the simulation has no use for it.\n";

/** @param trees base names in the store with what they hold */
export async function containerTree(
  trees: ReadonlyMap<string, FileTree>,
  blob: (sha256: string) => Promise<Uint8Array>,
): Promise<FileSystemTree> {
  const store: FileSystemTree = {};
  for (const [name, tree] of trees) store[name] = await node(tree, 0, blob);
  return { nix: { directory: { store: { directory: store } } } };
}

/** `depth`: how many folders of the path are above the node. */
async function node(
  tree: FileTree,
  depth: number,
  blob: (sha256: string) => Promise<Uint8Array>,
): Promise<FileSystemTree[string]> {
  switch (tree.type) {
    case "symlink":
      return { file: { symlink: relativeTarget(tree.target, depth) } };
    case "regular": {
      const contents = tree.size > largest ? undefined : await blob(tree.blob);
      const native = contents === undefined || elf.every((byte, index) => contents[index] === byte);
      return { file: { contents: native ? nativeText : contents } };
    }
    case "directory": {
      const directory: DirectoryNode["directory"] = {};
      for (const [name, child] of tree.entries) directory[name] = await node(child, depth + 1, blob);
      return { directory };
    }
  }
}

/** A link's target as seen from a node with so many folders of its store path above it. */
function relativeTarget(target: string, depth: number): string {
  const inside = /^\/nix\/store\/(.+)$/.exec(target)?.[1];
  if (inside === undefined) return target;
  return depth === 0 ? inside : "../".repeat(depth) + inside;
}
