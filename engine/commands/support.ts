/** What the store's commands share: errors as Nix prints them, store paths from arguments, sizes, plans and logs. */
import { BuildError } from "../build/builder.ts";
import { describeDifference } from "../build/differences.ts";
import { plainLine } from "../build/log-tail.ts";
import { describePlan, planRealisation } from "../build/plan.ts";
import { type Goal, type RealiseEvent, type RealiseResult, realise } from "../build/realise.ts";
import { encodeBase16 } from "../store/format/base-n.ts";
import { type ByteString, encodeUtf8, fromBytes } from "../store/format/bytes.ts";
import { derivationName } from "../store/format/derivation.ts";
import { FormatError } from "../store/format/error.ts";
import { type HashAlgorithm, parseHashAlgorithm } from "../store/format/hash.ts";
import { type StorePath, isInStore, splitStorePath } from "../store/format/store-path.ts";
import { StoreError } from "../store/error.ts";
import { type CommandContext, CommandError } from "./command.ts";

/** The version that the commands give as theirs. */
export const NIX_VERSION = "2.34.8";

/** A mistake in the arguments: printed with a hint to --help. */
export class UsageError extends CommandError {}

/** An error of which everything has been said. */
export class ToldError extends CommandError {
  constructor(exitCode: number) {
    super("", exitCode);
  }
}

/** Runs a command's body; errors that are the user's are printed as Nix prints them and give the exit code. */
export async function guard(program: string, context: CommandContext, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ToldError) return error.exitCode;
    const usage = isUsage(error);
    if (!usage && !isUsersError(error)) throw error;
    context.error(errorText(error.message));
    if (usage) context.error(`Try '${program} --help' for more information.\n`);
    return program === "nix" && error instanceof BuildError ? 1 : exitCodeOf(error);
  }
}

function isUsage(error: unknown): error is Error {
  if (error instanceof FormatError || error instanceof StoreError) return error.code === "usage";
  return error instanceof UsageError;
}

function isUsersError(error: unknown): error is Error {
  return [CommandError, StoreError, FormatError, BuildError].some((kind) => error instanceof kind);
}

/** "error: …" with the lines after the first set in below the text. Messages are byte strings, but for what our own texts say beyond them. */
function errorText(message: string): ByteString {
  const lines = message
    .split("\n")
    .map((line, index) => (line === "" ? "" : `${index === 0 ? " " : "       "}${line}`));
  return `error:${lines.join("\n")}\n`.replace(/[\u0100-\uffff]+/g, encodeUtf8);
}

/** @throws CommandError unless `--extra-experimental-features` (or the configuration) names the feature */
export function requireFeature(context: CommandContext, given: string | undefined, feature: string): void {
  const configured = /^\s*(?:extra-)?experimental-features\s*=(.*)$/gm;
  const enabled = [
    given ?? "",
    ...Array.from((context.env("NIX_CONFIG") ?? "").matchAll(configured), ([, list]) => list),
  ];
  if (enabled.join(" ").split(/\s+/).includes(feature)) return;
  const message = `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`;
  throw new CommandError(message);
}

/** A hash algorithm by its name; BLAKE3 is an experimental feature. @throws FormatError "usage", CommandError */
export function algorithmNamed(context: CommandContext, features: string | undefined, name: string): HashAlgorithm {
  const algorithm = parseHashAlgorithm(name);
  if (algorithm === "blake3") requireFeature(context, features, "blake3-hashes");
  return algorithm;
}

/** The value of a number flag: an integer, with K, M, G or T for powers of 1024. @throws UsageError */
export function parseCount(text: string): number {
  const upper = text.toUpperCase();
  const unit = /[A-Z]$/.exec(upper)?.[0] ?? "";
  const power = ["", "K", "M", "G", "T"].indexOf(unit);
  if (power < 0) throw new UsageError(`invalid unit specifier '${unit}'`);
  if (!/^-?[0-9]+[A-Z]?$/.test(upper)) throw new UsageError(`'${text}' is not an integer`);
  return Number.parseInt(upper, 10) * 1024 ** power;
}

function exitCodeOf(error: Error): number {
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof BuildError ? Number(error.data["exit"] ?? 1) : 1;
}

