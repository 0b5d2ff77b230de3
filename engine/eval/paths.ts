/**
 * Paths of the outside: following links, and what `import` reads for a path.
 */
import { NixError } from "./error.ts";
import { canonPath } from "./canon-path.ts";
import type { FileStatus, Io } from "./io.ts";

const maxLinks = 1024;

/** Directory of the files that are built in (`<nix/fetchurl.nix>`); nothing outside is ever there. */
export const internalRoot = "/__nix-internal__";

/** A path as values and messages show it. */
export const shownPath = (path: string): string =>
  path.startsWith(`${internalRoot}/`) ? `<nix/${canonPath(path.slice(internalRoot.length)).slice(1)}>` : path;

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
    if (links >= maxLinks) throw new NixError("io", `infinite symlink recursion in path '${path}'`);
    const target = io.readLink(current);
    current = canonPath(target.startsWith("/") ? target : `${current.replace(/\/[^/]*$/, "")}/${target}`);
    status = io.lstat(current);
  }
  if (status?.type === "directory") {
    current = current === "/" ? "/default.nix" : `${current}/default.nix`;
    status = io.lstat(current);
  }
  if (status === undefined) throw new NixError("io", `path '${current}' does not exist`, { data: { path: current } });
  return current;
}
