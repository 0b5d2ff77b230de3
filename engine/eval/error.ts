/**
 * Errors of evaluation. A `NixError` is what the user's program did wrong, in Nix's own words; anything else that is thrown is a bug
 * of the evaluator or a `NeedsIO` on its way to the worker.
 *
 * A message is a byte string like all text here, without colour codes. The trace grows while the error travels outwards, so the first
 * frame is the innermost.
 */
import type { Pos } from "./positions.ts";

/**
 * eval: ordinary; type: wrong type; throw/assert: what `tryEval` catches; abort; undefined: a variable; missing: an attribute;
 * recursion: infinite recursion; overflow: call depth or integer; syntax; restricted: forbidden by settings; io: reading or the store.
 */
export type ErrorKind =
  | "eval"
  | "type"
  | "throw"
  | "assert"
  | "abort"
  | "undefined"
  | "missing"
  | "recursion"
  | "overflow"
  | "syntax"
  | "restricted"
  | "io"
  | "usage";

/** One line of a trace: "while evaluating the attribute 'x'" and where. */
export interface TraceFrame {
  readonly message: string;
  readonly pos: Pos | undefined;
  /**
   * `always`: of `addErrorContext`, never left out when a trace is shortened. `detail`: calls of lambdas, which C++ Nix only records
   * under --show-trace (here they are always recorded, because the page shows the chain of the user's own files).
   */
  readonly shown?: "always" | "detail";
}

export interface NixErrorOptions {
  readonly pos?: Pos | undefined;
  /** Names similar to the one that was not found: "Did you mean …?". */
  readonly suggestions?: readonly string[];
  /** Plain data for the page: attribute path, variable name, file, … */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Exit code of the command-line program, 1 unless told. */
  readonly status?: number;
}

export class NixError extends Error {
  readonly kind: ErrorKind;
  readonly pos: Pos | undefined;
  readonly suggestions: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Innermost first. */
  readonly trace: TraceFrame[] = [];

  constructor(kind: ErrorKind, message: string, options: NixErrorOptions = {}) {
    super(message);
    this.name = "NixError";
    this.kind = kind;
    this.pos = options.pos;
    this.suggestions = options.suggestions ?? [];
    this.data = options.data ?? {};
    this.status = options.status ?? 1;
  }

  /** May `builtins.tryEval` turn this error into `success = false`? */
  get catchable(): boolean {
    return this.kind === "throw" || this.kind === "assert";
  }

  /** A copy with only the innermost frames, for an error that is thrown again from another place. */
  again(frames: number): NixError {
    const copy = new NixError(this.kind, this.message, this);
    copy.trace.push(...this.trace.slice(0, frames));
    return copy;
  }

  /** Adds an outer frame; returns the error so that `throw error.within(…)` reads well. */
  within(message: string, pos?: Pos, shown?: TraceFrame["shown"]): this {
    this.trace.push(shown === undefined ? { message, pos } : { message, pos, shown });
    return this;
  }
}

/** Adds an outer frame if the thrown thing is an error of the program, and returns it for throwing on. */
export function addTrace(thrown: unknown, message: string, pos?: Pos): unknown {
  if (thrown instanceof NixError) thrown.within(message, pos);
  return thrown;
}

export const typeError = (message: string, pos?: Pos): NixError => new NixError("type", message, { pos });
export const evalError = (message: string, pos?: Pos): NixError => new NixError("eval", message, { pos });
