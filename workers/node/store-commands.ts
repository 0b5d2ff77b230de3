/** The store's commands on Node: over real files, a store below a directory, and binary caches by URL. */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { BuildError } from "#engine/build/builder.ts";
import { BinaryCacheReader } from "#engine/build/binary-cache.ts";
import type { Substituter } from "#engine/build/substituter.ts";
import {
  type BinaryCacheAccess,
  type Command,
  type CommandContext,
  CommandError,
  type CommandFiles,
  type EvaluationOutcome,
} from "#engine/commands/command.ts";
import { UsageError } from "#engine/commands/support.ts";
import { realise } from "#engine/build/realise.ts";
import { COMMANDS } from "#engine/commands/table.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { DEFAULT_STORE_DIR, splitStorePath } from "#engine/store/format/store-path.ts";
import { type PublicKey, parsePublicKey, parseSecretKey } from "#engine/store/format/signature.ts";
import type { SourceTree } from "#engine/store/format/tree.ts";
import { StoreError } from "#engine/store/error.ts";
import { Store } from "#engine/store/store.ts";
import { decompress, unpackArchive } from "../store/decompress.ts";
import { download, openCacheFiles } from "./cache-files.ts";
import { cacheSettings } from "./cache-settings.ts";
import { guestSystems } from "../machine/builder.ts";
import { openFsStore } from "./fs-store.ts";
import { runOnNode, toByteString, writeAll } from "./language.ts";
import { type NodeBuilder, createNodeBuilder, readImages, repositoryImages } from "./machine.ts";
import { childOf, readTree } from "./read-tree.ts";
import { runRepl } from "./repl.ts";
import { executeInStore } from "./execute.ts";
import { serveDirectory, serveStore } from "./serve.ts";

type CommandLine = (argv: readonly string[]) => Promise<number>;

/** By name, for the command line's table; `serve` among them. */
export const storeCommands: Readonly<Record<string, CommandLine>> = {
  ...Object.fromEntries(
    COMMANDS.map((command) => [command.name, (argv: readonly string[]) => runCommand(command, argv)]),
  ),
  serve,
};

async function runCommand(command: Command, given: readonly string[]): Promise<number> {
  const argv = takeStore(given);
  const cancelled = new AbortController();
  const onInterrupt = () => cancelled.abort();
  process.once("SIGINT", onInterrupt);
  const context = await openContext(cancelled.signal, command.name, argv);
  if (context === undefined) return 1;
  try {
    const args = argv.map(toByteString);
    if (command.name === "nix" && args[0] === "repl") return await repl(args.slice(1), context);
    return await command.run(args, context);
  } finally {
    await context.builder.close();
    process.off("SIGINT", onInterrupt);
  }
}

/** `--store URL`, wherever it stands, is NIX_REMOTE for this run. */
function takeStore(argv: readonly string[]): string[] {
  const at = argv.indexOf("--store");
  const url = argv[at + 1];
  if (at < 0 || url === undefined) return [...argv];
  process.env["NIX_REMOTE"] = url;
  return argv.toSpliced(at, 2);
}

/** Undefined when there is no such store, which is told. */
async function openContext(
  signal: AbortSignal,
  program: string,
  argv: readonly string[],
): Promise<NodeContext | undefined> {
  try {
    return await nodeContext(signal, process.cwd(), argv);
  } catch (error) {
    if (!(error instanceof CommandError) && !(error instanceof StoreError)) throw error;
    const hint = error instanceof UsageError ? `Try '${program} --help' for more information.\n` : "";
    process.stderr.write(`error: ${error.message}\n${hint}`);
    return undefined;
  }
}

/** The context of a command on Node; its builder is switched off at the command's end. */
export interface NodeContext extends CommandContext {
  readonly builder: NodeBuilder;
}

