/**
 * Command: one record a program (`nix-store`, `nix`, `nixos-rebuild` …): arguments in, text and an exit code out. The
 * same record runs in the Node command line, the page's console and the guest's shim, so it sees the world only
 * through its context. All texts are byte strings.
 */
import type { Builder, CancelSignal } from "../build/builder.ts";
import type { BuiltinTools } from "../build/builtin-builders.ts";
import type { RealiseEvent } from "../build/realise.ts";
import type { Substituter } from "../build/substituter.ts";
import type { ByteString } from "../store/format/bytes.ts";
import type { PublicKey } from "../store/format/signature.ts";
import type { SourceTree } from "../store/format/tree.ts";
import type { StorePath } from "../store/format/store-path.ts";
import type { Store } from "../store/store.ts";

export interface Command {
  readonly name: string;
  /** One line for `--help` lists. */
  readonly doc: string;
  /** Gives the exit code. Errors that are the user's come out as "error: …" and 1; anything thrown is a bug. */
  run(argv: readonly ByteString[], context: CommandContext): Promise<number>;
}

/** What a program of the language (see language.ts) ended with. Its standard error is printed by now. */
export interface EvaluationOutcome {
  readonly exitCode: number;
  readonly stdout: ByteString;
}

/** The files a command sees: the workspace in the page, the guest's over the agent, the disk in Node. */
export interface CommandFiles {
  /** A whole tree; undefined when nothing is there. */
  readTree(path: ByteString): Promise<SourceTree | undefined>;
  writeTree(path: ByteString, tree: SourceTree): Promise<void>;
  writeFile(path: ByteString, contents: Uint8Array): Promise<void>;
  /** The target of a link (`result`, profile links); undefined when the path is no link. */
  readLink(path: ByteString): Promise<ByteString | undefined>;
  /** Makes or replaces a link (`result`). */
  makeLink(path: ByteString, target: ByteString): Promise<void>;
}

export interface CommandContext {
  readonly store: Store;
  readonly files: CommandFiles;
  /** Standard output and standard error, as written (nothing adds newlines). */
  readonly print: (text: ByteString) => void;
  readonly error: (text: ByteString) => void;
  /** The whole of standard input. */
  readonly input: () => Promise<Uint8Array>;
  readonly cwd: ByteString;
  readonly env: (name: string) => string | undefined;
  /** Seconds since the epoch. */
  readonly now: () => number;
  /** The local time of a moment, as `nix-env --list-generations` prints it: "2026-01-31 23:59:59". */
  readonly localTime: (seconds: number) => string;
  /** Random bytes, for new signing keys. */
  readonly random: (length: number) => Uint8Array;
  readonly signal: CancelSignal;
  /** Binary caches to ask, in order of preference. */
  readonly substituters: readonly Substituter[];
  /** Opens another store's binary cache by URL ("file:///…", "https://…"); undefined where that is not possible. */
  readonly openCache?: (url: string) => Promise<BinaryCacheAccess | undefined>;
  /** Runs builders; without one only recipes, `builtin:` builders and substitutes are realised. */
  readonly builder?: Builder;
  /** Keys whose signatures make a substitute acceptable. */
  readonly trustedKeys?: readonly PublicKey[];
  /** Downloads and unpacking for `builtin:` builders. */
  readonly tools?: BuiltinTools;
  /** Told what realising does, besides the text on standard error. */
  readonly onRealise?: (event: RealiseEvent) => void;
  /** Runs a program of the store with these variables besides the usual ones; undefined where nothing can be run. */
  readonly execute?: (
    program: ByteString,
    args: readonly ByteString[],
    env: Readonly<Record<string, ByteString>>,
  ) => Promise<number>;
  /** Runs a program of the language by its command line; what it instantiated is in the store afterwards. */
  readonly evaluate?: (argv: readonly ByteString[]) => Promise<EvaluationOutcome>;
  /** What only the caller knows to be in use: the guest's running and booted systems. */
  readonly extraRoots?: () => Promise<readonly { readonly name: string; readonly path: StorePath }[]>;
}

/** Reading and writing a binary cache's files by name ("nix-cache-info", "<hash>.narinfo", "nar/…"). */
export interface BinaryCacheAccess {
  readonly url: string;
  read(name: string): Promise<Uint8Array | undefined>;
  write?(name: string, contents: Uint8Array): Promise<void>;
}

/** An error that is the user's: printed as "error: MESSAGE", exit code 1. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}
