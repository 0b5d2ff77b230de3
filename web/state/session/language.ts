/** The language service of the editor, answered by the evaluator worker from the files as they stand. */
import type { LanguageAnswers, LanguageQuestion } from "#workers/api.ts";
import type { Completion, FileRange, Language, OutlineEntry, PageStore, Position, TextEdit } from "../model.ts";
import type { EvaluatorHost } from "./evaluator-host.ts";
import { offsetOf, rangeOf } from "./text-place.ts";

type Kind = LanguageQuestion["kind"];
type Question<K extends Kind> = Extract<LanguageQuestion, { kind: K }> | (LanguageQuestion & { kind: K });
interface Span {
  readonly start: number;
  readonly end: number;
}

const completionKinds = {
  variable: "variable",
  parameter: "variable",
  function: "function",
  attribute: "attribute",
  option: "option",
  builtin: "function",
  keyword: "keyword",
  snippet: "keyword",
} as const;

export function createLanguage(page: PageStore, evaluator: Promise<EvaluatorHost>): Language {
  const textOf = (path: string) => page.getState().workspace.files.find((file) => file.path === path)?.text;

  /** The answer, or null when the file is gone or the evaluator was stopped meanwhile. */
  const ask = async <K extends Kind>(
    path: string,
    text: string,
    question: Question<K>,
  ): Promise<LanguageAnswers[K] | null> => {
    try {
      const api = await (await evaluator).worker();
      return (await api.ask(path, text, question)) as LanguageAnswers[K];
    } catch {
      return null;
    }
  };

  const about = async <K extends "complete" | "hover" | "definition" | "references" | "prepareRename">(
    kind: K,
    { path, ...at }: { path: string } & Position,
  ) => {
    const text = textOf(path);
    if (text === undefined) return null;
    const answer = await ask(path, text, { kind, offset: offsetOf(text, at) } as Question<K>);
    return answer === null ? null : { text, answer };
  };

  const places = async (kind: "definition" | "references", at: { path: string } & Position): Promise<FileRange[]> => {
    const found = await about(kind, at);
    return found?.answer.map((span) => ({ path: at.path, range: rangeOf(found.text, span) })) ?? [];
  };

  return {
    async complete(at) {
      const found = await about("complete", at);
      if (found === null) return [];
      const { text, answer } = found;
      return answer.map((item): Completion => ({
        label: item.label,
        kind: completionKinds[item.kind],
        detail: item.detail || null,
        markdown: item.doc || null,
        insert: item.isSnippet ? item.insert.replaceAll(/\$\d/g, "") : item.insert,
        range: rangeOf(text, item.replace),
      }));
    },
    async hover(at) {
      const found = await about("hover", at);
      if (!found?.answer) return null;
      return { markdown: found.answer.markdown, range: rangeOf(found.text, found.answer) };
    },
    definition: (at) => places("definition", at),
    references: (at) => places("references", at),
    async prepareRename(at) {
      const found = await about("prepareRename", at);
      if (!found?.answer) return null;
      return { range: rangeOf(found.text, found.answer), name: found.answer.name };
    },
    async rename({ path, ...at }, name) {
      const text = textOf(path);
      if (text === undefined) return [];
      const answer = await ask(path, text, { kind: "rename", offset: offsetOf(text, at), name });
      if (answer === null) return [];
      if (!answer.ok) throw new Error(answer.reason);
      return answer.edits.map((edit) => textEdit(path, text, edit));
    },
    async codeActions({ path, range }) {
      const text = textOf(path);
      if (text === undefined) return [];
      const [start, end] = [offsetOf(text, range.start), offsetOf(text, range.end)];
      const shown = page.getState().diagnostics[path] ?? [];
      const problems = shown.filter(
        (one) => one.range.start.line <= range.end.line && one.range.end.line >= range.start.line,
      );
      const question = { kind: "actions", start, end, problems: problems.map(({ message }) => message) } as const;
      const answer = (await ask(path, text, question)) ?? [];
      const own = answer.map(({ title, edits }) => ({ title, edits: edits.map((edit) => textEdit(path, text, edit)) }));
      const titles = new Set(own.map(({ title }) => title));
      return [...own, ...problems.flatMap(({ fixes }) => fixes).filter(({ title }) => !titles.has(title))];
    },
    async format(path) {
      const text = textOf(path);
      const answer = text === undefined ? null : await ask(path, text, { kind: "format" });
      return answer?.changed ? answer.text : null;
    },
    async outline(path) {
      const text = textOf(path);
      const answer = text === undefined ? null : await ask(path, text, { kind: "outline" });
      const entry = (node: NonNullable<typeof answer>[number]): OutlineEntry => ({
        name: node.name,
        detail: node.kind,
        range: rangeOf(text as string, node),
        children: node.children.map(entry),
      });
      return answer?.map(entry) ?? [];
    },
    async folds(path) {
      const text = textOf(path);
      const answer = text === undefined ? null : await ask(path, text, { kind: "folds" });
      return (
        answer?.map((fold) => {
          const { start, end } = rangeOf(text as string, fold);
          return { start: start.line, end: end.line, comment: fold.kind === "comment" };
        }) ?? []
      );
    },
  };
}

const textEdit = (path: string, text: string, edit: Span & { text: string }): TextEdit => ({
  path,
  range: rangeOf(text, edit),
  text: edit.text,
});
