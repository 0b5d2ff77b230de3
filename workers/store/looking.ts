/** Questions about the open store, answered as the plain data of api.ts. */
import { type RootLink, whyAlive } from "#engine/store/gc.ts";
import { closure, closureSize, distancesTo, shortestChain } from "#engine/store/graph.ts";
import { decodeUtf8, fromBytes } from "#engine/store/format/bytes.ts";
import { printDerivation, derivationName } from "#engine/store/format/derivation.ts";
import { hashPartOf, nameOf, splitStorePath } from "#engine/store/format/store-path.ts";
import { type FileTree, nodeAt, walkTree } from "#engine/store/format/tree.ts";
import { occurrences } from "#engine/store/references.ts";
import type { Store } from "#engine/store/store.ts";
import type { DependencyStep, DerivationRecord, PathDetail, PathSummary, StoreOverview, TreeEntry } from "../api.ts";

const MAX_CHAINS = 20;
const EXCERPT = 40;

export function summaries(store: Store, root: string): PathSummary[] {
  const members = closure(store.index, [root]);
  return [...members].map((path) => summary(store, path, members));
}

function summary(store: Store, path: string, within?: ReadonlySet<string>): PathSummary {
  const referrers = store.index.referrers(path).filter((other) => other !== path && (within?.has(other) ?? true));
  return { ...store.requireInfo(path), closureSize: closureSize(store.index, [path]), referrers };
}

export async function detail(store: Store, path: string): Promise<PathDetail | null> {
  if (!store.isValid(path)) return null;
  const why = whyAlive(await store.planGc(), path);
  return {
    ...summary(store, path),
    keptBy: why === undefined ? [] : [why.root, ...why.chain],
    entries: topEntries(await store.tree(path)),
  };
}

function topEntries(tree: FileTree): TreeEntry[] {
  if (tree.type !== "directory") return [entry("", tree)];
  return [...tree.entries].map(([name, node]) => entry(decodeUtf8(name), node));
}

function entry(name: string, node: FileTree): TreeEntry {
  switch (node.type) {
    case "regular":
      return { name, kind: node.executable ? "executable" : "file", size: node.size, target: null };
    case "symlink":
      return { name, kind: "link", size: 0, target: decodeUtf8(node.target) };
    case "directory":
      return { name, kind: "folder", size: node.entries.size, target: null };
  }
}

/** Chains from one path to another, the shortest first, each step with the file that holds the reference. */
export async function whyDepends(store: Store, from: string, to: string): Promise<DependencyStep[][]> {
  const shortest = shortestChain(store.index, from, to);
  if (shortest === undefined) return [];
  const distances = distancesTo(store.index, from, to);
  const chains: string[][] = [];
  const extend = (chain: string[]) => {
    const last = chain[chain.length - 1];
    if (chains.length >= MAX_CHAINS) return;
    if (last === to) return void chains.push(chain);
    const next = store.requireInfo(last).references.filter((path) => distances.has(path) && !chain.includes(path));
    next.sort((a, b) => (distances.get(a) as number) - (distances.get(b) as number));
    for (const path of next) extend([...chain, path]);
  };
  extend([from]);
  chains.sort((a, b) => a.length - b.length);
  const steps = new Map<string, Promise<DependencyStep>>();
  const step = (path: string, next: string) => {
    const key = `${path} ${next}`;
    const known = steps.get(key) ?? dependencyStep(store, path, next);
    steps.set(key, known);
    return known;
  };
  return Promise.all(chains.map((chain) => Promise.all(chain.slice(1).map((next, at) => step(chain[at], next)))));
}

async function dependencyStep(store: Store, path: string, next: string): Promise<DependencyStep> {
  const hash = hashPartOf(next);
  for (const [file, node] of walkTree(await store.tree(path))) {
    if (node.type === "symlink" && node.target.includes(hash)) {
      return { path, next, file: decodeUtf8(file), excerpt: `→ ${decodeUtf8(node.target)}` };
    }
    if (node.type !== "regular") continue;
    const bytes = await store.blob(node.blob);
    const [at] = occurrences(bytes, hash);
    if (at !== undefined) return { path, next, file: decodeUtf8(file), excerpt: excerpt(bytes, at) };
  }
  return { path, next, file: null, excerpt: null };
}

function excerpt(bytes: Uint8Array, at: number): string {
  const start = Math.max(0, at - EXCERPT);
  const text = decodeUtf8(fromBytes(bytes, start, Math.min(bytes.length, at + 32 + EXCERPT)));
  return text.replaceAll(/[^\x20-\x7e]+/g, "·");
}

/** A regular file below a store path; links inside the store are followed. */
export async function readFile(store: Store, path: string, links = 20): Promise<Uint8Array | null> {
  if (links === 0 || !path.startsWith(`${store.storeDir}/`)) return null;
  const [storePath, rest] = splitStorePath(path);
  if (!store.isValid(storePath)) return null;
  let node: FileTree | undefined = await store.tree(storePath);
  const names = rest.split("/").filter((name) => name !== "");
  for (const [index, name] of names.entries()) {
    if (node?.type === "symlink")
      return readFile(store, linked(storePath, names.slice(0, index), node.target, names.slice(index)), links - 1);
    node = node === undefined ? undefined : nodeAt(node, name);
  }
  if (node?.type === "symlink") return readFile(store, linked(storePath, names, node.target, []), links - 1);
  return node?.type === "regular" ? store.blob(node.blob) : null;
}

/** The absolute path that a link at `storePath/at` leads to, with what was still to be walked. */
function linked(storePath: string, at: readonly string[], target: string, rest: readonly string[]): string {
  const base = target.startsWith("/") ? [] : [...storePath.split("/"), ...at.slice(0, -1)];
  const parts: string[] = [];
  for (const name of [...base, ...target.split("/"), ...rest]) {
    if (name === "..") parts.pop();
    else if (name !== "" && name !== ".") parts.push(name);
  }
  return `/${parts.join("/")}`;
}

export async function derivationRecord(store: Store, drvPath: string): Promise<DerivationRecord | null> {
  if (!store.isValid(drvPath)) return null;
  const derivation = await store.derivation(drvPath);
  return {
    drvPath,
    name: derivationName(drvPath),
    system: decodeUtf8(derivation.system),
    builder: decodeUtf8(derivation.builder),
    args: derivation.args.map(decodeUtf8),
    env: [...derivation.env].map(([name, value]) => ({ name: decodeUtf8(name), value: decodeUtf8(value) })),
    outputs: [...derivation.outputs].map(([name, { path }]) => ({ name, path: path === "" ? null : path })),
    inputDrvs: [...derivation.inputDerivations].map(([path, { outputs }]) => ({
      drvPath: path,
      outputs: [...outputs],
    })),
    inputSrcs: [...derivation.inputSources],
    text: decodeUtf8(printDerivation(derivation)),
  };
}

export async function overview(store: Store, extraRoots: readonly RootLink[]): Promise<StoreOverview> {
  const plan = await store.planGc({ extraRoots });
  const describe = (path: string) => ({ path, name: nameOf(path), narSize: store.requireInfo(path).narSize });
  const optimise = await store.optimiseReport();
  return {
    paths: store.index.size,
    bytes: optimise.bytesStored,
    dead: plan.dead.map(describe),
    kept: [...plan.alive.keys()].map((path) => ({
      path,
      name: nameOf(path),
      because: whyAlive(plan, path)?.root ?? "",
    })),
    roots: [...store.roots(), ...extraRoots].map(({ name, path }) => ({ name, path })),
  };
}
