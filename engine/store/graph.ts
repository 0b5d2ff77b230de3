/**
 * Questions about the graph of references: closures, orders, why one path needs another, what two closures differ in.
 * All are pure and synchronous over an index in memory, and none recurses: chains may be as long as the store is large.
 */
import { compareByteStrings } from "./format/bytes.ts";
import { type StorePath, nameOf } from "./format/store-path.ts";
import type { PathInfo } from "./path-info.ts";

/** What the questions need; a PathIndex is one. */
export interface PathGraph {
  info(path: StorePath): PathInfo | undefined;
  referrers(path: StorePath): readonly StorePath[];
}

type Neighbours = (path: StorePath) => Iterable<StorePath>;

function referencesOf(graph: PathGraph): Neighbours {
  return (path) => graph.info(path)?.references ?? [];
}

function referrersOf(graph: PathGraph): Neighbours {
  return (path) => graph.referrers(path);
}

/** Everything reached from the start paths, themselves included, in order of discovery. */
function reach(start: Iterable<StorePath>, neighbours: Neighbours): Set<StorePath> {
  const found = new Set(start);
  for (const path of found) for (const next of neighbours(path)) found.add(next);
  return found;
}

/** The closure under references. */
export function closure(graph: PathGraph, start: Iterable<StorePath>): Set<StorePath> {
  return reach(start, referencesOf(graph));
}

/** The closure under referrers: everything that would break without these paths. */
export function referrersClosure(graph: PathGraph, start: Iterable<StorePath>): Set<StorePath> {
  return reach(start, referrersOf(graph));
}

/** NAR bytes of the closure of some paths. */
export function closureSize(graph: PathGraph, start: Iterable<StorePath>): number {
  let size = 0;
  for (const path of closure(graph, start)) size += graph.info(path)?.narSize ?? 0;
  return size;
}

/** NAR bytes that only this path brings into a closure: what would go if `path` were not needed by `root`. */
export function addedSize(graph: PathGraph, root: StorePath, path: StorePath): number {
  const without = reach([root], (from) => [...(graph.info(from)?.references ?? [])].filter((to) => to !== path));
  if (path === root) return closureSize(graph, [root]);
  let size = 0;
  for (const member of closure(graph, [root])) if (!without.has(member)) size += graph.info(member)?.narSize ?? 0;
  return size;
}

export function sortPaths(paths: Iterable<StorePath>): StorePath[] {
  return [...paths].sort(compareByteStrings);
}

/**
 * References before referrers, as Nix prints requisites: depth first over the paths in byte order, each path after what
 * it refers to. A cycle (there is none in a sound store) is cut where it closes.
 */
export function topologicalOrder(graph: PathGraph, paths: Iterable<StorePath>): StorePath[] {
  const wanted = new Set(paths);
  const seen = new Set<StorePath>();
  const order: StorePath[] = [];
  for (const start of sortPaths(wanted)) visit(graph, start, wanted, seen, order);
  return order;
}

/**
 * References before referrers, as copying goes: first what needs nothing of the others, in byte order, then whatever has all it needs,
 * in the order in which that came about.
 */
export function copyingOrder(graph: Pick<PathGraph, "info">, paths: Iterable<StorePath>): StorePath[] {
  const wanted = new Set(sortPaths(paths));
  const waiting = new Map<StorePath, number>();
  const users = new Map<StorePath, StorePath[]>();
  for (const path of wanted) {
    const needed = (graph.info(path)?.references ?? []).filter((other) => other !== path && wanted.has(other));
    waiting.set(path, needed.length);
    for (const other of needed) users.set(other, [...(users.get(other) ?? []), path]);
  }
  const order = [...wanted].filter((path) => waiting.get(path) === 0);
  for (const path of order) {
    for (const user of users.get(path) ?? []) {
      const left = (waiting.get(user) as number) - 1;
      waiting.set(user, left);
      if (left === 0) order.push(user);
    }
  }
  return order;
}

function visit(
  graph: PathGraph,
  start: StorePath,
  wanted: Set<StorePath>,
  seen: Set<StorePath>,
  order: StorePath[],
): void {
  if (seen.has(start)) return;
  seen.add(start);
  const stack = [{ path: start, next: 0, references: graph.info(start)?.references ?? [] }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const reference = frame.references[frame.next++];
    if (reference === undefined) {
      order.push(frame.path);
      stack.pop();
    } else if (wanted.has(reference) && !seen.has(reference)) {
      seen.add(reference);
      stack.push({ path: reference, next: 0, references: graph.info(reference)?.references ?? [] });
    }
  }
}

