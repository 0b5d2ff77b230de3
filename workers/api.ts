/**
 * The interfaces of every worker and the plain data that crosses to them. No logic. Text here is Unicode unless a comment says byte
 * string; positions are as editors count: lines and columns from 1, columns in UTF-16 units.
 */
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import type { ErrorKind } from "#engine/eval/error.ts";
import type { TreeNode } from "#engine/store/format/tree.ts";
import type { PathInfo } from "#engine/store/path-info.ts";
import type {
  CodeAction,
  CompletionItem,
  FoldingRange,
  FormatResult,
  Hover,
  Location,
  RenameResult,
  Span,
  SymbolNode,
} from "#engine/ide/types.ts";
import type { SandboxRequest, SandboxResult } from "./machine/types.ts";
import type { SeedFile } from "./samples.ts";
import type { PackedTree, SourcePin } from "./transfer/types.ts";

export type {
  CacheRecord,
  ChannelParts,
  Download,
  OnProgress,
  DownloadWorker,
  PageRecords,
  PackedTree,
  SourcePin,
  SourceRecord,
  StoreSize,
  TransferWorker,
} from "./transfer/types.ts";
export type { Machine, MachineEvent, MachineListener, MachineOptions, MachineWorker } from "./machine/types.ts";

// ------------------------------------------------------------------------------------------------------------ evaluator

export interface Place {
  /** Relative to /etc/nixos for the workspace's files, absolute for any other. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Content of a source file: at hand, or a seed's that is fetched when the store needs it. */
export type SourceContents = { readonly contents: Uint8Array } | SeedFile;

/** The BroadcastChannel on which commits are told. */
export const STORE_CHANNEL = "terrarium-store";

/** What an evaluation puts into the store. Texts are byte strings; a derivation is a text whose path ends in ".drv". */
export type StoreItem =
  | { readonly kind: "text"; readonly path: string; readonly text: string; readonly references: readonly string[] }
  | {
      readonly kind: "source";
      readonly path: string;
      readonly method: "nar" | "flat" | "text";
      readonly tree: TreeNode<SourceContents>;
    };

/** What the store says of a valid path; `tree` when content was asked for. */
export interface StorePathAnswer {
  readonly references: readonly string[];
  readonly tree?: TreeNode<SourceContents>;
}

/** What the evaluator worker asks of the page while it evaluates: it has neither store nor network of its own. */
export interface EvaluatorServices {
  /** The path's references and whole content, undefined when it is not valid. */
  storePath(path: string): Promise<StorePathAnswer | undefined>;
  /** Registers the items and realises the outputs (import from derivation); their paths in order. */
  realise(drvPath: string, outputs: readonly string[], items: readonly StoreItem[]): Promise<readonly string[]>;
  fetch(request: FetchRequest): Promise<FetchResult>;
  /** A seed's file. */
  seed(url: string): Promise<Uint8Array>;
  /** The tree of a package set of the library; null when it is not there. */
  sourceIndex(narHash: string): Promise<PackedTree | null>;
  sourceChunk(narHash: string, chunk: number): Promise<Uint8Array>;
}

export interface EvaluationRequest {
  /** By path relative to /etc/nixos. */
  readonly files: Readonly<Record<string, string>>;
  readonly entry: string;
}

/** One stop on the way of an error, innermost first. */
export interface ProblemFrame {
  readonly message: string;
  readonly at: Place | null;
}

/** What is wrong with the user's program, in Nix's words. */
export interface Problem {
  readonly kind: ErrorKind;
  readonly message: string;
  /** Where in the user's own files: the error's own position, else the innermost frame there. */
  readonly at: Place | null;
  /** End of the underlined part; null when only a position is known. */
  readonly end: { readonly line: number; readonly column: number } | null;
  readonly frames: readonly ProblemFrame[];
  readonly suggestions: readonly string[];
  /** A plain sentence for somebody new, or null where Nix's message says it all. */
  readonly explanation: string | null;
  /** Ready-made repairs in the file of `at`, the best first; offsets in UTF-16 units. */
  readonly fixes: readonly CodeAction[];
  /** The whole of it as `nix-instantiate --show-trace` prints it. */
  readonly text: string;
}

/** What `<nixpkgs/nixos/lib/page.nix>` says of a configuration. */
export interface SystemSummary {
  readonly hostName: string;
  readonly label: string;
  readonly web: { readonly unit: string; readonly port: number } | null;
  readonly units: readonly { readonly name: string; readonly description: string }[];
  readonly etcFiles: readonly string[];
  readonly users: readonly string[];
  readonly packages: readonly { readonly name: string; readonly version: string }[];
  readonly warnings: readonly string[];
}

export type EvaluationOutcome =
  | {
      readonly ok: true;
      readonly drvPath: string;
      readonly outPath: string;
      readonly summary: SystemSummary;
      readonly lines: readonly string[];
      readonly milliseconds: number;
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly milliseconds: number };

/** A command line run by the evaluator: `nix-instantiate`, `nix eval`, `nix repl`'s lines. */
export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Derivations it instantiated, to be registered. */
  readonly items: readonly StoreItem[];
}

