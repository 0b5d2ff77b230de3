/** `nix log`, `nix copy` and `nix key …`: reading the logs of builds, moving and signing them. */
import { fromBytes } from "../store/format/bytes.ts";
import { printPublicKey, printSecretKey, publicKeyOf } from "../store/format/signature.ts";
import { type Json, printJson } from "../store/format/json.ts";
import { type StorePath, baseNameOf, hashPartOf } from "../store/format/store-path.ts";
import { closure, copyingOrder } from "../store/graph.ts";
import { isTrusted } from "../store/format/signature.ts";
import type { PathInfo } from "../store/path-info.ts";
import { BinaryCacheReader, type WriteOptions, writeToCache } from "../build/binary-cache.ts";
import { realise } from "../build/realise.ts";
import { ModuloHashes } from "../build/resolve.ts";
import type { Realisation } from "../store/store.ts";
import { type BinaryCacheAccess, type CommandContext, CommandError } from "./command.ts";
import { readArgumentFile } from "./add.ts";
import { findLog } from "./nix-store.ts";
import { readSecretKey } from "./secret-key.ts";
import {
  INSTALLABLE_FLAGS,
  INSTALLABLE_SHORT,
  chosenPaths,
  installablePaths,
  validInstallables,
} from "./store-installables.ts";
import { FEATURES, type Options, type Subcommand, jsonIndent } from "./subcommand.ts";
import { UsageError, requireFeature, storePathOf, storePathsOf, uniqueOwner } from "./support.ts";

export const REALISE_VERBS: readonly Subcommand[] = [
  {
    verb: "log",
    doc: "print the log of a build",
    flags: INSTALLABLE_FLAGS,
    short: INSTALLABLE_SHORT,
    args: [0, 1],
    run: printLog,
  },
  {
    verb: "copy",
    doc: "copy closures to or from a binary cache",
    flags: {
      "--to": 1,
      "--from": 1,
      "--no-check-sigs": 0,
      "--no-recursive": 0,
      "--all": 0,
      "--substitute-on-destination": 0,
      "--out-link": 1,
      "--profile": 1,
      ...INSTALLABLE_FLAGS,
    },
    short: { "-s": "--substitute-on-destination", "-o": "--out-link", ...INSTALLABLE_SHORT },
    args: [0, Infinity],
    run: copyPaths,
  },
  {
    verb: "realisation info",
    doc: "show what outputs of content-addressed derivations became",
    flags: { "--json": 0, "--pretty": 0, ...INSTALLABLE_FLAGS },
    short: INSTALLABLE_SHORT,
    args: [0, Infinity],
    run: showRealisations,
  },
  {
    verb: "key generate-secret",
    doc: "make a signing key",
    flags: { "--key-name": 1 },
    args: [0, 0],
    requires: ["--key-name"],
    run: async (context, _, options) => {
      context.print(printSecretKey({ name: options.value("--key-name") as string, seed: context.random(32) }));
      return 0;
    },
  },
  {
    verb: "key convert-secret-to-public",
    doc: "the public part of a signing key",
    flags: {},
    args: [0, 0],
    run: async (context) => {
      context.print(printPublicKey(publicKeyOf(readSecretKey(fromBytes(await context.input())))));
      return 0;
    },
  },
];

async function printLog(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const [argument = ""] = args;
  const [path] = (await loggedPaths(context, args, options)) as [StorePath];
  const shown = /\^[^/]*$/.test(argument) ? `${path}${argument.slice(argument.lastIndexOf("^"))}` : path;
  const log = await findLog(context, path);
  if (log === undefined) throw new CommandError(`build log of '${shown}' is not available`);
  context.error(`got build log for '${shown}' from 'local://'\n`);
  context.print(fromBytes(log));
  return 0;
}

async function showRealisations(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  requireFeature(context, options.value(FEATURES), "ca-derivations");
  const { store } = context;
  const hashes = new ModuloHashes(store);
  const shown: Json[] = [];
  for (const argument of args) {
    const [path, names] = argument.split("^") as [string, string?];
    const storePath = await storePathOf(context, path);
    if (names === undefined) {
      shown.push({ opaquePath: storePath });
      continue;
    }
    const { outputs } = await store.derivation(storePath);
    for (const name of names === "*" ? [...outputs.keys()].sort() : names.split(",")) {
      const found = await store.realisation(await hashes.realisationId(storePath, name));
      const outPath = outputs.get(name)?.path ?? found?.outPath;
      if (outPath === undefined) {
        throw new CommandError(`cannot operate on an output of the unbuilt derivation '${storePath}^${name}'`);
      }
      shown.push(found === undefined ? { opaquePath: outPath } : realisationJson(found));
    }
  }
  if (options.has("--json")) context.print(`${printJson(shown, jsonIndent(options))}\n`);
  else for (const item of shown) context.print(`${realisationLine(store.storeDir, item as Record<string, string>)}\n`);
  return 0;
}

function realisationLine(storeDir: string, item: Readonly<Record<string, string>>): string {
  return item["opaquePath"] ?? `${item["id"] ?? ""} ${storeDir}/${item["outPath"] ?? ""}`;
}

/** As caches keep it too: "realisations/<id>.doi". */
function realisationJson({ id, outPath, signatures, dependentRealisations }: Realisation): Json {
  const others = Object.entries(dependentRealisations).map(([name, path]) => [name, baseNameOf(path)]);
  return { dependentRealisations: Object.fromEntries(others), id, outPath: baseNameOf(outPath), signatures };
}

