/** Files from outside brought into the store by content. */
import type { ByteString } from "../store/format/bytes.ts";
import type { HashAlgorithm } from "../store/format/hash.ts";
import {
  type ContentMethod,
  NO_REFERENCES,
  type StorePath,
  isInStore,
  splitStorePath,
} from "../store/format/store-path.ts";
import { type SourceTree, nodeAt } from "../store/format/tree.ts";
import { loadTree } from "../build/outputs.ts";
import { describeTree } from "../store/store.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { absolutePath } from "./support.ts";

/** The tree an argument names: a file of the surroundings, or of the store. */
export async function readArgumentTree(context: CommandContext, argument: ByteString): Promise<SourceTree> {
  const path = absolutePath(context, argument);
  const { store } = context;
  if (isInStore(path, store.storeDir)) {
    const [root, below] = splitStorePath(path, store.storeDir);
    const node = store.isValid(root) ? nodeAt(await store.tree(root), below) : undefined;
    if (node !== undefined) return loadTree(node, (sha256) => store.blob(sha256));
  }
  const tree = await context.files.readTree(path);
  if (tree === undefined) throw new CommandError(`getting status of '${path}': No such file or directory`);
  return tree;
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
  if (method === "flat" && tree.type !== "regular") throw new CommandError(`path '${path}' is not a regular file`);
  if (options.dryRun === true) {
    return (await describeTree(name, tree, method, algorithm, NO_REFERENCES, context.store.storeDir)).info.path;
  }
  return (await context.store.addTree(name, tree, method, algorithm)).path;
}