/** A question of the editor. Offsets count UTF-16 units of the file's text. */
export type LanguageQuestion =
  | { readonly kind: "complete" | "hover" | "definition" | "references" | "prepareRename"; readonly offset: number }
  | { readonly kind: "rename"; readonly offset: number; readonly name: string }
  | { readonly kind: "actions"; readonly start: number; readonly end: number; readonly problems: readonly string[] }
  | { readonly kind: "format" | "outline" | "folds" };

/** The answer to each kind of question. */
export interface LanguageAnswers {
  complete: CompletionItem[];
  hover: Hover | null;
  definition: Location[];
  references: Location[];
  prepareRename: (Span & { name: string }) | null;
  rename: RenameResult;
  actions: CodeAction[];
  format: FormatResult;
  outline: SymbolNode[];
  folds: FoldingRange[];
}

/** What a line of the repl printed, in order, and what is to be done beyond evaluating. */
export interface ReplOutcome {
  readonly output: readonly { readonly stream: "out" | "err"; readonly text: string }[];
  /** `incomplete` wants the next line added to this one. */
  readonly next: "done" | "incomplete" | "quit" | "build" | "install" | "log" | "shell" | "edit";
  /** The derivation that is to be built, with everything that has to be in the store before. */
  readonly drvPath?: string;
  readonly items?: readonly StoreItem[];
  /** The file that is to be edited. */
  readonly file?: string;
}

export interface EvaluatorWorker {
  /** Once, before anything else: the samples' archive, and what to ask the page for. */
  start(archive: Uint8Array, services: EvaluatorServices): Promise<void>;
  /** The package sets that are seen from now on; none at the start. Everything evaluated so far is forgotten. */
  setSources(pins: readonly SourcePin[]): Promise<void>;
  evaluateSystem(request: EvaluationRequest): Promise<EvaluationOutcome>;
  /** Everything below a derivation of an earlier outcome that has to be in the store before it is realised. */
  instantiation(drvPath: string): Promise<StoreItem[]>;
  run(argv: readonly string[], files: Readonly<Record<string, string>>): Promise<CommandOutcome>;
  /** A line of the repl, which begins with the worker's first one; files that were loaded are read again by `:r`. */
  replLine(line: string, files: Readonly<Record<string, string>>): Promise<ReplOutcome>;
  /** What the last word of a line of the repl may become. */
  completeRepl(line: string): Promise<string[]>;
  /** Answers a question about one file; the answer's type goes with the question's kind. */
  ask(path: string, text: string, question: LanguageQuestion): Promise<LanguageAnswers[LanguageQuestion["kind"]]>;
}

// ---------------------------------------------------------------------------------------------------------------- store

/** A workspace as it is kept. */
export interface WorkspaceRecord {
  readonly id: string;
  readonly title: string;
  readonly kind: "own" | "copy";
  readonly entry: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly origin: string | null;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  /** Package sets beside the embedded one. */
  readonly sources?: readonly SourcePin[];
}

