/** Hover: what the name at an offset is. */
import { nodesAt } from "#engine/syntax/children.ts";
import type { AnyNode } from "#engine/syntax/children.ts";
import { builtinMarkdown, definitionMarkdown, optionMarkdown } from "./docs.ts";
import { type Document, toByteOffset, toTextSpan, type Workspace } from "./document.ts";
import { lookUp, nameAt, scopeAt } from "./scopes.ts";
import { findOption, optionPathOf, withoutConfig } from "./options.ts";
import type { Hover } from "./types.ts";

export function hoverAt(document: Document, offset: number, workspace: Workspace): Hover | null {
  const at = toByteOffset(document, offset);
  const nodes = nodesAt(document.ast, at);
  const node = nodes.at(-1)!;
  const markdown =
    optionHover(nodes, workspace) ?? nameHover(document, at, workspace) ?? builtinHover(document, nodes, workspace);
  return markdown === null ? null : { ...toTextSpan(document, node), markdown };
}

function nameHover(document: Document, offset: number, workspace: Workspace): string | null {
  const found = nameAt(document, offset);
  if (found === null) return null;
  if (found.definition !== null) return definitionMarkdown(document, found.definition);
  const builtin = workspace.builtins.find((one) => one.name === found.name.replace(/^__/, ""));
  return builtin === undefined ? null : builtinMarkdown(builtin);
}

/** `builtins.x`. */
function builtinHover(document: Document, nodes: readonly AnyNode[], workspace: Workspace): string | null {
  const select = nodes.at(-2);
  const name = nodes.at(-1)!;
  if (select?.kind !== "select" || name !== select.path[0] || name.kind !== "static-name") return null;
  const { target } = select;
  if (target.kind !== "var" || target.name !== "builtins" || lookUp(scopeAt(document, target.start), "builtins"))
    return null;
  const builtin = workspace.builtins.find((one) => one.name === name.name);
  return builtin === undefined ? null : builtinMarkdown(builtin);
}

/** An option where it is set (`networking.hostName = …`) or read (`config.networking.hostName`). */
function optionHover(nodes: readonly AnyNode[], workspace: Workspace): string | null {
  const name = nodes.at(-1)!;
  const parent = nodes.at(-2);
  if (name.kind !== "static-name" || workspace.options.length === 0) return null;
  let path: string[] | null = null;
  if (parent?.kind === "path-binding") path = optionPathOf(nodes, name.end);
  else if (parent?.kind === "select" && parent.target.kind === "var" && parent.target.name === "config") {
    const names = parent.path.filter((one) => one.end <= name.end);
    path = withoutConfig(names.map((one) => (one.kind === "static-name" ? one.name : "*")));
  }
  const option = path === null ? undefined : findOption(workspace.options, path);
  return option === undefined ? null : optionMarkdown(option);
}
