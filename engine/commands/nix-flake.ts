/** `nix flake …`: the verbs that look at a flake, pin its inputs and start new ones. */
import { attrsJson, type LockFile } from "../builtins/flake-lock.ts";
import { type InputAttrs, printFlakeRef } from "../builtins/flake-ref.ts";
import type { LockedFlake } from "../builtins/flake-locking.ts";
import { timestampText } from "../builtins/fetch.ts";
import type { Routine } from "../builtins/record.ts";
import { coerceToString } from "../eval/coerce.ts";
import { canonPath } from "../eval/canon-path.ts";
import { NixError } from "../eval/error.ts";
import { sortedEntries } from "../eval/source-tree.ts";
import { Attrs, textOf, type Slot } from "../eval/value.ts";
import { hashOf, printHash } from "../store/format/hash.ts";
import { toBytes } from "../store/format/bytes.ts";
import { flakeAttribute, lockArgument, locksJson, parseFlakeArgument } from "./flakes.ts";
import { showFlake } from "./flake-show.ts";
import type { LanguageProgram, LanguageRun } from "./language.ts";
import { type LanguageFlags, SOURCE_FLAGS, usage } from "./language-options.ts";

const metadata = (words: string): LanguageProgram => ({
  words,
  flags: { flags: { ...SOURCE_FLAGS, "--json": 0 }, most: 1 },
  run(run) {
    if (words === "nix flake info") {
      const message = "'nix flake info' is a deprecated alias for 'nix flake metadata'";
      run.session.once(message, () => run.world.error(`warning: ${message}\n`));
    }
    const { ref } = parseFlakeArgument(run, run.flags.args[0] ?? "");
    const locked = lockArgument(run, ref);
    run.world.print(run.flags.has("--json") ? metadataJson(ref, locked) : metadataText(locked));
    return 0;
  },
});

const init = (words: string, most: number): LanguageProgram => ({
  words,
  flags: { flags: { ...SOURCE_FLAGS, "--template": 1 }, short: { "-t": "--template" }, most },
  run(run) {
    if (run.flags.args.length < most) throw usage("more arguments are required");
    const target = most === 0 ? run.world.cwd : canonPath(`${run.world.cwd}/${run.flags.args[0] ?? "."}`);
    return startFlake(run, target);
  },
});

/** Flags without those that a verb does not take. */
const without = (flags: LanguageFlags["flags"], names: readonly string[]): LanguageFlags["flags"] =>
  Object.fromEntries(Object.entries(flags).filter(([name]) => !names.includes(name)));

export const NIX_FLAKE: readonly LanguageProgram[] = [
  {
    words: "nix flake lock",
    flags: { flags: without(SOURCE_FLAGS, ["--no-write-lock-file"]), most: 1 },
    run(run) {
      lockArgument(run, parseFlakeArgument(run, run.flags.args[0] ?? "").ref, { write: true });
      return 0;
    },
  },
  {
    words: "nix flake update",
    flags: {
      flags: { ...without(SOURCE_FLAGS, ["--no-write-lock-file", "--no-update-lock-file"]), "--flake": 1 },
      most: Infinity,
    },
    run(run) {
      const { args } = run.flags;
      const { ref } = parseFlakeArgument(run, run.flags.value("--flake") ?? "");
      lockArgument(run, ref, { updateAll: args.length === 0, updates: args, write: true });
      return 0;
    },
  },
  {
    words: "nix flake show",
    flags: { flags: { ...SOURCE_FLAGS, "--json": 0, "--legacy": 0, "--all-systems": 0 }, most: 1 },
    run: (run) => showFlake(run),
  },
  metadata("nix flake metadata"),
  metadata("nix flake info"),
  init("nix flake init", 0),
  init("nix flake new", 1),
];

/** What identifies a flake with its inputs: a hash over its tree's version, the lock file and the time. Trees with changes have none. */
function fingerprint(locked: LockedFlake): string | undefined {
  const { flake } = locked;
  const { attrs } = flake.tree;
  const version = treeFingerprint(attrs);
  if (version === undefined) return undefined;
  const parts = [version, flake.dir, JSON.stringify(locksJson(locked), undefined, 2)];
  for (const name of ["revCount", "lastModified"]) {
    if (attrs.has(name)) parts.push(`${name}=${String(attrs.get(name))}`);
  }
  return printHash(hashOf("sha256", toBytes(parts.join(";"))), "base16");
}

function treeFingerprint(attrs: InputAttrs): string | undefined {
  if (attrs.get("type") === "path") return `path:${String(attrs.get("narHash"))}`;
  const rev = attrs.get("rev");
  if (rev === undefined) return attrs.has("dirtyRev") ? undefined : String(attrs.get("narHash"));
  return `${String(rev)}${attrs.get("submodules") === true ? ";s" : ""}${attrs.get("exportIgnore") === true ? ";e" : ""}`;
}