export type RealiseEvent =
  | { readonly kind: "plan"; readonly steps: readonly { drvPath: string; name: string; how: BuildMethod }[] }
  | { readonly kind: "start"; readonly drvPath: string }
  | { readonly kind: "log"; readonly drvPath: string; readonly text: string }
  | { readonly kind: "done"; readonly drvPath: string; readonly milliseconds: number }
  | { readonly kind: "failed"; readonly drvPath: string; readonly message: string };

export type BuildMethod = "present" | "recipe" | "builder" | "substitute";

export interface PathSummary extends PathInfo {
  readonly closureSize: number;
  readonly referrers: readonly string[];
}

/** An error of a worker as plain data; `code` is one of StoreError's, MachineError's or "bug". */
export interface WorkerProblem {
  readonly code: string;
  readonly message: string;
}

/** What realising gave: every output's path by name, or why not. */
export type RealiseOutcome =
  | { readonly ok: true; readonly outputs: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly cancelled: boolean; readonly message: string };

export interface PathDetail extends PathSummary {
  /** The chain that keeps it: a root's name, then store paths; empty when nothing does. */
  readonly keptBy: readonly string[];
  readonly entries: readonly TreeEntry[];
}

export interface TreeEntry {
  readonly name: string;
  readonly kind: "file" | "executable" | "link" | "folder";
  readonly size: number;
  readonly target: string | null;
}

/** One reference on the way of a why-depends answer. */
export interface DependencyStep {
  readonly path: string;
  readonly next: string;
  readonly file: string | null;
  readonly excerpt: string | null;
}

export interface GenerationRecord {
  readonly number: number;
  readonly path: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly label: string;
  readonly note: string;
  readonly pinned: boolean;
}

export interface ProfileRecord {
  readonly current: number | null;
  readonly generations: readonly GenerationRecord[];
  /** As `/nix/var/nix/profiles` shows it. */
  readonly links: readonly (readonly [link: string, target: string])[];
}

/** A derivation in text, for people. */
export interface DerivationRecord {
  readonly drvPath: string;
  readonly name: string;
  readonly system: string;
  readonly builder: string;
  readonly args: string[];
  readonly env: { name: string; value: string }[];
  readonly outputs: { name: string; path: string | null }[];
  readonly inputDrvs: { drvPath: string; outputs: string[] }[];
  readonly inputSrcs: string[];
  /** The file's own text (ATerm). */
  readonly text: string;
}

/** Told on the channel `STORE_CHANNEL` after every commit, to every tab. */
export interface StoreNews {
  readonly sequence: number;
  /** Which store worker committed, and in which workspace. */
  readonly origin: string;
  readonly workspace: string;
  readonly profiles: readonly string[];
}

export interface StoreOverview {
  readonly paths: number;
  readonly bytes: number;
  readonly dead: readonly { readonly path: string; readonly name: string; readonly narSize: number }[];
  readonly kept: readonly { readonly path: string; readonly name: string; readonly because: string }[];
  readonly roots: readonly { readonly name: string; readonly path: string }[];
}

