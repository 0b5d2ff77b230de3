/**
 * What is wrong with a text, as data.
 *
 * Invariant: the first diagnostic of a parse is the error C++ Nix stops at, its `message` Nix's own (without `error: `)
 * and `start` Nix's position; the later ones are what the parser found after recovering.
 */

export type Diagnostic = SyntaxDiagnostic | DuplicateDiagnostic | OtherDiagnostic;

interface Base {
  /** Nix's message as a byte string; a position inside it is already printed. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
  /** False where Nix prints the message without a position. */
  readonly positioned?: false;
}

/** `syntax error, unexpected …`. Token names are as Nix prints them: `';'`, `end of file`, `identifier`. */
export interface SyntaxDiagnostic extends Base {
  readonly code: "syntax";
  readonly unexpected: string;
  /** What the message lists: empty where Nix lists nothing because there is too much. */
  readonly expected: readonly string[];
  readonly recovery: Recovery;
}

/**
 * How the parser went on: it invented `inserted` at `at` (the end of the token before), or left the unexpected token out.
 * Inserting text that means the same is the fix an editor may offer.
 */
export interface Recovery {
  readonly at: number;
  readonly inserted: readonly string[];
  readonly deleted: boolean;
}

/** An attribute or a formal defined twice; `previous` is where the first one is (for attributes). */
export interface DuplicateDiagnostic extends Base {
  readonly code: "duplicate-attribute" | "duplicate-formal";
  readonly name: string;
  readonly previous: number | null;
}

export interface OtherDiagnostic extends Base {
  readonly code:
    | "dynamic-let"
    | "dynamic-inherit"
    | "invalid-number"
    | "null-byte"
    | "trailing-slash"
    | "feature-disabled"
    | "impure-path"
    | "lint";
}

/** What Nix prints as `warning: …` and goes on. `positioned` is false where the message itself holds the position. */
export interface Warning {
  readonly code: "lint" | "or-as-identifier";
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly positioned?: false;
}
