/**
 * `builtins.getFlake`: fetching a flake, pinning its inputs by its lock file (and afresh where that says nothing), and calling its
 * outputs. The lock file is never written here; under pure evaluation everything must already be pinned.
 */
import type { EvalContext } from "#engine/eval/context.ts";
import { NixError, addTrace } from "#engine/eval/error.ts";
import { Keys } from "#engine/eval/keys.ts";
import { canonPath } from "#engine/eval/canon-path.ts";
import { attributePos } from "#engine/eval/positions.ts";
import { printPos } from "#engine/eval/print.ts";
import { Attrs, Lambda, isInt, isString, textOf } from "#engine/eval/value.ts";
import type { Slot, Value } from "#engine/eval/value.ts";
import { demand } from "./demand.ts";
import { fetchInput, treeSet } from "./fetch.ts";
import type { FetchedTree } from "./fetch.ts";
import { describeLockChange, emptyLock, findInput, parseLockFile, sameInput } from "./flake-lock.ts";
import type { LockEdge, LockFile, LockNode } from "./flake-lock.ts";
import { inputSet } from "./flake.ts";
import { checkInput, isLocked, parseFlakeRef, printFlakeRef } from "./flake-ref.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";
import { attrsOf } from "./json-parse.ts";
import { arg, builtin, call } from "./record.ts";
import type { BuiltinFamily, Routine } from "./record.ts";

/** Calls every node's outputs with the results of its inputs. Its argument is `{ root, nodes }`; see `nodeSet`. */
const CALLER = `
{ root, nodes }:
let
  sourceOf = node:
    node.sourceInfo or (
      if node ? relative then
        let parent = results.\${node.relative.parent}; in
        parent.sourceInfo // { outPath = parent.outPath + "/" + node.relative.path; }
      else
        builtins.fetchTree node.locked
    );
  resultOf = key: node:
    let
      sourceInfo = sourceOf node;
      outPath = if node.dir == "" then sourceInfo.outPath else sourceInfo.outPath + "/" + node.dir;
      flake = import (outPath + "/flake.nix");
      inputs = builtins.mapAttrs (name: target: results.\${target}) node.inputs;
      outputs = flake.outputs (inputs // { self = result; });
      result = outputs // sourceInfo // {
        inherit inputs outputs outPath sourceInfo;
        _type = "flake";
      };
    in
    if node.isFlake then
      assert builtins.isFunction flake.outputs;
      result
    else
      sourceInfo // { inherit outPath sourceInfo; };
  results = builtins.mapAttrs resultOf nodes;
in
results.\${root}
`;

const error = (message: string): NixError => new NixError("eval", message);

/** An input as `flake.nix` declares it. */
interface FlakeInput {
  readonly ref: InputAttrs | undefined;
  readonly isFlake: boolean;
  readonly follows: readonly string[] | undefined;
  /** Changes to the inputs of this input, by name. */
  readonly overrides: ReadonlyMap<string, FlakeInput>;
}

/** A flake that was fetched, with what its file declares. */
export interface Flake {
  readonly tree: FetchedTree;
  readonly dir: string;
  readonly description: string | undefined;
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  readonly lock: LockFile;
}

/** A node of the graph that is called: a lock node, and the tree where it was fetched already. */
interface GraphNode extends LockNode {
  readonly tree?: FetchedTree | undefined;
}

function splitDir(ref: InputAttrs): { input: Map<string, InputAttr>; dir: string } {
  const input = new Map(ref);
  const dir = input.get("dir");
  input.delete("dir");
  return { input, dir: typeof dir === "string" ? dir : "" };
}

const withDir = (attrs: InputAttrs, dir: string): InputAttrs =>
  dir === "" ? attrs : new Map([...attrs, ["dir", dir]]);

/** What a fetched flake is pinned to. */
export const lockedRef = ({ tree, dir }: Flake): InputAttrs => withDir(tree.attrs, dir);

function* readFlake(ref: InputAttrs, context: EvalContext): Routine<Flake> {
  const { input, dir } = splitDir(ref);
  checkInput(input);
  return yield* readFlakeIn(fetchInput(input, context), dir, printFlakeRef(ref), context);
}

function* readFlakeIn(tree: FetchedTree, dir: string, shown: string, context: EvalContext): Routine<Flake> {
  const folder = canonPath(`${tree.storePath}/${dir}`);
  const file = `${folder}/flake.nix`;
  if (context.io.lstat(file) === undefined) throw new NixError("io", `path '${file}' does not exist`);
  const value = yield* context.importFile(file);
  if (!(value instanceof Attrs)) throw error(`file '${file}' must be an attribute set`);
  const inputs = yield* declaredInputs(value, shown);
  const lockPath = `${folder}/flake.lock`;
  const hasLock = context.io.lstat(lockPath) !== undefined;
  const lock = hasLock ? parseLockFile(context.io.readFile(lockPath), lockPath) : emptyLock;
  return { tree, dir, description: yield* description(value), inputs, lock };
}

