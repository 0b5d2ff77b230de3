/**
 * File trees: what a store path holds, no more than a NAR can say: regular files with an executable bit, symbolic links,
 * directories. Invariant: a directory's entries are in byte order of their names; names are byte strings, never empty,
 * ".", "..", and never with "/" or NUL.
 */
import { type ByteString, compareByteStrings } from "./bytes.ts";
import { FormatError } from "./error.ts";
import { encodeBase16 } from "./base-n.ts";
import { digestWhole, sha256Hex } from "./hash.ts";

export interface RegularNode {
  readonly type: "regular";
  readonly executable: boolean;
}

export interface SymlinkNode {
  readonly type: "symlink";
  readonly target: ByteString;
}

export interface DirectoryNode<File> {
  readonly type: "directory";
  readonly entries: ReadonlyMap<ByteString, TreeNode<File>>;
}

export type TreeNode<File> = (RegularNode & File) | SymlinkNode | DirectoryNode<File>;

/** Where a stored file's content is: its length in bytes and the SHA-256 (base16) that names its blob. */
export interface BlobReference {
  readonly size: number;
  readonly blob: string;
}

/** A tree as the store keeps it: plain data, small, contents elsewhere. */
export type FileTree = TreeNode<BlobReference>;

/** A tree with its contents in memory, as an evaluator's source or a small recipe makes it. */
export type SourceTree = TreeNode<{ readonly contents: Uint8Array }>;
export type SourceFile = RegularNode & { readonly contents: Uint8Array };

export function regularFile(contents: Uint8Array, executable = false): SourceFile {
  return { type: "regular", executable, contents };
}

export function symlink(target: ByteString): SymlinkNode {
  return { type: "symlink", target };
}

/**
 * A directory from entries in any order.
 * @throws FormatError "nar" on a name that cannot be a file's, or that comes twice
 */
export function directory<File>(entries: Iterable<readonly [ByteString, TreeNode<File>]>): DirectoryNode<File> {
  const sorted = [...entries].sort((left, right) => compareByteStrings(left[0], right[0]));
  const map = new Map<ByteString, TreeNode<File>>();
  for (const [name, node] of sorted) {
    if (!isEntryName(name)) throw new FormatError("nar", `'${name}' is not a valid file name`, { name });
    if (map.has(name)) throw new FormatError("nar", `duplicate file name '${name}'`, { name });
    map.set(name, node);
  }
  return { type: "directory", entries: map };
}

export function isEntryName(name: ByteString): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0");
}

/** The node at a path of names below a tree ("" or "/" is the tree itself); links are not followed. */
export function nodeAt<File>(tree: TreeNode<File>, path: ByteString): TreeNode<File> | undefined {
  let node: TreeNode<File> | undefined = tree;
  for (const name of path.split("/")) {
    if (name === "") continue;
    if (node?.type !== "directory") return undefined;
    node = node.entries.get(name);
  }
  return node;
}

/** Every node, parents first, in byte order; paths begin with "/" except the root's, which is "". */
export function* walkTree<File>(tree: TreeNode<File>, path = ""): Generator<readonly [ByteString, TreeNode<File>]> {
  const pending: (readonly [ByteString, TreeNode<File>])[] = [[path, tree]];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    yield item;
    const [at, node] = item;
    if (node.type !== "directory") continue;
    for (const [name, child] of [...node.entries].reverse()) pending.push([`${at}/${name}`, child]);
  }
}

/** The stored shape of an in-memory tree; `keep` is told every blob (the same one perhaps more than once). */
export function storeTree(tree: SourceTree, keep: (blob: string, contents: Uint8Array) => void): FileTree {
  return mapTree(tree, ({ contents }) => {
    const blob = sha256Hex(contents);
    keep(blob, contents);
    return { size: contents.length, blob };
  });
}

/** Bytes that are hashed at the same time: whoever hashes beside this thread copies them first. */
const WINDOW = 64 * 1024 * 1024;

/** As `storeTree`, with the contents hashed beside this thread where that is possible. */
export async function digestTree(
  tree: SourceTree,
  keep: (blob: string, contents: Uint8Array) => void,
): Promise<FileTree> {
  const blobs = new Map<SourceFile, string>();
  const settle = (file: SourceFile, digest: Uint8Array) => {
    const blob = encodeBase16(digest);
    blobs.set(file, blob);
    keep(blob, file.contents);
  };
  let waiting: Promise<void>[] = [];
  let size = 0;
  for (const [, node] of walkTree(tree)) {
    if (node.type !== "regular") continue;
    const digest = digestWhole("sha256", node.contents);
    if (digest instanceof Uint8Array) {
      settle(node, digest);
      continue;
    }
    waiting.push(digest.then((bytes) => settle(node, bytes)));
    size += node.contents.length;
    if (size < WINDOW) continue;
    await Promise.all(waiting);
    waiting = [];
    size = 0;
  }
  await Promise.all(waiting);
  return mapTree(tree, (file) => ({ size: file.contents.length, blob: blobs.get(file) as string }));
}

/** The same tree with every file's content put otherwise. */
export function mapTree<From, To>(tree: TreeNode<From>, map: (file: RegularNode & From) => To): TreeNode<To> {
  switch (tree.type) {
    case "regular":
      return { type: "regular", executable: tree.executable, ...map(tree) };
    case "symlink":
      return tree;
    case "directory": {
      const entries = new Map<ByteString, TreeNode<To>>();
      for (const [name, node] of tree.entries) entries.set(name, mapTree(node, map));
      return { type: "directory", entries };
    }
  }
}

/** The blobs a stored tree needs, each once, with its size. */
export function blobsOf(tree: FileTree): Map<string, number> {
  const blobs = new Map<string, number>();
  for (const [, node] of walkTree(tree)) if (node.type === "regular") blobs.set(node.blob, node.size);
  return blobs;
}
