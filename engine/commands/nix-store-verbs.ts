/** `nix store …`: looking at, adding to, checking and cleaning the store. */
import { encodeUtf8, fromBytes } from "../store/format/bytes.ts";
import { parseHashAlgorithm, printHash, sha256Bytes } from "../store/format/hash.ts";
import { isTrusted, parseSecretKey, signInfo } from "../store/format/signature.ts";
import {
  type StorePath,
  hashPartOf,
  makeContentPath,
  nameOf,
  printContentAddress,
  splitStorePath,
} from "../store/format/store-path.ts";
import { decodeNar, encodeNar, hashNar } from "../store/format/nar.ts";
import { type FileTree, nodeAt, storeTree } from "../store/format/tree.ts";
import { closure, diffClosures, topologicalOrder } from "../store/graph.ts";
import { hashModulo, rewriteHash } from "../store/references.ts";
import { loadTree } from "../build/outputs.ts";
import { addFile, readArgumentTree } from "./add.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { collectGarbage, deletePaths, parseByteCount } from "./garbage.ts";
import { LISTING_FLAGS, LISTING_SHORT, printListing } from "./listing.ts";
import { reportOptimisation } from "./nix-store.ts";
import type { Options, Subcommand } from "./subcommand.ts";
import { NIX_VERSION, followToStore, printPieces, renderSize, storePathsOf } from "./support.ts";

const ADD_FLAGS = { "--name": 1, "--mode": 1, "--hash-algo": 1, "--dry-run": 0 } as const;

export const STORE_VERBS: readonly Subcommand[] = [
  {
    verb: "store ls",
    doc: "list a directory of the store",
    flags: LISTING_FLAGS,
    short: LISTING_SHORT,
    args: [1, 1],
    run: listStore,
  },
  { verb: "store cat", doc: "print a file of the store", flags: {}, args: [1, 1], run: printFile },
  { verb: "store dump-path", doc: "print a path's archive", flags: {}, args: [1, Infinity], run: dumpPaths },
  {
    verb: "store add",
    doc: "add a file or a tree",
    flags: ADD_FLAGS,
    short: { "-n": "--name" },
    args: [1, 1],
    run: addToStore,
  },
  {
    verb: "store add-path",
    doc: "add a tree",
    flags: ADD_FLAGS,
    short: { "-n": "--name" },
    args: [1, 1],
    run: addToStore,
  },
  {
    verb: "store add-file",
    doc: "add a file by the hash of its bytes",
    flags: ADD_FLAGS,
    short: { "-n": "--name" },
    args: [1, 1],
    run: (context, args, options) => addToStore(context, args, options, "flat"),
  },
  {
    verb: "store delete",
    doc: "delete paths that nothing needs",
    flags: { "--ignore-liveness": 0, "--recursive": 0 },
    args: [1, Infinity],
    run: async (context, args) => deletePaths(context, await storePathsOf(context, args)),
  },
  {
    verb: "store gc",
    doc: "delete everything that no root needs",
    flags: { "--max": 1, "--dry-run": 0 },
    args: [0, 0],
    run: (context, _, options) => {
      const max = options.value("--max");
      const maxFreed = max === undefined ? undefined : parseByteCount(max);
      return collectGarbage(context, { show: undefined, maxFreed, dryRun: options.has("--dry-run") });
    },
  },
  {
    verb: "store verify",
    doc: "check contents and trust",
    flags: { "--all": 0, "--no-contents": 0, "--no-trust": 0, "--recursive": 0, "--sigs-needed": 1 },
    short: { "-r": "--recursive", "-n": "--sigs-needed" },
    args: [0, Infinity],
    run: verifyPaths,
  },
  {
    verb: "store optimise",
    doc: "show what storing content once saves",
    flags: {},
    args: [0, 0],
    run: reportOptimisation,
  },
  {
    verb: "store diff-closures",
    doc: "compare the packages of two closures",
    flags: {},
    args: [2, 2],
    run: compareClosures,
  },
  { verb: "store info", doc: "describe the store", flags: { "--json": 0 }, args: [0, 0], run: describeStore },
  {
    verb: "store ping",
    doc: "the old name of info",
    flags: { "--json": 0 },
    args: [0, 0],
    deprecated: "'ping' is a deprecated alias for 'info'",
    run: describeStore,
  },
  { verb: "store path-from-hash-part", doc: "find a path by its hash", flags: {}, args: [1, 1], run: findByHash },
  {
    verb: "store sign",
    doc: "sign paths",
    flags: { "--key-file": 1, "--recursive": 0, "--all": 0 },
    short: { "-k": "--key-file", "-r": "--recursive" },
    args: [0, Infinity],
    requires: ["--key-file"],
    run: signPaths,
  },
  {
    verb: "store make-content-addressed",
    doc: "rewrite closures to content addresses",
    flags: {},
    args: [1, Infinity],
    run: makeContentAddressed,
  },
  {
    verb: "store prefetch-file",
    doc: "download a file into the store",
    flags: { "--name": 1, "--json": 0 },
    args: [1, 1],
    run: prefetch,
  },
];

