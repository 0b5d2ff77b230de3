/** Texts for hovers and completion: what a definition is, the comment above it, options and builtins. */
import { type Document, toText } from "./document.ts";
import type { Definition } from "./scopes.ts";
import type { BuiltinInfo, OptionInfo, Span } from "./types.ts";

/** The comment that ends just above an offset, without its marks; null if there is none. */
export function commentAbove(text: string, offset: number): string | null {
  const before = text.slice(0, offset).replace(/[ \t]+$/, "");
  if (!/\n$|^$/.test(before)) return null;
  const above = before.trimEnd();
  if (/\n[ \t]*\r?\n$/.test(before.slice(above.length - 1))) return null;
  if (above.endsWith("*/")) {
    const start = above.lastIndexOf("/*");
    const lines = above
      .slice(start, -2)
      .replace(/^\/\*+/, "")
      .split("\n");
    return toText(lines.map((line) => line.replace(/^\s*\*? ?/, "")).join("\n").trim()); // prettier-ignore
  }
  const lines = above.split("\n");
  const first = lines.findLastIndex((line) => !/^\s*#/.test(line)) + 1;
  if (first === lines.length) return null;
  return toText(lines.slice(first).map((line) => line.replace(/^\s*# ?/, "")).join("\n").trim()); // prettier-ignore
}

const LONGEST_EXCERPT = 60;

/** The start of a piece of the text on one line. */
export function excerpt(document: Document, { start, end }: Span): string {
  const line = toText(document.source.text.slice(start, Math.min(end, start + 400))).replace(/\s+/g, " ");
  return line.length > LONGEST_EXCERPT ? `${line.slice(0, LONGEST_EXCERPT)}…` : line;
}

const KINDS: Readonly<Record<Definition["kind"], string>> = {
  let: "let",
  rec: "attribute",
  param: "argument",
  formal: "argument",
  inherit: "inherited",
};

/** One line on a definition: what it is and how its text begins. */
export function definitionDetail(document: Document, definition: Definition): string {
  const what = definition.node.kind === "static-name" ? "" : ` ${excerpt(document, definition.node)}`;
  return `${KINDS[definition.kind]}${what}`;
}

export function definitionMarkdown(document: Document, definition: Definition): string {
  const comment = commentAbove(document.source.text, definition.node.start);
  const code = definition.node.kind === "static-name" ? definition.name : excerpt(document, definition.node);
  const title = `${KINDS[definition.kind]} \`${definition.name}\``;
  return [title, codeBlock(toText(code)), comment].filter((part) => part !== null).join("\n\n");
}

export function builtinMarkdown(builtin: BuiltinInfo): string {
  const arity = builtin.arity === 0 ? "" : ` (${builtin.arity} argument${builtin.arity === 1 ? "" : "s"})`;
  return `\`builtins.${builtin.name}\`${arity}\n\n${builtin.doc}`;
}

export function optionMarkdown(option: OptionInfo): string {
  const parts = [`\`${option.path.join(".")}\`: ${option.type}`, option.description];
  if (option.default !== undefined) parts.push(`Default:\n${codeBlock(option.default)}`);
  if (option.example !== undefined) parts.push(`Example:\n${codeBlock(option.example)}`);
  return parts.filter((part) => part !== "").join("\n\n");
}

const codeBlock = (code: string): string => `\`\`\`nix\n${code}\n\`\`\``;
