/** The shape of a text: what folds, what a growing selection takes in, and its outline. */
import type { Binding, Expr } from "#engine/syntax/ast.ts";
import { type AnyNode, childrenOf, nodesAt, walk } from "#engine/syntax/children.ts";
import { printName } from "#engine/syntax/names.ts";
import { type Document, toByteOffset, toText, toTextSpan } from "./document.ts";
import { commentsOf, lexemesOf } from "#engine/syntax/lexemes.ts";
import type { FoldingRange, Span, SymbolNode } from "./types.ts";

const FOLDABLE: ReadonlySet<AnyNode["kind"]> = new Set([
  "attr-set",
  "list",
  "let",
  "string",
  "interpolation",
  "lambda",
]);

/** What covers several lines: sets, lists, strings, formals and runs of comments. */
export function foldingRanges(document: Document): FoldingRange[] {
  const { text } = document.source;
  const isLong = ({ start, end }: Span): boolean => text.slice(start, end).includes("\n");
  const ranges: FoldingRange[] = [];
  walk(document.ast, (node) => {
    const span = node.kind === "let" ? node.attrs : node.kind === "lambda" ? node.formals : node;
    if (FOLDABLE.has(node.kind) && span !== null && isLong(span))
      ranges.push({ start: span.start, end: span.end, kind: "region" });
  });
  for (const span of commentRuns(text, commentsOf(text, lexemesOf(document.source)))) {
    if (isLong(span)) ranges.push({ ...span, kind: "comment" });
  }
  return ranges.sort((a, b) => a.start - b.start).map((range) => ({ ...range, ...toTextSpan(document, range) }));
}

/** Comments on lines that follow each other, joined. */
function commentRuns(text: string, comments: readonly Span[]): Span[] {
  const runs: { start: number; end: number }[] = [];
  for (const { start, end } of comments) {
    const last = runs.at(-1);
    if (last !== undefined && /^\s*$/.test(text.slice(last.end, start)) && !/\n\s*\n/.test(text.slice(last.end, start)))
      last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}

/** The spans around an offset, the smallest first: what "expand selection" goes through. */
export function selectionRanges(document: Document, offset: number): Span[] {
  const spans = nodesAt(document.ast, toByteOffset(document, offset)).map((node) => toTextSpan(document, node));
  const whole = { start: 0, end: document.text.length };
  const distinct = [whole, ...spans].filter((span, index, all) => {
    const outer = all[index - 1];
    return outer === undefined || span.start !== outer.start || span.end !== outer.end;
  });
  return distinct.reverse();
}

/** The outline: attributes and `let` names, nested as written. */
export function documentSymbols(document: Document): SymbolNode[] {
  return symbolsIn(document, document.ast, 0);
}

/** Deeper than this an outline helps nobody. */
const DEEPEST = 32;

function symbolsIn(document: Document, node: AnyNode, depth: number): SymbolNode[] {
  if (depth > DEEPEST) return [];
  if (node.kind === "attr-set") return node.bindings.flatMap((binding) => bindingSymbols(document, binding, depth));
  return childrenOf(node).flatMap((child) => symbolsIn(document, child, depth + 1));
}

function bindingSymbols(document: Document, binding: Binding, depth: number): SymbolNode[] {
  const { text } = document.source;
  if (binding.kind === "inherit-binding") {
    return binding.names.map((name) => {
      const span = toTextSpan(document, name);
      return {
        name: toText(text.slice(name.start, name.end)),
        kind: "inherited",
        ...span,
        selection: span,
        children: [],
      };
    });
  }
  const first = binding.path[0]!;
  const last = binding.path.at(-1)!;
  const name = binding.path
    .map((one) => (one.kind === "static-name" ? printName(one.name) : text.slice(one.start, one.end)))
    .join(".");
  return [
    {
      name: toText(name),
      kind: symbolKind(binding.value),
      ...toTextSpan(document, binding),
      selection: toTextSpan(document, { start: first.start, end: last.end }),
      children: symbolsIn(document, binding.value, depth + 1),
    },
  ];
}

function symbolKind(value: Expr): SymbolNode["kind"] {
  switch (value.kind) {
    case "lambda":
      return "function";
    case "attr-set":
      return "set";
    case "list":
      return "list";
    case "string":
    case "interpolation":
      return "string";
    case "int":
    case "float":
      return "number";
    default:
      return "attribute";
  }
}
