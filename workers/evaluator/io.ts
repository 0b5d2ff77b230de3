/**
 * The evaluator's outside in the page: virtual files, and a record of everything an evaluation puts into the store. Nothing is written
 * during evaluation; `instantiation(drvPath)` gives what has to be registered before that derivation can be realised.
 *
 * Invariant: answers about the store that come from outside (`outside`) are kept for one evaluation only, because the store changes;
 * contents of store paths never change and are kept.
 */
import {
  type FetchRequest,
  type FetchResult,
  type FileStatus,
  type Io,
  IoError,
  type IoRequest,
  NeedsIO,
} from "#engine/eval/io.ts";
import type { AddSourceRequest, SourceTree as EvalTree } from "#engine/eval/io.ts";
import { sourceTree } from "#engine/eval/source-tree.ts";
import { NixError } from "#engine/eval/error.ts";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { hashOf, parseBareHash, printHash } from "#engine/store/format/hash.ts";
import { hashNar } from "#engine/store/format/nar.ts";
import { makeContentPath, makeSourcePath, makeTextPath, splitStorePath } from "#engine/store/format/store-path.ts";
import { type SourceTree, type TreeNode, directory, nodeAt, regularFile, symlink } from "#engine/store/format/tree.ts";
import { type Seed, type SeedFile, seedFileTree } from "../samples.ts";
import type { SourceContents, StoreItem, StorePathAnswer } from "../api.ts";
import type { VirtualFiles, VirtualNode } from "./files.ts";

export interface PageIo extends Io {
  /** Call before every evaluation: forgets what the outside said of the store. */
  begin(now: number): void;
  /** Forgets what no result has reached for a while. The evaluator must forget too, or it would not write those again. */
  forgetUnused(): void;
  /** Answers a request that was thrown as `NeedsIO`, so that the resumed evaluation finds it. */
  answerStore(path: string, answer: StorePathAnswer | undefined): void;
  answerRead(path: string, contents: Uint8Array): void;
  answerRealise(drvPath: string, outputs: readonly string[], paths: readonly string[] | NixError): void;
  answerFetch(request: FetchRequest, result: FetchResult | NixError): void;
  /** Everything below a derivation that evaluations put into the store, dependencies first. */
  instantiation(drvPath: string): StoreItem[];
  /** Lines of trace and warnings since `begin`. */
  readonly lines: readonly string[];
}

const STORE = "/nix/store";
/** Evaluations after which a derivation that no result reached is forgotten. */
const KEPT_EVALUATIONS = 50;

const requestKey = (request: IoRequest) => JSON.stringify(request);

