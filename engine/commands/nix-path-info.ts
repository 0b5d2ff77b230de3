/** `nix path-info`: sizes, signatures and infos of store paths, in both of Nix's JSON forms. */
import { printJson, type Json } from "../store/format/json.ts";
import { parseHash, printHash } from "../store/format/hash.ts";
import { type StorePath, baseNameOf, parseContentAddress } from "../store/format/store-path.ts";
import { closure, closureSize, topologicalOrder } from "../store/graph.ts";
import type { PathInfo } from "../store/path-info.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { INSTALLABLE_FLAGS, INSTALLABLE_SHORT, chosenPaths } from "./store-installables.ts";
import { type Options, type Subcommand, jsonIndent } from "./subcommand.ts";
import { parseCount, renderSize } from "./support.ts";

export const PATH_INFO_VERBS: readonly Subcommand[] = [
  {
    verb: "path-info",
    doc: "show what is known of store paths",
    flags: {
      "--recursive": 0,
      "--size": 0,
      "--closure-size": 0,
      "--human-readable": 0,
      "--sigs": 0,
      "--json": 0,
      "--json-format": 1,
      "--pretty": 0,
      "--all": 0,
      ...INSTALLABLE_FLAGS,
    },
    short: {
      ...INSTALLABLE_SHORT,
      "-r": "--recursive",
      "-s": "--size",
      "-S": "--closure-size",
      "-h": "--human-readable",
    },
    args: [0, Infinity],
    run: runPathInfo,
  },
];

async function runPathInfo(context: CommandContext, args: readonly string[], options: Options): Promise<number> {
  const { store } = context;
  const named = await chosenPaths(context, args, options);
  const found = options.has("--recursive") ? closure(store.index, named) : named;
  const paths = topologicalOrder(store.index, found);
  if (options.has("--json")) return printAsJson(context, paths, options);
  printAsText(context, paths, options);
  return 0;
}

function printAsText(context: CommandContext, paths: readonly StorePath[], options: Options): void {
  const { store } = context;
  const columns = ["--size", "--closure-size", "--sigs"].some((flag) => options.has(flag));
  const width = Math.max(...paths.map((path) => path.length));
  const size = (bytes: number) => {
    return `\t${options.has("--human-readable") ? renderSize(bytes, true) : String(bytes).padStart(11)}`;
  };
  for (const path of paths) {
    const info = store.requireInfo(path);
    let line = columns ? path.padEnd(width) : path;
    if (options.has("--size")) line += size(info.narSize);
    if (options.has("--closure-size")) line += size(closureSize(store.index, [path]));
    if (options.has("--sigs")) line += `\t${provenance(info).join(" ")}`;
    context.print(`${line}\n`);
  }
}

function provenance(info: PathInfo): string[] {
  const marks = info.ultimate ? ["ultimate"] : [];
  if (info.ca !== undefined) marks.push(`ca:${info.ca}`);
  return [...marks, ...info.signatures];
}

function printAsJson(context: CommandContext, paths: readonly StorePath[], options: Options): number {
  const format = options.value("--json-format");
  if (format === undefined) {
    context.error(
      "warning: '--json' without '--json-format' is deprecated; please specify '--json-format 1' or '--json-format 2'. This will become an error in a future release.\n",
    );
  }
  const number = parseCount(format ?? "1");
  if (number !== 1 && number !== 2) {
    const message = `unsupported path info JSON format version ${number}; supported versions are 1 and 2`;
    throw new CommandError(message);
  }
  const version = number;
  const entries = paths.map((path): [string, Json] => {
    const info = context.store.info(path);
    return [
      version === 1 ? path : baseNameOf(path),
      info === undefined ? null : infoJson(context, info, version, options),
    ];
  });
  const infos = Object.fromEntries(entries);
  const whole = version === 1 ? infos : { info: infos, storeDir: context.store.storeDir, version: 2 };
  context.print(`${printJson(whole, jsonIndent(options))}\n`);
  return 0;
}

function infoJson({ store }: CommandContext, info: PathInfo, version: 1 | 2, options: Options): Json {
  const path = version === 1 ? (full: StorePath) => full : baseNameOf;
  return {
    ca: version === 1 ? (info.ca ?? null) : addressJson(info.ca),
    ...(options.has("--closure-size") ? { closureSize: closureSize(store.index, [info.path]) } : {}),
    deriver: info.deriver === undefined ? null : path(info.deriver),
    narHash: printHash(parseHash(info.narHash), "sri"),
    narSize: info.narSize,
    references: info.references.map(path),
    registrationTime: info.registrationTime,
    signatures: info.signatures,
    storeDir: store.storeDir,
    ultimate: info.ultimate,
    version,
  };
}

function addressJson(ca: string | undefined): Json {
  if (ca === undefined) return null;
  const { method, hash } = parseContentAddress(ca);
  return { hash: printHash(hash, "sri"), method };
}
