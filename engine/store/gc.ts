/**
 * What a collection would do, as pure data: which paths are alive and why, which are dead and in which order they can
 * go. A path is alive when a root leads to it by references, by a kept derivation or by a kept output.
 */
import type { StorePath } from "./format/store-path.ts";
import { isDerivationPath } from "./format/store-path.ts";
import { type PathGraph, topologicalOrder } from "./graph.ts";

/** A root as it is shown: its name ("/nix/var/nix/profiles/system-2-link", "{temp:build}") and the path it keeps. */
export interface RootLink {
  readonly name: string;
  readonly path: StorePath;
}

export interface GcOptions {
  /** Keep the derivations of what is alive (Nix: keep-derivations, on unless told). */
  readonly keepDerivations: boolean;
  /** Keep the outputs of derivations that are alive (Nix: keep-outputs, off unless told). */
  readonly keepOutputs: boolean;
  /** Outputs of a derivation that are valid; needed for keepOutputs only. */
  readonly outputsOf: (drvPath: StorePath) => readonly StorePath[];
}

/** Why a path is alive: a root itself, or one step from another living path. */
type AliveBecause =
  | { readonly kind: "root"; readonly root: string }
  | { readonly kind: "reference"; readonly from: StorePath }
  | { readonly kind: "derivation-of"; readonly from: StorePath }
  | { readonly kind: "output-of"; readonly from: StorePath };

export interface GcPlan {
  readonly alive: ReadonlyMap<StorePath, AliveBecause>;
  /** Referrers before what they refer to: every prefix of this order leaves a sound store. */
  readonly dead: readonly StorePath[];
}

/** The graph that a plan is made over: a PathIndex is one. */
export interface CollectableGraph extends PathGraph {
  paths(): Iterable<StorePath>;
}

export function planGc(graph: CollectableGraph, roots: Iterable<RootLink>, options: GcOptions): GcPlan {
  const alive = new Map<StorePath, AliveBecause>();
  for (const { name, path } of roots) {
    if (graph.info(path) !== undefined && !alive.has(path)) alive.set(path, { kind: "root", root: name });
  }
  const keep = (path: StorePath, why: AliveBecause) => {
    if (!alive.has(path) && graph.info(path) !== undefined) alive.set(path, why);
  };
  for (const [from] of alive) {
    const info = graph.info(from);
    for (const reference of info?.references ?? []) keep(reference, { kind: "reference", from });
    if (options.keepDerivations && info?.deriver !== undefined) keep(info.deriver, { kind: "derivation-of", from });
    if (!options.keepOutputs || !isDerivationPath(from)) continue;
    for (const output of options.outputsOf(from)) keep(output, { kind: "output-of", from });
  }
  const dead = [...graph.paths()].filter((path) => !alive.has(path));
  return { alive, dead: topologicalOrder(graph, dead).reverse() };
}

/** The chain that keeps a path alive, from the root's name down to the path; undefined when it is dead. */
export function whyAlive(plan: GcPlan, path: StorePath): { root: string; chain: StorePath[] } | undefined {
  const chain = [path];
  for (let why = plan.alive.get(path); why !== undefined; why = plan.alive.get(why.from)) {
    if (why.kind === "root") return { root: why.root, chain: chain.reverse() };
    chain.push(why.from);
  }
  return undefined;
}

/** The part of the dead that `--max-freed` takes: in order, until more bytes than that are free; none for 0. */
export function limitDead(
  dead: readonly StorePath[],
  sizeOf: (path: StorePath) => number,
  maxFreed: number,
): StorePath[] {
  const taken: StorePath[] = [];
  let freed = 0;
  for (const path of maxFreed === 0 ? [] : dead) {
    if (freed > maxFreed) break;
    taken.push(path);
    freed += sizeOf(path);
  }
  return taken;
}
