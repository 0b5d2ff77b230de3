/**
 * Git repositories on this computer, read by the `git` program: revisions as trees, working trees as far as git tracks them.
 *
 * Invariant: nothing here changes a repository of the user's; only mirrors of remote ones, in the cache folder, are written. Contents are
 * raw objects (no end-of-line conversion, no filters), as a store path needs them.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { StoreError } from "#engine/store/error.ts";
import { type SourceTree, directory, regularFile, symlink } from "#engine/store/format/tree.ts";

interface GitOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what git says on standard error is for the user. */
  readonly isShown?: boolean;
}

interface GitResult {
  readonly code: number;
  readonly stdout: Buffer;
}

/** Runs git in a folder. @throws StoreError when there is no such program */
export function runGit(folder: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["-C", folder, "--no-optional-locks", ...args], {
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", options.isShown === true ? "inherit" : "ignore"],
    });
    const parts: Buffer[] = [];
    child.stdout!.on("data", (part: Buffer) => parts.push(part));
    child.stdin!.on("error", () => undefined);
    child.on("error", () => reject(new StoreError("missing", "executing 'git': No such file or directory")));
    child.on("close", (code) => resolve({ code: code ?? 1, stdout: Buffer.concat(parts) }));
    child.stdin!.end(options.input ?? "");
  });
}

/** What git prints, without its last newline; undefined when it fails. */
export async function askGit(folder: string, ...args: string[]): Promise<string | undefined> {
  const { code, stdout } = await runGit(folder, args);
  return code === 0 ? stdout.toString("latin1").replace(/\n$/, "") : undefined;
}

async function needGit(folder: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { code, stdout } = await runGit(folder, args, options);
  if (code === 0) return stdout;
  throw new StoreError("network", `program "git" failed with exit code ${code}`);
}

/** A file that git tracks: its mode in octal, its object, its name. */
interface GitEntry {
  readonly mode: string;
  readonly object: string;
  readonly name: string;
}

const SUBMODULE = "160000";
const LINK = "120000";

const records = (bytes: Buffer): string[] =>
  bytes
    .toString("latin1")
    .split("\0")
    .filter((line) => line !== "");

/** Everything in a revision, submodules as themselves. */
async function revisionEntries(folder: string, rev: string): Promise<GitEntry[]> {
  const listed = await needGit(folder, ["ls-tree", "-r", "-z", "--full-tree", rev]);
  return records(listed).map((line) => {
    const [, mode, object, name] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) as unknown as [
      string,
      string,
      string,
      string,
    ];
    return { mode, object, name };
  });
}

/** Everything in the index. */
async function indexEntries(folder: string): Promise<GitEntry[]> {
  const listed = await needGit(folder, ["ls-files", "-z", "--stage", "--full-name"]);
  return records(listed).map((line) => {
    const [, mode, object, name] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(line) as unknown as [
      string,
      string,
      string,
      string,
    ];
    return { mode, object, name };
  });
}

/** Does anything that git tracks differ from the last commit? */
export async function isDirty(folder: string): Promise<boolean> {
  const args = ["status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=all"];
  return (await needGit(folder, args)).length > 0;
}

/**
 * The names that the attribute `export-ignore` leaves out, by the .gitattributes of the index that `env` names (or of the files).
 * A folder's attribute leaves out everything in it.
 */
async function ignoredNames(
  folder: string,
  names: readonly string[],
  options: { readonly cached: boolean; readonly env?: Readonly<Record<string, string>> },
): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  for (const name of names) {
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) folders.add(name.slice(0, at));
  }
  const input = Buffer.from(
    [...names, ...[...folders].map((name) => `${name}/`)].map((name) => `${name}\0`).join(""),
    "latin1",
  );
  const args = ["check-attr", ...(options.cached ? ["--cached"] : []), "--stdin", "-z", "export-ignore"];
  const answers = records(
    await needGit(folder, args, { input, ...(options.env === undefined ? {} : { env: options.env }) }),
  );
  const ignored = new Set<string>();
  for (let at = 0; at + 2 < answers.length; at += 3) {
    if (answers[at + 2] === "set") ignored.add(answers[at]!.replace(/\/$/, ""));
  }
  return ignored;
}

const isBelow = (name: string, ignored: ReadonlySet<string>): boolean => {
  if (ignored.has(name)) return true;
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1))
    if (ignored.has(name.slice(0, at))) return true;
  return false;
};

/** The tree of a submodule at a path of the repository; undefined leaves it out. */
type SubmoduleTree = (name: string, rev: string) => Promise<SourceTree | undefined>;

export interface TreeOptions {
  readonly exportIgnore: boolean;
  readonly submodule: SubmoduleTree;
}

/** The tree of a commit. */
export async function revisionTree(folder: string, rev: string, options: TreeOptions): Promise<SourceTree> {
  const all = await revisionEntries(folder, rev);
  const entries = options.exportIgnore ? await exportedEntries(folder, rev, all) : all;
  const objects = entries.filter(({ mode }) => mode !== SUBMODULE).map(({ object }) => object);
  const contents = await readObjects(folder, objects);
  return treeOf(entries, async ({ mode, object, name }) => {
    if (mode === SUBMODULE) return options.submodule(name, object);
    const bytes = contents.get(object)!;
    return mode === LINK ? symlink(bytes.toString("latin1")) : regularFile(bytes, mode === "100755");
  });
}

