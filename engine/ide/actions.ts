/**
 * Code actions: fixes for problems, and small rewrites at the cursor.
 *
 * Invariant: applying an action gives a text that parses at least as far as before; what changes meaning is never preferred.
 */
import type { AttrSet, Expr, Lambda, StaticName } from "#engine/syntax/ast.ts";
import { childrenOf, nodesAt } from "#engine/syntax/children.ts";
import type { Diagnostic, SyntaxDiagnostic } from "#engine/syntax/diagnostic.ts";
import { isPlainName } from "#engine/syntax/names.ts";
import { type Document, toByteOffset, toTextSpan, type Workspace } from "./document.ts";
import { lexemesOf } from "#engine/syntax/lexemes.ts";
import { problemsOf, unusedAt } from "./problems.ts";
import { GLOBAL_NAMES } from "./globals.ts";
import { type Definition, type Scope, scopeAt } from "./scopes.ts";
import type { CodeAction, Problem, Span, TextEdit } from "./types.ts";

/**
 * What can be done about problems and at an offset. `problems` are those the editor shows there, the document's own or the
 * evaluator's; they are recognised by their messages. Without any, the document's own at the span count.
 */
export function codeActions(
  document: Document,
  span: Span,
  problems: readonly Problem[],
  workspace: Workspace,
): CodeAction[] {
  const own = problemsOf(document).filter((one) => one.start <= span.end && span.start <= one.end);
  const shown = problems.map((problem) => own.find((one) => one.message === problem.message) ?? problem);
  const known = [...new Set([...shown, ...own])];
  const fixes = known.flatMap((problem) => problemFixes(document, problem, workspace));
  return [...fixes, ...refactorings(document, toByteOffset(document, span.start))].map((action) => ({
    ...action,
    edits: action.edits.map((edit) => ({ ...toTextSpan(document, edit), text: edit.text })),
  }));
}

function problemFixes(document: Document, problem: Problem, workspace: Workspace): CodeAction[] {
  if (problem.code === "unused") return unusedFixes(document, problem);
  const diagnostic = problem.data as Diagnostic | undefined;
  switch (diagnostic?.code) {
    case undefined:
      return messageFixes(document, problem, workspace);
    case "syntax":
      return syntaxFixes(document, diagnostic);
    case "duplicate-attribute":
      return removeBinding(document, diagnostic.start, `Remove this second '${diagnostic.name}'`);
    default:
      return [];
  }
}

