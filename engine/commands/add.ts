/** Files from outside brought into the store by content. */
import { type ByteString, fromBytes } from "../store/format/bytes.ts";
import type { HashAlgorithm } from "../store/format/hash.ts";
import { NAR_HEAD, encodeNar } from "../store/format/nar.ts";
import {
  type ContentMethod,
  NO_REFERENCES,
  type StorePath,
  isInStore,
  splitStorePath,
} from "../store/format/store-path.ts";
import { type SourceFile, type SourceTree, nodeAt } from "../store/format/tree.ts";
import { loadTree } from "../build/outputs.ts";
import { describeTree } from "../store/store.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { absolutePath } from "./support.ts";

/** The tree an argument names: a file of the surroundings, or of the store. */
export async function readArgumentTree(context: CommandContext, argument: ByteString): Promise<SourceTree> {
  const path = absolutePath(context, argument);
  const tree = await existingTree(context, path);
  if (tree === undefined) throw new CommandError(`path '/${path}' does not exist`);
  return tree;
}

async function existingTree(context: CommandContext, path: ByteString): Promise<SourceTree | undefined> {
  const { store } = context;
  if (isInStore(path, store.storeDir)) {
    const [root, below] = splitStorePath(path, store.storeDir);
    const node = store.isValid(root) ? nodeAt(await store.tree(root), below) : undefined;
    if (node !== undefined) return loadTree(node, (sha256) => store.blob(sha256));
  }
  return context.files.readTree(path);
}

/** The bytes of a file, links followed; Nix reads it in pieces of `block` bytes, as its error says. */
export async function readArgumentFile(
  context: CommandContext,
  argument: ByteString,
  opening = "opening file",
  block = 65_536,
): Promise<SourceFile> {
  let path = absolutePath(context, argument);
  for (let hops = 0; hops < 40; hops++) {
    const tree = await existingTree(context, path);
    if (tree === undefined) break;
    if (tree.type === "regular") return tree;
    if (tree.type === "directory") throw new CommandError(`read of ${block} bytes: Is a directory`);
    path = absolutePath({ ...context, cwd: path.slice(0, path.lastIndexOf("/")) }, tree.target);
  }
  throw new CommandError(`${opening} "${argument}": No such file or directory`);
}

export async function addFile(
  context: CommandContext,
  argument: ByteString,
  method: ContentMethod,
  algorithm: HashAlgorithm,
  options: { readonly name?: ByteString; readonly dryRun?: boolean } = {},
): Promise<StorePath> {
  const path = absolutePath(context, argument);
  const name = options.name ?? path.slice(path.lastIndexOf("/") + 1);
  const tree = await readArgumentTree(context, argument);
  if (method === "flat" && tree.type === "directory") throw new CommandError("read of 4096 bytes: Is a directory");
  if (method === "flat" && tree.type === "symlink") throw new CommandError(`path '${path}' is a symlink`);
  if (options.dryRun === true) {
    return (await describeTree(name, tree, method, algorithm, NO_REFERENCES, context.store.storeDir)).info.path;
  }
  return (await context.store.addTree(name, tree, method, algorithm)).path;
}

/** Prints a tree's archive, which Nix has begun by the time it finds that there is nothing. */
export async function dumpArgument(context: CommandContext, argument: ByteString): Promise<void> {
  const path = absolutePath(context, argument);
  const tree = await existingTree(context, path);
  context.print(fromBytes(tree === undefined ? NAR_HEAD : encodeNar(tree)));
  if (tree === undefined) throw new CommandError(`path '/${path}' does not exist`);
}
