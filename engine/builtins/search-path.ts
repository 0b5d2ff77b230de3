/**
 * Search paths: what `<name>` finds.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError } from "#engine/eval/error.ts";
import { canonPath } from "#engine/eval/canon-path.ts";
import { internalRoot, statFollowing } from "#engine/eval/paths.ts";

/** A place to look: names that are `prefix` or start with `prefix/` are looked for at `path`. */
export interface SearchPathEntry {
  readonly prefix: string;
  readonly path: string;
}

/** "prefix=path" or "path", as in NIX_PATH and -I. */
export function parseSearchPathEntry(text: string): SearchPathEntry {
  const equals = text.indexOf("=");
  return equals < 0 ? { prefix: "", path: text } : { prefix: text.slice(0, equals), path: text.slice(equals + 1) };
}

/** The entries of a NIX_PATH; a colon that belongs to a URL (`http://…`) does not separate. */
export function splitNixPath(text: string): string[] {
  const entries: string[] = [];
  let current = "";
  for (const part of text.split(":")) {
    const joined = current === "" ? part : `${current}:${part}`;
    if (/(^|=)(https?|file|ftp|git|channel|flake)$/.test(part) && current === "") current = part;
    else {
      if (joined !== "") entries.push(joined);
      current = "";
    }
  }
  if (current !== "") entries.push(current);
  return entries;
}

/** Where the entries have the name; an error when nowhere. */
export function findInSearchPath(entries: readonly SearchPathEntry[], name: string, context: EvalContext): string {
  for (const { prefix, path } of entries) {
    const suffix = suffixAfter(prefix, name);
    if (suffix === undefined) continue;
    const base = resolveEntry(path, context);
    if (base === undefined) continue;
    const candidate = suffix === "" ? base : canonPath(`${base}/${suffix}`);
    if (statFollowing(context.io, candidate) !== undefined) return candidate;
  }
  if (name.startsWith("nix/")) return `${internalRoot}/${name.slice(4)}`;
  if (context.settings.pureEval) {
    throw new NixError("throw", `cannot look up '<${name}>' in pure evaluation mode (use '--impure' to override)`);
  }
  const message = `file '${name}' was not found in the Nix search path (add it using $NIX_PATH or -I)`;
  throw new NixError("throw", message, { data: { lookup: name } });
}

function suffixAfter(prefix: string, name: string): string | undefined {
  if (prefix === "") return name;
  if (name === prefix) return "";
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : undefined;
}

/** The directory an entry stands for; undefined when it does not exist. */
function resolveEntry(path: string, context: EvalContext): string | undefined {
  if (/^(https?|ftp|file):\/\//.test(path)) {
    return context.io.fetch({ kind: "tarball", url: path, name: "source", options: {} }).storePath;
  }
  const absolute = canonPath(path.startsWith("/") ? path : `${context.settings.directory}/${path}`);
  if (statFollowing(context.io, absolute) !== undefined) return absolute;
  context.warn(`Nix search path entry '${path}' does not exist, ignoring`);
  return undefined;
}
