/** Options of the module system: which one an attribute path means, and what may follow a prefix. */
import type { AnyNode } from "#engine/syntax/children.ts";
import type { OptionInfo } from "./types.ts";

/** The option path that a place in a module's text stands for: null where a name is not static. */
export function optionPathOf(nodes: readonly AnyNode[], upTo: number): string[] | null {
  const path: string[] = [];
  for (const node of nodes) {
    if (node.kind === "attr-set" && node.recursive) return null;
    if (node.kind !== "path-binding") continue;
    for (const name of node.path) {
      if (name.start >= upTo) break;
      if (name.kind !== "static-name") return null;
      path.push(name.name);
    }
  }
  return withoutConfig(path);
}

/** A module may hold its settings under `config`. */
export function withoutConfig(path: readonly string[]): string[] {
  return path[0] === "config" ? path.slice(1) : [...path];
}

const isAnyName = (segment: string): boolean => segment.startsWith("<") || segment === "*";

/** Whether an option lies at or below a path. */
function startsWith(option: readonly string[], path: readonly string[]): boolean {
  return (
    path.length <= option.length && path.every((name, index) => option[index] === name || isAnyName(option[index]!))
  );
}

export function findOption(options: readonly OptionInfo[], path: readonly string[]): OptionInfo | undefined {
  return options.find((option) => option.path.length === path.length && startsWith(option.path, path));
}

export interface NextName {
  readonly name: string;
  /** The option itself if the path ends with this name. */
  readonly option: OptionInfo | null;
  readonly count: number;
}

/** The names that may follow a path, in order. */
export function nextNames(options: readonly OptionInfo[], path: readonly string[]): NextName[] {
  const found = new Map<string, NextName>();
  for (const option of options) {
    const name = option.path[path.length];
    if (name === undefined || isAnyName(name) || !startsWith(option.path, path)) continue;
    const own = option.path.length === path.length + 1 ? option : null;
    const before = found.get(name);
    found.set(name, { name, option: own ?? before?.option ?? null, count: (before?.count ?? 0) + 1 });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