function* description(flake: Attrs): Routine<string | undefined> {
  const slot = flake.get("description");
  return slot === undefined ? undefined : textOf(yield* demand(slot, "string", "while evaluating flake description"));
}

const FLAKE_ATTRIBUTES = ["description", "inputs", "nixConfig", "outputs"];

function* declaredInputs(flake: Attrs, shown: string): Routine<Map<string, FlakeInput>> {
  for (const name of flake.keys.names) {
    if (FLAKE_ATTRIBUTES.includes(name)) continue;
    const pos = attributePos(flake.positions, flake.keys, name);
    const where = pos === undefined ? "\xc2\xabnone\xc2\xbb:0" : printPos(pos);
    throw error(`flake '${shown}' has an unsupported attribute '${name}', at ${where}`);
  }
  const outputs = flake.get("outputs");
  if (outputs === undefined) throw error(`flake '${shown}' lacks attribute 'outputs'`);
  const declared = flake.get("inputs");
  const inputs =
    declared === undefined
      ? new Map<string, FlakeInput>()
      : yield* parseInputs(yield* demand(declared, "attrs", "while evaluating flake inputs"));
  const value = yield* demand(outputs, "function", "while evaluating the flake's outputs");
  if (!(value instanceof Lambda)) return inputs;
  // An argument of `outputs` that nothing declares is looked up in the registry under its name.
  for (const { name } of value.code.formals ?? []) {
    if (name !== "self" && !inputs.has(name)) inputs.set(name, indirectInput(name));
  }
  return inputs;
}

const indirectInput = (id: string): FlakeInput => ({
  ref: new Map([
    ["type", "indirect"],
    ["id", id],
  ]),
  isFlake: true,
  follows: undefined,
  overrides: new Map(),
});

function* parseInputs(set: Attrs): Routine<Map<string, FlakeInput>> {
  const inputs = new Map<string, FlakeInput>();
  for (const [index, name] of set.keys.names.entries()) {
    const value = yield* demand(set.values[index]!, "attrs", `while evaluating flake input '${name}'`);
    try {
      inputs.set(name, yield* parseInput(name, value));
    } catch (thrown) {
      throw addTrace(thrown, `in flake attribute '${name}'`, attributePos(set.positions, set.keys, name));
    }
  }
  return inputs;
}

function* parseInput(name: string, set: Attrs): Routine<FlakeInput> {
  const attrs = new Map<string, InputAttr>();
  let url: string | undefined;
  let isFlake = true;
  let follows: readonly string[] | undefined;
  let overrides: ReadonlyMap<string, FlakeInput> = new Map();
  for (const [index, key] of set.keys.names.entries()) {
    const slot = set.values[index]!;
    if (key === "url") url = textOf(yield* demand(slot, "string", "while evaluating the input's url"));
    else if (key === "flake") isFlake = yield* demand(slot, "bool", "while evaluating the input's flake attribute");
    else if (key === "inputs") overrides = yield* parseInputs(yield* demand(slot, "attrs", ""));
    else if (key === "follows") {
      const path = textOf(yield* demand(slot, "string", "while evaluating what the input follows"));
      follows = path === "" ? [] : path.split("/");
    } else {
      attrs.set(key, inputAttr(key, yield slot));
    }
  }
  if (attrs.has("type")) return { ref: attrs, isFlake, follows, overrides };
  if (attrs.size > 0) throw error(`unexpected flake input attribute '${[...attrs.keys()][0]!}'`);
  if (url !== undefined) return { ref: parseInputUrl(url), isFlake, follows, overrides };
  const ref = follows === undefined ? indirectInput(name).ref : undefined;
  return { ref, isFlake, follows, overrides };
}

/** A reference in a `flake.nix`, where paths may be relative to the flake. */
function parseInputUrl(url: string): InputAttrs {
  const isRelative = url === "." || url.startsWith("./") || url.startsWith("../");
  return parseFlakeRef(isRelative ? `path:${url}` : url);
}

function inputAttr(name: string, value: Value): InputAttr {
  if (typeof value === "boolean") return value;
  if (isString(value)) return textOf(value);
  if (isInt(value)) return BigInt(value);
  throw error(`flake input attribute '${name}' is neither a string, a Boolean nor an integer`);
}

const isRelativePath = (ref: InputAttrs): boolean =>
  ref.get("type") === "path" && !String(ref.get("path")).startsWith("/");

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
}

/** A flake with all its inputs pinned. */
export interface LockedFlake {
  readonly flake: Flake;
  readonly lock: LockFile;
}

/** The graph of everything a flake needs, as it is built up. */
class Graph {
  readonly nodes = new Map<string, GraphNode>();
  readonly #context: EvalContext;
  readonly #options: LockOptions;
  #count = 0;