export function createPageIo(files: VirtualFiles, seeds: readonly Seed[]): PageIo {
  // Always said not to be valid, so that they are recorded with what needs them, whichever store that will be built in.
  const seedPaths = new Set(
    seeds.map(({ storeName, narHash }) => makeSourcePath(storeName, parseBareHash(narHash, "sha256"))),
  );
  const items = new Map<string, StoreItem & { used: number }>();
  const outside = new Map<string, StorePathAnswer | undefined>();
  const trees = new Map<string, TreeNode<SourceContents>>();
  const reads = new Map<string, string>();
  const answers = new Map<string, unknown>();
  let lines: string[] = [];
  let turn = 0;
  let time = 0;

  const record = (item: StoreItem) => {
    items.set(item.path, { ...item, used: turn });
    if (item.kind === "source") trees.set(item.path, item.tree);
    else trees.set(item.path, regularFile(toBytes(item.text)));
    return item.path;
  };

  const ask = <T>(request: IoRequest): T => {
    const key = requestKey(request);
    if (!answers.has(key)) throw new NeedsIO(request);
    const answer = answers.get(key);
    if (answer instanceof NixError) throw answer;
    return answer as T;
  };

  const status = (storePath: string): StorePathAnswer | undefined => {
    const item = items.get(storePath);
    if (item !== undefined) return { references: item.kind === "source" ? [] : item.references };
    if (!outside.has(storePath)) throw new NeedsIO({ kind: "store", path: storePath });
    return outside.get(storePath);
  };

  /** A file below the store: from a path this evaluator made, or from the outside's answer. */
  const storeNode = (path: string): TreeNode<SourceContents> | undefined => {
    if (path === STORE) return directory<SourceContents>([]);
    const [storePath, rest] = splitStorePath(path);
    const tree = trees.get(storePath);
    if (tree !== undefined) return nodeAt(tree, rest);
    const answer = status(storePath);
    if (answer === undefined) return undefined;
    if (answer.tree === undefined) throw new NeedsIO({ kind: "store", path: storePath });
    trees.set(storePath, answer.tree);
    return nodeAt(answer.tree, rest);
  };

  const find = (path: string): VirtualNode | TreeNode<SourceContents> => {
    const node = path.startsWith(`${STORE}/`) || path === STORE ? storeNode(path) : files.lookup(path);
    if (node === undefined) throw new IoError("ENOENT", path);
    return node;
  };

  const readSeed = (path: string): string => {
    const text = reads.get(path);
    if (text === undefined) throw new NeedsIO({ kind: "read", path });
    return text;
  };

  const readFile = (path: string): string => {
    const node = find(path);
    switch (node.type) {
      case "text":
        return node.text;
      case "regular":
        return "contents" in node ? fromBytes(node.contents) : readSeed(path);
      case "seed":
        return readSeed(path);
      case "packed": {
        const text = files.readPacked(node);
        if (text === undefined) throw new NeedsIO({ kind: "read", path });
        return text;
      }
      case "directory":
        throw new IoError("EISDIR", path);
      case "symlink":
        throw new IoError("ELOOP", path);
    }
  };

  const loadTree = (tree: EvalTree): SourceTree => {
    switch (tree.type) {
      case "symlink":
        return symlink(tree.target);
      case "regular":
        return regularFile(toBytes(readFile(tree.path)), tree.executable);
      case "directory":
        return directory(tree.entries.map(([name, node]) => [name, loadTree(node)] as const));
    }
  };

  const addSource = ({ name, method, tree }: AddSourceRequest): string => {
    const seed = wholeSeed(files, tree);
    if (seed !== undefined && method === "nar") {
      const path = makeSourcePath(name, parseBareHash(seed.narHash, "sha256"));
      return record({ kind: "source", path, method, tree: seedFileTree(seed.tree) });
    }
    const loaded = loadTree(tree);
    if (method === "nar")
      return record({ kind: "source", path: makeSourcePath(name, hashNar(loaded).hash), method, tree: loaded });
    if (loaded.type !== "regular") throw new IoError("EISDIR", name, `'${name}' is not a regular file`);
    const hash = hashOf("sha256", loaded.contents);
    return record({ kind: "source", path: makeContentPath({ method, hash }, name), method, tree: loaded });
  };

  /** A folder of the workspace as a flake's input; its files have no time, so it is the store's. */
  const fetchFolder = ({ name, options }: FetchRequest): FetchResult => {
    const tree = sourceTree(io, String(options["path"]));
    const storePath = addSource({ name, method: "nar", tree, dryRun: false });
    const narHash = printHash(hashNar(loadTree(tree)).hash, "sri");
    return { storePath, narHash, attributes: { lastModified: Number(options["lastModified"] ?? 1) } };
  };

  const io: PageIo = {
    begin(now) {
      turn++;
      time = now;
      lines = [];
      outside.clear();
      answers.clear();
    },
    forgetUnused() {
      for (const [path, item] of items) {
        if (turn - item.used <= KEPT_EVALUATIONS) continue;
        items.delete(path);
        trees.delete(path);
      }
    },
    answerStore: (path, answer) => void outside.set(path, answer),
    answerRead: (path, contents) => void reads.set(path, fromBytes(contents)),
    // What these put into the store may have been asked for before, and not been there.
    answerRealise(drvPath, outputs, paths) {
      if (!(paths instanceof NixError)) for (const path of paths) outside.delete(path);
      answers.set(requestKey({ kind: "realise", drvPath, outputs }), paths);
    },
    answerFetch(fetch, result) {
      if (!(result instanceof NixError)) outside.delete(result.storePath);
      answers.set(requestKey({ kind: "fetch", fetch }), result);
    },
    instantiation(drvPath) {
      const found: StoreItem[] = [];
      const seen = new Set<string>();
      const visit = (path: string) => {
        const item = items.get(path);
        if (seen.has(path) || item === undefined) return;
        seen.add(path);
        item.used = turn;
        if (item.kind === "text") item.references.forEach(visit);
        const { used: _, ...plain } = item;
        found.push(plain);
      };
      visit(drvPath);
      return found;
    },
    get lines() {
      return lines;
    },

    readFile,
    readDir(path) {
      const node = find(path);
      if (node.type !== "directory") throw new IoError("ENOTDIR", path);
      return [...node.entries].map(([name, entry]) => [name, fileType(entry)] as const);
    },
    lstat(path): FileStatus | undefined {
      const inStore = path.startsWith(`${STORE}/`);
      const node = inStore ? storeNode(path) : files.lookup(path);
      return node === undefined ? undefined : fileStatus(node);
    },
    readLink(path) {
      const node = find(path);
      if (node.type !== "symlink") throw new IoError("EINVAL", path);
      return node.target;
    },
    getEnv: () => undefined,
    currentTime: () => time,
    addSource,
    addText: (name, text, references) =>
      record({ kind: "text", path: makeTextPath(name, text, references), text, references: [...references] }),
    writeDerivation: (path, text, references) => void record({ kind: "text", path, text, references: [...references] }),
    readDerivation: (drvPath) => readFile(drvPath),
    isValidPath: (path) => (items.has(path) || !seedPaths.has(path)) && status(path) !== undefined,
    references: (path) => status(path)?.references,
    realise: (drvPath, outputs) => ask({ kind: "realise", drvPath, outputs }),
    fetch: (fetch) => (fetch.options["type"] === "path" ? fetchFolder(fetch) : ask({ kind: "fetch", fetch })),
    log: (line) => void lines.push(line),
  };
  return io;
}

