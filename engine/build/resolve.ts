/**
 * Derivations whose inputs are content-addressed are known only after these are built: their placeholders are then
 * replaced by the real paths ("resolved"), and what is built is that resolved derivation. Realisations remember which
 * path an output became, by the hash modulo of the unresolved derivation.
 */
import {
  type Derivation,
  type DerivationHashes,
  type DerivationOutput,
  createModuloCache,
  downstreamPlaceholder,
  fillOutputPaths,
  hashDerivationModulo,
  outputKind,
} from "../store/format/derivation.ts";
import { type StorePath, makeStorePath } from "../store/format/store-path.ts";
import { zeroHash } from "../store/format/hash.ts";
import type { Store } from "../store/store.ts";

/** The hashes modulo of derivations of a store; each .drv is read once. */
export class ModuloHashes {
  readonly #store: Store;
  readonly #derivations = new Map<StorePath, Derivation>();
  readonly #resolve = createModuloCache((path) => this.#derivations.get(path) as Derivation);

  constructor(store: Store) {
    this.#store = store;
  }

  async of(drvPath: StorePath): Promise<DerivationHashes> {
    await this.#load(drvPath);
    return this.#resolve(drvPath);
  }

  async realisationId(drvPath: StorePath, output: string): Promise<string> {
    return `sha256:${(await this.of(drvPath)).hashes.get(output) ?? ""}!${output}`;
  }

  async #load(drvPath: StorePath): Promise<void> {
    const pending = [drvPath];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (this.#derivations.has(path)) continue;
      const derivation = await this.#store.derivation(path);
      this.#derivations.set(path, derivation);
      pending.push(...derivation.inputDerivations.keys());
    }
  }
}

/** Where an output is, if that is known: declared, or realised before. */
export async function outputPath(
  store: Store,
  hashes: ModuloHashes,
  drvPath: StorePath,
  name: string,
  declared: DerivationOutput,
): Promise<StorePath | undefined> {
  if (declared.path !== "") return declared.path;
  return (await store.realisation(await hashes.realisationId(drvPath, name)))?.outPath;
}

/** Whether a derivation is built in another form: its own path is not known yet, or some input's is not in its text. */
export function mustResolve(derivation: Derivation, inputs: Iterable<Derivation>): boolean {
  if (derivation.inputDerivations.size === 0) return false;
  for (const output of derivation.outputs.values()) if (output.path === "") return true;
  for (const input of inputs) for (const output of input.outputs.values()) if (output.path === "") return true;
  return false;
}

/** The derivation with real paths for its inputs' outputs, no input derivations, and its own paths where they follow. */
export function resolveInputs(
  derivation: Derivation,
  name: string,
  inputPaths: ReadonlyMap<StorePath, ReadonlyMap<string, StorePath>>,
  storeDir: string,
): Derivation {
  const rewrites: [string, StorePath][] = [];
  const sources = new Set(derivation.inputSources);
  for (const [drvPath, outputs] of inputPaths) {
    for (const [output, path] of outputs) {
      rewrites.push([downstreamPlaceholder(drvPath, output), path]);
      sources.add(path);
    }
  }
  const rewrite = (text: string) => rewrites.reduce((rest, [from, to]) => rest.replaceAll(from, to), text);
  const resolved: Derivation = {
    ...derivation,
    inputDerivations: new Map(),
    inputSources: [...sources].sort(),
    builder: rewrite(derivation.builder),
    args: derivation.args.map(rewrite),
    env: new Map(Array.from(derivation.env, ([key, value]) => [rewrite(key), rewrite(value)])),
  };
  const deferred = [...resolved.outputs.values()].every((output) => outputKind(output) === "deferred");
  if (!deferred) return resolved;
  return fillOutputPaths(resolved, name, hashDerivationModulo(resolved, true, noInputs), storeDir);
}

function noInputs(): DerivationHashes {
  return { kind: "regular", hashes: new Map() };
}

/** A place to build an output whose path is not known: made from the derivation's path, so it never meets another's. */
export function scratchPath(drvPath: StorePath, output: string, outputName: string, storeDir: string): StorePath {
  const type = `rewrite:${drvPath.slice(drvPath.lastIndexOf("/") + 1)}:name:${output}`;
  return makeStorePath(type, zeroHash("sha256"), outputName, storeDir);
}
