/**
 * Realising: making store paths valid, by substituting or building them and first whatever they need. Independent work
 * runs side by side (builders `jobs` at a time); every path is registered wholly or not at all, so a cancelled or
 * killed run leaves finished work behind and nothing else.
 */
import { toBytes } from "../store/format/bytes.ts";
import {
  type Derivation,
  derivationKind,
  derivationName,
  derivationReferences,
  outputKind,
  printDerivation,
} from "../store/format/derivation.ts";
import { type PublicKey, isTrusted } from "../store/format/signature.ts";
import { type StorePath, isDerivationPath, nameOf, outputPathName } from "../store/format/store-path.ts";
import type { SourceTree } from "../store/format/tree.ts";
import { closure, sortPaths } from "../store/graph.ts";
import { StoreError } from "../store/error.ts";
import type { Store } from "../store/store.ts";
import { BuildError, type Builder, type CancelSignal } from "./builder.ts";
import { type BuiltinTools, runBuiltin } from "./builtin-builders.ts";
import { type Difference, differences } from "./differences.ts";
import { describeProcess, placeholderRewriter, words } from "./environment.ts";
import { logTail } from "./log-tail.ts";
import { type BuildFacts, type JudgedOutput, type RawOutput, chrootPath, judgeOutputs, loadTree } from "./outputs.ts";
import { checkOutputs } from "./output-checks.ts";
import { exportGraphs, structuredGraphs } from "./reference-graph.ts";
import { ModuloHashes, mustResolve, outputPath, resolveInputs, scratchPath } from "./resolve.ts";
import { RECIPES } from "./recipes/index.ts";
import { findRecipe } from "./recipes/recipe.ts";
import type { Offer, Substituter } from "./substituter.ts";

/** A store path to have, or outputs of a derivation (none named: all). */
export type Goal = StorePath | { readonly drvPath: StorePath; readonly outputs: readonly string[] };

/** How a path comes to be. */
type Means = "build" | "recipe" | "builtin" | "substitute";

export type RealiseEvent =
  | { readonly kind: "start"; readonly path: StorePath; readonly means: Means }
  /** What is built in place of a derivation whose inputs are known only now. */
  | { readonly kind: "resolved"; readonly path: StorePath; readonly to: StorePath }
  | { readonly kind: "log"; readonly drvPath: StorePath; readonly bytes: Uint8Array }
  | { readonly kind: "progress"; readonly path: StorePath; readonly done: number; readonly total: number }
  | { readonly kind: "done"; readonly path: StorePath; readonly means: Means; readonly outputs: readonly StorePath[] }
  /** `goal`: this failure is what the run itself ends with. */
  | { readonly kind: "failed"; readonly path: StorePath; readonly message: string; readonly goal: boolean }
  /** A second build gave other bytes than the first. */
  | { readonly kind: "differs"; readonly path: StorePath; readonly differences: readonly Difference[] };

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
  /** Build the goals again and compare (--check): never by a recipe. What they need is only made when it is missing. */
  readonly check?: boolean;
  /** Lines of a failed build's log that its message quotes; 0, as it comes: none, because the log was shown. */
  readonly logLines?: number;
  /** Goals are asked for one by one, as `nix build` does: what was not begun is no failure, and one failure stands for all. */
  readonly oneByOne?: boolean;
  /** Builders at once. */
  readonly jobs?: number;
  readonly timeout?: number;
  readonly maxSilent?: number;
  /** What builds are told of processors (NIX_BUILD_CORES); 1 unless given. */
  readonly cores?: number;
}

export interface RealiseResult {
  /** The outputs of each goal, in the goals' order. */
  readonly outputs: readonly ReadonlyMap<string, StorePath>[];
  readonly built: readonly StorePath[];
  readonly substituted: readonly StorePath[];
}

