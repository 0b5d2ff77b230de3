/**
 * Realising: making store paths valid, by substituting or building them and first whatever they need. Independent work
 * runs side by side (builders `jobs` at a time); every path is registered wholly or not at all, so a cancelled or
 * killed run leaves finished work behind and nothing else.
 */
import { toBytes } from "../store/format/bytes.ts";
import { type Derivation, derivationKind, derivationName, outputKind } from "../store/format/derivation.ts";
import { type PublicKey, isTrusted } from "../store/format/signature.ts";
import { type StorePath, isDerivationPath, outputPathName } from "../store/format/store-path.ts";
import type { SourceTree } from "../store/format/tree.ts";
import { closure, sortPaths } from "../store/graph.ts";
import type { Store } from "../store/store.ts";
import { BuildError, type Builder, type CancelSignal } from "./builder.ts";
import { type BuiltinTools, runBuiltin } from "./builtin-builders.ts";
import { describeProcess, placeholderRewriter } from "./environment.ts";
import { type BuildFacts, type RawOutput, judgeOutputs, loadTree } from "./outputs.ts";
import { checkOutputs } from "./output-checks.ts";
import { exportGraphs } from "./reference-graph.ts";
import { ModuloHashes, needsResolution, outputPath, resolveInputs, scratchPath } from "./resolve.ts";
import { RECIPES } from "./recipes/index.ts";
import { findRecipe } from "./recipes/recipe.ts";
import type { Offer, Substituter } from "./substituter.ts";

/** A store path to have, or outputs of a derivation (none named: all). */
export type Goal = StorePath | { readonly drvPath: StorePath; readonly outputs: readonly string[] };

/** How a path comes to be. */
type Means = "build" | "recipe" | "builtin" | "substitute";

export type RealiseEvent =
  | { readonly kind: "start"; readonly path: StorePath; readonly means: Means }
  | { readonly kind: "log"; readonly drvPath: StorePath; readonly bytes: Uint8Array }
  | { readonly kind: "progress"; readonly path: StorePath; readonly done: number; readonly total: number }
  | { readonly kind: "done"; readonly path: StorePath; readonly means: Means; readonly outputs: readonly StorePath[] }
  | { readonly kind: "failed"; readonly path: StorePath; readonly message: string };

export interface RealiseOptions {
  readonly store: Store;
  readonly builder?: Builder;
  readonly substituters: readonly Substituter[];
  readonly trustedKeys?: readonly PublicKey[];
  /** Downloads and unpacking for `builtin:` builders; without them these fail as "unsupported". */
  readonly tools?: BuiltinTools;
  readonly signal: CancelSignal;
  readonly onEvent?: (event: RealiseEvent) => void;
  /** Names this run among the temporary roots. */
  readonly owner: string;
  /** Go on with what does not depend on a failure (--keep-going). */
  readonly keepGoing?: boolean;
  /** Build again what is valid and compare (--check): never by a recipe. */
  readonly check?: boolean;
  /** Builders at once. */
  readonly jobs?: number;
  readonly timeout?: number;
  readonly maxSilent?: number;
}

export interface RealiseResult {
  /** The outputs of each goal, in the goals' order. */
  readonly outputs: readonly ReadonlyMap<string, StorePath>[];
  readonly built: readonly StorePath[];
  readonly substituted: readonly StorePath[];
}

/** @throws BuildError: the first failure (all others are in the events) */
export async function realise(goals: readonly Goal[], options: RealiseOptions): Promise<RealiseResult> {
  const start = await everythingNeeded(goals, options.store);
  const work = new Work(options, start);
  await options.store.holdTemporarily(options.owner, start);
  try {
    const outcomes = await allOf(goals, options.keepGoing === true, (goal) => work.goal(goal));
    return { outputs: outcomes, built: work.built, substituted: work.substituted };
  } finally {
    await options.store.releaseTemporary(options.owner);
  }
}

/** All that a run may make or use, as far as it is known before: held at once, not build by build. */
async function everythingNeeded(goals: readonly Goal[], store: Store): Promise<StorePath[]> {
  const start = goals.map((goal) => (typeof goal === "string" ? goal : goal.drvPath));
  const needed = new Set(start);
  for (const path of closure(store.index, start)) {
    if (!isDerivationPath(path) || !store.isValid(path)) continue;
    const { outputs } = await store.derivation(path);
    for (const output of outputs.values()) if (output.path !== "") needed.add(output.path);
  }
  return [...needed];
}

