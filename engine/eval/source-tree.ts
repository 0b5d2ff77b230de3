/**
 * Files of the outside as trees, and their copies in the store.
 */
import { checkAllowed } from "./allowed-paths.ts";
import { NixError } from "./error.ts";
import type { Io, SourceTree } from "./io.ts";
import { missingPath } from "./paths.ts";
import { evalContext } from "./runtime.ts";
import type { EvalContext } from "./context.ts";

/** Copies a path to the store under its own name (once an evaluation) and returns the store path. */
export function copyToStore(path: string): string {
  const context = evalContext();
  const known = context.copiedPaths.get(path);
  if (known !== undefined) return known;
  const storePath = addPath(context, path);
  context.copiedPaths.set(path, storePath);
  return storePath;
}

function addPath(context: EvalContext, path: string): string {
  checkAllowed(path, context);
  if (path.endsWith(".drv") && path.startsWith(`${context.settings.storeDir}/`)) {
    throw new NixError("eval", `file names are not allowed to end in '.drv'`);
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  const tree = sourceTree(context.io, path);
  return context.io.addSource({ name, method: "nar", tree, dryRun: context.settings.readOnly });
}

/** The whole tree below a path, links kept as links. */
export function sourceTree(io: Io, path: string): SourceTree {
  const status = io.lstat(path);
  if (status === undefined) throw missingPath(path);
  switch (status.type) {
    case "regular":
      return { type: "regular", executable: status.executable, path };
    case "symlink":
      return { type: "symlink", target: io.readLink(path) };
    case "directory":
      return {
        type: "directory",
        entries: sortedEntries(io, path).map((name) => [name, sourceTree(io, `${path}/${name}`)] as const),
      };
    case "unknown":
      throw new NixError("io", `file '${path}' has an unsupported type`);
  }
}

/** Names in a directory in byte order. */
export const sortedEntries = (io: Io, path: string): string[] =>
  io
    .readDir(path)
    .map(([name]) => name)
    .sort((a, b) => (a < b ? -1 : 1));