/** A derivation's log is its own, whichever outputs are named. */
async function loggedPaths(context: CommandContext, args: readonly string[], options: Options): Promise<StorePath[]> {
  const [argument] = args;
  if (argument?.includes("/") === true && !options.has("--file") && !options.has("--expr")) {
    return [await storePathOf(context, argument.replace(/\^.*$/, ""))];
  }
  return installablePaths(context, args, options);
}

async function copyPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const to = options.value("--to");
  const from = options.value("--from");
  if ((to === undefined) === (from === undefined)) throw new UsageError("you must pass '--from' and/or '--to'");
  const cache = await openCache(context, (to ?? from) as string);
  return to === undefined ? copyFrom(context, cache, args, options) : copyTo(context, cache, args, options);
}

async function openCache(context: CommandContext, url: string): Promise<BinaryCacheAccess> {
  const cache = await context.openCache?.(url);
  if (cache === undefined && !/^[a-z0-9+.-]+:/.test(url)) throw new UsageError(`Cannot parse Nix store '${url}'`);
  if (cache === undefined) {
    throw new CommandError(`don't know how to open Nix store with scheme '${url.slice(0, url.indexOf(":"))}'`);
  }
  return cache;
}

function readerOf({ store, tools }: CommandContext, cache: BinaryCacheAccess, trusted: boolean): BinaryCacheReader {
  const unpacking = tools?.decompress === undefined ? {} : { decompress: tools.decompress };
  return new BinaryCacheReader(cache, { storeDir: store.storeDir, trusted, ...unpacking });
}

/** A binary cache by its address, to be asked only. */
export async function openReader(context: CommandContext, url: string): Promise<BinaryCacheReader> {
  return readerOf(context, await openCache(context, url), false);
}

async function copyTo(
  context: CommandContext,
  cache: BinaryCacheAccess,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const { store } = context;
  if (cache.write === undefined) throw new CommandError(`'${cache.url}' cannot be written to`);
  const named = options.has("--all")
    ? await chosenPaths(context, args, options)
    : await validInstallables(context, args, options);
  const wanted = options.has("--no-recursive") ? named : closure(store.index, named);
  const { shown, settings } = await writeOptions(context, cache.url);
  const missing: StorePath[] = [];
  for (const path of copyingOrder(store.index, wanted)) {
    if ((await cache.read(`${hashPartOf(path)}.narinfo`)) === undefined) missing.push(path);
  }
  context.error(`copying ${missing.length} paths...\n`);
  const onCopy = (path: string) => context.error(`copying path '${path}' to '${shown}'...\n`);
  await writeToCache(store, missing, { ...cache, write: cache.write.bind(cache) }, { ...settings, onCopy });
  return 0;
}

/** What the address of a cache says after its "?": how to compress and with which key to sign. */
async function writeOptions(context: CommandContext, url: string): Promise<{ shown: string; settings: WriteOptions }> {
  const [shown, query = ""] = url.split("?") as [string, string?];
  const values = new Map(
    query.split("&").map((pair): [string, string] => [pair.replace(/=.*$/s, ""), pair.replace(/^[^=]*=?/s, "")]),
  );
  const keyFile = values.get("secret-key");
  const compression = values.get("compression") ?? "none";
  const gzip = context.tools?.gzip;
  if (compression !== "none" && (compression !== "gzip" || gzip === undefined)) {
    throw new CommandError(`compression method '${compression}' is not offered here`);
  }
  const settings: WriteOptions = {
    ...(compression === "gzip" && gzip !== undefined
      ? { compress: { name: "gzip", extension: "gz", run: (bytes) => gzip(bytes) } }
      : {}),
    ...(keyFile === undefined
      ? {}
      : { key: readSecretKey(fromBytes((await readArgumentFile(context, keyFile)).contents)) }),
  };
  return { shown, settings };
}

async function copyFrom(
  context: CommandContext,
  cache: BinaryCacheAccess,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const { store } = context;
  const reader = readerOf(context, cache, options.has("--no-check-sigs"));
  const infos = await offeredClosure(context, reader, await storePathsOf(context, args));
  const missing = copyingOrder(
    { info: (path) => infos.get(path) },
    [...infos.keys()].filter((path) => !store.isValid(path)),
  );
  context.error(`copying ${missing.length} paths...\n`);
  const untrusted = missing.find(
    (path) => !reader.trusted && !isTrusted(infos.get(path) as PathInfo, context.trustedKeys ?? []),
  );
  if (untrusted !== undefined) {
    throw new CommandError(`cannot add path '${untrusted}' because it lacks a signature by a trusted key`);
  }
  await realise(missing, {
    store,
    substituters: [reader],
    signal: context.signal,
    owner: uniqueOwner(context),
    onEvent: (event) => {
      context.onRealise?.(event);
      if (event.kind === "start") context.error(`copying path '${event.path}' from '${reader.name}'...\n`);
    },
    ...(context.trustedKeys === undefined ? {} : { trustedKeys: context.trustedKeys }),
  });
  return 0;
}

/** What a cache says of some paths and all that they need. @throws CommandError when it lacks one */
async function offeredClosure(
  context: CommandContext,
  reader: BinaryCacheReader,
  paths: readonly StorePath[],
): Promise<Map<StorePath, PathInfo>> {
  const infos = new Map<StorePath, PathInfo>();
  const wanted = new Set(paths);
  for (const path of wanted) {
    const offer = await reader.offer(path);
    if (offer === undefined && !paths.includes(path)) throw new CommandError(`path '${path}' is not valid`);
    if (offer === undefined) {
      context.error(`don't know how to build these paths:\n  ${path}\n`);
      throw new CommandError(`path '${path}' is required, but there is no substituter that can build it`);
    }
    infos.set(path, { registrationTime: 0, ...offer.info });
    for (const reference of offer.info.references) wanted.add(reference);
  }
  return infos;
}
