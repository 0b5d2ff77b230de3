/** What realising some goals would do, without doing it: what is built and in which order, what is fetched, what is unknown. */
import type { Derivation } from "../store/format/derivation.ts";
import { type StorePath, isDerivationPath } from "../store/format/store-path.ts";
import { topologicalOrder } from "../store/graph.ts";
import type { Store } from "../store/store.ts";
import type { Goal } from "./realise.ts";
import { ModuloHashes, outputPath } from "./resolve.ts";
import type { Offer, Substituter } from "./substituter.ts";

export interface Plan {
  /** Derivations to build, dependencies first. */
  readonly build: readonly StorePath[];
  readonly substitute: readonly Offer[];
  /** Paths that nobody can make. */
  readonly unknown: readonly StorePath[];
}

export async function planRealisation(
  goals: readonly Goal[],
  store: Store,
  substituters: readonly Substituter[],
): Promise<Plan> {
  const planner = new Planner(store, substituters);
  for (const goal of goals) {
    if (typeof goal === "string") await planner.path(goal);
    else await planner.derivation(goal.drvPath, goal.outputs);
  }
  return {
    build: topologicalOrder(store.index, planner.build),
    substitute: [...planner.offers.values()],
    unknown: [...planner.unknown],
  };
}

class Planner {
  readonly build = new Set<StorePath>();
  readonly offers = new Map<StorePath, Offer>();
  readonly unknown = new Set<StorePath>();
  readonly #seen = new Set<StorePath>();
  readonly #store: Store;
  readonly #substituters: readonly Substituter[];
  readonly #hashes: ModuloHashes;

  constructor(store: Store, substituters: readonly Substituter[]) {
    this.#store = store;
    this.#substituters = substituters;
    this.#hashes = new ModuloHashes(store);
  }

  async path(path: StorePath): Promise<void> {
    if (!(await this.#fetchable(path))) this.unknown.add(path);
  }

  async derivation(drvPath: StorePath, wanted: readonly string[]): Promise<void> {
    const key = `${drvPath}!${wanted.join()}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (!this.#store.isValid(drvPath)) {
      if (!isDerivationPath(drvPath) || !(await this.#fetchable(drvPath))) this.unknown.add(drvPath);
      return;
    }
    const derivation = await this.#store.derivation(drvPath);
    if (await this.#haveOutputs(drvPath, derivation, wanted)) return;
    for (const [input, { outputs }] of derivation.inputDerivations) await this.derivation(input, outputs);
    for (const source of derivation.inputSources) await this.path(source);
    this.build.add(drvPath);
  }

  async #haveOutputs(drvPath: StorePath, derivation: Derivation, wanted: readonly string[]): Promise<boolean> {
    const names = wanted.length === 0 ? [...derivation.outputs.keys()] : wanted;
    for (const name of names) {
      const declared = derivation.outputs.get(name);
      const path = declared && (await outputPath(this.#store, this.#hashes, drvPath, name, declared));
      if (path === undefined || !(await this.#fetchable(path))) return false;
    }
    return true;
  }

  /** Whether a path is valid or some substituter offers it with all it refers to; the offers are remembered. */
  async #fetchable(path: StorePath): Promise<boolean> {
    if (this.#store.isValid(path) || this.offers.has(path)) return true;
    for (const substituter of this.#substituters) {
      const offer = await substituter.offer(path);
      if (offer === undefined) continue;
      this.offers.set(path, offer);
      for (const reference of offer.info.references) if (!(await this.#fetchable(reference))) return false;
      return true;
    }
    return false;
  }
}

/** The lines that Nix prints before it starts; "" when there is nothing to do. */
export function describePlan({ build, substitute, unknown }: Plan): string {
  const lines: string[] = [];
  if (build.length > 0) {
    lines.push(
      build.length === 1 ? "this derivation will be built:" : `these ${build.length} derivations will be built:`,
    );
    lines.push(...build.map((path) => `  ${path}`));
  }
  if (substitute.length > 0) {
    const download = mebibytes(substitute.reduce((sum, offer) => sum + offer.downloadSize, 0));
    const unpacked = mebibytes(substitute.reduce((sum, offer) => sum + offer.info.narSize, 0));
    const what = substitute.length === 1 ? "this path" : `these ${substitute.length} paths`;
    lines.push(`${what} will be fetched (${download} download, ${unpacked} unpacked):`);
    lines.push(...substitute.map((offer) => `  ${offer.info.path}`));
  }
  if (unknown.length > 0) lines.push("don't know how to build these paths:", ...unknown.map((path) => `  ${path}`));
  return lines.map((line) => `${line}\n`).join("");
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(2)} MiB`;
}