async function exportedEntries(
  folder: string,
  rev: string,
  entries: readonly GitEntry[],
): Promise<readonly GitEntry[]> {
  if (!entries.some(({ name }) => /(^|\/)\.gitattributes$/.test(name))) return entries;
  const index = path.join(fs.mkdtempSync(path.join(temporaryFolder(), "terrarium-git-")), "index");
  try {
    const env = { GIT_INDEX_FILE: index };
    await needGit(folder, ["read-tree", rev], { env });
    const names = entries.map(({ name }) => name);
    const ignored = await ignoredNames(folder, names, { cached: true, env });
    return entries.filter(({ name }) => !isBelow(name, ignored));
  } finally {
    fs.rmSync(path.dirname(index), { recursive: true });
  }
}

const temporaryFolder = (): string => process.env["TMPDIR"] ?? "/tmp";

/** The objects' bytes by their names. */
async function readObjects(folder: string, objects: readonly string[]): Promise<Map<string, Buffer>> {
  const wanted = [...new Set(objects)];
  const bytes = await needGit(folder, ["cat-file", "--batch"], { input: wanted.map((name) => `${name}\n`).join("") });
  const found = new Map<string, Buffer>();
  let at = 0;
  for (const name of wanted) {
    const end = bytes.indexOf(10, at);
    const size = Number(/ (\d+)$/.exec(bytes.toString("latin1", at, end))?.[1]);
    if (Number.isNaN(size)) throw new StoreError("missing", `getting Git object '${name}': object not found`);
    found.set(name, bytes.subarray(end + 1, end + 1 + size));
    at = end + size + 2;
  }
  return found;
}

/** The files of a working tree that git tracks, as they are on disk; what was removed there is left out. */
export async function workingTree(folder: string, options: TreeOptions): Promise<SourceTree> {
  const listed = await indexEntries(folder);
  const present = listed.filter(
    ({ name }) => fs.lstatSync(placeOf(folder, name), { throwIfNoEntry: false }) !== undefined,
  );
  const names = present.map(({ name }) => name);
  const hasAttributes = options.exportIgnore && names.some((name) => /(^|\/)\.gitattributes$/.test(name));
  const ignored = hasAttributes ? await ignoredNames(folder, names, { cached: false }) : new Set<string>();
  return treeOf(
    present.filter(({ name }) => !isBelow(name, ignored)),
    async ({ mode, object, name }) => {
      if (mode === SUBMODULE) return options.submodule(name, object);
      const place = placeOf(folder, name);
      const status = fs.lstatSync(place);
      if (status.isSymbolicLink()) return symlink(fs.readlinkSync(place, "latin1"));
      return status.isDirectory() ? undefined : regularFile(fs.readFileSync(place), (status.mode & 0o100) !== 0);
    },
  );
}

const placeOf = (folder: string, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/`, "utf8"), Buffer.from(name, "latin1")]);

interface Branch {
  readonly leaves: [string, SourceTree][];
  readonly branches: Map<string, Branch>;
}

const newBranch = (): Branch => ({ leaves: [], branches: new Map() });

async function treeOf(
  entries: readonly GitEntry[],
  node: (entry: GitEntry) => Promise<SourceTree | undefined>,
): Promise<SourceTree> {
  const root = newBranch();
  for (const entry of entries) {
    const tree = await node(entry);
    if (tree === undefined) continue;
    const names = entry.name.split("/");
    const last = names.pop()!;
    let branch = root;
    for (const name of names) {
      const next = branch.branches.get(name) ?? newBranch();
      branch.branches.set(name, next);
      branch = next;
    }
    branch.leaves.push([last, tree]);
  }
  const folderOf = ({ leaves, branches }: Branch): SourceTree =>
    directory([...leaves, ...[...branches].map(([name, branch]) => [name, folderOf(branch)] as const)]);
  return folderOf(root);
}

/** The submodules that a tree declares: their addresses by their paths. */
export async function submoduleUrls(folder: string, rev: string | undefined): Promise<ReadonlyMap<string, string>> {
  const from = rev === undefined ? ["--file", path.join(folder, ".gitmodules")] : ["--blob", `${rev}:.gitmodules`];
  const listed = await runGit(folder, [
    "config",
    ...from,
    "-z",
    "--get-regexp",
    String.raw`^submodule\..*\.(path|url)$`,
  ]);
  const settings = new Map<string, { path?: string; url?: string }>();
  for (const line of records(listed.stdout)) {
    const [, name, key, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(line) ?? [];
    if (name === undefined) continue;
    settings.set(name, { ...settings.get(name), [key as "path" | "url"]: value });
  }
  const urls = new Map<string, string>();
  for (const { path: place, url } of settings.values()) {
    if (place !== undefined && url !== undefined) urls.set(place, url);
  }
  return urls;
}
