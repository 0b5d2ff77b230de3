/**
 * What an editor asks about Nix code and gets: plain data that crosses a worker as it is.
 *
 * Invariants: every offset counts UTF-16 units of the document's text, as editors do; spans are half open; text is ordinary
 * (Unicode) text, never a byte string.
 */

export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Location extends Span {
  readonly path: string;
}

export interface TextEdit extends Span {
  readonly text: string;
}

/** A builtin as the editor needs it; records of engine/builtins/table.ts fit. */
export interface BuiltinInfo {
  readonly name: string;
  readonly arity: number;
  readonly doc: string;
}

/** An option of the module system, as plain data. `path` has `<name>` where any name may stand. */
export interface OptionInfo {
  readonly path: readonly string[];
  readonly type: string;
  readonly description: string;
  readonly default?: string;
  readonly example?: string;
}

export type TokenType =
  | "keyword"
  | "variable"
  | "parameter"
  | "function"
  | "property"
  | "builtin"
  | "constant"
  | "string"
  | "escape"
  | "path"
  | "url"
  | "number"
  | "operator"
  | "punctuation"
  | "comment";

export interface SemanticToken extends Span {
  readonly type: TokenType;
  /** `definition` where the name is given its value; `unresolved` where no scope is known to have it. */
  readonly modifier?: "definition" | "unresolved" | "unused";
}

export interface FoldingRange extends Span {
  readonly kind: "region" | "comment";
}

export interface SymbolNode extends Span {
  readonly name: string;
  readonly kind: "attribute" | "function" | "set" | "list" | "variable" | "string" | "number" | "inherited";
  /** The name itself. */
  readonly selection: Span;
  readonly children: readonly SymbolNode[];
}

export interface Reference extends Span {
  readonly isDefinition: boolean;
}

export type RenameResult =
  | { readonly ok: true; readonly edits: readonly TextEdit[]; readonly note?: string }
  | { readonly ok: false; readonly reason: string };

export interface CompletionItem {
  readonly label: string;
  readonly kind: "variable" | "parameter" | "function" | "attribute" | "option" | "builtin" | "keyword" | "snippet";
  /** One line beside the label: a type, the start of the definition. */
  readonly detail: string;
  /** Markdown; may be empty. */
  readonly doc: string;
  readonly insert: string;
  /** `insert` has `$1`, `$0` places of a snippet. */
  readonly isSnippet: boolean;
  /** What the insertion replaces. */
  readonly replace: Span;
  /** Sorts before greater ones. */
  readonly rank: number;
}

export interface Hover extends Span {
  readonly markdown: string;
}

/** A problem to show in the text. `data` is what code actions work from; it is handed back unchanged. */
export interface Problem extends Span {
  readonly severity: "error" | "warning" | "hint";
  readonly message: string;
  readonly code: string;
  readonly unnecessary: boolean;
  readonly data?: unknown;
}

export interface CodeAction {
  readonly title: string;
  readonly kind: "quickfix" | "refactor";
  /** The best fix for its problem; safe to apply without asking. */
  readonly isPreferred: boolean;
  readonly edits: readonly TextEdit[];
}

export interface FormatResult {
  /** The whole text formatted; the same text if it has syntax errors. */
  readonly text: string;
  readonly changed: boolean;
}
