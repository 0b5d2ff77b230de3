/**
 * Git inputs on Node. A repository on this computer is read where it is: a given revision or branch from its objects, otherwise its
 * working tree (its last commit, when nothing that git tracks differs from that). Any other is mirrored in the cache folder first.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { FetchRequest, FetchResult } from "#engine/eval/io.ts";
import { StoreError } from "#engine/store/error.ts";
import { parseHash, printHash } from "#engine/store/format/hash.ts";
import type { SourceTree } from "#engine/store/format/tree.ts";
import type { Store } from "#engine/store/store.ts";
import { cacheFolder } from "./cache-folder.ts";
import { type TreeOptions, askGit, isDirty, revisionTree, runGit, submoduleUrls, workingTree } from "./git.ts";

type Attributes = Record<string, string | number | boolean>;

interface Fetched {
  readonly tree: SourceTree;
  readonly attributes: Attributes;
}

/** What the reference asks for. */
interface GitInput {
  readonly url: string;
  readonly ref: string | undefined;
  readonly rev: string | undefined;
  readonly shallow: boolean;
  readonly submodules: boolean;
  readonly exportIgnore: boolean;
  readonly allRefs: boolean;
  readonly allowDirty: boolean;
  readonly warnDirty: boolean;
}

/** Told warnings, without their "warning: ". */
type Warn = (message: string) => void;

/** Fetches a git input into the store. @throws StoreError in Nix's words */
export async function fetchGit(request: FetchRequest, store: Store, warn: Warn): Promise<FetchResult> {
  const { options } = request;
  const text = (name: string): string | undefined => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  const input: GitInput = {
    url: text("url")!,
    ref: text("ref"),
    rev: text("rev"),
    shallow: options["shallow"] === true,
    submodules: options["submodules"] === true,
    exportIgnore: options["exportIgnore"] === true,
    allRefs: options["allRefs"] === true,
    allowDirty: request.allowDirty !== false,
    warnDirty: request.warnDirty !== false,
  };
  const { tree, attributes } = await fetchTree(input, warn);
  const { path: storePath, narHash } = await store.addTree(request.name, tree);
  const folder = localFolder(input.url);
  const isWhole = input.rev === undefined && input.ref === undefined;
  const shown =
    folder !== undefined && isWhole && isWorkingTree(folder) ? { shown: Buffer.from(folder).toString("latin1") } : {};
  return { storePath, narHash: printHash(parseHash(narHash), "sri"), attributes, ...shown };
}

async function fetchTree(input: GitInput, warn: Warn): Promise<Fetched> {
  const folder = localFolder(input.url);
  if (folder !== undefined && !fs.existsSync(folder)) {
    throw new StoreError("missing", `Git repository ${JSON.stringify(folder)} does not exist.`);
  }
  if (folder === undefined || !isWorkingTree(folder)) return fetchMirrored(input, warn);
  if (input.rev === undefined && input.ref === undefined) return fetchWorkingTree(folder, input, warn);
  const rev = input.rev ?? (await resolveRef(folder, input.ref!));
  const ref = input.ref ?? (await askGit(folder, "symbolic-ref", "--quiet", "HEAD"));
  return fetchRevision(folder, { ...input, rev, ref }, rev);
}