/** The node of a file in the store. @throws CommandError in Nix's words */
async function storeNode(
  context: CommandContext,
  argument: string,
): Promise<readonly [node: FileTree, path: string, below: string]> {
  const { store } = context;
  const path = await followToStore(context, argument);
  const [root, below] = splitStorePath(path, store.storeDir);
  store.requireInfo(root);
  const node = nodeAt(await store.tree(root), below);
  if (node === undefined) throw new CommandError(`path '${path}' does not exist`);
  return [node, path, below];
}

async function listStore(context: CommandContext, [argument]: readonly string[], options: Options): Promise<number> {
  const [node, path] = await storeNode(context, argument as string);
  return printListing(
    context,
    { node, name: path.slice(path.lastIndexOf("/") + 1), size: ({ size }) => size },
    options,
  );
}

async function printFile(context: CommandContext, [argument]: readonly string[]): Promise<number> {
  const [node, , below] = await storeNode(context, argument as string);
  if (node.type !== "regular") throw new CommandError(`path '${below}' is not a regular file`);
  context.print(fromBytes(await context.store.blob(node.blob)));
  return 0;
}

async function dumpPaths(context: CommandContext, args: readonly string[]): Promise<number> {
  for (const path of await storePathsOf(context, args)) await printPieces(context, context.store.nar(path));
  return 0;
}

async function addToStore(
  context: CommandContext,
  [argument]: readonly string[],
  options: Options,
  method: "nar" | "flat" = "nar",
): Promise<number> {
  const mode = options.value("--mode") ?? method;
  if (mode !== "nar" && mode !== "flat" && mode !== "text" && mode !== "git") {
    throw new CommandError(`unknown content addressing method '${mode}'`);
  }
  const algorithm = parseHashAlgorithm(options.value("--hash-algo") ?? "sha256");
  const name = options.value("--name");
  const settings = { dryRun: options.has("--dry-run"), ...(name === undefined ? {} : { name }) };
  context.print(`${await addFile(context, argument as string, mode, algorithm, settings)}\n`);
  return 0;
}

async function verifyPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const named = options.has("--all") ? store.paths() : await storePathsOf(context, args);
  const paths = topologicalOrder(store.index, options.has("--recursive") ? closure(store.index, named) : named);
  let status = 0;
  for (const path of paths) {
    context.error(`checking '${path}'...\n`);
    status |= await verifyOne(context, path, options);
  }
  return status;
}

/** 1 for changed content, 2 for a path without trust, as bits. */
async function verifyOne(context: CommandContext, path: StorePath, options: Options): Promise<number> {
  const info = context.store.requireInfo(path);
  let status = 0;
  if (!options.has("--no-contents")) {
    for (const { message } of await context.store.verifyPath(path, true)) {
      context.error(`error: ${message}\n`);
      status |= 1;
    }
  }
  if (!options.has("--no-trust") && !info.ultimate && !isTrusted(info, context.trustedKeys ?? [])) {
    context.error(`error: path '${path}' is untrusted\n`);
    status |= 2;
  }
  return status;
}

async function compareClosures(context: CommandContext, args: readonly string[]): Promise<number> {
  const [before, after] = await storePathsOf(context, args);
  printClosureDifference(context, before as StorePath, after as StorePath);
  return 0;
}

/** The lines of `diff-closures`, for `nix profile diff-closures` too. */
export function printClosureDifference(
  context: CommandContext,
  before: StorePath,
  after: StorePath,
  margin = "",
): void {
  for (const { name, removed, added, sizeDelta } of diffClosures(context.store.index, [before], [after])) {
    const parts: string[] = [];
    if (removed.length > 0 || added.length > 0) parts.push(`${versions(removed)} → ${versions(added)}`);
    if (Math.abs(sizeDelta) >= 8192) {
      parts.push(`${sizeDelta > 0 ? "\x1b[31;1m" : "\x1b[32;1m"}${renderSize(sizeDelta)}\x1b[0m`);
    }
    context.print(`${margin}${name}: ${encodeUtf8(parts.join(", "))}\n`);
  }
}