  constructor(context: EvalContext, options: LockOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Adds a flake at an input path; gives its key. `overrides` are those its user declares. */
  *addFlake(flake: Flake, path: readonly string[], overrides: Overrides): Routine<string> {
    const key = this.#newKey(path);
    const inputs = new Map<string, LockEdge>();
    const base = { original: undefined, locked: flake.tree.attrs, isFlake: true, parent: undefined };
    this.nodes.set(key, { ...base, inputs, tree: flake.tree });
    const locked = flake.lock.nodes.get(flake.lock.root)!;
    for (const [name, declared] of flake.inputs) {
      const wanted = merge({ input: declared, owner: path }, overrides.inputs.get(name), overrides.owner);
      inputs.set(name, yield* this.#addInput(wanted, [...path, name], locked.inputs.get(name), flake, path));
    }
    return key;
  }

  *#addInput(
    { input, owner: declaredBy }: Declared,
    path: readonly string[],
    edge: LockEdge | undefined,
    flake: Flake,
    owner: readonly string[],
  ): Routine<LockEdge> {
    // What an input follows is named from the flake that says so.
    if (input.follows !== undefined) return [...declaredBy, ...input.follows];
    const overrides = { inputs: input.overrides, owner: declaredBy };
    const wanted = input.ref!;
    const changed = this.#options.overrides.get(path.join("/"));
    const ref = changed ?? wanted;
    const old = typeof edge === "string" && changed === undefined ? flake.lock.nodes.get(edge) : undefined;
    const isCurrent = old !== undefined && sameInput(old.original, wanted) && !this.#isUpdated(path);
    if (isCurrent && agrees(old, input, flake.lock)) return this.#copyLocked(edge as string, flake.lock, path, owner);
    if (isRelativePath(ref)) return yield* this.#addRelative(input, path, flake, overrides);
    if (!this.#options.allowUnlocked && !isLocked(ref)) {
      throw error(`cannot update unlocked flake input '${path.join("/")}' in pure mode`);
    }
    const pinned = isCurrent ? old.locked! : ref;
    if (input.isFlake) {
      const inner = yield* readFlake(pinned, this.#context);
      const key = yield* this.addFlake(inner, path, overrides);
      this.nodes.set(key, { ...this.nodes.get(key)!, original: wanted, locked: lockedRef(inner) });
      return key;
    }
    const key = this.#newKey(path);
    const { input: attrs, dir } = splitDir(pinned);
    const tree = fetchInput(attrs, this.#context);
    const inputs = new Map<string, LockEdge>();
    const locked = withDir(tree.attrs, dir);
    this.nodes.set(key, { original: wanted, locked, isFlake: false, parent: undefined, inputs, tree });
    return key;
  }

  #isUpdated(path: readonly string[]): boolean {
    return this.#options.updateAll || this.#options.updates.has(path.join("/"));
  }

  /** An input inside its owner's own tree. */
  *#addRelative(input: FlakeInput, path: readonly string[], flake: Flake, overrides: Overrides): Routine<LockEdge> {
    const inside = canonPath(`/${flake.dir}/${String(input.ref!.get("path"))}`).slice(1);
    const tree = flake.tree;
    if (input.isFlake) {
      const inner = yield* readFlakeIn(tree, inside, printFlakeRef(input.ref!), this.#context);
      const key = yield* this.addFlake(inner, path, overrides);
      this.nodes.set(key, { ...this.nodes.get(key)!, locked: new Map([...tree.attrs, ["dir", inside]]) });
      return key;
    }
    const key = this.#newKey(path);
    const inputs = new Map<string, LockEdge>();
    this.nodes.set(key, {
      original: undefined,
      locked: input.ref,
      isFlake: false,
      parent: path.slice(0, -1),
      inputs,
      tree: undefined,
    });
    return key;
  }

  /** Takes over a node of a lock file, with everything below it. Its paths start at the lock file's owner. */
  #copyLocked(from: string, lock: LockFile, path: readonly string[], owner: readonly string[]): string {
    const key = this.#newKey(path);
    const node = lock.nodes.get(from)!;
    const inputs = new Map<string, LockEdge>();
    const parent = node.parent === undefined ? undefined : [...owner, ...node.parent];
    this.nodes.set(key, { ...node, parent, inputs, tree: undefined });
    for (const [name, edge] of node.inputs) {
      inputs.set(
        name,
        typeof edge === "string" ? this.#copyLocked(edge, lock, [...path, name], owner) : [...owner, ...edge],
      );
    }
    return key;
  }

  #newKey(path: readonly string[]): string {
    return path.length === 0 ? "root" : `${path.at(-1)!}-${++this.#count}`;
  }
}