/** The folder of an address on this computer. */
function localFolder(url: string): string | undefined {
  if (!url.startsWith("file:")) return undefined;
  const bare = url.replace(/[?#].*$/s, "");
  return bare.startsWith("file:///") ? fileURLToPath(bare).replace(/(?<=.)\/+$/, "") : path.resolve(bare.slice(5));
}

const isWorkingTree = (folder: string): boolean => fs.existsSync(path.join(folder, ".git"));

/** The commit of a branch or tag; branches come first. */
async function resolveRef(folder: string, ref: string): Promise<string> {
  const rev = await askGit(folder, "rev-parse", "--quiet", "--verify", `${ref}^{commit}`);
  if (rev !== undefined) return rev;
  throw new StoreError(
    "missing",
    `resolving Git reference '${ref}': revspec '${ref}' not found (libgit2 error code = 4)`,
  );
}

/** A working tree: its last commit when nothing differs from that, else its files. */
async function fetchWorkingTree(folder: string, input: GitInput, warn: Warn): Promise<Fetched> {
  const head = await askGit(folder, "rev-parse", "--quiet", "--verify", "HEAD^{commit}");
  const submodules = input.submodules ? await dirtySubmodules(folder) : [];
  const dirty = submodules.length > 0 || (await isDirty(folder));
  if (head !== undefined && !dirty) {
    const ref = await askGit(folder, "symbolic-ref", "--quiet", "HEAD");
    return fetchRevision(folder, { ...input, rev: head, ref }, head);
  }
  if (dirty && !input.allowDirty) throw new StoreError("missing", `Git tree '${folder}' is dirty`);
  if (dirty && input.warnDirty) for (const place of [...submodules, folder]) warn(`Git tree '${place}' is dirty`);
  const submodule: TreeOptions["submodule"] = async (name) => {
    if (!input.submodules) return undefined;
    const place = path.join(folder, Buffer.from(name, "latin1").toString());
    return fs.existsSync(path.join(place, ".git"))
      ? (await fetchWorkingTree(place, { ...input, warnDirty: false }, warn)).tree
      : undefined;
  };
  const tree = await workingTree(folder, { exportIgnore: input.exportIgnore, submodule });
  if (head === undefined) return { tree, attributes: { lastModified: 0 } };
  const lastModified = await commitTime(folder, head);
  return {
    tree,
    attributes: { lastModified, dirtyRev: `${head}-dirty`, dirtyShortRev: `${head.slice(0, 7)}-dirty` },
  };
}

async function dirtySubmodules(folder: string): Promise<string[]> {
  const dirty: string[] = [];
  for (const name of (await submoduleUrls(folder, undefined)).keys()) {
    const place = path.join(folder, name);
    if (fs.existsSync(path.join(place, ".git")) && (await isDirty(place))) dirty.push(place);
  }
  return dirty;
}

const commitTime = async (folder: string, rev: string): Promise<number> =>
  Number(await askGit(folder, "log", "-1", "--format=%ct", "--no-show-signature", rev));

/** One commit of a repository whose objects are here. */
async function fetchRevision(folder: string, input: GitInput, rev: string): Promise<Fetched> {
  if ((await askGit(folder, "cat-file", "-t", rev)) === undefined) {
    const message = `getting Git object '${rev}': object not found - no match for id (${rev}) (libgit2 error code = 9)`;
    throw new StoreError("missing", message);
  }
  const attributes: Attributes = { lastModified: await commitTime(folder, rev), rev };
  if (input.ref !== undefined) attributes["ref"] = input.ref;
  if (!input.shallow) attributes["revCount"] = Number(await askGit(folder, "rev-list", "--count", rev));
  const urls = input.submodules ? await submoduleUrls(folder, rev) : new Map<string, string>();
  const submodule: TreeOptions["submodule"] = async (name, commit) => {
    const url = urls.get(name);
    if (url === undefined) return undefined;
    const address = await submoduleAddress(folder, input, url);
    const inner = { ...input, url: address, rev: commit, ref: undefined, allRefs: true, shallow: true };
    return (await fetchTree(inner, () => undefined)).tree;
  };
  return { tree: await revisionTree(folder, rev, { exportIgnore: input.exportIgnore, submodule }), attributes };
}

/** Where a submodule is: addresses that begin with a dot are relative to their owner's origin. */
async function submoduleAddress(folder: string, input: GitInput, url: string): Promise<string> {
  if (url.startsWith("/")) return `file://${url}`;
  if (!/^\.\.?\//.test(url)) return url;
  const base = (await askGit(folder, "config", "--get", "remote.origin.url")) ?? input.url;
  const full = base.startsWith("/") ? `file://${base}` : base;
  return new URL(url, `${full.replace(/\/?$/, "/")}`).href;
}

/** The bare repository in the cache folder that mirrors an address. */
async function mirrorOf(url: string, isShallow: boolean): Promise<string> {
  const name = createHash("sha256")
    .update(isShallow ? `${url}-shallow` : url)
    .digest("hex");
  const folder = path.join(cacheFolder(), "git", name);
  if (fs.existsSync(path.join(folder, "HEAD"))) return folder;
  fs.mkdirSync(folder, { recursive: true });
  await runGit(folder, ["init", "--quiet", "--bare"]);
  return folder;
}

/** Brings what is wanted of a repository elsewhere, unless the mirror has it. */
async function fetchMirrored(input: GitInput, warn: Warn): Promise<Fetched> {
  const folder = await mirrorOf(input.url, input.shallow);
  const has = async (rev: string): Promise<boolean> =>
    (await askGit(folder, "cat-file", "-e", `${rev}^{commit}`)) !== undefined;
  const ref = input.ref ?? (await remoteHead(folder, input.url, warn));
  if (input.rev !== undefined && (await has(input.rev))) return fetchRevision(folder, { ...input, ref }, input.rev);
  const full = ref.startsWith("refs/") || ref === "HEAD" ? ref : `refs/heads/${ref}`;
  const spec = input.allRefs ? "refs/*:refs/*" : full === "HEAD" ? full : `${full}:${full}`;
  const wanted = input.shallow && input.rev !== undefined ? input.rev : spec;
  const depth = input.shallow ? ["--depth", "1"] : [];
  const args = ["fetch", "--quiet", "--force", "--no-tags", ...depth, "--", input.url, wanted];
  const { code } = await runGit(folder, args, { isShown: true });
  if (code !== 0) throw new StoreError("network", `Failed to fetch git repository '${input.url}'`);
  const rev = input.rev ?? (await resolveRef(folder, full === "HEAD" ? "FETCH_HEAD" : full));
  if (!(await has(rev))) {
    const where = `Cannot find Git revision '${rev}' in ref '${ref}' of repository '${input.url}'!`;
    const advice =
      "Please make sure that the rev exists on the ref you've specified or add allRefs = true; to fetchGit.";
    throw new StoreError("missing", `${where} ${advice}`);
  }
  return fetchRevision(
    folder,
    { ...input, ...(input.rev === undefined || input.ref !== undefined ? { ref } : {}) },
    rev,
  );
}

/** The branch that a repository elsewhere shows first. */
async function remoteHead(folder: string, url: string, warn: Warn): Promise<string> {
  const { code, stdout } = await runGit(folder, ["ls-remote", "--symref", url, "HEAD"], { isShown: true });
  const head = code === 0 ? /^ref: (\S+)\tHEAD$/m.exec(stdout.toString("latin1"))?.[1] : undefined;
  if (head !== undefined) return head;
  warn(`could not read HEAD ref from repo at '${url}', using 'master'`);
  return "refs/heads/master";
}

/** Is a file among those that git tracks in a working tree? */
export async function isTracked(folder: string, name: string): Promise<boolean> {
  const { code } = await runGit(folder, ["ls-files", "--error-unmatch", "--", name]);
  return code === 0;
}