function versions(names: readonly string[]): string {
  return names.length === 0 ? "∅" : names.map((name) => (name === "" ? "ε" : name)).join(", ");
}

async function describeStore(context: CommandContext, _: readonly string[], options: Options): Promise<number> {
  const url = context.env("NIX_REMOTE")?.replace(/^local\b/, "local://") ?? "local";
  if (options.has("--json"))
    context.print(`{"trusted":true,"url":${JSON.stringify(url)},"version":"${NIX_VERSION}"}\n`);
  else context.error(`Store URL: ${url}\nVersion: ${NIX_VERSION}\nTrusted: 1\n`);
  return 0;
}

async function findByHash(context: CommandContext, [hash]: readonly string[]): Promise<number> {
  const path = context.store.index.byHashPart(hash as string);
  if (path === undefined) throw new CommandError(`there is no store path corresponding to '${hash ?? ""}'`);
  context.print(`${path}\n`);
  return 0;
}

async function signPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const file = await readArgumentTree(context, options.value("--key-file") as string);
  if (file.type !== "regular") throw new CommandError("the key file is not a file");
  const key = parseSecretKey(fromBytes(file.contents));
  const named = options.has("--all") ? store.paths() : await storePathsOf(context, args);
  const paths = options.has("--recursive") ? closure(store.index, named) : named;
  let signed = 0;
  for (const path of paths) {
    const info = store.requireInfo(path);
    const signature = signInfo(info, key);
    if (info.signatures.includes(signature)) continue;
    await store.setSignatures(path, [...info.signatures, signature]);
    signed++;
  }
  context.error(`added ${signed} signatures\n`);
  return 0;
}

/** Rewrites a closure, references first, so that every path is named by its content. */
async function makeContentAddressed(context: CommandContext, args: readonly string[]): Promise<number> {
  const { store } = context;
  const roots = await storePathsOf(context, args);
  const renamed = new Map<StorePath, StorePath>();
  for (const path of topologicalOrder(store.index, closure(store.index, roots))) {
    renamed.set(path, await rewritePath(context, path, renamed));
    context.error(`rewriting '${path}' to '${renamed.get(path) ?? ""}'\n`);
  }
  for (const path of roots) context.error(`rewrote '${path}' to '${renamed.get(path) ?? ""}'\n`);
  return 0;
}

async function rewritePath(
  context: CommandContext,
  path: StorePath,
  renamed: ReadonlyMap<StorePath, StorePath>,
): Promise<StorePath> {
  const { store } = context;
  const info = store.requireInfo(path);
  let nar: Uint8Array = encodeNar(await loadTree(await store.tree(path), (sha256) => store.blob(sha256)));
  const others = info.references.filter((reference) => reference !== path);
  for (const reference of others)
    nar = rewriteHash(nar, hashPartOf(reference), hashPartOf(renamed.get(reference) as string));
  const self = info.references.includes(path);
  const address = { method: "nar" as const, hash: hashModulo(nar, "sha256", hashPartOf(path)) };
  const references = { others: others.map((reference) => renamed.get(reference) as string), self };
  const target = makeContentPath(address, nameOf(path), references, store.storeDir);
  const tree = decodeNar(rewriteHash(nar, hashPartOf(path), hashPartOf(target)));
  const { hash, size } = hashNar(tree);
  const blobs = new Map<string, Uint8Array>();
  const stored = storeTree(tree, (sha256, contents) => void blobs.set(sha256, contents));
  const registration = {
    path: target,
    narHash: printHash(hash, "nix32", true),
    narSize: size,
    references: [...references.others, ...(self ? [target] : [])],
    ca: printContentAddress(address),
    signatures: [],
    ultimate: false,
  };
  await store.register([{ info: registration, tree: stored }], (sha256) => blobs.get(sha256) as Uint8Array);
  return target;
}

async function prefetch(context: CommandContext, [url]: readonly string[], options: Options): Promise<number> {
  if (context.tools?.download === undefined) throw new CommandError("downloads are not possible here");
  const contents = await context.tools.download(url as string, context.signal);
  const name = options.value("--name") ?? (url as string).replace(/[?#].*$/, "").replace(/^.*\//, "");
  const info = await context.store.addTree(name, { type: "regular", executable: false, contents }, "flat");
  const hash = printHash({ algorithm: "sha256", bytes: sha256Bytes(contents) }, "sri");
  if (options.has("--json")) context.print(`{"hash":"${hash}","storePath":"${info.path}"}\n`);
  else context.error(`Downloaded '${url ?? ""}' to '${info.path}' (hash '${hash}').\n`);
  return 0;
}
