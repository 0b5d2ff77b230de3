/** Listings of trees as `nix store ls` and `nix nar ls` print them. */
import type { Json } from "../store/format/json.ts";
import { printJson } from "../store/format/json.ts";
import type { TreeNode } from "../store/format/tree.ts";
import type { CommandContext } from "./command.ts";
import { type Options, jsonIndent } from "./subcommand.ts";
import { UsageError } from "./support.ts";

export const LISTING_FLAGS = { "--recursive": 0, "--long": 0, "--directory": 0, "--json": 0, "--pretty": 0 } as const;
export const LISTING_SHORT = { "-R": "--recursive", "-l": "--long", "-d": "--directory" } as const;

export interface ListingSource<File> {
  readonly node: TreeNode<File>;
  /** The listed path's last name, shown for what is no directory. */
  readonly name: string;
  readonly size: (file: File) => number;
  /** Further members of a regular file's JSON. */
  readonly extra?: (file: File) => Readonly<Record<string, Json>>;
}

export function printListing<File>(context: CommandContext, source: ListingSource<File>, options: Options): number {
  const { node, name } = source;
  if (options.has("--json")) {
    if (options.has("--directory")) throw new UsageError("'--directory' is useless with '--json'");
    context.print(`${printJson(listingJson(source, node, options.has("--recursive"), true), jsonIndent(options))}\n`);
    return 0;
  }
  if (node.type !== "directory" || options.has("--directory")) {
    printEntry(context, source, node, node.type === "directory" ? "." : name, options);
  }
  if (!options.has("--directory") || options.has("--recursive")) printDirectory(context, source, node, ".", options);
  return 0;
}

function printDirectory<File>(
  context: CommandContext,
  source: ListingSource<File>,
  node: TreeNode<File>,
  path: string,
  options: Options,
): void {
  if (node.type !== "directory") return;
  for (const [name, child] of node.entries) {
    printEntry(context, source, child, `${path}/${name}`, options);
    if (options.has("--recursive")) printDirectory(context, source, child, `${path}/${name}`, options);
  }
}

function printEntry<File>(
  context: CommandContext,
  source: ListingSource<File>,
  node: TreeNode<File>,
  shown: string,
  options: Options,
): void {
  if (!options.has("--long")) return context.print(`${shown}\n`);
  const size = node.type === "regular" ? source.size(node) : 0;
  const target = node.type === "symlink" ? ` -> ${node.target}` : "";
  return context.print(`${modeOf(node)} ${String(size).padStart(20)} ${shown}${target}\n`);
}

function modeOf<File>(node: TreeNode<File>): string {
  if (node.type === "directory") return "dr-xr-xr-x";
  if (node.type === "symlink") return "lrwxrwxrwx";
  return node.executable ? "-r-xr-xr-x" : "-r--r--r--";
}

/** A directory's members are described one level deep, or wholly with --recursive. */
function listingJson<File>(source: ListingSource<File>, node: TreeNode<File>, recursive: boolean, top: boolean): Json {
  switch (node.type) {
    case "regular": {
      const extra = source.extra?.(node) ?? {};
      return { type: "regular", size: source.size(node), ...(node.executable ? { executable: true } : {}), ...extra };
    }
    case "symlink":
      return { type: "symlink", target: node.target };
    case "directory": {
      if (!top && !recursive) return {};
      const entries = Array.from(node.entries, ([name, child]): [string, Json] => {
        return [name, recursive ? listingJson(source, child, true, false) : {}];
      });
      return { type: "directory", entries: Object.fromEntries(entries) };
    }
  }
}
