/**
 * Monaco in pieces. Its modules take a sixth of a second to run, which is longer than a page may be deaf; loaded one piece after the
 * other, from what the others stand on to the editor itself, each runs in a turn of its own. The order is all that matters here: what a
 * piece needs of an earlier one has run by then.
 */
import { nextTurn } from "./next-turn.ts";

const pieces: readonly (() => Promise<unknown>)[] = [
  () => import("monaco-editor/editor/common/model/textModel.js"),
  () => import("monaco-editor/platform/list/browser/listService.js"),
  () => import("monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget.js"),
  () => import("monaco-editor/editor/standalone/browser/standaloneServices.js"),
  () => import("monaco-editor/editor/browser/widget/diffEditor/diffEditorWidget.js"),
  () => import("monaco-editor/editor/editor.api.js"),
  () => import("monaco-editor/editor/contrib/suggest/browser/suggestController.js"),
  () => import("shiki/core"),
];

/** The editor's component, when all of it has run. */
export async function loadMonaco() {
  for (const piece of pieces) {
    await piece();
    await nextTurn();
  }
  return import("./monaco-editor.tsx");
}
