/** The language service of the editor, answered by the evaluator worker from the files as they stand. */
import type { Language, PageStore } from "../model.ts";
import type { EvaluatorHost } from "./evaluator-host.ts";

export function createLanguage(page: PageStore, evaluator: Promise<EvaluatorHost>): Language {
  void page;
  void evaluator;
  throw new Error("not yet");
}