/** What differs between two systems, from their trees and closures. */
export interface SystemChange {
  readonly newBytes: number;
  readonly closureDelta: number;
  readonly units: readonly { readonly name: string; readonly action: UnitAction; readonly reason: string }[];
  readonly etc: readonly {
    readonly path: string;
    readonly kind: ChangeKind;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  readonly packages: readonly {
    readonly name: string;
    readonly before: string | null;
    readonly after: string | null;
    readonly sizeDelta: number;
  }[];
  readonly users: readonly { readonly name: string; readonly kind: ChangeKind }[];
  readonly others: readonly { readonly name: string; readonly detail: string; readonly needsReboot: boolean }[];
}

export type ChangeKind = "added" | "removed" | "changed";
export type UnitAction = "start" | "stop" | "restart" | "reload";

/** What a command line needs from the page while the store worker runs it. */
export interface CommandServices {
  out(text: string): void;
  err(text: string): void;
  /** Instantiates the open workspace's system; the problem's text has the trace. */
  evaluateSystem(): Promise<
    { ok: true; drvPath: string; label: string; items: readonly StoreItem[] } | { ok: false; text: string }
  >;
  /** Runs an evaluator's command (`nix-instantiate`, `nix eval`, …). */
  evaluate(argv: readonly string[]): Promise<CommandOutcome>;
  /** Runs switch-to-configuration in the guest; its exit code. */
  activate(topLevel: string, action: string): Promise<number>;
  /** A named moment of a rebuild; rejects when the plug is pulled there. */
  step(name: string): Promise<void>;
  realising(event: RealiseEvent): void;
  /** The whole of standard input, as a byte string. */
  input(): Promise<string>;
  /** A regular file where the command was typed: of the workspace, or of the machine. Null when there is none. */
  readFile(path: string): Promise<Uint8Array | null>;
}

export interface StoreServices {
  /** Runs a builder in the sandbox machine; see workers/machine/types.ts. */
  build(request: SandboxRequest, onLog: (bytes: Uint8Array) => void): Promise<SandboxResult>;
  cancelBuild(): Promise<void>;
  /** A seed's file. */
  seed(url: string): Promise<Uint8Array>;
}

/**
 * The IndexedDB database of a workspace's store. Each workspace has its own, so that what a shared link's copy builds, boots or collects
 * never meets another workspace's paths.
 */
export const storeDatabase = (workspace: string): string => `terrarium-store-${workspace}`;

/** The store's only writer. Rejections are `WorkerProblem`s. After `open`, everything is about that workspace's store. */
export interface StoreWorker {
  /** Opens the store; the answer names this worker in `StoreNews`. */
  start(services: StoreServices): Promise<string>;
  /** Opens a workspace's store, an empty one when there is none. What runs on the one before is ended first. */
  open(workspace: string): Promise<void>;
  /** Deletes a workspace's store. */
  destroy(workspace: string): Promise<void>;

  /** The page's own small records: workspaces, settings, progress. */
  records(prefix: string): Promise<[key: string, value: unknown][]>;
  putRecord(key: string, value: unknown): Promise<void>;
  deleteRecord(key: string): Promise<void>;

  register(items: readonly StoreItem[]): Promise<void>;
  realise(drvPath: string, onEvent: (event: RealiseEvent) => void): Promise<RealiseOutcome>;
  cancelRealise(): Promise<void>;
  /**
   * What a switch from one system to another that is not built yet would change. Realises it quietly when that takes no machine;
   * null when it does, or when it fails. `states` is what the machine that runs `from` says of its units. What only this made is deleted
   * again when a later look needs it no more.
   */
  preview(
    from: string,
    drvPath: string,
    items: readonly StoreItem[],
    states: readonly (readonly [unit: string, active: string])[],
  ): Promise<SystemChange | null>;
  /** Which of these paths are valid. */
  valid(paths: readonly string[]): Promise<string[]>;

  closure(root: string): Promise<PathSummary[]>;
  detail(path: string): Promise<PathDetail | null>;
  whyDepends(from: string, to: string): Promise<DependencyStep[][]>;
  /** A regular file's content below a store path, links followed inside the store; null when there is none. */
  readFile(path: string): Promise<Uint8Array | null>;
  storePath(path: string): Promise<StorePathAnswer | undefined>;
  derivation(drvPath: string): Promise<DerivationRecord | null>;
  change(from: string, to: string): Promise<SystemChange>;

  profile(): Promise<ProfileRecord>;
  annotate(number: number, marks: { note?: string; pinned?: boolean; label?: string }): Promise<void>;
  deleteGenerations(numbers: readonly number[]): Promise<void>;
  /** Keeps a path from collection while the machine runs on it (`/run/booted-system`, `/run/current-system`); null lets it go. */
  setRoot(name: string, path: string | null): Promise<void>;

  overview(): Promise<StoreOverview>;
  collect(): Promise<{ freed: number; deleted: number }>;
  verify(onProgress: (fraction: number) => void): Promise<string[]>;

  /** Runs a command of engine/commands; its exit code. */
  run(argv: readonly string[], services: CommandServices): Promise<number>;
  /** Names of the commands and what each is for. */
  commands(): Promise<{ name: string; doc: string }[]>;
}
