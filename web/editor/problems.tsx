/** What is wrong with the file, in Nix's words, then in plain ones, with a repair where there is one. The first error only: the rest often go with it. */
import { firstError } from "#web/state/derive.ts";
import { usePage, useAppState, useUi } from "#web/state/context.ts";
import type { Diagnostic, DiagnosticFix, State } from "#web/state/model.ts";
import { Button } from "#web/ui/button.tsx";
import { applyEdits } from "./apply-edits.ts";
import "./problems.css";

const pick = (state: State): Diagnostic | null => firstError(state)?.error ?? null;

export function Problems() {
  const error = useAppState(pick);
  const failure = useAppState((state) => state.evaluation.failure);
  if (!error) return failure === null ? null : <Failure text={failure} />;
  return (
    <section className="problem" aria-label="What is wrong" aria-live="polite">
      <pre className="problem-message">
        <b>error:</b> {error.message}
      </pre>
      {error.explanation !== null && <p>{error.explanation}</p>}
      <div className="row">
        {error.fixes.slice(0, 2).map((fix) => (
          <Fix key={fix.title} fix={fix} />
        ))}
        {error.trace.length > 0 && <Trace trace={error.trace} />}
      </div>
    </section>
  );
}

/** An error that stands in none of the visitor's files. */
function Failure({ text }: { text: string }) {
  return (
    <section className="problem" aria-label="What is wrong" aria-live="polite">
      <pre className="problem-message">{text}</pre>
    </section>
  );
}

function Fix({ fix }: { fix: DiagnosticFix }) {
  const { store, actions } = usePage();
  const apply = (): void => {
    for (const { path, text } of applyEdits(store.getState().workspace.files, fix.edits)) actions.editFile(path, text);
  };
  return (
    <Button size="small" icon="bulb" onClick={apply}>
      {fix.title}
    </Button>
  );
}

function Trace({ trace }: { trace: Diagnostic["trace"] }) {
  const ui = useUi();
  const known = useAppState((state) => state.workspace.files);
  return (
    <details className="trace">
      <summary>Where it comes from</summary>
      <ol>
        {trace.map((frame, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a trace is shown as a whole and never reordered
          <li key={index}>
            {frame.message}{" "}
            {frame.at && known.some((file) => file.path === frame.at?.path) && (
              <button type="button" onClick={() => frame.at && ui.reveal(frame.at)}>
                {frame.at.path}, line {frame.at.range.start.line}
              </button>
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}
