/** What the evaluator worker knows of the language, given to Monaco: completion, hover, definitions, rename, repairs, format, outline, folds. */
import { fileOfModel, modelUri, toMonacoRange, toRange } from "./models.ts";
import { monaco } from "./monaco.ts";
import type {
  Completion,
  DiagnosticFix,
  FileRange,
  Language,
  OutlineEntry,
  PageStore,
  TextEdit,
} from "#web/state/model.ts";

const kinds: Record<Completion["kind"], monaco.languages.CompletionItemKind> = {
  variable: monaco.languages.CompletionItemKind.Variable,
  function: monaco.languages.CompletionItemKind.Function,
  attribute: monaco.languages.CompletionItemKind.Field,
  option: monaco.languages.CompletionItemKind.Property,
  keyword: monaco.languages.CompletionItemKind.Keyword,
  value: monaco.languages.CompletionItemKind.Value,
  file: monaco.languages.CompletionItemKind.File,
};

const place = (model: monaco.editor.ITextModel, position: monaco.Position) => ({
  path: fileOfModel(model),
  line: position.lineNumber,
  column: position.column,
});

/** Registers the providers; the answer takes them away again. */
export function registerProviders(language: Language, store: PageStore): () => void {
  const { languages } = monaco;
  const registered = [
    languages.registerCompletionItemProvider("nix", {
      triggerCharacters: [".", "/", "<", "$", "{"],
      provideCompletionItems: async (model, position) => ({
        suggestions: (await language.complete(place(model, position))).map(completionItem),
      }),
    }),
    languages.registerHoverProvider("nix", {
      provideHover: async (model, position) => {
        const found = await language.hover(place(model, position));
        return found && { contents: [{ value: found.markdown }], range: toMonacoRange(found.range) };
      },
    }),
    languages.registerDefinitionProvider("nix", {
      provideDefinition: async (model, position) => (await language.definition(place(model, position))).map(location),
    }),
    languages.registerReferenceProvider("nix", {
      provideReferences: async (model, position) => (await language.references(place(model, position))).map(location),
    }),
    languages.registerRenameProvider("nix", renameProvider(language)),
    languages.registerCodeActionProvider("nix", {
      provideCodeActions: async (model, range) => {
        const at = { path: fileOfModel(model), range: toRange(range) };
        const fixes = [...markerFixes(store, at), ...(await language.codeActions(at))];
        return { actions: fixes.map(codeAction), dispose: () => undefined };
      },
    }),
    languages.registerDocumentFormattingEditProvider("nix", {
      provideDocumentFormattingEdits: async (model) => {
        const text = await language.format(fileOfModel(model));
        return text === null ? [] : [{ range: model.getFullModelRange(), text }];
      },
    }),
    languages.registerDocumentSymbolProvider("nix", {
      provideDocumentSymbols: async (model) => (await language.outline(fileOfModel(model))).map(symbol),
    }),
    languages.registerFoldingRangeProvider("nix", {
      provideFoldingRanges: async (model) => (await language.folds(fileOfModel(model))).map(fold),
    }),
  ];
  return () => registered.forEach((each) => each.dispose());
}

function completionItem(found: Completion): monaco.languages.CompletionItem {
  const item: monaco.languages.CompletionItem = {
    label: found.label,
    kind: kinds[found.kind],
    insertText: found.insert,
    range: toMonacoRange(found.range),
  };
  if (found.detail !== null) item.detail = found.detail;
  if (found.markdown !== null) item.documentation = { value: found.markdown };
  return item;
}

function renameProvider(language: Language): monaco.languages.RenameProvider {
  return {
    provideRenameEdits: async (model, position, name) => ({
      edits: (await language.rename(place(model, position), name)).map(workspaceEdit),
    }),
    resolveRenameLocation: async (model, position) => {
      const found = await language.prepareRename(place(model, position));
      if (found) return { range: toMonacoRange(found.range), text: found.name };
      const nowhere = new monaco.Range(position.lineNumber, position.column, position.lineNumber, position.column);
      return { range: nowhere, text: "", rejectReason: "Nothing here has a name to change." };
    },
  };
}

/** Repairs that came with the messages, where the cursor touches one. */
function markerFixes(store: PageStore, { path, range }: FileRange): DiagnosticFix[] {
  const found = store.getState().diagnostics[path] ?? [];
  return found
    .filter((each) => each.range.start.line <= range.end.line && each.range.end.line >= range.start.line)
    .flatMap((each) => each.fixes);
}

const codeAction = (fix: DiagnosticFix): monaco.languages.CodeAction => ({
  title: fix.title,
  kind: "quickfix",
  isPreferred: true,
  edit: { edits: fix.edits.map(workspaceEdit) },
});

const location = (found: FileRange): monaco.languages.Location => ({
  uri: modelUri(found.path),
  range: toMonacoRange(found.range),
});

const workspaceEdit = (edit: TextEdit): monaco.languages.IWorkspaceTextEdit => ({
  resource: modelUri(edit.path),
  versionId: undefined,
  textEdit: { range: toMonacoRange(edit.range), text: edit.text },
});

const symbol = (entry: OutlineEntry): monaco.languages.DocumentSymbol => ({
  name: entry.name,
  detail: entry.detail,
  kind: monaco.languages.SymbolKind.Property,
  tags: [],
  range: toMonacoRange(entry.range),
  selectionRange: toMonacoRange(entry.range),
  children: entry.children.map(symbol),
});

function fold({
  start,
  end,
  comment,
}: {
  start: number;
  end: number;
  comment: boolean;
}): monaco.languages.FoldingRange {
  return comment ? { start, end, kind: monaco.languages.FoldingRangeKind.Comment } : { start, end };
}
