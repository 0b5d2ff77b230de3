/** Flakes on the command line: references as they are typed, lock files written and told of, outputs by name. */
import type { Flake } from "../builtins/flake-file.ts";
import { type LockFile, describeLockChange, lockJson, parseLockFile, printLockFile } from "../builtins/flake-lock.ts";
import { type LockOptions, type LockedFlake, lockFlake } from "../builtins/flake-locking.ts";
import {
  type FragmentRef,
  type InputAttrs,
  parseFlakeRefWithFragment,
  parseNamedRef,
  parseUrl,
  percentDecode,
  printFlakeRef,
} from "../builtins/flake-ref.ts";
import { callFlake } from "../builtins/get-flake.ts";
import type { Routine } from "../builtins/record.ts";
import { canonPath } from "../eval/canon-path.ts";
import { NixError, addTrace } from "../eval/error.ts";
import type { Evaluator } from "../eval/evaluator.ts";
import { suggest } from "../eval/suggest.ts";
import { Attrs, type Slot } from "../eval/value.ts";
import type { LanguageRun } from "./language.ts";

/** A flake reference of the command line with what follows its `#`. */
export interface FlakeArgument {
  readonly ref: InputAttrs;
  readonly fragment: string;
}

/** @throws NixError when it is no reference, or a path at and above which there is no flake */
export function parseFlakeArgument(run: LanguageRun, text: string): FlakeArgument {
  const url = parseUrl(text);
  const isRelativePath = url?.scheme === "path" && !url.path.startsWith("/");
  const whole = isRelativePath ? text.replace(/^path:[^?#]*/, `path:${absolute(run, url.path)}`) : text;
  const { attrs, fragment } = (text === "" ? undefined : parseNamedRef(whole)) ?? pathArgument(run, text);
  return { ref: attrs, fragment };
}

const absolute = ({ world }: LanguageRun, path: string): string =>
  canonPath(path.startsWith("/") ? path : `${world.cwd}/${path}`);

function pathArgument(run: LanguageRun, text: string): FragmentRef {
  const path = /^[^?#]*/.exec(text)![0];
  const given = absolute(run, path === "" ? "." : path);
  const status = run.world.io.lstat(given);
  if (status === undefined) {
    throw new NixError("io", `getting status of "${given}": No such file or directory`);
  }
  const isFile = status.type === "regular" && given.endsWith("/flake.nix");
  const folder = isFile ? parentOf(given) : given;
  if (isFile) {
    const advice = "should point at the directory containing the 'flake.nix' file, not the file itself";
    const message = `Path "${given}" ${advice}. Pretending that you meant "${folder}"`;
    run.session.once(message, () => run.world.error(`warning: ${message}\n`));
  } else if (status.type === "regular") {
    throw new NixError("eval", `path "${folder}" is not a flake (because it's not a directory)`);
  }
  const found = folderWithFlake(run, folder);
  const rest = text.slice(path.length);
  return inRepository(run, found, rest) ?? parseFlakeRefWithFragment(`${found}${rest}`);
}

/** The folder, or the nearest one above it that has a flake; the search ends at the repository's top. */
function folderWithFlake({ world, session }: LanguageRun, start: string): string {
  const has = (folder: string, name: string): boolean => world.io.lstat(canonPath(`${folder}/${name}`)) !== undefined;
  if (has(start, "flake.nix")) return start;
  session.once(`search ${start}`, () => {
    world.error(`path "${start}" does not contain a 'flake.nix', searching up\n`);
  });
  for (let folder = start; folder !== "/"; folder = parentOf(folder)) {
    if (has(folder, "flake.nix")) return folder;
    if (!has(folder, ".git")) continue;
    const where = "neither it nor its parent directories contain a 'flake.nix' file";
    throw new NixError("eval", `path "${folder}" is not part of a flake (${where})`);
  }
  throw new NixError("eval", "could not find a flake.nix file");
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

/** A folder inside a Git repository is a reference to that, with the way to the folder in it. */
function inRepository({ world }: LanguageRun, start: string, rest: string): FragmentRef | undefined {
  let root = start;
  while (root !== "/" && world.io.lstat(`${root}/.git`) === undefined) root = parentOf(root);
  if (root === "/") return undefined;
  const { attrs, fragment } = parseFlakeRefWithFragment(`git+file://${encodePath(root)}${rest}`);
  if (start !== root) {
    if (attrs.has("dir")) {
      throw new NixError("eval", `flake URL '${start}${rest}' has an inconsistent 'dir' parameter`);
    }
    attrs.set("dir", start.slice(root.length + 1));
  }
  if (world.io.lstat(`${root}/.git/shallow`) !== undefined) attrs.set("shallow", true);
  return { attrs, fragment };
}

const encodePath = (path: string): string =>
  path.replace(
    /[^A-Za-z0-9/._~!$&'()*+,;=:@-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );

/** Pins a flake's inputs as the flags say, and writes its lock file when that changed and it is a folder of its own. */
export function lockArgument(run: LanguageRun, ref: InputAttrs, options: Partial<LockChange> = {}): LockedFlake {
  const { evaluator, flags, session } = run;
  return session.remember(`flake ${printFlakeRef(ref)}`, () => {
    tellDeprecated(run);
    const overrides = new Map<string, InputAttrs>();
    for (const [input, other] of flags.all("--override-input")) {
      overrides.set(input!, parseFlakeArgument(run, other!).ref);
    }
    const updates = new Set([...flags.all("--update-input").map(([input]) => input!), ...(options.updates ?? [])]);
    const updateAll = flags.has("--recreate-lock-file") || options.updateAll === true;
    const reference = flags.value("--reference-lock-file");
    const registries = flags.has("--no-registries") ? "none" : "all";
    const wanted: LockOptions = {
      allowUnlocked: true,
      updateAll,
      updates,
      overrides,
      registries: { top: registries, inputs: registries === "none" ? "none" : "inputs" },
      ...(reference !== undefined && { reference: readLock(run, reference) }),
    };
    const locked = evaluator.run((context) => lockFlake(ref, context, wanted));
    tellConfig(run, locked.flake);
    return keepLock(run, ref, locked, options);
  });
}

function readLock(run: LanguageRun, path: string): LockFile {
  const file = absolute(run, path);
  if (run.world.io.lstat(file) === undefined) {
    throw new NixError("io", `path '${file}' does not exist`);
  }
  return parseLockFile(run.world.io.readFile(file), file);
}

const DEPRECATED = {
  "--no-registries": "'--no-registries' is deprecated; use '--no-use-registries'",
  "--update-input":
    "'--update-input' is a deprecated alias for 'flake update' and will be removed in a future version.",
  "--recreate-lock-file":
    "'--recreate-lock-file' is deprecated and will be removed in a future version; use 'nix flake update' instead.",
};

function tellDeprecated({ flags, session, world }: LanguageRun): void {
  for (const [flag, message] of Object.entries(DEPRECATED)) {
    if (flags.has(flag)) session.once(flag, () => world.error(`warning: ${message}\n`));
  }
}

/** Settings that a flake may have without being asked. */
const TRUSTED_CONFIG = [
  "bash-prompt",
  "bash-prompt-prefix",
  "bash-prompt-suffix",
  "flake-registry",
  "commit-lock-file-summary",
  "commit-lockfile-summary",
];

function tellConfig({ flags, world }: LanguageRun, { config }: Flake): void {
  if (flags.has("--accept-flake-config")) return;
  for (const name of [...config.keys()].sort()) {
    if (TRUSTED_CONFIG.includes(name)) continue;
    world.error(
      `warning: ignoring untrusted flake configuration setting '${name}'.\nPass '--accept-flake-config' to trust it\n`,
    );
  }
}

/** Writes the lock file if it changed and may be written; gives the flake as it is then. */
function keepLock(run: LanguageRun, ref: InputAttrs, locked: LockedFlake, options: Partial<LockChange>): LockedFlake {
  const { flags, world } = run;
  const { flake, lock, before } = locked;
  if (printLockFile(lock) === printLockFile(before) && !flags.has("--output-lock-file")) return locked;
  const shown = printFlakeRef(ref);
  const change = describeLockChange(before, lock).trimEnd();
  const isWritten = options.write === true || !flags.has("--override-input");
  if (flags.has("--no-write-lock-file") || !isWritten) {
    world.error(`warning: not writing modified lock file of flake '${shown}':\n${change}\n`);
    return { ...locked, isModified: true };
  }
  const problem = lockProblem(run, shown, locked);
  const folder = sourceFolder(ref);
  const output = flags.value("--output-lock-file");
  const isPossible = (folder !== undefined || output !== undefined) && world.writeFile !== undefined;
  if (problem === undefined && isPossible) {
    if (output === undefined) writeLock(run, locked, folder!, change);
    else world.writeFile!(absolute(run, output), printLockFile(lock));
    return locked;
  }
  const refusal = `cannot write modified lock file of flake '${shown}' (use '--no-write-lock-file' to ignore)`;
  const trace = `while updating the lock file of flake '${printFlakeRef(flake.locked)}'`;
  throw new NixError("eval", isPossible ? problem! : refusal).within(trace);
}

/** Why a lock file may not be written. */
function lockProblem({ flags }: LanguageRun, shown: string, { lock }: LockedFlake): string | undefined {
  const unlocked = flags.has("--allow-dirty-locks") ? undefined : unlockedInput(lock);
  if (unlocked !== undefined) {
    const what = `Not writing lock file of flake '${shown}' because it has an unlocked input ('${printFlakeRef(unlocked)}').`;
    return `${what} Use '--allow-dirty-locks' to allow this anyway.`;
  }
  if (!flags.has("--no-update-lock-file")) return undefined;
  return `flake '${shown}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`;
}

/** An input that is pinned to nothing that stays: a working tree with changes. */
function unlockedInput(lock: LockFile): InputAttrs | undefined {
  for (const [key, { locked }] of lock.nodes) {
    if (key !== lock.root && locked !== undefined && locked.get("type") === "git" && !locked.has("rev")) return locked;
  }
  return undefined;
}

/** The folder on this computer that a flake is in. */
function sourceFolder(ref: InputAttrs): string | undefined {
  if (ref.get("type") === "path") return String(ref.get("path"));
  const url = ref.get("type") === "git" ? parseUrl(String(ref.get("url"))) : undefined;
  if (url?.scheme !== "file" || ref.has("rev") || ref.has("ref")) return undefined;
  return percentDecode(url.path);
}

function writeLock({ flags, world }: LanguageRun, { flake, lock }: LockedFlake, folder: string, change: string): void {
  const name = flake.dir === "" ? "flake.lock" : `${flake.dir}/flake.lock`;
  const file = canonPath(`${folder}/${name}`);
  const isNew = world.io.lstat(file) === undefined;
  const told = isNew
    ? `creating lock file "${file}": \n${change}`
    : `updating lock file "${file}"${change === "" ? "" : `:\n${change}`}`;
  world.error(`warning: ${told.trimEnd()}\n`);
  world.writeFile!(file, printLockFile(lock));
  const summary = `${name}: ${isNew ? "Add" : "Update"}\n\nFlake lock file updates:\n\n${change}\n`;
  const message = flags.has("--commit-lock-file") ? summary : undefined;
  if (flake.original.get("type") !== "git") return;
  try {
    world.trackFile?.(folder, name, message);
  } catch (thrown) {
    throw addTrace(thrown, `while updating the lock file of flake '${printFlakeRef(flake.locked)}'`);
  }
}

export interface LockChange {
  readonly updateAll: boolean;
  readonly updates: readonly string[];
  /** Is the lock file what the command is about, so that it is written in any case? */
  readonly write: boolean;
}

/** A computation of the evaluator's as a routine, for what evaluates nothing itself. */
export function* computed<T>(compute: () => T): Routine<T> {
  yield null;
  return compute();
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

/** An attribute of a flake with its path. */
export interface FlakeAttribute {
  readonly path: string;
  readonly slot: Slot;
}

/** The first of the candidates that the flake has. @throws NixError when it has none */
export const flakeAttribute = (run: LanguageRun, argument: FlakeArgument, candidates: Candidates): FlakeAttribute =>
  foundAttributes(run, argument, candidates, true)[0]!;

/** All of the candidates that the flake has. @throws NixError when it has none */
export const flakeAttributes = (run: LanguageRun, argument: FlakeArgument, candidates: Candidates): FlakeAttribute[] =>
  foundAttributes(run, argument, candidates, false);

function foundAttributes(
  run: LanguageRun,
  { ref, fragment }: FlakeArgument,
  { prefixes, defaults }: Candidates,
  isFirst: boolean,
): FlakeAttribute[] {
  const { evaluator } = run;
  const outputs = evaluator.select(flakeValue(run, ref), "outputs", new Map());
  const paths = fragment.startsWith(".")
    ? [fragment.slice(1)]
    : fragment === ""
      ? defaults
      : [...prefixes.map((prefix) => `${prefix}${fragment}`), fragment];
  const suggestions = new Set<string>();
  const all: FlakeAttribute[] = [];
  for (const path of paths) {
    const found = findAlong(evaluator, outputs, path);
    if (found.slot !== undefined) all.push({ path, slot: found.slot });
    if (isFirst && all.length > 0) return all;
    for (const name of found.suggestions) suggestions.add(name);
  }
  if (all.length > 0) return all;
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
  const walked: string[] = [];
  for (const name of attributeNames(path)) {
    const value = evaluator.force(slot);
    if (!(value instanceof Attrs)) throw new NixError("type", `'${walked.join(".")}' is not an attribute set`);
    const next = value.get(name);
    if (next === undefined) return { suggestions: suggest(name, value.keys.names) };
    slot = next;
    walked.push(name);
  }
  return { slot, suggestions: [] };
}

/** The names of a path, quotes taken off. */
function attributeNames(path: string): string[] {
  const names = [...path.matchAll(/"([^"]*)"|([^."]+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  if ((path.match(/"/g)?.length ?? 0) % 2 === 1) {
    throw new NixError("eval", `missing closing quote in selection path '${path}'`);
  }
  return names;
}
