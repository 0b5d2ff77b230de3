/** `nix store …`: looking at, adding to, checking and cleaning the store. */
import { encodeUtf8, fromBytes } from "../store/format/bytes.ts";
import { parseHash, printHash } from "../store/format/hash.ts";
import { printJson } from "../store/format/json.ts";
import { checkSignature, isContentAddressed, signInfo } from "../store/format/signature.ts";
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
import type { PathInfo } from "../store/path-info.ts";
import { addFile, readArgumentFile } from "./add.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { collectGarbage, deletePaths } from "./garbage.ts";
import { LISTING_FLAGS, LISTING_SHORT, printListing } from "./listing.ts";
import { prefetchUrl } from "./nix-prefetch-url.ts";
import { openReader } from "./nix-realise.ts";
import { problemText, repairClosures, reportOptimisation } from "./nix-store.ts";
import { readSecretKey } from "./secret-key.ts";
import {
  INSTALLABLE_FLAGS,
  INSTALLABLE_SHORT,
  chosenPaths,
  installablePaths,
  validInstallables,
} from "./store-installables.ts";
import { FEATURES, type Options, type Subcommand, jsonIndent } from "./subcommand.ts";
import {
  NIX_VERSION,
  UsageError,
  absolutePath,
  algorithmNamed,
  followToStore,
  parseCount,
  printPieces,
  renderSize,
  requireFeature,
} from "./support.ts";

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
  {
    verb: "store dump-path",
    doc: "print a path's archive",
    flags: INSTALLABLE_FLAGS,
    short: INSTALLABLE_SHORT,
    args: [0, Infinity],
    run: dumpPath,
  },
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
    flags: { "--ignore-liveness": 0, "--recursive": 0, ...INSTALLABLE_FLAGS },
    short: { "-r": "--recursive", ...INSTALLABLE_SHORT },
    args: [0, Infinity],
    run: deleteInstallables,
  },
  {
    verb: "store gc",
    doc: "delete everything that no root needs",
    flags: { "--max": 1, "--dry-run": 0 },
    args: [0, 0],
    run: (context, _, options) => {
      const max = options.value("--max");
      const maxFreed = max === undefined ? undefined : parseCount(max);
      return collectGarbage(context, { show: undefined, maxFreed, dryRun: options.has("--dry-run") });
    },
  },
  {
    verb: "store verify",
    doc: "check contents and trust",
    flags: {
      "--all": 0,
      "--no-contents": 0,
      "--no-trust": 0,
      "--recursive": 0,
      "--sigs-needed": 1,
      "--substituter": 1,
      ...INSTALLABLE_FLAGS,
    },
    short: { "-r": "--recursive", "-n": "--sigs-needed", "-s": "--substituter", ...INSTALLABLE_SHORT },
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
    flags: INSTALLABLE_FLAGS,
    short: INSTALLABLE_SHORT,
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
    flags: { "--key-file": 1, "--recursive": 0, "--all": 0, ...INSTALLABLE_FLAGS },
    short: { "-k": "--key-file", "-r": "--recursive", ...INSTALLABLE_SHORT },
    args: [0, Infinity],
    requires: ["--key-file"],
    run: signPaths,
  },
  {
    verb: "store make-content-addressed",
    doc: "rewrite closures to content addresses",
    flags: { "--json": 0, "--pretty": 0, ...INSTALLABLE_FLAGS },
    short: INSTALLABLE_SHORT,
    args: [0, Infinity],
    run: makeContentAddressed,
  },
  {
    verb: "store prefetch-file",
    doc: "download a file into the store",
    flags: {
      "--name": 1,
      "--json": 0,
      "--pretty": 0,
      "--hash-type": 1,
      "--expected-hash": 1,
      "--executable": 0,
      "--unpack": 0,
      "--refresh": 0,
    },
    args: [1, 1],
    run: prefetch,
  },
  {
    verb: "store repair",
    doc: "put damaged paths right",
    flags: INSTALLABLE_FLAGS,
    short: INSTALLABLE_SHORT,
    args: [0, Infinity],
    run: async (context, args, options) => {
      await repairClosures(context, await installablePaths(context, args, options));
      return 0;
    },
  },
  {
    verb: "store copy-sigs",
    doc: "take over the signatures that binary caches have",
    flags: { "--substituter": 1, "--all": 0, "--recursive": 0, ...INSTALLABLE_FLAGS },
    short: { "-s": "--substituter", "-r": "--recursive", ...INSTALLABLE_SHORT },
    args: [0, Infinity],
    run: copySignatures,
  },
];

