/**
 * Paths of the outside: following links, and what `import` reads for a path.
 */
import { NixError } from "./error.ts";
import { canonPath } from "./canon-path.ts";
import type { FileStatus, Io } from "./io.ts";
import { runtime } from "./runtime.ts";

const maxLinks = 1024;

/** Directory of the files that are built in (`<nix/fetchurl.nix>`); nothing outside is ever there. */
export const internalRoot = "/__nix-internal__";

/** A path as values and messages show it. */
export function shownPath(path: string): string {
  if (path.startsWith(`${internalRoot}/`)) return `<nix/${canonPath(path.slice(internalRoot.length)).slice(1)}>`;
  const [tree, shown] = shownTreeOf(path) ?? [];
  return tree === undefined ? path : `${shown!}${path.slice(tree.length) || "/"}`;
}

/** The fetched tree that a path is in, and what messages call that. */
function shownTreeOf(path: string): readonly [tree: string, shown: string] | undefined {
  for (const entry of runtime.context?.shownTrees ?? []) {
    if (path === entry[0] || path.startsWith(`${entry[0]}/`)) return entry;
  }
  return undefined;
}

/** The error of a path where nothing is. In a repository's working tree that may be a file that Git does not know. */
export function missingPath(path: string): NixError {
  const [tree, shown] = shownTreeOf(path) ?? [];
  const data = { data: { path } };
  if (!shown?.startsWith("/")) return new NixError("io", `path '${shownPath(path)}' does not exist`, data);
  const name = path.slice(tree!.length + 1);
  const folder = JSON.stringify(shown);
  if (runtime.context?.io.lstat(`${shown}/${name}`) === undefined) {
    return new NixError("io", `Path '${name}' does not exist in Git repository ${folder}.`, data);
  }
  const advice = `To make it visible to Nix, run:\n\ngit -C ${folder} add ${JSON.stringify(name)}`;
  return new NixError("io", `Path '${name}' in the repository ${folder} is not tracked by Git.\n\n${advice}`, data);
}

/** The path with every link followed, also of its directories; missing parts stay as they are. */
export function resolveLinks(io: Io, path: string): string {
  let pending = path.split("/").filter((part) => part !== "");
  let done = "";
  let links = 0;
  while (pending.length > 0) {
    const [part, ...rest] = pending;
    const next = `${done}/${part}`;
    const status = io.lstat(next);
    if (status?.type !== "symlink") {
      done = next;
      pending = rest;
      continue;
    }
    if (++links > maxLinks) throw new NixError("io", `infinite symlink recursion in path '${path}'`);
    const target = io.readLink(next);
    const whole = canonPath(target.startsWith("/") ? target : `${done}/${target}`);
    pending = [...whole.split("/").filter((piece) => piece !== ""), ...rest];
    done = "";
  }
  return done === "" ? "/" : done;
}

/** Status of what a path leads to through its final links, undefined when nothing is there. */
export function statFollowing(io: Io, path: string): FileStatus | undefined {
  let current = path;
  for (let links = 0; links < maxLinks; links++) {
    const status = io.lstat(current);
    if (status?.type !== "symlink") return status;
    const target = io.readLink(current);
    current = canonPath(target.startsWith("/") ? target : `${current.replace(/\/[^/]*$/, "")}/${target}`);
  }
  throw new NixError("io", `infinite symlink recursion in path '${path}'`);
}

/** The file that evaluating a path means: the path itself, links followed, or `default.nix` of a directory. */
export function resolveExprPath(io: Io, path: string): string {
  let current = path;
  let status = io.lstat(current);
  for (let links = 0; status?.type === "symlink"; links++) {
    if (links >= maxLinks)
      throw new NixError("io", `too many symbolic links encountered while traversing the path '${path}'`);
    const target = io.readLink(current);
    current = canonPath(target.startsWith("/") ? target : `${current.replace(/\/[^/]*$/, "")}/${target}`);
    status = io.lstat(current);
  }
  if (status?.type === "directory") {
    current = current === "/" ? "/default.nix" : `${current}/default.nix`;
    status = io.lstat(current);
  }
  if (status === undefined) throw missingPath(current);
  return current;
}
