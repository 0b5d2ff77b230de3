/**
 * Pinning a flake's inputs: from its lock file where that still says what `flake.nix` asks for, afresh otherwise. Nothing is written here.
 *
 * An input's path is the names that lead to it from the root ("dep/lib"). What a flake changes of the inputs of its inputs is kept by
 * path; the outermost flake that says something wins.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { canonPath } from "#engine/eval/canon-path.ts";
import type { FetchedTree } from "./fetch.ts";
import {
  type Flake,
  type FlakeInput,
  type FlakeInputs,
  fetchRef,
  isRelative,
  readFlake,
  readFlakeIn,
} from "./flake-file.ts";
import { emptyLock, findInput, parseLockFile, sameInput } from "./flake-lock.ts";
import type { LockEdge, LockFile, LockNode } from "./flake-lock.ts";
import { isLocked, printFlakeRef } from "./flake-ref.ts";
import type { InputAttrs } from "./flake-ref.ts";
import type { RegistryUse } from "./flake-registry.ts";
import type { Routine } from "./record.ts";

/** How a lock file may change while a flake's inputs are pinned. */
export interface LockOptions {
  /** May inputs be pinned that are not in the lock file yet? */
  readonly allowUnlocked: boolean;
  /** Pin every input afresh. */
  readonly updateAll: boolean;
  /** Inputs to pin afresh, as paths "dep/lib". */
  readonly updates: ReadonlySet<string>;
  /** Inputs to take from elsewhere, by their paths. */
  readonly overrides: ReadonlyMap<string, InputAttrs>;
  /** Which registries know what the flake itself is, and what its inputs are. */
  readonly registries: { readonly top: RegistryUse; readonly inputs: RegistryUse };
  /** Another lock file than the flake's own, to start from. */
  readonly reference?: LockFile;
}

/** Where a node's tree is, when it was fetched while pinning: `dir` below a tree. */
export interface NodePlace {
  readonly tree: FetchedTree;
  readonly dir: string;
}

/** A flake with all its inputs pinned. */
export interface LockedFlake {
  readonly flake: Flake;
  readonly lock: LockFile;
  /** What the lock file of the flake said before. */
  readonly before: LockFile;
  /** The places of nodes, by their keys. */
  readonly places: ReadonlyMap<string, NodePlace>;
  /** Is the flake's tree not what its version says, because the lock file should have changed? */
  readonly isModified?: boolean;
}

const error = (message: string): NixError => new NixError("eval", message);

/** The lock file beside a flake's file. */
export function lockFileOf({ tree, dir }: NodePlace, { io }: EvalContext): LockFile {
  const path = canonPath(`${tree.storePath}/${dir}/flake.lock`);
  const status = io.lstat(path);
  if (status === undefined) return emptyLock;
  if (status.type === "symlink") throw new NixError("io", `path '${path}' is a symlink`);
  return parseLockFile(io.readFile(path), path);
}

/** Fetches a flake and pins its inputs, as `options` ask for. */
export function* lockFlake(ref: InputAttrs, context: EvalContext, options: LockOptions): Routine<LockedFlake> {
  const flake = yield* readFlake(ref, options.registries.top, [], context);
  try {
    const before = options.reference ?? lockFileOf(flake, context);
    const locking = new Locking(context, options);
    const lock = yield* locking.lock(flake, before);
    checkFollows(lock);
    return { flake, lock, before, places: locking.places };
  } catch (thrown) {
    throw addTrace(thrown, `while updating the lock file of flake '${printFlakeRef(flake.locked)}'`);
  }
}

/** Every input that follows another must end at one. */
function checkFollows(lock: LockFile): void {
  const visit = (key: string, path: readonly string[]): void => {
    const edges = [...lock.nodes.get(key)!.inputs].sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [name, edge] of edges) {
      const inner = [...path, name];
      if (typeof edge === "string") visit(edge, inner);
      else if (edge.length > 0) findFollowed(lock, edge, inner);
    }
  };
  visit(lock.root, []);
}

