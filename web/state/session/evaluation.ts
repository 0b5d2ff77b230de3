/**
 * From files to what they evaluate to. A change of text is checked for syntax at once and evaluated as soon as the evaluator is free;
 * results of older text are dropped. The last good result stays, marked stale, while the file has an error.
 */
import type { EvaluationOutcome, Problem } from "#workers/api.ts";
import type { Diagnostic, Evaluated, FileRange, State } from "../model.ts";
import { type Context, filesOf, measure, messageOf, notify, patch } from "./context.ts";
import { Stopped } from "./evaluator-host.ts";
import { rangeOf } from "./text-place.ts";

export interface EvaluationService {
  /** The workspace's text changed. */
  changed(): void;
  /** Resolves when nothing is waiting or running, to the outcome of the present text; null when it was stopped. */
  settled(): Promise<EvaluationOutcome | null>;
}

export function createEvaluation(context: Context, onResult: (evaluated: Evaluated) => void): EvaluationService {
  const { page, evaluator } = context;
  let revision = 0;
  let changedAt = performance.now();
  let running: Promise<EvaluationOutcome | null> | null = null;
  let last: { revision: number; outcome: EvaluationOutcome | null } | null = null;

  const once = async (): Promise<EvaluationOutcome | null> => {
    const mine = revision;
    const { workspace, ui } = page.getState();
    const limit = ui.settings.evaluationLimit;
    patch(page, "evaluation", { runningSince: Date.now() });
    try {
      const outcome = await evaluator.evaluateSystem({ files: filesOf(workspace), entry: workspace.entry }, limit);
      last = { revision: mine, outcome };
      if (mine === revision) {
        show(outcome);
        measure("evaluate", changedAt);
      }
      return outcome;
    } catch (error) {
      last = { revision: mine, outcome: null };
      fail(error);
      return null;
    }
  };

  const show = (outcome: EvaluationOutcome) => {
    if (!outcome.ok) {
      page.setState((state) => ({
        diagnostics: diagnosticsOf(outcome.problems, state),
        evaluation: {
          ...state.evaluation,
          runningSince: null,
          stale: true,
          failure: homeless(outcome.problems, state),
        },
      }));
      return;
    }
    const result: Evaluated = { ...plain(outcome.summary), drvPath: outcome.drvPath, outPath: outcome.outPath };
    page.setState({
      diagnostics: {},
      evaluation: { runningSince: null, lastMs: outcome.milliseconds, result, stale: false, failure: null },
    });
    onResult(result);
  };

  const fail = (error: unknown) => {
    const seconds = error instanceof Stopped ? error.afterSeconds : undefined;
    const failure =
      seconds === undefined
        ? `The evaluator failed: ${messageOf(error)}`
        : seconds === null
          ? "You stopped this evaluation."
          : `This evaluation was stopped after ${seconds} s. Something in it may never end.`;
    // What was wrong with an older text is not what is wrong now.
    page.setState({ diagnostics: {} });
    patch(page, "evaluation", { runningSince: null, stale: true, failure });
    if (seconds === undefined)
      notify(page, "crash", "The evaluator stopped and was started again.", { detail: messageOf(error) });
  };

  /** Evaluates until the outcome is that of the present text. `running` ends in the same turn in which that is found. */
  const loop = async (): Promise<EvaluationOutcome | null> => {
    const outcome = await once();
    if (last?.revision !== revision) return loop();
    running = null;
    return outcome;
  };

  const start = () => {
    running ??= loop();
    return running;
  };

  return {
    changed() {
      revision++;
      changedAt = performance.now();
      void start();
    },
    settled: async () => (running ? running : last?.revision === revision ? last.outcome : start()),
  };
}

function plain(summary: Extract<EvaluationOutcome, { ok: true }>["summary"]) {
  return {
    hostName: summary.hostName,
    label: summary.label,
    web: summary.web,
    units: [...summary.units],
    etcFiles: [...summary.etcFiles],
    users: [...summary.users],
    packages: [...summary.packages],
    warnings: [...summary.warnings],
  };
}

/** Problems by the file they stand in; those of no file of the workspace are shown as a failure instead. */
function diagnosticsOf(problems: readonly Problem[], state: State): State["diagnostics"] {
  const found: State["diagnostics"] = {};
  for (const problem of problems) {
    const file = state.workspace.files.find(({ path }) => path === problem.at?.path);
    if (file === undefined || problem.at === null) continue;
    (found[file.path] ??= []).push(diagnostic(problem, file.text));
  }
  return found;
}

function homeless(problems: readonly Problem[], state: State): string | null {
  const paths = new Set(state.workspace.files.map(({ path }) => path));
  const problem = problems.find(({ at }) => at === null || !paths.has(at.path));
  return problem?.message ?? null;
}

/** Shared with the check that runs between keys. */
export function diagnostic(problem: Problem, text: string): Diagnostic {
  const start = problem.at ?? { line: 1, column: 1 };
  const range = { start: { line: start.line, column: start.column }, end: problem.end ?? wordEnd(text, start) };
  const path = problem.at?.path ?? "";
  return {
    severity: "error",
    message: problem.message,
    range,
    explanation: problem.explanation,
    fixes: problem.fixes.map(({ title, edits }) => ({
      title,
      edits: edits.map((edit) => ({ path, range: rangeOf(text, edit), text: edit.text })),
    })),
    trace: problem.frames.map(({ message, at }) => ({ message, at: at === null ? null : placeRange(at) })),
  };
}

const placeRange = (at: { path: string; line: number; column: number }): FileRange => ({
  path: at.path,
  range: { start: { line: at.line, column: at.column }, end: { line: at.line, column: at.column + 1 } },
});

/** The end of the word, string or sign that begins at a position. */
function wordEnd(text: string, at: { line: number; column: number }): { line: number; column: number } {
  const line = text.split("\n")[at.line - 1] ?? "";
  const rest = line.slice(at.column - 1);
  const word = /^(?:[\p{L}_][\p{L}\d_'.-]*|\d+|"[^"]*"?|\S)/u.exec(rest);
  return { line: at.line, column: at.column + Math.max(1, word?.[0].length ?? 1) };
}