/** What a command sees of this computer; `argv` and the environment name binary caches and the keys to believe. */
export async function nodeContext(
  signal: AbortSignal,
  cwd = process.cwd(),
  argv: readonly string[] = [],
): Promise<NodeContext> {
  const remote = process.env["NIX_REMOTE"];
  const store = await openNamedStore(remote, argv);
  const caches = cacheSettings(argv);
  const trustedKeys = caches.trustedPublicKeys.map((text): PublicKey => parsePublicKey(text));
  const substituters: Substituter[] = [];
  for (const url of caches.substituters) {
    const files = openCacheFiles(url);
    if (files !== undefined)
      substituters.push(await BinaryCacheReader.open(files, { storeDir: store.storeDir, trusted: false, decompress }));
  }
  substituters.sort((left, right) => left.priority - right.priority);
  const context: NodeContext = {
    store,
    builder: lazyBuilder(),
    evaluate: (argv) => evaluate(argv, store, storeRoot(remote), context),
    files: nodeFiles,
    print: (text) => writeAll(1, text),
    error: (text) => writeAll(2, text),
    input: async () => fs.readFileSync(0),
    cwd: toByteString(cwd),
    env: (name) => process.env[name],
    now: () => Math.floor(Date.now() / 1000),
    localTime,
    random: (length) => new Uint8Array(randomBytes(length)),
    signal,
    substituters,
    trustedKeys,
    tools: { download: downloadOrFail, decompress, unpack: unpackArchive, gzip },
    openCache: async (url) => openCacheFiles(url),
    execute: (program, args, env) => executeInStore(storeRoot(remote), program, args, env),
  };
  return context;
}

async function repl(argv: readonly string[], context: NodeContext): Promise<number> {
  const { store, print, error } = context;
  const root = storeRoot(process.env["NIX_REMOTE"]);
  return runRepl(argv, { storeDir: store.storeDir, store, root, print, error, context: async () => context }, context);
}

/** Runs a program of the language on the same store. */
async function evaluate(
  argv: readonly string[],
  store: Store,
  root: string | undefined,
  context: CommandContext,
): Promise<EvaluationOutcome> {
  let stdout = "";
  const exitCode = await runOnNode(argv, {
    storeDir: store.storeDir,
    store,
    root,
    cwd: context.cwd,
    print: (text) => void (stdout += text),
    error: context.error,
    context: async () => context,
  });
  return { exitCode, stdout };
}

/** A builder VM that is started by the first build, so that commands which build nothing never start one. */
function lazyBuilder(): NodeBuilder {
  let started: NodeBuilder | undefined;
  return {
    systems: guestSystems,
    build(request, onLog, signal) {
      started ??= createNodeBuilder(readImages(repositoryImages(packageRoot())));
      return started.build(request, onLog, signal);
    },
    close: async () => started?.close(),
  };
}

/** The package's own directory: the nearest one above this file that has the guest's images. */
function packageRoot(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (let folder = here; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, "samples/channel/seeds/linux/bzImage"))) return folder;
  }
  throw new BuildError("machine", `the guest's images are not above ${here}`);
}

/** `local?root=DIR` is below DIR, `dummy://` is gone with the process, nothing means Terrarium's own directory. */
async function openNamedStore(remote: string | undefined, argv: readonly string[] = []): Promise<Store> {
  const storeDir = process.env["NIX_STORE_DIR"] ?? DEFAULT_STORE_DIR;
  checkRemote(remote);
  const cache = remote === undefined ? undefined : openCacheFiles(remote);
  if (cache !== undefined) return cacheAsStore(cache, storeDir, argv);
  const root = storeRoot(remote);
  if (root !== undefined) return openFsStore(root, { storeDir });
  return Store.open(new MemoryBacking(), { storeDir, now: () => Math.floor(Date.now() / 1000) });
}

/** @throws CommandError in Nix's words */
function checkRemote(remote = ""): void {
  const scheme = /^([a-z0-9+.-]+):\/\//.exec(remote)?.[1];
  if (scheme !== undefined) {
    if (["local", "dummy", "file", "http", "https"].includes(scheme)) return;
    throw new CommandError(`don't know how to open Nix store with scheme '${scheme}'`);
  }
  if (remote.startsWith("/") || /^(|auto|daemon|local)(\?.*)?$/.test(remote)) return;
  throw new UsageError(`Cannot parse Nix store '${remote}'`);
}