/** Runs for all; the first error wins, but with `keepGoing` only after all have ended. */
async function allOf<Item, Result>(
  items: readonly Item[],
  keepGoing: boolean,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const running = items.map(run);
  if (keepGoing) await Promise.allSettled(running);
  return Promise.all(running);
}

type Outputs = ReadonlyMap<string, StorePath>;

class Work {
  readonly built: StorePath[] = [];
  readonly substituted: StorePath[] = [];
  readonly #options: RealiseOptions;
  readonly #store: Store;
  readonly #hashes: ModuloHashes;
  readonly #derivations = new Map<StorePath, Promise<Outputs>>();
  readonly #paths = new Map<StorePath, Promise<boolean>>();
  readonly #held: Set<StorePath>;
  readonly #slots: Slots;

  /** `start` is held already. */
  constructor(options: RealiseOptions, start: readonly StorePath[]) {
    this.#held = new Set(start);
    this.#options = options;
    this.#store = options.store;
    this.#hashes = new ModuloHashes(options.store);
    this.#slots = new Slots(options.jobs ?? 1);
  }

  async goal(goal: Goal): Promise<Outputs> {
    if (typeof goal !== "string") return this.#derivation(goal.drvPath, goal.outputs);
    if (!(await this.#path(goal))) {
      throw new BuildError("unsupported", `path '${goal}' does not exist and cannot be created`, { exit: 1 });
    }
    return new Map([["out", goal]]);
  }

  /** Makes one path valid if some substituter has it. */
  #path(path: StorePath): Promise<boolean> {
    if (this.#store.isValid(path)) return Promise.resolve(true);
    let running = this.#paths.get(path);
    if (running === undefined) this.#paths.set(path, (running = this.#substitute(path)));
    return running;
  }

  async #substitute(path: StorePath): Promise<boolean> {
    for (const substituter of this.#options.substituters) {
      this.#checkCancelled();
      const offer = await substituter.offer(path, this.#options.signal);
      if (offer === undefined || !this.#acceptable(substituter, offer)) continue;
      const needed = offer.info.references.filter((reference) => reference !== path);
      const have = await Promise.all(needed.map((reference) => this.#path(reference)));
      if (have.includes(false)) continue;
      await this.#fetch(substituter, path, offer);
      return true;
    }
    return false;
  }

  #acceptable(substituter: Substituter, { info }: Offer): boolean {
    return substituter.trusted || isTrusted(info, this.#options.trustedKeys ?? []);
  }

  async #fetch(substituter: Substituter, path: StorePath, { info }: Offer): Promise<void> {
    this.#emit({ kind: "start", path, means: "substitute" });
    await this.#hold([path]);
    const { signal } = this.#options;
    const emit = (done: number) => this.#emit({ kind: "progress", path, done, total: info.narSize });
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      let done = 0;
      for await (const piece of substituter.nar(path, signal)) {
        if (signal.aborted) throw new BuildError("cancelled", "interrupted by the user", { exit: 1 });
        done += piece.length;
        emit(done);
        yield piece;
      }
    };
    await this.#store.addNar(info, counted());
    this.substituted.push(path);
    this.#emit({ kind: "done", path, means: "substitute", outputs: [path] });
  }

  /** The paths of a derivation's outputs, all valid. */
  async #derivation(drvPath: StorePath, wanted: readonly string[]): Promise<Outputs> {
    if (!(await this.#path(drvPath))) {
      throw new BuildError("unsupported", `don't know how to build these paths:\n  ${drvPath}`, { exit: 1 });
    }
    const derivation = await this.#store.derivation(drvPath);
    const names = wanted.length === 0 ? [...derivation.outputs.keys()] : wanted;
    for (const name of names) {
      if (derivation.outputs.has(name)) continue;
      throw new BuildError("unsupported", `derivation '${drvPath}' does not have wanted outputs '${name}'`, {
        exit: 1,
      });
    }
    if (this.#options.check !== true) {
      const there = await this.#substituted(drvPath, derivation, names);
      if (there !== undefined) return there;
    }
    let running = this.#derivations.get(drvPath);
    if (running === undefined)
      this.#derivations.set(drvPath, (running = this.#reportFailure(drvPath, () => this.#build(drvPath, derivation))));
    return running;
  }

  /** The wanted outputs if they are valid, or can be had without a build. */
  async #substituted(
    drvPath: StorePath,
    derivation: Derivation,
    names: readonly string[],
  ): Promise<Outputs | undefined> {
    const paths = new Map<string, StorePath>();
    for (const name of names) {
      const declared = derivation.outputs.get(name);
      const path = declared && (await outputPath(this.#store, this.#hashes, drvPath, name, declared));
      if (path === undefined) return undefined;
      paths.set(name, path);
    }
    const mayFetch = derivation.env.get("allowSubstitutes") !== "";
    const have = await Promise.all(
      Array.from(paths.values(), (path) => (mayFetch ? this.#path(path) : this.#store.isValid(path))),
    );
    return have.includes(false) ? undefined : paths;
  }

  async #reportFailure(drvPath: StorePath, body: () => Promise<Outputs>): Promise<Outputs> {
    try {
      return await body();
    } catch (error) {
      this.#emit({ kind: "failed", path: drvPath, message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  async #build(drvPath: StorePath, derivation: Derivation): Promise<Outputs> {
    const inputs = await this.#inputs(drvPath, derivation);
    const read = await Promise.all(Array.from(inputs.keys(), (path) => this.#store.derivation(path)));
    const name = derivationName(drvPath);
    const { storeDir } = this.#store;
    const resolved = needsResolution(read) ? resolveInputs(derivation, name, inputs, storeDir) : derivation;
    const known = await this.#substituted(drvPath, resolved, [...resolved.outputs.keys()]);
    if (known !== undefined && this.#options.check !== true) return known;
    const roots = [
      ...derivation.inputSources,
      ...Array.from(inputs.values(), (outputs) => [...outputs.values()]).flat(),
    ];
    const inputClosure = sortPaths(closure(this.#store.index, roots));
    await this.#hold(roots);
    const facts: BuildFacts = { drvPath, name, derivation: resolved, inputClosure, storeDir };
    return this.#slots.run(() => this.#run(facts));
  }

  /** Realises everything the derivation needs; gives the outputs of its input derivations. */
  async #inputs(drvPath: StorePath, derivation: Derivation): Promise<Map<StorePath, Outputs>> {
    const entries = [...derivation.inputDerivations];
    const sources = derivation.inputSources.map((path) => this.goal(path));
    const results = await Promise.allSettled([
      ...entries.map(([input, { outputs }]) => this.#derivation(input, outputs)),
      ...sources,
    ]);
    const failures = results.filter((result) => result.status === "rejected");
    const cancelled = failures.find(({ reason }) => reason instanceof BuildError && reason.code === "cancelled");
    if (cancelled !== undefined) throw cancelled.reason;
    if (failures.length > 0)
      throw dependencyFailure(
        drvPath,
        derivation,
        failures.map(({ reason }) => reason),
      );
    return new Map(entries.map(([input], index) => [input, (results[index] as PromiseFulfilledResult<Outputs>).value]));
  }

  async #run(facts: BuildFacts): Promise<Outputs> {
    this.#checkCancelled();
    const log: Uint8Array[] = [];
    const onLog = (bytes: Uint8Array) => {
      log.push(bytes.slice());
      this.#emit({ kind: "log", drvPath: facts.drvPath, bytes });
    };
    try {
      const [means, raw] = await this.#produce(facts, onLog);
      return await this.#register(facts, means, raw);
    } finally {
      if (log.length > 0) await this.#store.addLog(facts.drvPath, joined(log));
    }
  }

  /** The outputs as the recipe, the `builtin:` builder or the real builder leaves them. */
  async #produce(facts: BuildFacts, onLog: (bytes: Uint8Array) => void): Promise<[Means, RawOutput[]]> {
    const { derivation, drvPath } = facts;
    const scratch = scratchPaths(facts);
    const whole = (trees: ReadonlyMap<string, SourceTree>) =>
      Array.from(trees, ([name, tree]) => rawOutput(name, scratch, tree));
    if (derivation.builder.startsWith("builtin:")) {
      this.#emit({ kind: "start", path: drvPath, means: "builtin" });
      return [
        "builtin",
        whole(await runBuiltin(derivation, scratch, this.#store, this.#options.tools ?? {}, this.#options.signal)),
      ];
    }
    const made = this.#options.check === true ? undefined : await this.#runRecipe(facts, scratch, onLog);
    if (made !== undefined) return ["recipe", whole(new Map([["out", made]]))];
    this.#emit({ kind: "start", path: drvPath, means: "build" });
    return ["build", await this.#runBuilder(facts, scratch, onLog)];
  }

  /** The output of one of our own builder scripts, without running it; undefined when there is no such short cut. */
  async #runRecipe(
    facts: BuildFacts,
    scratch: Outputs,
    onLog: (bytes: Uint8Array) => void,
  ): Promise<SourceTree | undefined> {
    const { derivation, drvPath, storeDir } = facts;
    const recipe = findRecipe(RECIPES, derivation);
    const out = scratch.get("out");
    if (recipe === undefined || out === undefined) return undefined;
    const rewrite = placeholderRewriter(scratch);
    const env = new Map(Array.from(derivation.env, ([name, value]) => [name, rewrite(value)]));
    try {
      const tree = await recipe.compute({ env, out, storeDir, tree: (path) => this.#store.tree(path) });
      if (tree !== undefined) this.#emit({ kind: "start", path: drvPath, means: "recipe" });
      return tree;
    } catch (error) {
      if (error instanceof BuildError) onLog(toBytes(String(error.data["log"])));
      throw withOutputs(facts, error);
    }
  }

  async #runBuilder(facts: BuildFacts, scratch: Outputs, onLog: (bytes: Uint8Array) => void): Promise<RawOutput[]> {
    const { builder, signal, timeout, maxSilent } = this.#options;
    const { derivation } = facts;
    if (builder === undefined || !builder.systems.includes(derivation.system)) throw platformMismatch(facts, builder);
    const fixedOutput = derivationKind(derivation) === "fixed";
    const graphs = await exportGraphs(derivation, this.#store);
    const process = describeProcess(derivation, scratch, { storeDir: facts.storeDir, cores: 1, fixedOutput, graphs });
    const built = await builder
      .build(
        {
          drvPath: facts.drvPath,
          name: facts.name,
          system: derivation.system,
          program: derivation.builder,
          ...process,
          inputs: {
            closure: facts.inputClosure,
            tree: (path) => this.#store.tree(path),
            blob: (sha256) => this.#store.blob(sha256),
          },
          outputs: scratch,
          fixedOutput,
          timeout: timeout ?? 0,
          maxSilent: maxSilent ?? 0,
        },
        onLog,
        signal,
      )
      .catch((error: unknown) => {
        throw withOutputs(facts, error);
      });
    const loaded: RawOutput[] = [];
    for (const name of scratch.keys()) {
      const tree = built.trees.get(name);
      if (tree === undefined) throw missingOutput(facts, name, scratch);
      loaded.push(rawOutput(name, scratch, await loadTree(tree, async (sha256) => this.#blobOf(built.blob, sha256))));
    }
    return loaded;
  }

  async #blobOf(fromBuild: (sha256: string) => Promise<Uint8Array>, sha256: string): Promise<Uint8Array> {
    try {
      return await fromBuild(sha256);
    } catch {
      return this.#store.blob(sha256);
    }
  }

  async #register(facts: BuildFacts, means: Means, raw: readonly RawOutput[]): Promise<Outputs> {
    const judged = judgeOutputs(facts, raw);
    const infos = new Map(judged.map((item) => [item.name, item.registration.info]));
    checkOutputs(facts.derivation, infos, (path) => this.#store.info(path));
    const outputs = new Map(judged.map((item) => [item.name, item.registration.info.path]));
    if (this.#options.check === true) this.#compare(facts, infos);
    const blobs = new Map(judged.flatMap((item) => [...item.blobs]));
    // Before they are there, so that no collection comes in between.
    await this.#hold([...outputs.values()]);
    await this.#store.register(
      judged.map((item) => item.registration),
      (sha256) => blobs.get(sha256) as Uint8Array,
    );
    await this.#rememberRealisations(facts, outputs);
    this.built.push(facts.drvPath);
    this.#emit({ kind: "done", path: facts.drvPath, means, outputs: [...outputs.values()] });
    return outputs;
  }

  #compare(
    facts: BuildFacts,
    infos: ReadonlyMap<string, { readonly path: StorePath; readonly narHash: string }>,
  ): void {
    for (const { path, narHash } of infos.values()) {
      const known = this.#store.info(path);
      if (known === undefined || known.narHash === narHash) continue;
      const message = `derivation '${facts.drvPath}' may not be deterministic: output '${path}' differs`;
      throw new BuildError("output", message, { exit: 104 });
    }
  }

  async #rememberRealisations(facts: BuildFacts, outputs: Outputs): Promise<void> {
    const original = await this.#store.derivation(facts.drvPath);
    const unknown = [...outputs].filter(([name]) => original.outputs.get(name)?.path === "");
    if (unknown.length === 0) return;
    const realisations = unknown.map(async ([name, outPath]) => ({
      id: await this.#hashes.realisationId(facts.drvPath, name),
      outPath,
      signatures: [],
      dependentRealisations: {},
    }));
    await this.#store.addRealisations(await Promise.all(realisations));
  }

  async #hold(paths: readonly StorePath[]): Promise<void> {
    const more = paths.filter((path) => !this.#held.has(path));
    if (more.length === 0) return;
    for (const path of more) this.#held.add(path);
    await this.#store.holdTemporarily(this.#options.owner, [...this.#held]);
  }

  #checkCancelled(): void {
    if (this.#options.signal.aborted) throw new BuildError("cancelled", "interrupted by the user", { exit: 1 });
  }

  #emit(event: RealiseEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** At most so many at once, in order of arrival. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<Result>(body: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await body();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Where each output is written: its path if that is known, a scratch path otherwise. */
function scratchPaths({ derivation, drvPath, name, storeDir }: BuildFacts): Map<string, StorePath> {
  return new Map(
    Array.from(derivation.outputs, ([output, declared]) => {
      const path =
        declared.path === "" ? scratchPath(drvPath, output, outputPathName(name, output), storeDir) : declared.path;
      return [output, path];
    }),
  );
}

function rawOutput(name: string, scratch: Outputs, tree: SourceTree): RawOutput {
  return { name, scratch: scratch.get(name) as StorePath, tree };
}

/** Nix's text for a derivation that could not be built. */
function cannotBuild(drvPath: StorePath, derivation: Derivation, reason: string): string {
  const paths = sortPaths(
    Array.from(derivation.outputs.values(), (output) => output.path).filter((path) => path !== ""),
  );
  const listed = paths.length === 0 ? "" : `\nOutput paths:${paths.map((path) => `\n  ${path}`).join("")}`;
  return `Cannot build '${drvPath}'.\nReason: ${reason}.${listed}`;
}

function dependencyFailure(drvPath: StorePath, derivation: Derivation, reasons: readonly unknown[]): Error {
  const bug = reasons.find((reason) => !(reason instanceof BuildError));
  if (bug instanceof Error) return bug;
  const first = reasons[0] as BuildError;
  const count = reasons.length === 1 ? "1 dependency failed" : `${reasons.length} dependencies failed`;
  const message = cannotBuild(drvPath, derivation, count);
  return new BuildError("dependency", message, { exit: 100, first: first.data["first"] ?? first.message });
}

function platformMismatch({ drvPath, derivation }: BuildFacts, builder: Builder | undefined): BuildError {
  const here = builder?.systems[0] ?? "builtin";
  const message = `Cannot build '${drvPath}'.\nReason: platform mismatch\nRequired system: '${derivation.system}'\nCurrent system: '${here}'`;
  return new BuildError("unsupported", message, { exit: 100 });
}

function missingOutput({ drvPath }: BuildFacts, name: string, scratch: Outputs): BuildError {
  const message = `builder for '${drvPath}' failed to produce output path for output '${name}' at "${scratch.get(name) ?? ""}"`;
  return new BuildError("output", message, { exit: 1 });
}

function withOutputs({ drvPath, derivation }: BuildFacts, error: unknown): unknown {
  if (!(error instanceof BuildError)) return error;
  const { status, signal } = error.data;
  // A fixed-output build that fails is worth another try elsewhere; Nix's exit code says so.
  const exit = outputKind([...derivation.outputs.values()][0] ?? NO_OUTPUT) === "fixed" ? 1 : 100;
  if (error.code === "exit")
    return new BuildError("exit", cannotBuild(drvPath, derivation, `builder failed with exit code ${status ?? 1}`), {
      ...error.data,
      exit,
    });
  if (error.code === "signal") {
    return new BuildError("signal", cannotBuild(drvPath, derivation, `builder failed due to signal ${signal ?? ""}`), {
      ...error.data,
      exit,
    });
  }
  return error;
}

const NO_OUTPUT = { path: "", hashAlgorithm: "", hash: "" };

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether something can be realised without a builder: for the page, before it starts a machine. */
export function needsBuilder(derivation: Derivation): boolean {
  return !derivation.builder.startsWith("builtin:") && findRecipe(RECIPES, derivation) === undefined;
}
