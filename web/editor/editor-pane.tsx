/** The file: its tabs, the editor (plain first, Monaco when it is loaded), what it evaluates to, and the strip. */
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { countErrors } from "#web/state/derive.ts";
import { formatMs, plural } from "#web/state/format.ts";
import type { State } from "#web/state/model.ts";
import { useActions, useAppState, usePage, useUi } from "#web/state/context.ts";
import { Button } from "#web/ui/button.tsx";
import { Strip } from "#web/features/strip/strip.tsx";
import { Hint } from "#web/features/walk/hint.tsx";
import "./editor-pane.css";
import type { EditorPlace } from "./editor-place.ts";
import { FileTabs } from "./file-tabs.tsx";
import { loadMonaco } from "./monaco-stages.ts";
import { PlainEditor } from "./plain-editor.tsx";
import { takeFiles } from "./take-files.ts";
import { Problems } from "./problems.tsx";

const MonacoEditor = lazy(loadMonaco);

/** Monaco is made for a mouse and a keyboard; on touch screens the plain editor is the better one. */
const touchOnly = (): boolean => matchMedia("(hover: none) and (pointer: coarse)").matches;

export function EditorPane() {
  const page = usePage();
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dropping files; the file menu does the same by keyboard
    <section
      className="editor"
      aria-label="The configuration"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void takeFiles([...event.dataTransfer.files], page);
      }}
    >
      <FileTabs />
      <AheadBar />
      <EditorSurface />
      <Problems />
      <Hint />
      <Outcome />
      <Strip />
    </section>
  );
}

function EditorSurface() {
  const actions = useActions();
  const path = useAppState((state) => state.ui.activeFile);
  const text = useAppState((state) => state.workspace.files.find((file) => file.path === path)?.text);
  const errors = useAppState((state) => state.diagnostics[path]);
  const [shown, setShown] = useState(false);
  const [focused, setFocused] = useState(false);
  const wanted = useMonacoWanted(focused);
  const plain = useRef<HTMLTextAreaElement>(null);
  return (
    <div className="editor-surface">
      {!shown && text !== undefined && (
        <PlainEditor
          path={path}
          text={text}
          errors={errors ?? []}
          change={(changed) => actions.editFile(path, changed)}
          focused={() => setFocused(true)}
          area={plain}
        />
      )}
      {wanted && (
        <Suspense fallback={null}>
          <MonacoEditor shown={() => setShown(true)} takeOver={() => placeIn(plain.current)} />
        </Suspense>
      )}
    </div>
  );
}

/** Where the visitor is in the plain editor, for Monaco to go on from. */
function placeIn(area: HTMLTextAreaElement | null): EditorPlace | null {
  if (area === null) return null;
  const { selectionStart, selectionEnd, scrollTop, scrollLeft } = area;
  return { focused: document.activeElement === area, selectionStart, selectionEnd, scrollTop, scrollLeft };
}

/** Milliseconds after the first answer that Monaco waits for the machine, which is what else loads then. */
const patience = 4000;
/** Milliseconds after the page opened when there is no answer at all. */
const latest = 8000;

const answered = (state: State): boolean =>
  state.evaluation.lastMs !== null || state.evaluation.failure !== null || countErrors(state.diagnostics) > 0;

/** Nothing waits for Monaco: it loads when the machine's page is there, or as soon as the visitor goes to the text. */
function useMonacoWanted(eager: boolean): boolean {
  const early = useAppState(answered);
  const served = useAppState((state) => state.preview.revision > 0 || state.machine.phase === "failed");
  const [wanted, setWanted] = useState(false);
  useEffect(() => {
    if (touchOnly()) return undefined;
    const timer = setTimeout(() => setWanted(true), early ? (served || eager ? 0 : patience) : latest);
    return () => clearTimeout(timer);
  }, [early, served, eager]);
  return wanted;
}

/** After a rollback the file may say something else than what runs. */
function AheadBar() {
  const ahead = useAppState((state) => state.generations.fileAhead);
  const actions = useActions();
  if (!ahead) return null;
  return (
    <output className="ahead">
      <span>
        This file is ahead of the machine, which is back at <b>generation {ahead.generation}</b>.
      </span>
      <Button size="small" onClick={() => void actions.restoreFiles(ahead.generation)}>
        Restore its file
      </Button>
      <Button size="small" look="quiet" onClick={() => actions.keepFiles()}>
        Keep mine
      </Button>
    </output>
  );
}

/** One quiet line: what the file evaluates to, or what is wrong with it. */
function Outcome() {
  const evaluation = useAppState((state) => state.evaluation);
  const errors = useAppState((state) => countErrors(state.diagnostics));
  const actions = useActions();
  const ui = useUi();
  const { result, runningSince, lastMs, stale } = evaluation;
  const long = useLongSince(runningSince);
  return (
    <div className="outcome">
      {long && (
        <>
          <span className="outcome-running">evaluating</span>
          <Button size="small" look="quiet" icon="stop" onClick={() => actions.stopEvaluation()}>
            Stop
          </Button>
        </>
      )}
      {!long && result && (
        <button type="button" className="outcome-result" onClick={() => ui.togglePanel("result")}>
          <span className={stale ? "muted" : undefined}>
            {stale ? "last good: " : ""}
            <b>{result.hostName}</b> · {plural(result.units.length, "unit")} ·{" "}
            {plural(result.packages.length, "package")} · {plural(result.etcFiles.length, "file")} in /etc
          </span>
          {lastMs !== null && !stale && <span className="outcome-time numeric">{formatMs(lastMs)}</span>}
        </button>
      )}
      {errors > 0 && <span className="visually-hidden">{plural(errors, "error")}</span>}
    </div>
  );
}

/** Whether something has been going on for longer than a person would call at once. */
function useLongSince(since: number | null): boolean {
  const [longSince, setLongSince] = useState<number | null>(null);
  useEffect(() => {
    if (since === null) return undefined;
    const timer = setTimeout(() => setLongSince(since), 600);
    return () => clearTimeout(timer);
  }, [since]);
  return since !== null && longSince === since;
}
