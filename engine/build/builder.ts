/**
 * What runs a derivation's builder. The engine prepares everything Nix decides (arguments, environment, files, which
 * paths are visible) and judges the outputs; a Builder only runs a process in a sandbox and hands back its output trees.
 */
import type { ByteString } from "../store/format/bytes.ts";
import type { FileTree } from "../store/format/tree.ts";
import type { StorePath } from "../store/format/store-path.ts";

/** The part of an AbortSignal that the engine needs; every AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Read access to what the sandbox may see. */
export interface BuildInputs {
  /** Every store path visible in the sandbox: the whole input closure, sorted. */
  readonly closure: readonly StorePath[];
  tree(path: StorePath): Promise<FileTree>;
  blob(sha256: string): Promise<Uint8Array>;
}

/** One build, ready to run: nothing is left to decide. */
export interface BuildRequest {
  readonly drvPath: StorePath;
  /** The derivation's name without ".drv". */
  readonly name: string;
  readonly system: ByteString;
  /** The program and its arguments (argv[0] is the program's base name, as Nix has it). */
  readonly program: ByteString;
  readonly argv: readonly ByteString[];
  /** The whole environment, in byte order of names. */
  readonly env: ReadonlyMap<ByteString, ByteString>;
  /** Files to lie in the build directory before the start (passAsFile, .attrs.json, .attrs.sh), by name. */
  readonly files: ReadonlyMap<ByteString, ByteString>;
  readonly inputs: BuildInputs;
  /** Where the build must leave its outputs: name → store path. */
  readonly outputs: ReadonlyMap<string, StorePath>;
  /** Fixed-output builds see the resolver's files in /etc. */
  readonly fixedOutput: boolean;
  /** A second build, to compare: what a host may vary is to be varied (clock, order of directories). */
  readonly again?: boolean;
  /** Seconds; 0 is no limit. */
  readonly timeout: number;
  readonly maxSilent: number;
}

export interface BuiltOutputs {
  /** By output name; missing when the build left nothing there. Modes and times need not be canonical: trees have none. */
  readonly trees: ReadonlyMap<string, FileTree>;
  /** The content of every blob of those trees that is not among the inputs' blobs. */
  blob(sha256: string): Promise<Uint8Array>;
}

export type BuildFailureCode =
  | "exit" // the builder's process ended with a status
  | "signal"
  | "timeout"
  | "silent"
  | "cancelled"
  | "memory"
  | "machine" // the virtual machine died or could not start
  | "output" // an output is missing or breaks a rule
  | "dependency"
  | "skipped" // never begun, because another build had failed
  | "unsupported";

/** A build that did not give its outputs. `message` is Nix's text where Nix has one. */
export class BuildError extends Error {
  readonly code: BuildFailureCode;
  readonly data: Readonly<Record<string, string | number>>;

  constructor(code: BuildFailureCode, message: string, data: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = "BuildError";
    this.code = code;
    this.data = data;
  }
}

export interface Builder {
  /** The systems whose programs it runs, e.g. "i686-linux". */
  readonly systems: readonly string[];
  /**
   * Runs one build in a fresh sandbox. `onLog` gets the combined output as it comes.
   * @throws BuildError
   */
  build(request: BuildRequest, onLog: (bytes: Uint8Array) => void, signal: CancelSignal): Promise<BuiltOutputs>;
}
