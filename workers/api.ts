/**
 * The interfaces of every worker and the plain data that crosses to them. No logic. Text here is Unicode unless a comment says byte
 * string; positions are as editors count: lines and columns from 1, columns in UTF-16 units.
 */
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import type { ErrorKind } from "#engine/eval/error.ts";
import type { TreeNode } from "#engine/store/format/tree.ts";
import type { PathInfo } from "#engine/store/path-info.ts";
import type { SeedFile } from "./samples.ts";

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

export interface EvaluatorWorker {
  /** Once, before anything else: the samples' archive, and what to ask the page for. */
  start(archive: Uint8Array, services: EvaluatorServices): Promise<void>;
  evaluateSystem(request: EvaluationRequest): Promise<EvaluationOutcome>;
  /** Everything below a derivation of an earlier outcome that has to be in the store before it is realised. */
  instantiation(drvPath: string): Promise<StoreItem[]>;
  /** Syntax problems of one file, at once and without evaluating. */
  check(path: string, text: string): Promise<Problem[]>;
  run(argv: readonly string[], files: Readonly<Record<string, string>>): Promise<CommandOutcome>;
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
