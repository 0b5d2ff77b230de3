/** What a parse depends on besides the text: Nix's settings that change it. */

export type LintLevel = "ignore" | "warn" | "fatal";

export interface ParseOptions {
  /** The directory `~` means; a byte string. */
  readonly home: string;
  /** `pure-eval`: `~/x` is an error. */
  readonly pure: boolean;
  /** The experimental feature `pipe-operators`. */
  readonly pipeOperators: boolean;
  /** `lint-url-literals`. */
  readonly lintUrlLiterals: LintLevel;
  /** `lint-short-path-literals`: `a/b` without `./`. */
  readonly lintShortPathLiterals: LintLevel;
  /** `lint-absolute-path-literals`: `/a` and `~/a`. */
  readonly lintAbsolutePathLiterals: LintLevel;
}

export const DEFAULT_OPTIONS: ParseOptions = {
  home: "/homeless-shelter",
  pure: false,
  pipeOperators: false,
  lintUrlLiterals: "ignore",
  lintShortPathLiterals: "ignore",
  lintAbsolutePathLiterals: "ignore",
};
