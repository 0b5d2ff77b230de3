/** Completion: what may stand at an offset, by what is around it. */
import type { AttrName, AttrSet, Expr, Select } from "#engine/syntax/ast.ts";
import { type AnyNode, nodesAt } from "#engine/syntax/children.ts";
import { printName } from "#engine/syntax/names.ts";
import { builtinMarkdown, definitionDetail, excerpt, optionMarkdown } from "./docs.ts";
import { type Document, openDocument, toByteOffset, toText, toTextSpan, type Workspace } from "./document.ts";
import { CONSTANTS, GLOBAL_NAMES } from "./globals.ts";
import { commentsOf, lexemesOf } from "#engine/syntax/lexemes.ts";
import { nextNames, optionPathOf, withoutConfig } from "./options.ts";
import { attributeValue, type Definition, knownSet, lookUp, type Scope, scopeAt, withsOf } from "./scopes.ts";
import type { CompletionItem, Span } from "./types.ts";

/** The order of what is offered. */
const Rank = { attribute: 0, local: 1, with: 2, global: 3, keyword: 4 } as const;

interface Request {
  readonly document: Document;
  readonly workspace: Workspace;
  readonly nodes: readonly AnyNode[];
  readonly scope: Scope;
  /** The name being written, in the editor's offsets. */
  readonly replace: Span;
}