const fileType = ({ type }: { readonly type: (VirtualNode | TreeNode<SourceContents>)["type"] }): FileStatus["type"] =>
  type === "text" || type === "seed" || type === "packed" ? "regular" : type;

function fileStatus(node: VirtualNode | TreeNode<SourceContents>): FileStatus {
  switch (node.type) {
    case "text":
      return { type: "regular", executable: node.executable, size: node.text.length };
    case "seed":
      return { type: "regular", executable: node.tree.executable, size: node.tree.size };
    case "packed":
      return { type: "regular", executable: node.executable, size: node.place.size };
    case "regular":
      return {
        type: "regular",
        executable: node.executable,
        size: "contents" in node ? node.contents.length : node.size,
      };
    default:
      return { type: node.type, executable: false, size: 0 };
  }
}

/** The seed that a source is, if it is exactly one: then its hash is known without its content. */
function wholeSeed(files: VirtualFiles, tree: EvalTree): Seed | undefined {
  const leaf = firstFile(tree, []);
  if (leaf === undefined) return undefined;
  const [path, depth] = leaf;
  const root = path
    .split("/")
    .slice(0, -depth || undefined)
    .join("/");
  const seed = files.seedAt(root);
  return seed !== undefined && sameShape(tree, seedFileTree(seed.tree), root) ? seed : undefined;
}

function firstFile(tree: EvalTree, names: readonly string[]): readonly [path: string, depth: number] | undefined {
  if (tree.type === "regular") return [tree.path, names.length];
  if (tree.type !== "directory") return undefined;
  for (const [name, node] of tree.entries) {
    const found = firstFile(node, [...names, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sameShape(tree: EvalTree, seed: TreeNode<SeedFile>, path: string): boolean {
  switch (tree.type) {
    case "regular":
      return seed.type === "regular" && tree.path === path && tree.executable === seed.executable;
    case "symlink":
      return seed.type === "symlink" && tree.target === seed.target;
    case "directory":
      return (
        seed.type === "directory" &&
        tree.entries.length === seed.entries.size &&
        tree.entries.every(([name, node]) => {
          const other = seed.entries.get(name);
          return other !== undefined && sameShape(node, other, `${path}/${name}`);
        })
      );
  }
}