/** @throws BuildError of the goal that failed, or of all (their own errors are in the events) */
export async function realise(goals: readonly Goal[], options: RealiseOptions): Promise<RealiseResult> {
  const start = await everythingNeeded(goals, options.store);
  const work = new Work(options, start);
  await options.store.holdTemporarily(options.owner, start);
  try {
    return { outputs: await work.goals(goals), built: work.built, substituted: work.substituted };
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

type Outputs = ReadonlyMap<string, StorePath>;

class Work {
  readonly built: StorePath[] = [];
  readonly substituted: StorePath[] = [];
  readonly #options: RealiseOptions;
  readonly #store: Store;
  readonly #hashes: ModuloHashes;
  /** By path, with a mark when it is checked. */
  readonly #derivations = new Map<string, Promise<Outputs>>();
  readonly #paths = new Map<StorePath, Promise<boolean>>();
  readonly #held: Set<StorePath>;
  readonly #slots: Slots;
  /** Something failed, and nothing further is to begin. */
  #over = false;
  readonly #reported = new WeakSet<BuildError>();
  readonly #goals = new Set<StorePath>();
  /** The bits of Nix's exit code, of all failures. */
  #failures = 0;

  /** `start` is held already. */
  constructor(options: RealiseOptions, start: readonly StorePath[]) {
    this.#held = new Set(start);
    this.#options = options;
    this.#store = options.store;
    this.#hashes = new ModuloHashes(options.store);
    this.#slots = new Slots(options.jobs ?? 1);
  }

  /** The outputs of each goal. */
  async goals(goals: readonly Goal[]): Promise<Outputs[]> {
    for (const goal of goals) this.#goals.add(pathOf(goal));
    const ordered = [...goals].sort((left, right) => compareGoals(pathOf(left), pathOf(right)));
    const running = new Map(ordered.map((goal) => [goal, this.#goal(goal, this.#options.check === true)]));
    const results = await Promise.allSettled(goals.map((goal) => running.get(goal) as Promise<Outputs>));
    const failed = results.flatMap((result, index) =>
      result.status === "rejected" ? [{ path: pathOf(goals[index] as Goal), reason: result.reason as unknown }] : [],
    );
    if (failed.length > 0) throw this.#failure(goals, failed);
    return results.map((result) => (result as PromiseFulfilledResult<Outputs>).value);
  }

  /** What the run ends with: the goal's own error, or the list of all goals that were not reached. */
  #failure(goals: readonly Goal[], failed: readonly { readonly path: StorePath; readonly reason: unknown }[]): unknown {
    const bug = failed.find(({ reason }) => !(reason instanceof BuildError));
    if (bug !== undefined) return bug.reason;
    const errors = failed.map(({ path, reason }) => ({ path, error: reason as BuildError }));
    const cancelled = errors.find(({ error }) => error.code === "cancelled");
    if (cancelled !== undefined) return cancelled.error;
    const exit = exitCode(this.#failures);
    const begun = errors.filter(({ error }) => error.code !== "skipped");
    const oneByOne = this.#options.oneByOne === true;
    if (goals.length === 1 || (oneByOne && begun.length === 1)) {
      const { code, message, data } = (begun[0] as { readonly error: BuildError }).error;
      return new BuildError(code, message, { ...data, exit });
    }
    // The first one is told last.
    const [first, ...others] = [...begun].sort((left, right) => compareGoals(left.path, right.path));
    const told = oneByOne ? begun : [...others, ...(first === undefined ? [] : [first])];
    for (const { path, error } of told) this.#emit({ kind: "failed", path, message: error.message, goal: false });
    const names = new Map(oneByOne ? goals.map((goal) => [pathOf(goal), nameWithOutputs(goal)]) : []);
    const all = sortPaths((oneByOne ? begun : errors).map(({ path }) => path));
    const listed = all.map((path) => `'${names.get(path) ?? path}'`).join(", ");
    return new BuildError("dependency", `build of ${listed} failed`, { exit });
  }

  async #goal(goal: Goal, check: boolean): Promise<Outputs> {
    if (typeof goal !== "string") return this.#derivation(goal.drvPath, goal.outputs, check);
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
  async #derivation(drvPath: StorePath, wanted: readonly string[], check = false): Promise<Outputs> {
    const prepared = this.#slots.prepare();
    try {
      const found = await this.#begin(drvPath, wanted, check);
      prepared();
      return "running" in found ? await found.running : found;
    } finally {
      prepared();
    }
  }

  /** The outputs of a derivation that are there, or the build that makes them. */
  async #begin(
    drvPath: StorePath,
    wanted: readonly string[],
    check: boolean,
  ): Promise<Outputs | { readonly running: Promise<Outputs> }> {
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
    if (!check) {
      const there = await this.#substituted(drvPath, derivation, names);
      if (there !== undefined) return there;
    }
    const key = check ? `${drvPath} again` : drvPath;
    let running = this.#derivations.get(key);
    if (running === undefined) {
      running = this.#reportFailure(drvPath, () => this.#build(drvPath, derivation, check));
      this.#derivations.set(key, running);
    }
    return { running };
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

  /** Tells of a failure, once, and keeps others from beginning. */
  async #reportFailure(drvPath: StorePath, body: () => Promise<Outputs>): Promise<Outputs> {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof BuildError) || error.code === "skipped" || this.#reported.has(error)) throw error;
      this.#reported.add(error);
      const goal = this.#goals.has(drvPath);
      if (this.#options.keepGoing !== true) this.#over = true;
      if (error.code !== "dependency") this.#failures |= failureBits(error);
      this.#emit({ kind: "failed", path: drvPath, message: error.message, goal });
      throw error;
    }
  }

  async #build(drvPath: StorePath, derivation: Derivation, check: boolean): Promise<Outputs> {
    const inputs = await this.#inputs(drvPath, derivation);
    const prepared = this.#slots.prepare();
    try {
      const build = await this.#ready(drvPath, derivation, inputs, check);
      return "run" in build ? await build.run(prepared) : build;
    } finally {
      prepared();
    }
  }

  /** The outputs if they are there after all, or the build, ready to wait for its turn. */
  async #ready(
    drvPath: StorePath,
    derivation: Derivation,
    inputs: ReadonlyMap<StorePath, Outputs>,
    check: boolean,
  ): Promise<Outputs | { run(prepared: () => void): Promise<Outputs> }> {
    const read = await Promise.all(Array.from(inputs.keys(), (path) => this.#store.derivation(path)));
    const name = derivationName(drvPath);
    const { storeDir } = this.#store;
    if (mustResolve(derivation, read)) {
      const resolved = resolveInputs(derivation, name, inputs, storeDir);
      return { run: (prepared) => this.#resolved(drvPath, resolved, check, prepared) };
    }
    const known = await this.#substituted(drvPath, derivation, [...derivation.outputs.keys()]);
    if (known !== undefined && !check) return known;
    if (known === undefined && check) {
      const message = `some outputs of '${drvPath}' are not valid, so checking is not possible\n${CHECK_HINT}`;
      throw new BuildError("output", message, { exit: 1 });
    }
    const roots = [
      ...derivation.inputSources,
      ...Array.from(inputs.values(), (outputs) => [...outputs.values()]).flat(),
    ];
    const inputClosure = sortPaths(closure(this.#store.index, roots));
    await this.#hold(roots);
    const facts: BuildFacts = { drvPath, name, derivation, inputClosure, storeDir };
    // Told while the place is still taken: before anybody else begins.
    const run = () => this.#reportFailure(drvPath, () => this.#run(facts, check));
    return { run: (prepared) => this.#slots.run(drvPath, prepared, run) };
  }

  /** What is built is a derivation of its own, in which every input is a path. */
  async #resolved(drvPath: StorePath, derivation: Derivation, check: boolean, prepared: () => void): Promise<Outputs> {
    const text = printDerivation(derivation);
    const { path } = await this.#store.addText(nameOf(drvPath), text, derivationReferences(derivation));
    await this.#hold([path]);
    this.#emit({ kind: "resolved", path: drvPath, to: path });
    try {
      const running = this.#derivation(path, [], check);
      prepared();
      const outputs = await running;
      await this.#rememberRealisations(drvPath, outputs);
      return outputs;
    } catch (error) {
      if (!(error instanceof BuildError) || ["skipped", "cancelled"].includes(error.code)) throw error;
      throw new BuildError("dependency", `build of resolved derivation '${path}' failed`, {
        first: error.data["first"] ?? error.message,
      });
    }
  }

  /** Realises everything the derivation needs; gives the outputs of its input derivations. */
  async #inputs(drvPath: StorePath, derivation: Derivation): Promise<Map<StorePath, Outputs>> {
    const entries = [...derivation.inputDerivations].sort((left, right) => compareGoals(left[0], right[0]));
    const sources = derivation.inputSources.map((path) => this.#goal(path, false));
    const results = await Promise.allSettled([
      ...entries.map(([input, { outputs }]) => this.#derivation(input, outputs)),
      ...sources,
    ]);
    const failures = results.filter((result) => result.status === "rejected");
    if (failures.length > 0) throw dependencyFailure(drvPath, derivation, failures);
    return new Map(entries.map(([input], index) => [input, (results[index] as PromiseFulfilledResult<Outputs>).value]));
  }

  async #run(facts: BuildFacts, check: boolean): Promise<Outputs> {
    this.#checkCancelled();
    if (this.#over) throw new BuildError("skipped", `'${facts.drvPath}' was not begun`);
    const log: Uint8Array[] = [];
    const onLog = (bytes: Uint8Array) => {
      log.push(bytes.slice());
      this.#emit({ kind: "log", drvPath: facts.drvPath, bytes });
    };
    let wordless = false;
    try {
      refuseWish(facts);
      const [means, raw] = await this.#produce(facts, check, onLog);
      wordless = means === "recipe";
      return await this.#register(facts, check, means, raw);
    } catch (error) {
      throw this.#quoted(facts, error, joined(log));
    } finally {
      if (!wordless) await this.#store.addLog(facts.drvPath, joined(log));
    }
  }

  /** The end of the log in the message of a build that failed in its own words. */
  #quoted({ drvPath }: BuildFacts, error: unknown, log: Uint8Array): unknown {
    if (!(error instanceof BuildError) || !["exit", "signal"].includes(error.code)) return error;
    const lines = logTail(log, this.#options.logLines ?? 0);
    if (lines.length === 0) return error;
    const quote = lines.map((line) => `\n> ${line}`.trimEnd()).join("");
    const message = `${error.message}\nLast ${lines.length} log lines:${quote}\nFor full logs, run:\n  nix log ${drvPath}`;
    return new BuildError(error.code, message, error.data);
  }

  /** The outputs as the recipe, the `builtin:` builder or the real builder leaves them. */
  async #produce(facts: BuildFacts, check: boolean, onLog: (bytes: Uint8Array) => void): Promise<[Means, RawOutput[]]> {
    const { derivation, drvPath } = facts;
    const scratch = scratchPaths(facts);
    const whole = (trees: ReadonlyMap<string, SourceTree>) =>
      Array.from(trees, ([name, tree]) => rawOutput(name, scratch, tree));
    if (derivation.builder.startsWith("builtin:")) {
      this.#emit({ kind: "start", path: drvPath, means: "builtin" });
      const { tools = {}, signal } = this.#options;
      const trees = await runBuiltin(derivation, scratch, this.#store, tools, signal).catch((error: unknown) => {
        throw builtinFailure(facts, error, onLog);
      });
      return ["builtin", whole(trees)];
    }
    const made = check ? undefined : await this.#runRecipe(facts, scratch, onLog);
    if (made !== undefined) return ["recipe", whole(new Map([["out", made]]))];
    this.#emit({ kind: "start", path: drvPath, means: "build" });
    return ["build", await this.#runBuilder(facts, check, scratch, onLog)];
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

  async #runBuilder(
    facts: BuildFacts,
    check: boolean,
    scratch: Outputs,
    onLog: (bytes: Uint8Array) => void,
  ): Promise<RawOutput[]> {
    const { builder, signal, timeout, maxSilent } = this.#options;
    const { derivation } = facts;
    if (builder === undefined || !builder.systems.includes(derivation.system)) throw platformMismatch(facts, builder);
    const fixedOutput = derivationKind(derivation) === "fixed";
    const graphs = await exportGraphs(derivation, this.#store);
    const process = describeProcess(derivation, scratch, {
      storeDir: facts.storeDir,
      cores: this.#options.cores ?? 1,
      fixedOutput,
      graphs,
      structuredGraphs: structuredGraphs(derivation, this.#store),
    });
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
          again: check,
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

  async #register(facts: BuildFacts, check: boolean, means: Means, raw: readonly RawOutput[]): Promise<Outputs> {
    const judged = judgeOutputs(facts, raw);
    const infos = new Map(judged.map((item) => [item.name, item.registration.info]));
    checkOutputs(facts.drvPath, facts.derivation, infos, (path) => this.#store.info(path));
    const outputs = new Map(judged.map((item) => [item.name, item.registration.info.path]));
    if (check) {
      await this.#compare(facts, judged);
      this.#emit({ kind: "done", path: facts.drvPath, means, outputs: [...outputs.values()] });
      return outputs;
    }
    const blobs = new Map(judged.flatMap((item) => [...item.blobs]));
    // Before they are there, so that no collection comes in between.
    await this.#hold([...outputs.values()]);
    await this.#store.register(
      judged.map((item) => item.registration),
      (sha256) => blobs.get(sha256) as Uint8Array,
    );
    await this.#rememberRealisations(facts.drvPath, outputs);
    this.built.push(facts.drvPath);
    this.#emit({ kind: "done", path: facts.drvPath, means, outputs: [...outputs.values()] });
    return outputs;
  }

  /** @throws BuildError "output" when the second build of an output gave other bytes, or another content address */
  async #compare({ drvPath, derivation }: BuildFacts, judged: readonly JudgedOutput[]): Promise<void> {
    for (const { name, registration, blobs } of judged) {
      const declared = derivation.outputs.get(name);
      const path =
        (declared && (await outputPath(this.#store, this.#hashes, drvPath, name, declared))) ?? registration.info.path;
      const known = this.#store.info(path);
      if (known === undefined || known.narHash === registration.info.narHash) continue;
      const readFirst = (sha256: string) => this.#store.blob(sha256);
      const readSecond = async (sha256: string) => blobs.get(sha256) as Uint8Array;
      const found = await differences(
        { tree: await this.#store.tree(path), read: readFirst },
        { tree: registration.tree, read: readSecond },
      );
      this.#emit({ kind: "differs", path, differences: found });
      const message = `derivation '${drvPath}' may not be deterministic: output "${path}" differs`;
      throw new BuildError("output", message, { exit: 104 });
    }
  }

  async #rememberRealisations(drvPath: StorePath, outputs: Outputs): Promise<void> {
    const original = await this.#store.derivation(drvPath);
    const unknown = [...outputs].filter(([name]) => original.outputs.get(name)?.path === "");
    if (unknown.length === 0) return;
    const realisations = unknown.map(async ([name, outPath]) => ({
      id: await this.#hashes.realisationId(drvPath, name),
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

/**
 * At most so many builds at once. Who is to begin is decided when nobody is still finding out what it needs, and by name: so the order is the
 * same whatever the store's disk took how long for.
 */
class Slots {
  #free: number;
  #preparing = 0;
  readonly #waiting: { readonly path: StorePath; readonly begin: () => void }[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Nobody begins until the function that this gives is called. */
  prepare(): () => void {
    this.#preparing++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#preparing--;
      this.#grant();
    };
  }

  /** `prepared` is called once this build is among those that wait. */
  async run<Result>(path: StorePath, prepared: () => void, body: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ path, begin: resolve });
      prepared();
    });
    try {
      return await body();
    } finally {
      this.#free++;
      this.#grant();
    }
  }

  #grant(): void {
    if (this.#preparing > 0) return;
    this.#waiting.sort((left, right) => compareGoals(left.path, right.path));
    while (this.#free > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#free--;
      next.begin();
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

function dependencyFailure(
  drvPath: StorePath,
  derivation: Derivation,
  failures: readonly PromiseRejectedResult[],
): Error {
  const reasons = failures.map(({ reason }) => reason as unknown);
  const bug = reasons.find((reason) => !(reason instanceof BuildError));
  if (bug instanceof Error) return bug;
  const errors = reasons as readonly BuildError[];
  const cancelled = errors.find(({ code }) => code === "cancelled");
  if (cancelled !== undefined) return cancelled;
  const real = errors.filter(({ code }) => code !== "skipped");
  if (real.length === 0) return errors[0] as BuildError;
  const count = real.length === 1 ? "1 dependency failed" : `${real.length} dependencies failed`;
  const first = real[0] as BuildError;
  return new BuildError("dependency", cannotBuild(drvPath, derivation, count), {
    first: first.data["first"] ?? first.message,
  });
}

/** What Nix's exit code says of a failure: 4 a build, 1 its time, 2 its hash, 8 its second build. */
function failureBits({ data, code }: BuildError): number {
  const exit = Number(data["exit"] ?? (code === "timeout" || code === "silent" ? 101 : 1));
  return exit === 1 ? 0 : exit & 15;
}

const exitCode = (bits: number): number => (bits === 0 ? 1 : 0x60 | bits);

const nameWithOutputs = (goal: Goal): string =>
  typeof goal === "string" ? goal : `${goal.drvPath}^${goal.outputs.length === 0 ? "*" : goal.outputs.join(",")}`;

const pathOf = (goal: Goal): StorePath => (typeof goal === "string" ? goal : goal.drvPath);

/** The order in which Nix begins: by name. */
function compareGoals(left: StorePath, right: StorePath): number {
  const [a, b] = [nameOf(left), nameOf(right)];
  if (a !== b) return a < b ? -1 : 1;
  return left < right ? -1 : 1;
}

const CHECK_HINT =
  "Hint: --rebuild and --check error if the derivation was not previously built and cannot be substituted.\n" +
  "      Remove it to perform a fresh build, or use --repair to rewrite missing or corrupted builds in the store.";

/** What the machine has of Nix's `system-features`. */
const FEATURES = ["benchmark", "big-parallel", "ca-derivations", "nixos-test", "uid-range"];

/** @throws BuildError for what a derivation asks for and cannot have here */
function refuseWish({ drvPath, derivation }: BuildFacts): void {
  const wish = wishes(derivation);
  if (wish.noSandbox) {
    const message = `derivation '${drvPath}' has '__noChroot' set, but that's not allowed when 'sandbox' is 'true'`;
    throw new BuildError("unsupported", message, { exit: 1 });
  }
  if (wish.features.every((feature) => FEATURES.includes(feature))) return;
  const lines = [
    `Required features: {${[...wish.features].sort().join(", ")}}`,
    `Available features: {${FEATURES.join(", ")}}`,
  ];
  const message = `Cannot build '${drvPath}'.\nReason: missing system features\n${lines.join("\n")}`;
  throw new BuildError("unsupported", message, { exit: 100 });
}

function wishes({ env }: Derivation): { readonly noSandbox: boolean; readonly features: readonly string[] } {
  const structured = env.get("__json");
  if (structured === undefined) {
    return { noSandbox: env.get("__noChroot") === "1", features: words(env.get("requiredSystemFeatures") ?? "") };
  }
  const attributes = JSON.parse(structured) as {
    readonly ["__noChroot"]?: boolean;
    readonly requiredSystemFeatures?: readonly string[];
  };
  return { noSandbox: attributes["__noChroot"] === true, features: attributes.requiredSystemFeatures ?? [] };
}

/** A `builtin:` builder fails as a process would: its error is the log, and its exit code 1. */
function builtinFailure(facts: BuildFacts, error: unknown, onLog: (bytes: Uint8Array) => void): unknown {
  if (!(error instanceof BuildError || error instanceof StoreError)) return error;
  if (error instanceof BuildError && error.code === "cancelled") return error;
  onLog(toBytes(`error: ${error.message}\n`));
  return withOutputs(facts, new BuildError("exit", error.message, { status: 1 }));
}

function platformMismatch({ drvPath, derivation }: BuildFacts, builder: Builder | undefined): BuildError {
  const here = builder?.systems[0] ?? "builtin";
  const message = `Cannot build '${drvPath}'.\nReason: platform mismatch\nRequired system: '${derivation.system}'\nCurrent system: '${here}'`;
  return new BuildError("unsupported", message, { exit: 100 });
}

function missingOutput({ drvPath }: BuildFacts, name: string, scratch: Outputs): BuildError {
  const message = `builder for '${drvPath}' failed to produce output path for output '${name}' at "${chrootPath(drvPath, scratch.get(name) ?? "")}"`;
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