function findFollowed(lock: LockFile, target: readonly string[], from: readonly string[]): void {
  try {
    findInput(lock, target);
  } catch (thrown) {
    if (thrown instanceof NixError && thrown.message.includes("non-existent")) {
      throw error(`input '${from.join("/")}' follows a non-existent input '${target.join("/")}'`);
    }
    throw thrown;
  }
}

/** What a flake, or the command line, says of an input by its path. */
interface Override {
  readonly input: FlakeInput;
  readonly place: NodePlace | undefined;
  readonly parent: readonly string[];
}

/** The node that is being filled. */
type OpenNode = LockNode & { readonly inputs: Map<string, LockEdge> };

/** How the inputs of one node are to be pinned. */
interface Scope {
  readonly key: string;
  /** The input path of the node. */
  readonly path: readonly string[];
  /** The node of the old lock file, and that file. */
  readonly old: LockNode | undefined;
  readonly oldLock: LockFile;
  /** The input path of the flake whose lock file the old node is of. */
  readonly owner: readonly string[];
  readonly place: NodePlace | undefined;
  /** May the old lock file be believed about what follows what? */
  readonly trusted: boolean;
}

class Locking {
  readonly places = new Map<string, NodePlace>();
  readonly #nodes = new Map<string, OpenNode>();
  readonly #context: EvalContext;
  readonly #options: LockOptions;
  readonly #overrides = new Map<string, Override>();
  readonly #used = new Set<string>();
  readonly #seen = new Set<string>();
  #ancestors: readonly InputAttrs[] = [];
  #count = 0;

  constructor(context: EvalContext, options: LockOptions) {
    this.#context = context;
    this.#options = options;
    for (const [path, ref] of options.overrides) {
      const input = { ref, isFlake: true, follows: undefined, overrides: new Map() };
      this.#overrides.set(path, { input, place: undefined, parent: [] });
    }
  }