/** Does a lock file's node already have what its user changes of its inputs? */
function agrees(node: LockNode, { overrides }: FlakeInput, lock: LockFile): boolean {
  return [...overrides].every(([name, { follows, ref }]) => {
    const edge = node.inputs.get(name);
    if (follows !== undefined) return Array.isArray(edge) && edge.join("/") === follows.join("/");
    return typeof edge === "string" && sameInput(lock.nodes.get(edge)!.original, ref);
  });
}

/** An input with the input path of the flake that declares it so. */
interface Declared {
  readonly input: FlakeInput;
  readonly owner: readonly string[];
}

/** What a flake's user changes of its inputs, and the input path of that user. */
interface Overrides {
  readonly inputs: ReadonlyMap<string, FlakeInput>;
  readonly owner: readonly string[];
}

function merge(declared: Declared, override: FlakeInput | undefined, owner: readonly string[]): Declared {
  if (override === undefined) return declared;
  const ref = override.ref ?? declared.input.ref;
  return { input: { ...override, ref, isFlake: declared.input.isFlake && override.isFlake }, owner };
}

const graphKeys = new Keys(["nodes", "root"]);

/** A node as the caller takes it. */
function nodeSet(node: GraphNode, graph: LockFile): Attrs {
  const { input, dir } = splitDir(node.locked ?? new Map());
  const inputs = [...node.inputs].map(([name, edge]): [string, Slot] => [
    name,
    typeof edge === "string" ? edge : findInput(graph, edge),
  ]);
  const members = new Map<string, Slot>([
    ["dir", dir],
    ["inputs", attrsOf(new Map(inputs))],
    ["isFlake", node.isFlake],
  ]);
  if (node.tree !== undefined) members.set("sourceInfo", treeSet(node.tree, false));
  else if (node.parent !== undefined || isRelativePath(input)) {
    const parent = findInput(graph, node.parent ?? []);
    const path = String(input.get("path"));
    members.set(
      "relative",
      attrsOf(
        new Map<string, Slot>([
          ["parent", parent],
          ["path", path],
        ]),
      ),
    );
  } else {
    members.set("locked", inputSet(input));
  }
  return attrsOf(members);
}

/** Fetches a flake and pins its inputs: by its lock file, and afresh where that says nothing or `options` ask for it. */
export function* lockFlake(ref: InputAttrs, context: EvalContext, options: LockOptions): Routine<LockedFlake> {
  const graph = new Graph(context, options);
  const flake = yield* readFlake(ref, context);
  const root = yield* graph.addFlake(flake, [], { inputs: new Map(), owner: [] });
  graph.nodes.set(root, { ...graph.nodes.get(root)!, locked: lockedRef(flake) });
  return { flake, lock: { root, nodes: graph.nodes } };
}

/** The result of a flake: its outputs with `inputs`, `outputs`, `sourceInfo` and what is known of its version. */
export function* callFlake({ lock }: LockedFlake, context: EvalContext): Routine<Slot> {
  const members = [...lock.nodes].map(([key, node]): [string, Slot] => [key, nodeSet(node as GraphNode, lock)]);
  const caller = yield* context.evaluateText(CALLER, "\xc2\xabflake-internal\xc2\xbb/call-flake.nix", "/");
  return yield call(caller, [new Attrs(graphKeys, [attrsOf(new Map(members)), lock.root])]);
}

function* getFlake(ref: InputAttrs, context: EvalContext): Routine<Slot> {
  const options = {
    allowUnlocked: !context.settings.pureEval,
    updateAll: false,
    updates: new Set<string>(),
    overrides: new Map<string, InputAttrs>(),
  };
  const locked = yield* lockFlake(ref, context, options);
  const change = describeLockChange(locked.flake.lock, locked.lock).trimEnd();
  if (change !== "") context.warn(`not writing modified lock file of flake '${printFlakeRef(ref)}':\n${change}`);
  return yield* callFlake(locked, context);
}

export const getFlakeBuiltins: BuiltinFamily = [
  builtin({
    name: "getFlake",
    args: [arg("flake-ref", "lazy")],
    doc: 'Fetches a flake and gives its outputs, with `inputs`, `sourceInfo` and others beside them: `(getFlake "github:a/b/REV").packages`. Needs the experimental feature `flakes`; under pure evaluation the reference must be locked.',
    *routine([slot], context) {
      context.requireFeature("flakes");
      const text = yield* demand(slot, "plain", "while evaluating the argument passed to builtins.getFlake");
      const ref = parseFlakeRef(text);
      if (context.settings.pureEval && !isLocked(ref)) {
        const where = "\xc2\xabnone\xc2\xbb:0";
        const message = `cannot call 'getFlake' on unlocked flake reference '${text}', at ${where} (use --impure to override)`;
        throw new NixError("restricted", message);
      }
      return yield* getFlake(ref, context);
    },
  }),
];