/** Fixes for errors of evaluation, known by Nix's and the module system's wording. */
function messageFixes(document: Document, problem: Problem, workspace: Workspace): CodeAction[] {
  const at = toByteOffset(document, problem.start);
  const { message } = problem;
  const undefinedName = /undefined variable '([^']*)'/.exec(message)?.[1];
  if (undefinedName !== undefined) return undefinedFixes(document, at, undefinedName, workspace);
  if (/option `[^']*' (has conflicting definitions|is defined multiple times)/.test(message))
    return forceFixes(document, at);
  const wrong = /attribute '([^']*)' (?:in selection path '[^']*' )?(?:missing|not found)/.exec(message)?.[1];
  const option = /option `([^']*)' does not exist/.exec(message)?.[1];
  const name = wrong ?? option?.split(".").at(-1);
  return name === undefined ? [] : suggestionFixes(document, at, name, message);
}

/** "Did you mean …?": the name at the place, written as suggested. */
function suggestionFixes(document: Document, offset: number, name: string, message: string): CodeAction[] {
  const text = /Did you mean (?:one of )?([^]*)\?/.exec(message)?.[1] ?? "";
  const suggestions = [...text.matchAll(/[\w'.-]+/g)].map((match) => match[0].replace(/^'|'$/g, "").split(".").at(-1)!);
  const node = staticNames(document, offset).find((one) => one.name === name);
  if (node === undefined) return [];
  const others = suggestions.filter((one) => one !== "or" && one !== "and" && one !== name && isPlainName(one));
  return [...new Set(others)].map((one) =>
    quickFix(`Change to '${one}'`, [{ start: node.start, end: node.end, text: one }], others.length === 1),
  );
}

/** The names written at a place: of the binding's path or of the selection there. */
function staticNames(document: Document, offset: number): StaticName[] {
  const nodes = nodesAt(document.ast, offset).toReversed();
  return nodes.flatMap((node) => childrenOf(node).filter((one): one is StaticName => one.kind === "static-name"));
}

/** Two files set an option: this one shall win. */
function forceFixes(document: Document, offset: number): CodeAction[] {
  const binding = nodesAt(document.ast, offset).findLast((node) => node.kind === "path-binding");
  if (binding?.kind !== "path-binding") return [];
  const { value } = binding;
  const needsBrackets = ![
    "int",
    "float",
    "string",
    "interpolation",
    "path",
    "var",
    "select",
    "list",
    "attr-set",
  ].includes(value.kind);
  const [open, close] = needsBrackets ? ["(", ")"] : ["", ""];
  const edits = [
    { start: value.start, end: value.start, text: `lib.mkForce ${open}` },
    { start: value.end, end: value.end, text: close! },
  ];
  return [
    quickFix(
      "Let this definition win (lib.mkForce)",
      edits.filter((edit) => edit.text !== ""),
    ),
  ];
}

const quickFix = (title: string, edits: readonly TextEdit[], isPreferred = false): CodeAction => ({
  title,
  kind: "quickfix",
  isPreferred,
  edits,
});

/** Texts of the terminals that an editor may simply type. */
const TYPED = /^'(.+)'$/;

function syntaxFixes(document: Document, diagnostic: SyntaxDiagnostic): CodeAction[] {
  const { recovery } = diagnostic;
  if (diagnostic.unexpected === "'='" && diagnostic.expected.includes("';'"))
    return [missingSemicolon(document, diagnostic.start)];
  const typed = recovery.inserted.map((token) => TYPED.exec(token)?.[1] ?? null);
  if (recovery.deleted)
    return [quickFix(`Remove ${diagnostic.unexpected}`, [{ start: diagnostic.start, end: diagnostic.end, text: "" }])];
  if (typed.length === 0 || typed.includes(null)) return [];
  const text = typed.join("").replace(/[a-z]+/g, " $& ");
  const title = typed.length === 1 ? `Insert '${typed[0]}'` : `Insert '${text.trim()}'`;
  return [quickFix(title, [{ start: recovery.at, end: recovery.at, text }], true)];
}

/** `a = 1 b = 2;`: the semicolon belongs before the path that the `=` comes after. */
function missingSemicolon(document: Document, equals: number): CodeAction {
  const lexemes = lexemesOf(document.source);
  const { text } = document.source;
  let index = lexemes.findIndex((lexeme) => lexeme.start === equals) - 1;
  while (index >= 2 && text.slice(lexemes[index - 1]!.start, lexemes[index - 1]!.end) === ".") index -= 2;
  const at = lexemes[Math.max(index - 1, 0)]!.end;
  return quickFix("Insert ';'", [{ start: at, end: at, text: ";" }], true);
}

function removeBinding(document: Document, offset: number, title: string): CodeAction[] {
  const binding = nodesAt(document.ast, offset).findLast((node) => node.kind === "path-binding");
  return binding === undefined ? [] : [quickFix(title, [withoutLine(document, binding)])];
}

/** Removes a span, with its line if nothing else stands on it. */
function withoutLine(document: Document, { start, end }: Span): TextEdit {
  const { text } = document.source;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", end);
  const lineEnd = newline < 0 ? text.length : newline;
  const isAlone = text.slice(lineStart, start).trim() === "" && text.slice(end, lineEnd).trim() === "" && newline >= 0;
  return isAlone ? { start: lineStart, end: lineEnd + 1, text: "" } : { start, end, text: "" };
}

function unusedFixes(document: Document, problem: Problem): CodeAction[] {
  const definition = unusedAt(document, problem.start);
  if (definition === undefined) return [];
  const name = definition.names[0]!;
  const rename = quickFix(`Rename to '_${definition.name}'`, [{ start: name.start, end: name.start, text: "_" }]);
  if (definition.kind === "param")
    return definition.owner.kind === "lambda" && definition.owner.formals === null ? [rename] : [];
  const removal = definition.names.length === 1 ? removeDefinition(document, definition) : null;
  return removal === null ? [] : [quickFix(`Remove unused '${definition.name}'`, [removal], true)];
}

function removeDefinition(document: Document, definition: Definition): TextEdit | null {
  const { node } = definition;
  if (node.kind === "path-binding") return withoutLine(document, node);
  if (node.kind !== "inherit-binding") return null;
  if (node.names.length === 1) return withoutLine(document, node);
  const { start, end } = definition.names[0]!;
  const space = /\s*$/.exec(document.source.text.slice(0, start))![0].length;
  return { start: start - space, end, text: "" };
}

function undefinedFixes(document: Document, offset: number, name: string, workspace: Workspace): CodeAction[] {
  const node = nodesAt(document.ast, offset).findLast((one) => one.kind === "var" && one.name === name);
  const start = node?.start ?? offset;
  const end = start + name.length;
  const fixes: CodeAction[] = [];
  if (workspace.builtins.some((one) => one.name === name)) {
    fixes.push(quickFix(`Use 'builtins.${name}'`, [{ start, end: start, text: "builtins." }], true));
  }
  for (const other of similarNames(scopeAt(document, offset), name)) {
    fixes.push(quickFix(`Change to '${other}'`, [{ start, end, text: other }]));
  }
  const nodes = nodesAt(document.ast, offset);
  const set = nodes.findLast(
    (one): one is AttrSet => one.kind === "attr-set" && one.attrs.some((attr) => attr.name === name),
  );
  if (set !== undefined && !set.recursive)
    fixes.push(quickFix("Make the set 'rec'", [{ start: set.start, end: set.start, text: "rec " }]));
  const lambda = nodes.findLast((one): one is Lambda => one.kind === "lambda" && one.formals !== null);
  if (lambda?.formals) fixes.push(addFormal(lambda.formals, name));
  return fixes;
}

function addFormal(formals: NonNullable<Lambda["formals"]>, name: string): CodeAction {
  const at = formals.start + 1;
  const rest = formals.formals.length > 0 || formals.ellipsis ? "," : " ";
  return quickFix(`Take '${name}' as an argument`, [{ start: at, end: at, text: ` ${name}${rest}` }]);
}

/** Names in scope that differ by a slip of the hand. */
function similarNames(scope: Scope, name: string): string[] {
  const names = new Set(GLOBAL_NAMES);
  for (let current: Scope | null = scope; current !== null; current = current.parent)
    for (const one of current.names.keys()) names.add(one);
  return [...names]
    .map((one) => ({ one, distance: editDistance(one, name) }))
    .filter(({ distance }) => distance > 0 && distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ one }) => one);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwap) best = Math.min(best, beforeLast[column - 2]! + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length]!;
}

function refactorings(document: Document, offset: number): CodeAction[] {
  const nodes = nodesAt(document.ast, offset);
  const binding = nodes.findLast((node) => node.kind === "path-binding");
  if (binding?.kind !== "path-binding" || binding.path.length !== 1) return [];
  const [name] = binding.path;
  if (name!.kind !== "static-name") return [];
  const text = inheritText(document, binding.value, name!.name);
  if (text === null) return [];
  return [
    {
      title: `Write as '${text}'`,
      kind: "refactor",
      isPreferred: false,
      edits: [{ start: binding.start, end: binding.end, text }],
    },
  ];
}

/** `x = x` is `inherit x`, `x = y.x` is `inherit (y) x`; null for anything else. */
function inheritText(document: Document, value: Expr, name: string): string | null {
  if (value.kind === "var" && value.name === name) return `inherit ${name};`;
  if (value.kind !== "select" || value.fallback !== null) return null;
  const last = value.path.at(-1)!;
  if (last.kind !== "static-name" || last.name !== name) return null;
  const stop = value.path.length === 1 ? value.target.end : value.path.at(-2)!.end;
  return `inherit (${document.source.text.slice(value.start, stop)}) ${name};`;
}