/** What may stand at the offset; the editor filters by what is already written (`replace`). */
export function completeAt(document: Document, offset: number, workspace: Workspace): CompletionItem[] {
  const at = toByteOffset(document, offset);
  const { text } = document.source;
  let start = at;
  while (start > 0 && /[\w'-]/.test(text[start - 1]!)) start--;
  if (isInText(document, at) || /^\d/.test(text.slice(start, at))) return [];
  const named = start < at ? document : withName(document, offset);
  const request: Request = {
    document: named,
    workspace,
    nodes: nodesAt(named.ast, start),
    scope: scopeAt(named, start),
    replace: toTextSpan(document, { start, end: at }),
  };
  return completions(request, start);
}

/** The document as if a name were already being written at the offset: then the tree has a place for it. */
function withName(document: Document, offset: number): Document {
  return openDocument(document.path, `${document.text.slice(0, offset)}x${document.text.slice(offset)}`);
}

function completions(request: Request, start: number): CompletionItem[] {
  const { nodes } = request;
  const name = nodes.at(-1)!;
  const parent = nodes.at(-2);
  if (name.kind === "static-name" || name.kind === "dynamic-name") {
    if (parent?.kind === "select" || parent?.kind === "has-attr") return selected(request, parent, start);
    if (parent?.kind === "path-binding") return keys(request, start);
    if (parent?.kind === "inherit-binding") return inherited(request, parent.from);
  }
  if (name.kind === "inherit-binding") return inherited(request, name.from);
  if (name.kind === "formal" && name.formal.fallback === null) return keys(request, start);
  return expressions(request);
}

/** Inside a string's text, a path or a comment nothing is offered. */
function isInText(document: Document, offset: number): boolean {
  const { text } = document.source;
  const comments = commentsOf(text, lexemesOf(document.source));
  if (comments.some(({ start, end }) => start < offset && (offset < end || (offset === end && text[start] === "#"))))
    return true;
  const node = nodesAt(document.ast, offset).at(-1)!;
  switch (node.kind) {
    case "string":
    case "interpolation":
    case "path":
    case "search-path":
      return node.start < offset && (offset < node.end || node.kind === "path");
    case "antiquote":
      return offset < node.start + 2;
    case "static-name":
      return text[node.start] === '"' && node.start < offset && offset < node.end;
    default:
      return false;
  }
}

function item(
  request: Request,
  label: string,
  kind: CompletionItem["kind"],
  detail: string,
  doc: string,
  rank: number,
): CompletionItem {
  return { label, kind, detail, doc, insert: label, isSnippet: false, replace: request.replace, rank };
}

/** `x.…`: builtins, options under `config`, or the attributes of a set of this file. */
function selected(request: Request, select: Pick<Select, "target" | "path">, start: number): CompletionItem[] {
  const { document, workspace, scope } = request;
  const before = select.path.filter((name) => name.end < start);
  const { target } = select;
  if (
    target.kind === "var" &&
    lookUp(scope, target.name) === null &&
    target.name === "builtins" &&
    before.length === 0
  ) {
    return workspace.builtins.map((one) =>
      item(request, one.name, "builtin", arity(one.arity), builtinMarkdown(one), Rank.attribute),
    );
  }
  if (target.kind === "var" && target.name === "config") {
    const path = before.map((name) => (name.kind === "static-name" ? name.name : "*"));
    return optionItems(request, withoutConfig(path), null);
  }
  const root = knownSet(target, scope);
  const set = root === null || before.length === 0 ? root?.set : attributeValue(root.set, before);
  return set?.kind === "attr-set" ? attributes(request, set, document) : evaluated(request, target, before);
}

/** Attributes of a value that only evaluation knows, where the workspace has them (`pkgs.…`, `lib.types.…`). */
function evaluated(request: Request, target: Expr, path: readonly AttrName[]): CompletionItem[] {
  const names: string[] = [];
  for (const name of target.kind === "select" ? [...target.path, ...path] : path) {
    if (name.kind === "dynamic-name") return [];
    names.push(name.name);
  }
  const root = target.kind === "select" ? target.target : target;
  if (root.kind !== "var") return [];
  const known = request.workspace.attributes?.[[root.name, ...names].join(".")] ?? [];
  return known.map((name) => item(request, printName(name), "attribute", `of ${root.name}`, "", Rank.attribute));
}

const arity = (count: number): string => (count === 0 ? "value" : `${count} argument${count === 1 ? "" : "s"}`);

function attributes(request: Request, set: AttrSet, document: Document): CompletionItem[] {
  return set.attrs.map((attr) => {
    const detail = attr.kind === "plain" ? excerpt(document, attr.value) : "inherited";
    return item(request, toText(printName(attr.name)), "attribute", detail, "", Rank.attribute);
  });
}

/** A name being defined in a set: the options that may be set there, or `inherit`. */
function keys(request: Request, start: number): CompletionItem[] {
  const path = optionPathOf(request.nodes, start);
  const isFirst = !/\.\s*$/.test(request.document.source.text.slice(0, start));
  const options = path === null ? [] : optionItems(request, path, start);
  return isFirst ? [...options, keywordItem(request, "inherit")] : options;
}

/** The names after a path; one that is being defined at `definedAt` and has no value yet gets one. */
function optionItems(request: Request, path: readonly string[], definedAt: number | null): CompletionItem[] {
  const hasValue = definedAt === null || /^[\w'-]*\s*[=.]/.test(request.document.source.text.slice(definedAt));
  return nextNames(request.workspace.options, path).map(({ name, option, count }) => {
    const detail = option === null ? `${count} option${count === 1 ? "" : "s"}` : option.type;
    const label = printName(name);
    const base = item(request, label, "option", detail, option === null ? "" : optionMarkdown(option), Rank.attribute);
    const isOpen = option !== null && !hasValue;
    return isOpen ? { ...base, insert: `${label} = $0;`, isSnippet: true } : base;
  });
}

/** `inherit …`: names around the set; `inherit (x) …`: what `x` has. */
function inherited(request: Request, from: Expr | null): CompletionItem[] {
  if (from === null) return names(request);
  if (from.kind === "var" && from.name === "builtins") return selected(request, { target: from, path: [] }, 0);
  const known = knownSet(from, request.scope);
  return known === null ? evaluated(request, from, []) : attributes(request, known.set, request.document);
}

function expressions(request: Request): CompletionItem[] {
  const keywords = ["if", "let", "with", "assert", "rec", "inherit", "then", "else", "in", "or"];
  return [...names(request), ...keywords.map((word) => keywordItem(request, word)), ...snippets(request)];
}

const keywordItem = (request: Request, word: string): CompletionItem =>
  item(request, word, "keyword", "", "", Rank.keyword);

function snippets(request: Request): CompletionItem[] {
  const snippet = (label: string, insert: string, detail: string): CompletionItem => ({
    ...item(request, label, "snippet", detail, "", Rank.keyword),
    insert,
    isSnippet: true,
  });
  return [
    snippet("let … in", "let\n  $1 = $2;\nin\n$0", "names for an expression"),
    snippet("if … then … else", "if $1 then $2 else $0", "one of two values"),
    snippet("with …;", "with $1; $0", "a set's names in scope"),
  ];
}

/** Names in scope, those of known `with` sets, and the globals. */
function names(request: Request): CompletionItem[] {
  const { document, scope, workspace } = request;
  const found = new Map<string, CompletionItem>();
  for (let current: Scope | null = scope; current !== null; current = current.parent) {
    for (const definition of current.names.values()) {
      if (!found.has(definition.name)) found.set(definition.name, definitionItem(request, definition));
    }
  }
  for (const one of withsOf(scope)) {
    const known = knownSet(one, scope);
    const items = known === null ? withUnknown(request, one) : attributes(request, known.set, document);
    for (const attr of items) if (!found.has(attr.label)) found.set(attr.label, { ...attr, rank: Rank.with });
  }
  for (const name of GLOBAL_NAMES) {
    if (found.has(name)) continue;
    const builtin = workspace.builtins.find((one) => one.name === name);
    const doc = builtin === undefined ? "" : builtinMarkdown(builtin);
    found.set(name, item(request, name, "builtin", CONSTANTS.has(name) ? "constant" : "builtin", doc, Rank.global));
  }
  return [...found.values()];
}

/** What a `with` brings whose set is not of this file. */
function withUnknown(request: Request, scope: Expr): CompletionItem[] {
  if (scope.kind === "var" && scope.name === "builtins") return selected(request, { target: scope, path: [] }, 0);
  return evaluated(request, scope, []);
}

function definitionItem(request: Request, definition: Definition): CompletionItem {
  const isFunction = definition.value?.kind === "lambda";
  const isParameter = definition.kind === "param" || definition.kind === "formal";
  const kind = isFunction ? "function" : isParameter ? "parameter" : "variable";
  return item(request, definition.name, kind, definitionDetail(request.document, definition), "", Rank.local);
}
