/** `nix log`, `nix copy` and `nix key …`: reading the logs of builds, moving and signing them. */
import { fromBytes } from "../store/format/bytes.ts";
import {
  parsePublicKey,
  parseSecretKey,
  printPublicKey,
  printSecretKey,
  publicKeyOf,
} from "../store/format/signature.ts";
import { closure, topologicalOrder } from "../store/graph.ts";
import { BinaryCacheReader, writeToCache } from "../build/binary-cache.ts";
import { realise } from "../build/realise.ts";
import { type BinaryCacheAccess, type CommandContext, CommandError } from "./command.ts";
import { findLog } from "./nix-store.ts";
import type { Options, Subcommand } from "./subcommand.ts";
import { storePathOf, storePathsOf, uniqueOwner } from "./support.ts";

export const REALISE_VERBS: readonly Subcommand[] = [
  { verb: "log", doc: "print the log of a build", flags: {}, args: [1, 1], run: printLog },
  {
    verb: "copy",
    doc: "copy closures to or from a binary cache",
    flags: { "--to": 1, "--from": 1, "--no-check-sigs": 0, "--no-recursive": 0, "--all": 0 },
    args: [0, Infinity],
    run: copyPaths,
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
      const key = parseSecretKey(fromBytes(await context.input()));
      context.print(printPublicKey(parsePublicKey(printPublicKey(publicKeyOf(key)))));
      return 0;
    },
  },
];

async function printLog(context: CommandContext, [argument]: readonly string[]): Promise<number> {
  const path = await storePathOf(context, (argument as string).replace(/[!^].*$/, ""));
  const log = await findLog(context, path);
  if (log === undefined) throw new CommandError(`build log of '${path}' is not available`);
  context.error(`got build log for '${path}' from 'local://'\n`);
  context.print(fromBytes(log));
  return 0;
}

async function copyPaths(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const to = options.value("--to");
  const from = options.value("--from");
  if ((to === undefined) === (from === undefined)) throw new CommandError("you must pass '--from' and/or '--to'");
  const cache = await openCache(context, (to ?? from) as string);
  return to === undefined ? copyFrom(context, cache, args, options) : copyTo(context, cache, args, options);
}

async function openCache(context: CommandContext, url: string): Promise<BinaryCacheAccess> {
  const cache = await context.openCache?.(url);
  if (cache === undefined) throw new CommandError(`don't know how to open Nix store '${url}'`);
  return cache;
}

async function copyTo(
  context: CommandContext,
  cache: BinaryCacheAccess,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const { store } = context;
  if (cache.write === undefined) throw new CommandError(`'${cache.url}' cannot be written to`);
  const named = options.has("--all") ? store.paths() : await storePathsOf(context, args);
  for (const path of named) store.requireInfo(path);
  const paths = topologicalOrder(store.index, options.has("--no-recursive") ? named : closure(store.index, named));
  const onCopy = (path: string) => context.error(`copying path '${path}' to '${cache.url}'...\n`);
  await writeToCache(store, paths, { ...cache, write: cache.write.bind(cache) }, { onCopy });
  return 0;
}

async function copyFrom(
  context: CommandContext,
  cache: BinaryCacheAccess,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const reader = new BinaryCacheReader(cache, {
    storeDir: context.store.storeDir,
    trusted: options.has("--no-check-sigs"),
    ...(context.tools?.decompress === undefined ? {} : { decompress: context.tools.decompress }),
  });
  await realise(await storePathsOf(context, args), {
    store: context.store,
    substituters: [reader],
    signal: context.signal,
    owner: uniqueOwner(context),
    onEvent: (event) => {
      context.onRealise?.(event);
      if (event.kind === "start") context.error(`copying path '${event.path}' from '${cache.url}'...\n`);
    },
    ...(context.trustedKeys === undefined ? {} : { trustedKeys: context.trustedKeys }),
  });
  return 0;
}
