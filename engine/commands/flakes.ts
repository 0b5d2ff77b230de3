/** Flakes on the command line: references as they are typed, lock files written and told of, outputs by name. */
import { describeLockChange, lockJson, printLockFile } from "../builtins/flake-lock.ts";
import { type InputAttrs, parseFlakeRefWithFragment, parseUrl, printFlakeRef } from "../builtins/flake-ref.ts";
import { type LockedFlake, callFlake, lockFlake, lockedRef } from "../builtins/get-flake.ts";
import { canonPath } from "../eval/canon-path.ts";
import { NixError } from "../eval/error.ts";
import type { Evaluator } from "../eval/evaluator.ts";
import { suggest } from "../eval/suggest.ts";
import { Attrs, type Slot } from "../eval/value.ts";
import type { LanguageRun } from "./language.ts";
import { usage } from "./language-options.ts";

/** A flake reference of the command line with what follows its `#`. */
export interface FlakeArgument {
  readonly ref: InputAttrs;
  readonly fragment: string;
}

/** @throws NixError when it is no reference, or a path at and above which there is no flake */
export function parseFlakeArgument(run: LanguageRun, text: string): FlakeArgument {
  const url = parseUrl(text);
  if (url !== undefined && url.scheme === "path" && !url.path.startsWith("/")) {
    const { attrs, fragment } = parseFlakeRefWithFragment(
      text.replace(/^path:[^?#]*/, `path:${absolute(run, url.path)}`),
    );
    return { ref: attrs, fragment };
  }
  const isPath = url === undefined && (/^[./]/.test(text) || text === "" || text.startsWith("#"));
  const { attrs, fragment } = isPath ? pathArgument(run, text) : parseFlakeRefWithFragment(text);
  return { ref: attrs, fragment };
}

const absolute = ({ world }: LanguageRun, path: string): string =>
  canonPath(path.startsWith("/") ? path : `${world.cwd}/${path}`);

function pathArgument(run: LanguageRun, text: string): { attrs: InputAttrs; fragment: string } {
  const path = /^[^?#]*/.exec(text)![0];
  const folder = absolute(run, path === "" ? "." : path);
  const status = run.world.io.lstat(folder);
  if (status === undefined) {
    throw new NixError("io", `getting status of "${folder}": No such file or directory`);
  }
  if (status.type === "regular") {
    throw new NixError("eval", `path "${folder}" is not a flake (because it's not a directory)`);
  }
  return parseFlakeRefWithFragment(`${folderWithFlake(run, folder)}${text.slice(path.length)}`);
}

/** The folder, or the nearest one above it that has a flake. */
function folderWithFlake({ world, session }: LanguageRun, start: string): string {
  const has = (folder: string): boolean => world.io.lstat(canonPath(`${folder}/flake.nix`)) !== undefined;
  if (has(start)) return start;
  session.once(`search ${start}`, () => {
    world.error(`path "${start}" does not contain a 'flake.nix', searching up\n`);
  });
  for (let folder = start; folder !== "/"; folder = folder.slice(0, folder.lastIndexOf("/")) || "/") {
    if (has(folder)) return folder;
  }
  throw new NixError("eval", "could not find a flake.nix file");
}

/** Pins a flake's inputs as the flags say, and writes its lock file when that changed and it is a folder of its own. */
export function lockArgument(run: LanguageRun, ref: InputAttrs, options: Partial<LockChange> = {}): LockedFlake {
  const { evaluator, flags, session, world } = run;
  return session.remember(`flake ${printFlakeRef(ref)}`, () => {
    const overrides = new Map<string, InputAttrs>();
    for (const [input, other] of flags.all("--override-input")) {
      overrides.set(input!, parseFlakeArgument(run, other!).ref);
    }
    const updates = new Set([...flags.all("--update-input").map(([input]) => input!), ...(options.updates ?? [])]);
    const updateAll = flags.has("--recreate-lock-file") || options.updateAll === true;
    const wanted = { allowUnlocked: true, updateAll, updates, overrides };
    const locked = evaluator.run((context) => lockFlake(ref, context, wanted));
    keepLock(run, ref, locked);
    return locked;
  });

  function keepLock({ flags: given }: LanguageRun, input: InputAttrs, { flake, lock }: LockedFlake): void {
    if (printLockFile(lock) === printLockFile(flake.lock)) return;
    const change = describeLockChange(flake.lock, lock);
    const shown = printFlakeRef(input);
    if (given.has("--no-update-lock-file")) {
      const message = `flake '${shown}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`;
      const locked = printFlakeRef(lockedRef(flake));
      throw new NixError("eval", message).within(`while updating the lock file of flake '${locked}'`);
    }
    const folder = input.get("type") === "path" ? canonPath(`${String(input.get("path"))}/${flake.dir}`) : undefined;
    if (given.has("--no-write-lock-file") || folder === undefined || world.writeFile === undefined) {
      return world.error(`warning: not writing modified lock file of flake '${shown}':\n${change}`);
    }
    const file = canonPath(`${folder}/flake.lock`);
    const isNew = world.io.lstat(file) === undefined;
    if (change !== "") {
      world.error(`warning: ${isNew ? "creating" : "updating"} lock file "${file}":${isNew ? " " : ""}\n${change}`);
    }
    world.writeFile(file, printLockFile(lock));
  }
}

export interface LockChange {
  readonly updateAll: boolean;
  readonly updates: readonly string[];
}

/** The graph of a locked flake as `nix flake metadata --json` shows it. */
export const locksJson = ({ lock }: LockedFlake): unknown => lockJson(lock);

/** The whole result of a flake. */
export function flakeValue(run: LanguageRun, ref: InputAttrs): Slot {
  const locked = lockArgument(run, ref);
  return run.session.remember(`value of ${printFlakeRef(ref)}`, () =>
    run.evaluator.run((context) => callFlake(locked, context)),
  );
}

/** Where an attribute of a flake is looked for: the name as it is below each prefix, or the defaults when there is none. */
export interface Candidates {
  readonly prefixes: readonly string[];
  readonly defaults: readonly string[];
}

export const packageCandidates = (system: string): Candidates => ({
  prefixes: [`packages.${system}.`, `legacyPackages.${system}.`],
  defaults: [`packages.${system}.default`, `defaultPackage.${system}`],
});

/** The first of the candidates that the flake has, with its path. @throws NixError when it has none */
export function flakeAttribute(
  run: LanguageRun,
  { ref, fragment }: FlakeArgument,
  { prefixes, defaults }: Candidates,
): { readonly path: string; readonly slot: Slot } {
  const { evaluator } = run;
  const outputs = evaluator.select(flakeValue(run, ref), "outputs", new Map());
  const paths = fragment.startsWith(".")
    ? [fragment.slice(1)]
    : fragment === ""
      ? defaults
      : [...prefixes.map((prefix) => `${prefix}${fragment}`), fragment];
  const suggestions = new Set<string>();
  for (const path of paths) {
    const found = findAlong(evaluator, outputs, path);
    if (found.slot !== undefined) return { path, slot: found.slot };
    for (const name of found.suggestions) suggestions.add(name);
  }
  const listed = paths.map((path) => `'${path}'`);
  const last = listed.pop()!;
  const names = listed.length === 0 ? last : `${listed.join(", ")} or ${last}`;
  throw new NixError("missing", `flake '${printFlakeRef(ref)}' does not provide attribute ${names}`, {
    suggestions: [...suggestions],
  });
}

interface Along {
  readonly slot?: Slot;
  readonly suggestions: readonly string[];
}

/** Walks a path by attribute names only; where it ends, names like the one that is missing. */
function findAlong(evaluator: Evaluator, outputs: Slot, path: string): Along {
  let slot = outputs;
  for (const name of attributeNames(path)) {
    const value = evaluator.force(slot);
    if (!(value instanceof Attrs)) return { suggestions: [] };
    const next = value.get(name);
    if (next === undefined) return { suggestions: suggest(name, value.keys.names) };
    slot = next;
  }
  return { slot, suggestions: [] };
}

/** The names of a path, quotes taken off. */
function attributeNames(path: string): string[] {
  const names = [...path.matchAll(/"([^"]*)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  if ((path.match(/"/g)?.length ?? 0) % 2 === 1) {
    throw usage(`missing closing quote in selection path '${path}'`);
  }
  return names;
}