function metadataJson(ref: InputAttrs, locked: LockedFlake): string {
  const { flake } = locked;
  const lastModified = flake.tree.attrs.get("lastModified");
  const { description } = flake;
  const { attrs } = flake.tree;
  const print = fingerprint(locked);
  const version = [
    ["dirtyRevision", attrs.get("dirtyRev")],
    ["revCount", attrs.get("revCount")],
    ["revision", attrs.get("rev")],
  ] as const;
  const json = {
    ...(description === undefined ? {} : { description }),
    ...Object.fromEntries(
      version.flatMap(([name, value]) =>
        value === undefined ? [] : [[name, name === "revCount" ? Number(value) : value]],
      ),
    ),
    ...(print === undefined ? {} : { fingerprint: print }),
    ...(lastModified === undefined ? {} : { lastModified: Number(lastModified) }),
    locked: { __final: true, ...attrsJson(flake.locked) },
    locks: locksJson(locked),
    original: attrsJson(ref),
    originalUrl: printFlakeRef(ref),
    path: flake.tree.storePath,
    resolved: attrsJson(flake.resolved),
    resolvedUrl: printFlakeRef(flake.resolved),
    url: printFlakeRef(flake.locked),
  };
  const sorted = Object.fromEntries(Object.entries(json).sort(([left], [right]) => (left < right ? -1 : 1)));
  return `${JSON.stringify(sorted)}\n`;
}

const bold = (text: string): string => `\x1b[1m${text}\x1b[0m`;

function metadataText(locked: LockedFlake): string {
  const { flake, lock } = locked;
  const { attrs, storePath } = flake.tree;
  const rows: [string, string | undefined][] = [
    ["Resolved URL:", printFlakeRef(flake.resolved)],
    ["Locked URL:", printFlakeRef(flake.locked)],
    ["Description:", flake.description],
    ["Path:", storePath],
    ["Revision:", (attrs.get("rev") ?? attrs.get("dirtyRev"))?.toString()],
    ["Revisions:", attrs.get("revCount")?.toString()],
    ["Last modified:", timeOf(attrs)],
    ["Fingerprint:", fingerprint(locked)],
  ];
  const lines = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`${bold(name)}${" ".repeat(15 - name.length)}${value}\n`],
  );
  const hasInputs = lock.nodes.get(lock.root)!.inputs.size > 0;
  return lines.join("") + (hasInputs ? `${bold("Inputs:")}\n${inputLines(lock, lock.root, "")}` : "");
}

/** "2026-01-31 23:59:59" of a tree's time. */
function timeOf(attrs: InputAttrs): string | undefined {
  const seconds = attrs.get("lastModified");
  if (typeof seconds !== "bigint") return undefined;
  return timestampText(Number(seconds)).replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3 $4:$5:$6");
}

const MIDDLE = "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80";
const LAST = "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80";
const BAR = "\xe2\x94\x82   ";

function inputLines(lock: LockFile, key: string, prefix: string): string {
  const inputs = [...lock.nodes.get(key)!.inputs].sort(([left], [right]) => (left < right ? -1 : 1));
  return inputs
    .map(([name, edge], index) => {
      const isLast = index === inputs.length - 1;
      const start = `${prefix}${isLast ? LAST : MIDDLE}${bold(name)}`;
      if (typeof edge !== "string") return `${start} follows input '${edge.join("/")}'\n`;
      const { locked } = lock.nodes.get(edge)!;
      const time = locked === undefined ? undefined : timeOf(locked);
      const shown = locked === undefined ? "" : `: ${printFlakeRef(locked)}${time === undefined ? "" : ` (${time})`}`;
      return `${start}${shown}\n${inputLines(lock, edge, `${prefix}${isLast ? "    " : BAR}`)}`;
    })
    .join("");
}

/** Copies a template's files; what is there and different stays, and is an error at the end. */
function startFlake(run: LanguageRun, target: string): number {
  const { evaluator, world } = run;
  if (world.writeFile === undefined) throw new NixError("io", "files cannot be written here");
  const argument = parseFlakeArgument(run, run.flags.value("--template") ?? "templates");
  const candidates = { prefixes: ["templates."], defaults: ["templates.default", "defaultTemplate"] };
  const { slot } = flakeAttribute(run, argument, candidates);
  const { path, welcome } = evaluator.run(() => templateOf(slot));
  const conflicts = copyTemplate(run, path, target);
  if (welcome !== undefined) world.error(`\n\n${plainMarkdown(welcome)}\n\n`);
  if (conflicts === 0) return 0;
  throw new NixError("io", `encountered ${conflicts} conflicts - see above`);
}

function* templateOf(slot: Slot): Routine<{ readonly path: string; readonly welcome: string | undefined }> {
  const value = yield slot;
  const path = value instanceof Attrs ? value.get("path") : undefined;
  if (!(value instanceof Attrs) || path === undefined) throw new NixError("eval", "a template needs a 'path'");
  const welcome = value.get("welcomeText");
  return {
    path: textOf(yield* coerceToString(path, { context: "" })),
    welcome: welcome === undefined ? undefined : textOf(yield* coerceToString(welcome, { context: "" })),
  };
}

const plainMarkdown = (text: string): string => text.trim().replace(/[*`_]+/g, "");

/** Gives how many files had something different in their way. */
function copyTemplate(run: LanguageRun, from: string, to: string): number {
  const { io, error, writeFile } = run.world;
  let conflicts = 0;
  for (const name of sortedEntries(io, from)) {
    const [source, place] = [canonPath(`${from}/${name}`), canonPath(`${to}/${name}`)];
    const status = io.lstat(source)!;
    const there = io.lstat(place);
    if (status.type === "directory") {
      conflicts += copyTemplate(run, source, place);
      error(`wrote: "${place}"\n`);
    } else if (there === undefined) {
      writeFile!(place, io.readFile(source), status.executable);
      error(`wrote: "${place}"\n`);
    } else if (io.readFile(place) === io.readFile(source)) error(`skipping identical file: ${source}\n`);
    else {
      error(`refusing to overwrite existing file "${place}"\n please merge it manually with '${source}'\n`);
      conflicts++;
    }
  }
  return conflicts;
}