/** The shortest chain of references from one path to another, both included; undefined when there is none. */
export function shortestChain(graph: PathGraph, from: StorePath, to: StorePath): StorePath[] | undefined {
  const cameFrom = new Map<StorePath, StorePath>();
  const found = new Set([from]);
  for (const path of found) {
    if (path === to) return chainTo(cameFrom, to);
    for (const next of graph.info(path)?.references ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      cameFrom.set(next, path);
    }
  }
  return undefined;
}

function chainTo(cameFrom: ReadonlyMap<StorePath, StorePath>, to: StorePath): StorePath[] {
  const chain = [to];
  for (let path = cameFrom.get(to); path !== undefined; path = cameFrom.get(path)) chain.push(path);
  return chain.reverse();
}

/** For each path between two: its distance to the goal. Paths that cannot reach the goal are absent. */
export function distancesTo(graph: PathGraph, from: StorePath, to: StorePath): Map<StorePath, number> {
  const within = closure(graph, [from]);
  const distances = new Map<StorePath, number>();
  if (!within.has(to)) return distances;
  distances.set(to, 0);
  for (const [path, distance] of distances) {
    for (const referrer of graph.referrers(path)) {
      if (within.has(referrer) && !distances.has(referrer)) distances.set(referrer, distance + 1);
    }
  }
  return distances;
}

/** A package as `diff-closures` sees it: the versions of one name with the sizes they bring. */
export interface PackageChange {
  readonly name: string;
  /** Versions only in the old and only in the new closure, sorted; "ε" is no version, "∅" no package. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
  readonly sizeDelta: number;
}

interface VersionedName {
  readonly name: string;
  readonly version: string;
}

/**
 * A path's package name and version as `diff-closures` has them: first a last part of lower-case letters goes (an
 * output's name, it is hoped), then the version begins at the first dash that no letter follows.
 */
export function versionedName(path: StorePath): VersionedName {
  const whole = nameOf(path).replace(/-([a-z]+|lib32|lib64)$/, "");
  const dash = /-(?![A-Za-z]).+/.exec(whole);
  if (dash === null) return { name: whole, version: "" };
  return { name: whole.slice(0, dash.index), version: whole.slice(dash.index + 1) };
}

/** What changed from one closure to another, by package name, in byte order. Unchanged packages are left out. */
export function diffClosures(
  graph: PathGraph,
  before: Iterable<StorePath>,
  after: Iterable<StorePath>,
): PackageChange[] {
  const old = groupByPackage(closure(graph, before));
  const now = groupByPackage(closure(graph, after));
  const changes: PackageChange[] = [];
  for (const name of sortPaths(new Set([...old.keys(), ...now.keys()]))) {
    const change = packageChange(graph, name, old.get(name) ?? new Map(), now.get(name) ?? new Map());
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

type Versions = Map<string, StorePath[]>;

function groupByPackage(paths: Iterable<StorePath>): Map<string, Versions> {
  const packages = new Map<string, Versions>();
  for (const path of paths) {
    const { name, version } = versionedName(path);
    const versions = packages.get(name) ?? new Map<string, StorePath[]>();
    packages.set(name, versions);
    versions.set(version, [...(versions.get(version) ?? []), path]);
  }
  return packages;
}

/** Nix mentions a package whose versions differ or whose size moved by 8 KiB or more. */
function packageChange(graph: PathGraph, name: string, old: Versions, now: Versions): PackageChange | undefined {
  const removed = sortPaths([...old.keys()].filter((version) => !now.has(version)));
  const added = sortPaths([...now.keys()].filter((version) => !old.has(version)));
  const sizeDelta = versionsSize(graph, now) - versionsSize(graph, old);
  if (removed.length === 0 && added.length === 0 && Math.abs(sizeDelta) < 8192) return undefined;
  return { name, removed, added, sizeDelta };
}

function versionsSize(graph: PathGraph, versions: Versions): number {
  let size = 0;
  for (const paths of versions.values()) for (const path of paths) size += graph.info(path)?.narSize ?? 0;
  return size;
}
