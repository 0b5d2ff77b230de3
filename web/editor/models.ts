/** One Monaco model a file, kept while the file exists, so that each file has its own undo. Text set from outside goes in as an edit that can be undone. */
import { monaco } from "./monaco.ts";
import type { Diagnostic, Range, WorkFile, Workspace } from "#web/state/model.ts";

const scheme = "workspace";

/** Models belong to a workspace, so that undo never brings back the text of another one. */
let authority = "";

/** The model's address of a file of the open workspace. */
export const modelUri = (path: string): monaco.Uri => monaco.Uri.from({ scheme, authority, path: `/${path}` });

export const fileOfModel = (model: monaco.editor.ITextModel): string => model.uri.path.slice(1);

export function toMonacoRange({ start, end }: Range): monaco.IRange {
  return { startLineNumber: start.line, startColumn: start.column, endLineNumber: end.line, endColumn: end.column };
}

export function toRange(range: monaco.IRange): Range {
  return {
    start: { line: range.startLineNumber, column: range.startColumn },
    end: { line: range.endLineNumber, column: range.endColumn },
  };
}

/** Makes the models hold exactly the workspace's files. What differs is replaced as one undoable edit. */
export function syncModels({ id, files }: Pick<Workspace, "id" | "files">): void {
  authority = id.replace(/[^a-z0-9-]/gi, "-");
  const wanted = new Set(files.map((file) => modelUri(file.path).toString()));
  for (const model of monaco.editor.getModels())
    if (model.uri.scheme === scheme && !wanted.has(model.uri.toString())) model.dispose();
  for (const { path, text } of files) {
    const model = monaco.editor.getModel(modelUri(path));
    if (!model) monaco.editor.createModel(text, path.endsWith(".nix") ? "nix" : "plaintext", modelUri(path));
    else if (model.getValue() !== text) replaceText(model, text);
  }
}

function replaceText(model: monaco.editor.ITextModel, text: string): void {
  model.pushStackElement();
  model.pushEditOperations([], [{ range: model.getFullModelRange(), text }], () => null);
  model.pushStackElement();
}

const severities = {
  error: monaco.MarkerSeverity.Error,
  warning: monaco.MarkerSeverity.Warning,
  hint: monaco.MarkerSeverity.Hint,
};

export function showDiagnostics(files: WorkFile[], diagnostics: Record<string, Diagnostic[]>): void {
  for (const { path } of files) {
    const model = monaco.editor.getModel(modelUri(path));
    if (model) monaco.editor.setModelMarkers(model, "nix", (diagnostics[path] ?? []).map(marker));
  }
}

function marker(found: Diagnostic): monaco.editor.IMarkerData {
  const message = found.explanation === null ? found.message : `${found.message}\n\n${found.explanation}`;
  return { ...toMonacoRange(found.range), severity: severities[found.severity], message, source: "nix" };
}