  *lock(flake: Flake, before: LockFile): Routine<LockFile> {
    const root = "root";
    this.#add(root, { original: undefined, locked: undefined, isFlake: true, parent: undefined }, flake);
    yield* this.#inputs(flake.inputs, {
      key: root,
      path: [],
      old: this.#options.updateAll ? undefined : before.nodes.get(before.root),
      oldLock: before,
      owner: [],
      place: flake,
      trusted: false,
    });
    this.#warnUnused();
    return { root, nodes: this.#nodes };
  }

  #warnUnused(): void {
    for (const [path, ref] of this.#options.overrides) {
      if (this.#used.has(path)) continue;
      this.#context.warn(`the flag '--override-input ${path} ${printFlakeRef(ref)}' does not match any input`);
    }
    for (const path of this.#options.updates) {
      if (!this.#seen.has(path)) this.#context.warn(`'${path}' does not match any input of this flake`);
    }
  }

  #add(key: string, node: Omit<LockNode, "inputs">, place: NodePlace | undefined): void {
    this.#nodes.set(key, { ...node, inputs: new Map() });
    if (place !== undefined) this.places.set(key, { tree: place.tree, dir: place.dir });
  }

  /** Pins the inputs of a node. */
  *#inputs(inputs: FlakeInputs, scope: Scope): Routine<void> {
    for (const [name, input] of sorted(inputs)) this.#collect(input, [...scope.path, name], scope);
    for (const path of [...this.#overrides.keys()].sort()) {
      const names = path.split("/");
      const name = names.pop()!;
      if (names.join("/") === scope.path.join("/") && !inputs.has(name)) {
        this.#context.warn(`input '${scope.path.join("/")}' has an override for a non-existent input '${name}'`);
      }
    }
    for (const [name, input] of sorted(inputs)) {
      const path = [...scope.path, name];
      try {
        this.#nodes.get(scope.key)!.inputs.set(name, yield* this.#input(name, input, scope));
      } catch (thrown) {
        throw addTrace(thrown, `while updating the flake input '${path.join("/")}'`);
      }
    }
  }

  /** Keeps what an input's declaration says of its inputs; what was said before counts more. */
  #collect(input: FlakeInput, path: readonly string[], scope: Scope): void {
    for (const [name, inner] of sorted(input.overrides)) {
      const at = [...path, name];
      const key = at.join("/");
      const says = inner.ref !== undefined || inner.follows !== undefined;
      if (says && !this.#overrides.has(key)) {
        this.#overrides.set(key, { input: inner, place: scope.place, parent: scope.path });
      }
      this.#collect(inner, at, scope);
    }
  }

  *#input(name: string, declared: FlakeInput, scope: Scope): Routine<LockEdge> {
    const path = [...scope.path, name];
    const shown = path.join("/");
    const override = this.#overrides.get(shown);
    const isTyped = this.#options.overrides.has(shown);
    if (override !== undefined) this.#used.add(shown);
    const input = override === undefined ? declared : { ...override.input, isFlake: declared.isFlake };
    if (input.follows !== undefined) return input.follows;
    this.#seen.add(shown);
    const wanted: Wanted = {
      ref: input.ref!,
      original: isTyped && declared.ref !== undefined ? declared.ref : input.ref!,
      isFlake: input.isFlake,
      path,
      base: override === undefined ? scope.place : override.place,
      parent: isRelative(input.ref!) ? (override === undefined ? scope.path : override.parent) : undefined,
      registries: isTyped ? "all" : this.#options.registries.inputs,
    };
    const old = this.#options.updates.has(shown) ? undefined : oldNode(scope, name);
    const isKept =
      old !== undefined &&
      !isTyped &&
      sameInput(old.original, wanted.ref) &&
      samePath(old.parent === undefined ? undefined : [...scope.owner, ...old.parent], wanted.parent);
    return isKept ? yield* this.#keep(old, wanted, scope) : yield* this.#fetch(wanted);
  }

  /** Takes over a node of the old lock file; only what is below it may have to change. */
  *#keep(old: LockNode, wanted: Wanted, scope: Scope): Routine<string> {
    const key = this.#newKey(wanted.path);
    this.#add(key, { ...old, parent: wanted.parent }, undefined);
    const inner = { key, path: wanted.path, old, oldLock: scope.oldLock, owner: scope.owner };
    const inputs = this.#hasUpdateBelow(wanted.path) ? undefined : this.#knownInputs(old, wanted.path, scope);
    if (inputs !== undefined) {
      yield* this.#inputs(inputs, { ...inner, place: scope.place, trusted: true });
      return key;
    }
    const flake = yield* this.#read({ ...wanted, ref: isRelative(wanted.ref) ? wanted.ref : old.locked! });
    this.places.set(key, { tree: flake.tree, dir: flake.dir });
    yield* this.#inputs(flake.inputs, { ...inner, place: flake, trusted: false });
    return key;
  }

  #hasUpdateBelow(path: readonly string[]): boolean {
    const start = `${path.join("/")}/`;
    return [...this.#options.updates].some((update) => update.startsWith(start));
  }

  /** The inputs of a node as its lock file has them; undefined when its flake has to be asked. */
  #knownInputs(old: LockNode, path: readonly string[], scope: Scope): FlakeInputs | undefined {
    const inputs = new Map<string, FlakeInput>();
    for (const [name, edge] of old.inputs) {
      if (typeof edge === "string") {
        const { original, isFlake } = scope.oldLock.nodes.get(edge)!;
        inputs.set(name, { ref: original, isFlake, follows: undefined, overrides: new Map() });
        continue;
      }
      if (!scope.trusted && !this.#overrides.has([...path, name].join("/"))) return undefined;
      inputs.set(name, { ref: undefined, isFlake: true, follows: [...scope.owner, ...edge], overrides: new Map() });
    }
    return inputs;
  }

  /** Pins an input afresh. */
  *#fetch(wanted: Wanted): Routine<string> {
    const { ref, original, isFlake, path, parent } = wanted;
    if (!this.#options.allowUnlocked && !isLocked(ref) && !isRelative(ref)) {
      throw error(`cannot update unlocked flake input '${path.join("/")}' in pure mode`);
    }
    if (!isFlake) return this.#fetchTree(wanted);
    const flake = yield* this.#read(wanted);
    const key = this.#newKey(path);
    const locked = isRelative(ref) ? ref : flake.locked;
    this.#add(key, { original, locked, isFlake, parent }, flake);
    const circular = this.#ancestors.find((ancestor) => sameInput(ancestor, ref));
    if (circular !== undefined) throw error(`found circular import of flake '${printFlakeRef(circular)}'`);
    const before = this.#ancestors;
    this.#ancestors = [...before, ref];
    const oldLock = lockFileOf(flake, this.#context);
    const old = oldLock.nodes.get(oldLock.root);
    yield* this.#inputs(flake.inputs, { key, path, old, oldLock, owner: path, place: flake, trusted: false });
    this.#ancestors = before;
    return key;
  }

  #fetchTree(wanted: Wanted): string {
    const { ref, original, path, parent } = wanted;
    const key = this.#newKey(path);
    const { base } = wanted;
    if (isRelative(ref) && base !== undefined) {
      this.#add(key, { original, locked: ref, isFlake: false, parent }, relativePlace(base, ref));
      return key;
    }
    const found = fetchRef(ref, wanted.registries, this.#context);
    this.#add(key, { original, locked: found.locked, isFlake: false, parent }, found);
    return key;
  }

  *#read({ ref, base, registries, path }: Wanted): Routine<Flake> {
    if (!isRelative(ref) || base === undefined) return yield* readFlake(ref, registries, path, this.#context);
    const place = relativePlace(base, ref);
    const found = { original: ref, resolved: ref, locked: ref, ...place };
    return yield* readFlakeIn(found, path, this.#context);
  }

  #newKey(path: readonly string[]): string {
    return `${path.at(-1)!}-${++this.#count}`;
  }
}