/** An argument's absolute form, without "." and "..". */
export function absolutePath(context: CommandContext, path: ByteString): ByteString {
  const names: string[] = [];
  for (const name of (path.startsWith("/") ? path : `${context.cwd}/${path}`).split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

/**
 * The path in the store that an argument leads to: itself, or through links such as `result` and profiles.
 * @throws CommandError in Nix's words
 */
export async function followToStore(context: CommandContext, argument: ByteString): Promise<ByteString> {
  let path = absolutePath(context, argument);
  for (let hops = 0; hops < 100 && !isInStore(path, context.store.storeDir); hops++) {
    const target = await linkTarget(context, path);
    if (target === undefined) break;
    path = absolutePath({ ...context, cwd: path.slice(0, path.lastIndexOf("/")) }, target);
  }
  if (!isInStore(path, context.store.storeDir)) throw new CommandError(`path "${path}" is not in the Nix store`);
  return path;
}

/** Profile links are the store's own; all others are the surroundings'. */
async function linkTarget(context: CommandContext, path: ByteString): Promise<ByteString | undefined> {
  return profileLink(context, path) ?? (await context.files.readLink(path));
}

function profileLink({ store }: CommandContext, path: ByteString): ByteString | undefined {
  if (path === "/run/current-system") return undefined;
  const match = /^\/nix\/var\/nix\/profiles\/(.+)$/.exec(path);
  if (match === null) return undefined;
  const name = match[1] as string;
  for (const profile of store.profiles()) {
    const generations = profile.generations;
    const found = generations.find(({ number }) => {
      return name === `${profile.name}-${number}-link` || (name === profile.name && number === profile.current);
    });
    if (found !== undefined) return found.path;
  }
  return undefined;
}

/** The store path that an argument leads to or into. */
export async function storePathOf(context: CommandContext, argument: ByteString): Promise<StorePath> {
  return splitStorePath(await followToStore(context, argument), context.store.storeDir)[0];
}

export async function storePathsOf(context: CommandContext, args: readonly ByteString[]): Promise<StorePath[]> {
  const paths: StorePath[] = [];
  for (const argument of args) paths.push(await storePathOf(context, argument));
  return paths;
}

/** "12.3 KiB"; aligned figures take six columns. */
export function renderSize(bytes: number, aligned = false): string {
  let size = bytes / 1024;
  let unit = 0;
  while (Math.abs(size) > 1024 && unit < 7) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(1).padStart(aligned ? 6 : 0)} ${"KMGTPEZY".charAt(unit)}iB`;
}

export function printLines(context: Pick<CommandContext, "print">, lines: Iterable<ByteString>): void {
  for (const line of lines) context.print(`${line}\n`);
}

export async function printPieces(context: CommandContext, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) context.print(fromBytes(piece));
}

export interface RealiseSettings {
  readonly keepGoing?: boolean;
  readonly check?: boolean;
  readonly dryRun?: boolean;
  /** Logs are not shown; a failure quotes the end of its own. */
  readonly quietLog?: boolean;
  /** Lines of logs are shown after their derivation's name. */
  readonly namedLog?: boolean;
  /** What was not begun is no failure. */
  readonly oneByOne?: boolean;
  /** Seconds for a build, and of its silence. */
  readonly timeout?: number;
  readonly maxSilent?: number;
  /** What builds are told of processors. */
  readonly cores?: number;
  /** Without a word on what will be done. */
  readonly quietPlan?: boolean;
}

/** Shows the plan, realises, shows what is built and its logs; undefined after a dry run. */
export async function realiseGoals(
  context: CommandContext,
  goals: readonly Goal[],
  settings: RealiseSettings = {},
): Promise<RealiseResult | undefined> {
  if (settings.quietPlan !== true) {
    context.error(describePlan(await planRealisation(goals, context.store, context.substituters)));
  }
  if (settings.dryRun === true) return undefined;
  return realise(goals, {
    store: context.store,
    substituters: context.substituters,
    signal: context.signal,
    owner: uniqueOwner(context),
    onEvent: reporter(context, settings),
    logLines: settings.quietLog === true ? QUOTED_LINES : 0,
    ...(settings.cores === undefined ? {} : { cores: settings.cores }),
    ...(settings.timeout === undefined ? {} : { timeout: settings.timeout }),
    ...(settings.oneByOne === true ? { oneByOne: true } : {}),
    ...(settings.maxSilent === undefined ? {} : { maxSilent: settings.maxSilent }),
    ...(context.builder === undefined ? {} : { builder: context.builder }),
    ...(context.trustedKeys === undefined ? {} : { trustedKeys: context.trustedKeys }),
    ...(context.tools === undefined ? {} : { tools: context.tools }),
    ...(settings.keepGoing === undefined ? {} : { keepGoing: settings.keepGoing }),
    ...(settings.check === undefined ? {} : { check: settings.check }),
  });
}

/** A name among the temporary roots that no other tab or process has. */
export function uniqueOwner(context: CommandContext): string {
  return `command-${encodeBase16(context.random(8))}`;
}

/** `log-lines`, as it comes. */
const QUOTED_LINES = 25;

/** Shows what happens, as it happens. */
function reporter(context: CommandContext, settings: RealiseSettings): (event: RealiseEvent) => void {
  const { quietLog, namedLog, check } = settings;
  const unfinished = new Map<StorePath, ByteString>();
  const named = (drvPath: StorePath, text: ByteString) => {
    const lines = ((unfinished.get(drvPath) ?? "") + text).split("\n");
    unfinished.set(drvPath, lines.pop() as ByteString);
    const name = `${derivationName(drvPath)}> `;
    for (const line of lines) context.error(`${name}${plainLine(line, name.length)}\n`);
  };
  const shown = (drvPath: StorePath, text: ByteString) => {
    unfinished.set(drvPath, text.endsWith("\n") ? "" : text);
    context.error(text);
  };
  const finish = (drvPath: StorePath) => {
    if ((unfinished.get(drvPath) ?? "") === "") return;
    if (namedLog === true) named(drvPath, "\n");
    else shown(drvPath, "\n");
  };
  return (event) => {
    context.onRealise?.(event);
    switch (event.kind) {
      case "start":
        return context.error(`${verbOf(event, check)} '${event.path}'...\n`);
      case "resolved":
        return context.error(`resolved derivation: '${event.path}' -> '${event.to}'...\n`);
      case "log":
        if (namedLog === true) return named(event.drvPath, fromBytes(event.bytes));
        return quietLog === true ? undefined : shown(event.drvPath, fromBytes(event.bytes));
      case "differs":
        for (const one of event.differences) context.error(`note: ${describeDifference(event.path, one)}\n`);
        return undefined;
      case "failed":
        finish(event.path);
        return event.goal ? undefined : context.error(errorText(event.message));
      case "done":
        return finish(event.path);
      case "progress":
        return undefined;
    }
  };
}

function verbOf({ means }: { readonly means: string }, check: boolean | undefined): string {
  if (means === "substitute") return "copying path";
  return check === true ? "checking outputs of" : "building";
}
