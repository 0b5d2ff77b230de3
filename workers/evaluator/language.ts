/** The editor's questions, answered from one file's text by engine/ide. */
import { builtinTable } from "#engine/builtins/table.ts";
import { codeActions } from "#engine/ide/actions.ts";
import { completeAt } from "#engine/ide/completion.ts";
import { definitionAt, referencesAt, rename, renameSpan } from "#engine/ide/definition.ts";
import { type Document, openDocument } from "#engine/ide/document.ts";
import { formatDocument } from "#engine/ide/format.ts";
import { hoverAt } from "#engine/ide/hover.ts";
import { documentSymbols, foldingRanges } from "#engine/ide/structure.ts";
import type { BuiltinInfo, OptionInfo, Problem } from "#engine/ide/types.ts";
import type { LanguageAnswers, LanguageQuestion, Problem as EvaluationProblem } from "../api.ts";

const builtins: BuiltinInfo[] = builtinTable.map((record) => ({
  name: record.name,
  arity: "arity" in record ? record.arity : 0,
  doc: record.doc,
}));

let last: Document | undefined;

/** The document of a text; the last one is kept, because a key press asks several questions. */
function documentOf(path: string, text: string): Document {
  if (last?.path !== path || last.text !== text) last = openDocument(path, text);
  return last;
}

export function answerQuestion(
  path: string,
  text: string,
  question: LanguageQuestion,
  options: readonly OptionInfo[],
): LanguageAnswers[LanguageQuestion["kind"]] {
  const document = documentOf(path, text);
  const workspace = { builtins, options };
  switch (question.kind) {
    case "complete":
      return completeAt(document, question.offset, workspace);
    case "hover":
      return hoverAt(document, question.offset, workspace);
    case "definition":
      return definitionAt(document, question.offset);
    case "references":
      return referencesAt(document, question.offset).map(({ start, end }) => ({ path, start, end }));
    case "prepareRename": {
      const span = renameSpan(document, question.offset);
      return span === null ? null : { ...span, name: text.slice(span.start, span.end) };
    }
    case "rename":
      return rename(document, question.offset, question.name);
    case "actions": {
      const { start, end } = question;
      return codeActions(
        document,
        { start, end },
        question.problems.map((message) => problem(message, start, end)),
        workspace,
      );
    }
    case "format":
      return formatDocument(document);
    case "outline":
      return documentSymbols(document);
    case "folds":
      return foldingRanges(document);
  }
}

/** A problem of the evaluation with the repairs that the editor may offer beside its message. */
export function withFixes(given: EvaluationProblem, files: Readonly<Record<string, string>>): EvaluationProblem {
  const text = given.at === null ? undefined : files[given.at.path];
  if (given.at === null || text === undefined) return given;
  const start = offsetOf(text, given.at.line, given.at.column);
  const end = given.end === null ? start + 1 : offsetOf(text, given.end.line, given.end.column);
  const document = documentOf(given.at.path, text);
  const found = codeActions(document, { start, end }, [problem(given.message, start, end)], { builtins, options: [] });
  return { ...given, fixes: found.filter(({ kind }) => kind === "quickfix") };
}

function offsetOf(text: string, line: number, column: number): number {
  const before = text.split("\n").slice(0, line - 1);
  return Math.min(text.length, before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1);
}

const problem = (message: string, start: number, end: number): Problem => ({
  start,
  end,
  message,
  severity: "error",
  code: "evaluation",
  unnecessary: false,
});
