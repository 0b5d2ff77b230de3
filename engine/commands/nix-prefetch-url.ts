/** `nix-prefetch-url`: downloads a file (or unpacks an archive) into the store and prints its hash. */
import type { ByteString } from "../store/format/bytes.ts";
import {
  type Hash,
  type HashAlgorithm,
  equalHashes,
  parseHash,
  parseHashAlgorithm,
  printHash,
} from "../store/format/hash.ts";
import { type StorePath, makeContentPath } from "../store/format/store-path.ts";
import { type SourceTree, regularFile } from "../store/format/tree.ts";
import { contentHash } from "../store/store.ts";
import { type Command, type CommandContext, CommandError } from "./command.ts";
import { NIX_VERSION, UsageError, guard } from "./support.ts";

export const nixPrefetchUrl: Command = {
  name: "nix-prefetch-url",
  doc: "download a file into the store and print its hash",
  run: (argv, context) => guard("nix-prefetch-url", context, () => runPrefetch(argv, context)),
};

interface Settings {
  algorithm: HashAlgorithm;
  name: ByteString | undefined;
  printPath: boolean;
  unpack: boolean;
  executable: boolean;
}

async function runPrefetch(argv: readonly ByteString[], context: CommandContext): Promise<number> {
  const settings: Settings = {
    algorithm: "sha256",
    name: undefined,
    printPath: false,
    unpack: false,
    executable: false,
  };
  const args: ByteString[] = [];
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--version") {
      context.print(`nix-prefetch-url (Nix) ${NIX_VERSION}\n`);
      return 0;
    }
    if (word === "--type") settings.algorithm = parseHashAlgorithm(words.shift() ?? "");
    else if (word === "--name") settings.name = words.shift();
    else if (word === "--print-path") settings.printPath = true;
    else if (word === "--unpack") settings.unpack = true;
    else if (word === "--executable") settings.executable = true;
    else if (word.startsWith("-")) throw new UsageError(`unrecognised flag '${word}'`);
    else args.push(word);
  }
  const [url, expected] = args;
  if (url === undefined) throw new UsageError("you must specify a URL");
  if (args.length > 2) throw new UsageError("too many arguments");
  return prefetch(context, settings, url, expected);
}

async function prefetch(
  context: CommandContext,
  settings: Settings,
  url: string,
  expected: string | undefined,
): Promise<number> {
  const wanted = expected === undefined ? undefined : parseHash(expected, settings.algorithm);
  const { hash, path } = await prefetchUrl(context, url, { ...settings, expected: wanted });
  if (!settings.printPath) context.error(`path is '${path}'\n`);
  context.print(`${printHash(hash, settings.algorithm === "md5" ? "base16" : "nix32")}\n`);
  if (settings.printPath) context.print(`${path}\n`);
  return 0;
}

export interface Prefetch {
  readonly algorithm: HashAlgorithm;
  readonly name: ByteString | undefined;
  readonly unpack: boolean;
  readonly executable: boolean;
  readonly expected: Hash | undefined;
}

/** Downloads a file (or unpacks an archive) into the store. @throws CommandError when it is not what is expected */
export async function prefetchUrl(
  context: CommandContext,
  url: string,
  wanted: Prefetch,
): Promise<{ hash: Hash; path: StorePath }> {
  const name = wanted.name ?? url.replace(/[?#].*$/, "").replace(/^.*\//, "");
  if (name === "") throw new CommandError(`cannot figure out file name for '${url}'`);
  const method = wanted.unpack || wanted.executable ? "nar" : "flat";
  if (wanted.expected !== undefined) {
    const path = makeContentPath({ method, hash: wanted.expected }, name, undefined, context.store.storeDir);
    if (context.store.isValid(path)) return { hash: wanted.expected, path };
  }
  const tree = await fetchTree(context, wanted, url);
  const hash = contentHash(tree, method, wanted.algorithm);
  if (wanted.expected !== undefined && !equalHashes(hash, wanted.expected)) {
    throw new CommandError(`hash mismatch for '${url}'`);
  }
  const { path } = await context.store.addTree(name, tree, method, wanted.algorithm);
  return { hash, path };
}

async function fetchTree(
  { tools, signal }: CommandContext,
  settings: Pick<Prefetch, "unpack" | "executable">,
  url: string,
): Promise<SourceTree> {
  if (tools?.download === undefined)
    throw new CommandError(`unable to download '${url}': downloads are not possible here`);
  const bytes = await tools.download(url, signal);
  if (!settings.unpack) return regularFile(bytes, settings.executable);
  if (tools.unpack === undefined) throw new CommandError("archives cannot be unpacked here");
  return onlyChild(await tools.unpack(bytes));
}

/** An archive of one directory stands for that directory. */
function onlyChild(tree: SourceTree): SourceTree {
  if (tree.type !== "directory" || tree.entries.size !== 1) return tree;
  const [only] = tree.entries.values();
  return only?.type === "directory" ? only : tree;
}
