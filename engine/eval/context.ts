/**
 * What a builtin may use beside its arguments: the outside, the settings and a few services of the evaluator.
 */
import type { Io } from "./io.ts";
import type { Settings } from "./settings.ts";
import type { SymbolTable } from "./symbols.ts";
import type { Attrs } from "./value.ts";
import type { Routine } from "#engine/builtins/record.ts";
import type { Value } from "./value.ts";

export interface EvalContext {
  readonly io: Io;
  readonly settings: Settings;
  /** The set `builtins`. */
  readonly builtins: Attrs;
  /** Reads, parses and evaluates a file, once a content; `scope` is `scopedImport`'s set of extra variables. */
  importFile(path: string, scope?: Attrs): Routine<Value>;
  /** Parses and evaluates text that has no file of its own; `name` appears in positions, `base` resolves relative paths. */
  evaluateText(text: string, name: string, base: string): Routine<Value>;
  /** Prints a warning line once a text. */
  warn(message: string): void;
  /** Throws Nix's message unless the experimental feature is on; `reason` says what needs it. */
  requireFeature(feature: string, reason?: string): void;
  /** Derivations this evaluation wrote: path to ATerm and its hash modulo. */
  readonly derivations: DerivationTable;
  /** Names in the order they were first seen. */
  readonly symbols: SymbolTable;
  /** Store paths of paths that were copied, by path. */
  readonly copiedPaths: Map<string, string>;
  /** Trees of the store that messages show as the folders they are copies of, by store path. */
  readonly shownTrees: Map<string, string>;
}

/** A derivation that was instantiated by this evaluator. */
export interface WrittenDerivation {
  readonly drvPath: string;
  readonly name: string;
  /** The ATerm as in the .drv file. */
  readonly text: string;
  readonly references: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
}

export type DerivationTable = Map<string, WrittenDerivation>;
