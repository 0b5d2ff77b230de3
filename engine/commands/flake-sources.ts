/** `nix flake archive`, `prefetch`, `prefetch-inputs` and `clone`: the trees that flakes are, brought into the store or into a folder. */
import { fetchRef, isRelative, splitDir } from "../builtins/flake-file.ts";
import { attrsJson } from "../builtins/flake-lock.ts";
import type { LockFile } from "../builtins/flake-lock.ts";
import { type InputAttr, type InputAttrs, printFlakeRef } from "../builtins/flake-ref.ts";
import { canonPath } from "../eval/canon-path.ts";
import { NixError } from "../eval/error.ts";
import { sortedEntries } from "../eval/source-tree.ts";
import { reportError } from "../eval/report.ts";
import { computed, lockArgument, parseFlakeArgument } from "./flakes.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { SOURCE_FLAGS } from "./language-options.ts";

export const FLAKE_SOURCES: readonly LanguageProgram[] = [
  {
    words: "nix flake archive",
    flags: { flags: { ...SOURCE_FLAGS, "--json": 0, "--dry-run": 0, "--to": 1, "--no-check-sigs": 0 }, most: 1 },
    run(run) {
      const { flake, lock } = lockArgument(run, parseFlakeArgument(run, run.flags.args[0] ?? "").ref);
      const json = { inputs: archivedInputs(run, lock, lock.root), path: flake.tree.storePath };
      if (run.flags.has("--json")) run.world.print(`${JSON.stringify(json)}\n`);
      return 0;
    },
  },
  {
    words: "nix flake prefetch",
    flags: { flags: { "--json": 0, "--out-link": 1 }, short: { "-o": "--out-link" }, most: 1 },
    run: prefetch,
  },
  {
    words: "nix flake prefetch-inputs",
    flags: { flags: SOURCE_FLAGS, most: 1 },
    run: prefetchInputs,
  },
  {
    words: "nix flake clone",
    flags: { flags: { ...SOURCE_FLAGS, "--dest": 1 }, short: { "-f": "--dest" }, most: 1 },
    run: clone,
  },
];

function fetched(run: LanguageRun, ref: InputAttrs): ReturnType<typeof fetchRef> {
  return run.session.remember(`fetched ${printFlakeRef(ref)}`, () =>
    run.evaluator.run((context) => computed(() => fetchRef(ref, "all", context))),
  );
}

/** The inputs of a node, with theirs; what follows another input is there already. */
function archivedInputs(run: LanguageRun, lock: LockFile, key: string): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, edge] of [...lock.nodes.get(key)!.inputs].sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (typeof edge !== "string") continue;
    const { locked } = lock.nodes.get(edge)!;
    const inputs = archivedInputs(run, lock, edge);
    const path = isRelative(locked!) ? {} : { path: fetched(run, locked!).tree.storePath };
    json[name] = { inputs, ...path };
  }
  return json;
}

function prefetch(run: LanguageRun): number {
  const { flags, world } = run;
  const { ref } = parseFlakeArgument(run, flags.args[0] ?? "");
  const { locked, tree } = fetched(run, ref);
  const pinned = new Map<string, InputAttr>(locked);
  const hash = String(pinned.get("narHash"));
  pinned.delete("narHash");
  const { storePath } = tree;
  if (flags.has("--json")) {
    const json = { hash, locked: attrsJson(pinned), original: attrsJson(ref), storePath };
    world.print(`${JSON.stringify(json)}\n`);
  } else world.error(`Downloaded '${printFlakeRef(pinned)}' to '${storePath}' (hash '${hash}').\n`);
  return 0;
}

/** Fetches every input of the lock file; what cannot be had is told, and is an error at the end. */
function prefetchInputs(run: LanguageRun): number {
  const { session, world } = run;
  const { lock } = lockArgument(run, parseFlakeArgument(run, run.flags.args[0] ?? "").ref);
  const nodes = [...lock.nodes].filter(([key]) => key !== lock.root);
  nodes.sort(([left], [right]) => (left < right ? -1 : 1));
  let isWhole = true;
  for (const [key, { locked }] of nodes) {
    session.once(`told ${key}`, () => world.error(`fetching '${printFlakeRef(locked!)}'...\n`));
    try {
      fetched(run, locked!);
    } catch (thrown) {
      if (!(thrown instanceof NixError)) throw thrown;
      session.once(`failed ${key}`, () => world.error(reportError(thrown)));
      isWhole = false;
    }
  }
  return isWhole ? 0 : 1;
}

function clone(run: LanguageRun): number {
  const { flags, world } = run;
  const given = flags.value("--dest");
  if (given === undefined) throw new NixError("eval", "missing flag '--dest'");
  const target = canonPath(given.startsWith("/") ? given : `${world.cwd}/${given}`);
  if (world.io.lstat(target) !== undefined) {
    throw new NixError("eval", `cannot clone into existing path ${JSON.stringify(given)}`);
  }
  const { resolved, tree } = fetched(run, parseFlakeArgument(run, flags.args[0] ?? "").ref);
  const { input } = splitDir(resolved);
  if (input.get("type") === "git" && world.cloneRepository !== undefined) {
    world.cloneRepository(String(input.get("url")), given, input.get("ref")?.toString(), input.get("rev")?.toString());
    return 0;
  }
  if (world.writeFile === undefined) throw new NixError("io", "files cannot be written here");
  copyTree(run, tree.storePath, target);
  return 0;
}

function copyTree(run: LanguageRun, from: string, to: string): void {
  const { io, writeFile } = run.world;
  for (const name of sortedEntries(io, from)) {
    const [source, place] = [`${from}/${name}`, `${to}/${name}`];
    const status = io.lstat(source)!;
    if (status.type === "directory") copyTree(run, source, place);
    else if (status.type === "regular") writeFile!(place, io.readFile(source), status.executable);
  }
}
