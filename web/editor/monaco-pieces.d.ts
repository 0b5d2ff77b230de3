// Parts of Monaco that have no types of their own: they are only loaded (monaco-stages.ts), never called.
declare module "monaco-editor/editor/common/model/textModel.js";
declare module "monaco-editor/platform/list/browser/listService.js";
declare module "monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget.js";
declare module "monaco-editor/editor/standalone/browser/standaloneServices.js";
declare module "monaco-editor/editor/browser/widget/diffEditor/diffEditorWidget.js";
declare module "monaco-editor/editor/contrib/suggest/browser/suggestController.js";