/** The node of a file in the store. @throws CommandError in Nix's words */
async function storeNode(
  context: CommandContext,
  argument: string,
): Promise<readonly [node: FileTree, path: string, below: string]> {
  const { store } = context;
  const path = absolutePath(context, await linkedToStore(context, argument));
  const [root, below] = splitStorePath(path, store.storeDir);
  if (!store.isValid(root)) throw new CommandError(`path '${root}' is not a valid store path`);
  const tree = await store.tree(root);
  refuseLinkOnTheWay(tree, root, below);
  const node = nodeAt(tree, below);
  if (node === undefined) throw new CommandError(`path '${path}' does not exist`);
  return [node, path, below];
}

async function linkedToStore(context: CommandContext, argument: string): Promise<string> {
  try {
    return await followToStore(context, argument);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(`path '${absolutePath(context, argument)}' is not in the Nix store`);
  }
}

/** Nix follows links only outside of the store. */
function refuseLinkOnTheWay(tree: FileTree, root: StorePath, below: string): void {
  const names = below.split("/").filter(Boolean);
  for (let count = 0; count < names.length; count++) {
    const above = names
      .slice(0, count)
      .map((name) => `/${name}`)
      .join("");
    if (nodeAt(tree, above)?.type === "symlink") throw new CommandError(`path '${root}${above}' is a symlink`);
  }
}

async function listStore(context: CommandContext, [argument]: readonly string[], options: Options): Promise<number> {
  const [node, , below] = await storeNode(context, argument as string);
  const name = below.slice(below.lastIndexOf("/") + 1);
  return printListing(context, { node, name, size: ({ size }) => size }, options);
}

async function printFile(context: CommandContext, [argument]: readonly string[]): Promise<number> {
  const [node, , below] = await storeNode(context, argument as string);
  if (node.type !== "regular") throw new CommandError(`path '${below}' is not a regular file`);
  context.print(fromBytes(await context.store.blob(node.blob)));
  return 0;
}

async function dumpPath(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const paths = await installablePaths(context, args, options);
  const [path] = paths;
  if (path === undefined || paths.length > 1) throw new UsageError("this command requires exactly one store path");
  if (!context.store.isValid(path)) throw new CommandError(`path '${path}' is not a valid store path`);
  await printPieces(context, context.store.nar(path));
  return 0;
}

/** What is not valid counts as deleted; with `--recursive` the whole closure goes. */
async function deleteInstallables(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const paths = await installablePaths(context, args, options);
  return deletePaths(context, options.has("--recursive") ? [...closure(context.store.index, paths)] : paths);
}

async function addToStore(
  context: CommandContext,
  [argument]: readonly string[],
  options: Options,
  method: "nar" | "flat" = "nar",
): Promise<number> {
  const mode = options.value("--mode") ?? method;
  const features = options.value(FEATURES);
  if (mode === "git") requireFeature(context, features, "git-hashing");
  if (mode !== "nar" && mode !== "flat" && mode !== "text" && mode !== "git") {
    throw new UsageError(`Unknown file ingestion method '${mode}', expect \`flat\`, \`nar\`, or \`git\``);
  }
  const algorithm = algorithmNamed(context, features, options.value("--hash-algo") ?? "sha256");
  const name = options.value("--name");
  const settings = { dryRun: options.has("--dry-run"), ...(name === undefined ? {} : { name }) };
  context.print(`${await addFile(context, argument as string, mode, algorithm, settings)}\n`);
  return 0;
}

async function verifyPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const needed = parseCount(options.value("--sigs-needed") ?? "0");
  const named = await chosenPaths(context, args, options);
  const paths = topologicalOrder(store.index, options.has("--recursive") ? closure(store.index, named) : named);
  let status = 0;
  for (const path of paths) {
    if (store.isValid(path)) {
      context.error(`checking '${path}'...\n`);
      status |= await verifyOne(context, path, needed, options);
    } else {
      context.error(`error: path '${path}' is not valid\n`);
      status |= 4;
    }
  }
  return status;
}

