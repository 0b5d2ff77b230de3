/** Monaco with what a Nix file needs, and no more: editor parts by name, colours by shiki, two themes from the page's palette. */
import * as monaco from "monaco-editor/editor/editor.api.js";
// oxlint-disable-next-line import/default -- the default export is made by Vite (?worker)
import EditorWorker from "monaco-editor/editor/editor.worker.js?worker";
import "monaco-editor/features/bracketMatching/register.js";
import "monaco-editor/features/caretOperations/register.js";
import "monaco-editor/features/clipboard/register.js";
import "monaco-editor/features/codeAction/register.js";
import "monaco-editor/features/codeEditor/register.js";
import "monaco-editor/features/codicon/register.js";
import "monaco-editor/features/comment/register.js";
import "monaco-editor/features/contextmenu/register.js";
import "monaco-editor/features/cursorUndo/register.js";
import "monaco-editor/features/documentSymbols/register.js";
import "monaco-editor/features/find/register.js";
import "monaco-editor/features/folding/register.js";
import "monaco-editor/features/format/register.js";
import "monaco-editor/features/gotoError/register.js";
import "monaco-editor/features/gotoSymbol/register.js";
import "monaco-editor/features/hover/register.js";
import "monaco-editor/features/indentation/register.js";
import "monaco-editor/features/linesOperations/register.js";
import "monaco-editor/features/multicursor/register.js";
import "monaco-editor/features/referenceSearch/register.js";
import "monaco-editor/features/rename/register.js";
import "monaco-editor/features/smartSelect/register.js";
import "monaco-editor/features/suggest/register.js";
// The feature above leaves out the list itself.
import "monaco-editor/editor/contrib/suggest/browser/suggestController.js";
import "monaco-editor/features/toggleTabFocusMode/register.js";
import "monaco-editor/features/tokenization/register.js";
import "monaco-editor/features/wordHighlighter/register.js";
import "monaco-editor/features/wordOperations/register.js";
import { shikiToMonaco } from "@shikijs/monaco";
import { createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import nix from "shiki/langs/nix.mjs";
import { nextTurn } from "./next-turn.ts";
import { darkTheme, lightTheme } from "./themes.ts";

export { monaco };

const environment: monaco.Environment = { getWorker: () => new EditorWorker() };
Reflect.set(globalThis, "MonacoEnvironment", environment);

let ready: Promise<void> | null = null;

/** Registers the language and its colours once. */
export function prepareMonaco(): Promise<void> {
  ready ??= prepare();
  return ready;
}

async function prepare(): Promise<void> {
  monaco.languages.register({ id: "nix", extensions: [".nix"] });
  monaco.languages.setLanguageConfiguration("nix", {
    comments: { lineComment: "#", blockComment: ["/*", "*/"] },
    brackets: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
    ],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: "(", close: ")" },
      { open: '"', close: '"', notIn: ["string", "comment"] },
      { open: "''", close: "''", notIn: ["string", "comment"] },
    ],
    wordPattern: /[A-Za-z_][\w'-]*/,
    indentationRules: { increaseIndentPattern: /[[{(]\s*(#.*)?$|''\s*$/, decreaseIndentPattern: /^\s*[\])}]/ },
  });
  const highlighter = await createHighlighterCore({
    themes: [lightTheme, darkTheme],
    langs: [nix],
    engine: createJavaScriptRegexEngine(),
  });
  await nextTurn();
  // A line that runs out of time stays half coloured and misleads all lines after it; on a busy computer the first ones take long, because
  // the grammar's expressions are made while they are first used.
  shikiToMonaco(highlighter, monaco as unknown as Parameters<typeof shikiToMonaco>[1], { tokenizeTimeLimit: 10_000 });
}
