/** Monaco as a component. The state is the truth: typing goes to `editFile`, and what others change in the state comes back as an undoable edit. */
import { useEffect, useEffectEvent, useRef } from "react";
import type { EditorPlace } from "./editor-place.ts";
import { fileOfModel, modelUri, showDiagnostics, syncModels, toMonacoRange } from "./models.ts";
import { monaco, prepareMonaco } from "./monaco.ts";
import { nextTurn } from "./next-turn.ts";
import { registerProviders } from "./providers.ts";
import { usePage, type Page } from "#web/state/context.ts";
import type { State } from "#web/state/model.ts";
import { isDark } from "#web/state/appearance.ts";

export interface MonacoEditorProps {
  /** Told once Monaco shows the file. */
  shown(): void;
  /** Where the visitor is in the plain editor, asked at the moment Monaco is there. */
  takeOver(): EditorPlace | null;
}

export default function MonacoEditor(props: MonacoEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const page = usePage();
  const begin = useEffectEvent((element: HTMLElement): (() => void) => {
    const stop = mount(element, page);
    const [editor] = monaco.editor.getEditors();
    const place = props.takeOver();
    if (editor && place) goOn(editor, place);
    props.shown();
    return stop;
  });
  useEffect(() => {
    let stop: (() => void) | null = null;
    let gone = false;
    const start = async (): Promise<void> => {
      await prepareMonaco();
      syncModels(page.store.getState().workspace);
      await nextTurn();
      if (!gone && place.current) stop = begin(place.current);
    };
    void start();
    return () => {
      gone = true;
      stop?.();
    };
  }, [page]);
  return <div ref={place} className="monaco-place" />;
}

/** The same lines in sight, the same selection, and the keyboard where it was. */
function goOn(editor: monaco.editor.ICodeEditor, place: EditorPlace): void {
  const model = editor.getModel();
  if (!model) return;
  const [start, end] = [model.getPositionAt(place.selectionStart), model.getPositionAt(place.selectionEnd)];
  editor.setSelection(monaco.Range.fromPositions(start, end));
  editor.setScrollPosition({ scrollTop: place.scrollTop, scrollLeft: place.scrollLeft });
  if (place.focused) editor.focus();
}

function mount(place: HTMLElement, page: Page): () => void {
  const { store, ui, language } = page;
  const first = store.getState();
  syncModels(first.workspace);
  const editor = monaco.editor.create(place, {
    model: monaco.editor.getModel(modelUri(first.ui.activeFile)),
    theme: isDark() ? "terrarium-dark" : "terrarium-light",
    automaticLayout: true,
    ariaLabel: "Configuration",
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
    fontSize: first.ui.settings.fontSize,
    lineHeight: 1.5,
    lineNumbersMinChars: 4,
    lineDecorationsWidth: 14,
    padding: { top: 12, bottom: 24 },
    minimap: { enabled: false },
    scrollBeyondLastLine: false,
    renderFinalNewline: "on",
    renderLineHighlight: "line",
    renderLineHighlightOnlyWhenFocus: true,
    overviewRulerLanes: 0,
    hideCursorInOverviewRuler: true,
    tabSize: 2,
    insertSpaces: true,
    fixedOverflowWidgets: true,
    stickyScroll: { enabled: false },
    guides: { indentation: false },
    scrollbar: { verticalScrollbarSize: 10, horizontalScrollbarSize: 10, useShadows: false },
    wordBasedSuggestions: "off",
    bracketPairColorization: { enabled: false },
  });
  const typing = listenToModels(page);
  // A message under the editor takes room from it: the line one is at stays in sight.
  editor.onDidLayoutChange(() => {
    const at = editor.getPosition();
    if (at && editor.hasTextFocus()) editor.revealPosition(at);
  });
  const opener = monaco.editor.registerEditorOpener({
    openCodeEditor: (_, resource, at) => {
      const range = at && "startLineNumber" in at ? at : null;
      ui.openFile(resource.path.slice(1));
      if (range) queueMicrotask(() => editor.setSelection(range));
      return true;
    },
  });
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyK, () => ui.setPalette(true));
  editor.addCommand(
    monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS,
    () => void editor.getAction("editor.action.formatDocument")?.run(),
  );
  showDiagnostics(first.workspace.files, first.diagnostics);
  const unsubscribe = store.subscribe((state, before) => follow(editor, state, before));
  const providers = registerProviders(language, store);
  const look = (): void => monaco.editor.setTheme(isDark() ? "terrarium-dark" : "terrarium-light");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", look);
  return () => {
    dark.removeEventListener("change", look);
    providers();
    unsubscribe();
    typing();
    opener.dispose();
    editor.dispose();
  };
}

/** Typing in any model goes to the state; setting a model from the state does not come back, because the texts are equal by then. */
function listenToModels({ store, actions }: Page): () => void {
  const listening = new Map<string, monaco.IDisposable>();
  const listen = (model: monaco.editor.ITextModel): void => {
    if (listening.has(model.uri.toString())) return;
    const change = model.onDidChangeContent(() => {
      const path = fileOfModel(model);
      const known = store.getState().workspace.files.find((file) => file.path === path);
      if (known && known.text !== model.getValue()) actions.editFile(path, model.getValue());
    });
    listening.set(model.uri.toString(), change);
  };
  monaco.editor.getModels().forEach(listen);
  const created = monaco.editor.onDidCreateModel(listen);
  const disposed = monaco.editor.onWillDisposeModel((model) => {
    listening.get(model.uri.toString())?.dispose();
    listening.delete(model.uri.toString());
  });
  return () => {
    created.dispose();
    disposed.dispose();
    for (const each of listening.values()) each.dispose();
  };
}

function follow(editor: monaco.editor.IStandaloneCodeEditor, state: State, before: State): void {
  if (state.workspace.files !== before.workspace.files) syncModels(state.workspace);
  if (state.diagnostics !== before.diagnostics || state.workspace.files !== before.workspace.files)
    showDiagnostics(state.workspace.files, state.diagnostics);
  showFile(editor, state.ui.activeFile);
  const { reveal, settings } = state.ui;
  if (reveal && reveal !== before.ui.reveal) {
    editor.setSelection(toMonacoRange(reveal.range));
    editor.revealRangeInCenterIfOutsideViewport(toMonacoRange(reveal.range));
    editor.focus();
  }
  if (settings !== before.ui.settings) {
    editor.updateOptions({ fontSize: settings.fontSize });
    monaco.editor.setTheme(isDark() ? "terrarium-dark" : "terrarium-light");
  }
}

const viewStates = new Map<string, monaco.editor.ICodeEditorViewState>();

/** Shows a file where it was left: scroll and cursor are kept by file. */
function showFile(editor: monaco.editor.IStandaloneCodeEditor, path: string): void {
  const model = monaco.editor.getModel(modelUri(path));
  const now = editor.getModel();
  if (!model || model === now) return;
  const left = editor.saveViewState();
  if (now && left) viewStates.set(fileOfModel(now), left);
  editor.setModel(model);
  const kept = viewStates.get(path);
  if (kept) editor.restoreViewState(kept);
}