/** 1 for changed content, 2 for a path without trust, as bits. */
async function verifyOne(context: CommandContext, path: StorePath, needed: number, options: Options): Promise<number> {
  const info = context.store.requireInfo(path);
  let status = 0;
  if (!options.has("--no-contents")) {
    for (const problem of await context.store.verifyPath(path, true)) {
      context.error(`${problemText(problem)}\n`);
      status |= problem.kind === "modified" ? 1 : 4;
    }
  }
  if (options.has("--no-trust") || (info.ultimate && needed === 0)) return status;
  if (await hasTrust(context, info, Math.max(1, needed), options.value("--substituter"))) return status;
  context.error(`path '${path}' is untrusted\n`);
  return status | 2;
}

/** Enough signatures of trusted keys, those that a cache has among them; a content address needs none. */
async function hasTrust(
  context: CommandContext,
  info: PathInfo,
  needed: number,
  cache: string | undefined,
): Promise<boolean> {
  const keys = context.trustedKeys ?? [];
  if (isContentAddressed(info)) return true;
  const offered = cache === undefined ? undefined : await (await openReader(context, cache)).offer(info.path);
  const signatures = [...new Set([...info.signatures, ...(offered?.info.signatures ?? [])])];
  return signatures.filter((signature) => checkSignature(info, signature, keys)).length >= needed;
}

async function copySignatures(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const url = options.value("--substituter");
  if (url === undefined) throw new UsageError("you must specify at least one substituter using '-s'");
  const { store } = context;
  const cache = await openReader(context, url);
  const named = await chosenPaths(context, args, options);
  let added = 0;
  for (const path of options.has("--recursive") ? closure(store.index, named) : named) {
    const info = store.requireInfo(path);
    const offered = (await cache.offer(path))?.info;
    // Of other bytes, or of other references, they sign something else.
    if (offered?.narHash !== info.narHash || offered.references.join() !== info.references.join()) continue;
    const fresh = offered.signatures.filter((signature) => !info.signatures.includes(signature));
    if (fresh.length > 0) await store.setSignatures(path, [...info.signatures, ...fresh]);
    added += fresh.length;
  }
  context.error(`imported ${added} signatures\n`);
  return 0;
}

async function compareClosures(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const [before] = await validInstallables(context, args.slice(0, 1), options);
  const [after] = await validInstallables(context, args.slice(1), options);
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
  if ((hash as string).length !== 32) throw new CommandError("invalid hash part");
  const path = context.store.index.byHashPart(hash as string);
  if (path === undefined) throw new CommandError(`there is no store path corresponding to '${hash ?? ""}'`);
  context.print(`${path}\n`);
  return 0;
}

async function signPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const file = await readArgumentFile(context, options.value("--key-file") as string);
  const key = readSecretKey(fromBytes(file.contents));
  const named = await chosenPaths(context, args, options);
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
async function makeContentAddressed(
  context: CommandContext,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const { store } = context;
  const roots = await validInstallables(context, args, options);
  const renamed = new Map<StorePath, StorePath>();
  for (const path of topologicalOrder(store.index, closure(store.index, roots))) {
    renamed.set(path, await rewritePath(context, path, renamed));
    context.error(`rewriting '${path}' to '${renamed.get(path) ?? ""}'\n`);
  }
  if (options.has("--json")) {
    const rewrites = Object.fromEntries(roots.map((path) => [path, renamed.get(path) as StorePath]));
    context.print(`${printJson({ rewrites }, jsonIndent(options))}\n`);
    return 0;
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
  const algorithm = algorithmNamed(context, options.value(FEATURES), options.value("--hash-type") ?? "sha256");
  const expected = options.value("--expected-hash");
  const { hash, path } = await prefetchUrl(context, url as string, {
    algorithm,
    name: options.value("--name"),
    unpack: options.has("--unpack"),
    executable: options.has("--executable"),
    expected: expected === undefined ? undefined : parseHash(expected, algorithm),
  });
  const shown = printHash(hash, "sri");
  if (options.has("--json")) context.print(`${printJson({ hash: shown, storePath: path }, jsonIndent(options))}\n`);
  else context.error(`Downloaded '${url ?? ""}' to '${path}' (hash '${shown}').\n`);
  return 0;
}