/** An input as it is to be pinned. */
interface Wanted {
  readonly ref: InputAttrs;
  readonly original: InputAttrs;
  readonly isFlake: boolean;
  readonly path: readonly string[];
  /** What relative references start at. */
  readonly base: NodePlace | undefined;
  readonly parent: readonly string[] | undefined;
  readonly registries: RegistryUse;
}

/** A place inside another; of its own version nothing is known. */
function relativePlace({ tree, dir }: NodePlace, ref: InputAttrs): NodePlace {
  const relative = String(ref.get("path"));
  const inner = canonPath(`${tree.storePath}/${dir}/${relative}/${String(ref.get("dir") ?? "")}`);
  const isInside = inner === tree.storePath || inner.startsWith(`${tree.storePath}/`);
  const attrs = new Map();
  if (isInside) return { tree: { storePath: tree.storePath, attrs }, dir: inner.slice(tree.storePath.length + 1) };
  return { tree: { storePath: tree.storePath, attrs }, dir: canonRelative(tree.storePath, inner) };
}

/** The way from a folder to a path that is not below it. */
function canonRelative(folder: string, path: string): string {
  const up = folder.split("/").filter((name) => name !== "");
  return `${up.map(() => "..").join("/")}${path}`;
}

function oldNode({ old, oldLock }: Scope, name: string): LockNode | undefined {
  const edge = old?.inputs.get(name);
  return typeof edge === "string" ? oldLock.nodes.get(edge) : undefined;
}

const samePath = (left: readonly string[] | undefined, right: readonly string[] | undefined): boolean =>
  left === right || (left !== undefined && right !== undefined && left.join("/") === right.join("/"));

const sorted = <T>(entries: ReadonlyMap<string, T>): [string, T][] =>
  [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