/** What a command line names of a binary cache, with all it needs, in a store of its own: for looking, not for writing. */
async function cacheAsStore(cache: BinaryCacheAccess, storeDir: string, argv: readonly string[]): Promise<Store> {
  const store = await Store.open(new MemoryBacking(), { storeDir, now: () => Math.floor(Date.now() / 1000) });
  const reader = await BinaryCacheReader.open(cache, { storeDir, trusted: true, decompress });
  const named = argv.flatMap((word) => (word.startsWith(`${storeDir}/`) ? [splitStorePath(word, storeDir)[0]] : []));
  const offered = await Promise.all(
    named.map(async (path) => ((await reader.offer(path)) === undefined ? [] : [path])),
  );
  const { signal } = new AbortController();
  await realise(offered.flat(), { store, substituters: [reader], signal, owner: "cache", onEvent: () => undefined });
  return store;
}

function storeRoot(remote: string | undefined): string | undefined {
  if (remote?.startsWith("dummy://") === true) return undefined;
  if (remote?.startsWith("/") === true) return remote;
  const root = /[?&]root=([^&]*)/.exec(remote ?? "")?.[1];
  const home = process.env["TERRARIUM_ROOT"] ?? path.join(os.homedir(), ".local/share/terrarium");
  return root === undefined ? home : decodeURIComponent(root);
}

const nodeFiles: CommandFiles = {
  readTree: async (name) => readTree(toPath(name)),
  writeTree: async (name, tree) => writeTree(toPath(name), tree),
  writeFile: async (name, contents) => fs.writeFileSync(toPath(name), contents),
  readLink: async (name) => {
    const status = fs.lstatSync(toPath(name), { throwIfNoEntry: false });
    return status?.isSymbolicLink() === true ? fs.readlinkSync(toPath(name), "latin1") : undefined;
  },
  makeLink: async (name, target) => {
    const temporary = toPath(`${name}.tmp${process.pid}`);
    fs.symlinkSync(toPath(target), temporary);
    fs.renameSync(temporary, toPath(name));
  },
};

function writeTree(place: Buffer, tree: SourceTree): void {
  if (tree.type === "symlink") return fs.symlinkSync(Buffer.from(tree.target, "latin1"), place);
  if (tree.type === "regular")
    return fs.writeFileSync(place, tree.contents, { flag: "wx", mode: tree.executable ? 0o777 : 0o666 });
  fs.mkdirSync(place);
  for (const [name, child] of tree.entries) writeTree(childOf(place, name), child);
}

function toPath(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const gzip = promisify<Uint8Array, Uint8Array>((bytes, done) => zlib.gzip(bytes, done));

async function downloadOrFail(url: string): Promise<Uint8Array> {
  const bytes = await download(url);
  if (bytes === undefined) throw new StoreError("network", `unable to download '${url}': HTTP error 404`, { url });
  return bytes;
}

const SERVE_USAGE = "usage: terrarium serve [--port N] [--host ADDRESS] [--key-file FILE] [DIRECTORY]\n";

/** Serves the store of NIX_REMOTE, or a directory that is a binary cache, until it is interrupted. */
async function serve(argv: readonly string[]): Promise<number> {
  const values = new Map<string, string>();
  const args: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (["--port", "--host", "--key-file"].includes(word)) values.set(word, rest.shift() ?? "");
    else args.push(word);
  }
  if (args.length > 1 || args[0]?.startsWith("-") === true) {
    process.stderr.write(SERVE_USAGE);
    return 1;
  }
  const keyFile = values.get("--key-file");
  const options = {
    port: Number(values.get("--port") ?? "8080"),
    host: values.get("--host") ?? "127.0.0.1",
    ...(keyFile === undefined ? {} : { key: parseSecretKey(fs.readFileSync(keyFile, "utf8")) }),
  };
  const [cache] = args;
  const isCache = cache !== undefined && fs.existsSync(path.join(cache, "nix-cache-info"));
  const store = cache === undefined ? await openNamedStore(process.env["NIX_REMOTE"]) : undefined;
  const served = isCache
    ? await serveDirectory(cache, options)
    : await serveStore(store ?? (await openFsStore(path.resolve(cache as string))), options);
  process.stdout.write(`serving a binary cache at ${served.url}\n`);
  await new Promise((resolve) => process.once("SIGINT", resolve));
  await served.close();
  return 0;
}
