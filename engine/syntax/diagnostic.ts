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
}

/** `syntax error, unexpected …`. Token names are as Nix prints them: `';'`, `end of file`, `identifier`. */
export interface SyntaxDiagnostic extends Base {
  readonly code: "syntax";
  readonly unexpected: string;
  readonly expected: readonly string[];
  /** What recovery did at `start`; an editor can offer it as a fix. */
  readonly inserted: readonly string[];
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
    | "invalid-token"
    | "feature-disabled"
    | "impure-path"
    | "other";
}
