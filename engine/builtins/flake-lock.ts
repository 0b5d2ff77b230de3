/**
 * `flake.lock`: the graph of a flake's inputs, each pinned. Reading checks the form and the version; nothing here fetches.
 */
import { NixError } from "#engine/eval/error.ts";
import { JsonError, parseJson } from "./json-parse.ts";
import { printFlakeRef, type InputAttr, type InputAttrs } from "./flake-ref.ts";

/** An input of a node: the key of another node, or a path of input names from the root (`follows`). */
export type LockEdge = string | readonly string[];

export interface LockNode {
  /** What `flake.nix` asks for; absent at the root. */
  readonly original: InputAttrs | undefined;
  /** What that is pinned to; absent at the root. */
  readonly locked: InputAttrs | undefined;
  /** False for inputs that are only a source tree. */
  readonly isFlake: boolean;
  /** For relative paths: the input path of the flake they are relative to. */
  readonly parent: readonly string[] | undefined;
  readonly inputs: ReadonlyMap<string, LockEdge>;
}

export interface LockFile {
  readonly root: string;
  readonly nodes: ReadonlyMap<string, LockNode>;
}

export const emptyLock: LockFile = {
  root: "root",
  nodes: new Map([
    ["root", { original: undefined, locked: undefined, isFlake: true, parent: undefined, inputs: new Map() }],
  ]),
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A lock file's graph. `text` is a byte string, `path` is for messages.
 * @throws NixError when it is not JSON, of another version, or refers to a node that is not there
 */
export function parseLockFile(text: string, path: string): LockFile {
  const json = readJson(text, path);
  const version = json["version"];
  if (typeof version !== "number" || version < 5 || version > 7) {
    throw new NixError("eval", `lock file '${path}' has unsupported version ${String(version)}`);
  }
  const nodes = new Map<string, LockNode>();
  for (const [key, node] of Object.entries(objectAt(json, "nodes", path))) nodes.set(key, parseNode(node, path));
  const { root } = json;
  if (typeof root !== "string" || !nodes.has(root)) throw malformed(path, "root");
  for (const node of nodes.values()) {
    for (const edge of node.inputs.values()) {
      if (typeof edge === "string" && !nodes.has(edge)) {
        throw new NixError("eval", `lock file references missing node '${edge}'`);
      }
    }
  }
  return { root, nodes };
}

function readJson(text: string, path: string): Json {
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch {
    throw new NixError("eval", `Could not parse '${path}': ${jsonProblem(text)}`);
  }
  throw new NixError("eval", `while parsing the lock file at '${path}': it is not a JSON object`);
}

function jsonProblem(text: string): string {
  try {
    parseJson(text);
  } catch (thrown) {
    if (thrown instanceof JsonError) return thrown.message;
    throw thrown;
  }
  return "it is not JSON";
}

const malformed = (path: string, name: string): NixError =>
  new NixError("eval", `while parsing the lock file at '${path}': attribute '${name}' is missing or has a wrong type`);

function objectAt(json: Json, name: string, path: string): Json {
  const value = json[name];
  if (isObject(value)) return value;
  throw malformed(path, name);
}

function parseNode(json: unknown, path: string): LockNode {
  if (!isObject(json)) throw malformed(path, "nodes");
  const { flake, parent } = json;
  const inputs = json["inputs"] === undefined ? {} : objectAt(json, "inputs", path);
  return {
    original: attrsAt(json, "original", path),
    locked: attrsAt(json, "locked", path),
    isFlake: flake !== false,
    parent: Array.isArray(parent) ? parent.map(String) : undefined,
    inputs: new Map(
      Object.entries(inputs).map(([name, edge]): [string, LockEdge] => [
        name,
        Array.isArray(edge) ? edge.map(String) : String(edge),
      ]),
    ),
  };
}

function attrsAt(json: Json, name: string, path: string): InputAttrs | undefined {
  if (json[name] === undefined) return undefined;
  const attrs = new Map<string, InputAttr>();
  for (const [key, value] of Object.entries(objectAt(json, name, path))) {
    if (typeof value === "number") attrs.set(key, BigInt(value));
    else if (typeof value === "string" || typeof value === "boolean") attrs.set(key, value);
    else throw malformed(path, name);
  }
  return attrs;
}

/** The key a path of input names leads to from the root. */
export function findInput(lock: LockFile, path: readonly string[], seen: ReadonlySet<string> = new Set()): string {
  const text = path.join("/");
  if (seen.has(text)) throw new NixError("eval", `follow cycle detected: [${[...seen, text].join(" -> ")}]`);
  let key = lock.root;
  for (const name of path) {
    const edge = lock.nodes.get(key)!.inputs.get(name);
    if (edge === undefined) throw new NixError("eval", `input '${text}' follows a non-existent input '${name}'`);
    key = typeof edge === "string" ? edge : findInput(lock, edge, new Set([...seen, text]));
  }
  return key;
}

/** Do two inputs ask for the same? */
export function sameInput(left: InputAttrs | undefined, right: InputAttrs | undefined): boolean {
  if (left === undefined || right === undefined || left.size !== right.size) return false;
  return [...left].every(([name, value]) => right.get(name) === value);
}

/** A lock file's graph as JSON data, with Nix's names for its nodes. */
export function lockJson(lock: LockFile): unknown {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const nodes: Record<string, unknown> = {};
  const add = (key: string, wanted: string): string => {
    const known = names.get(key);
    if (known !== undefined) return known;
    const name = freeName(wanted, taken);
    names.set(key, name);
    const { inputs, isFlake, original, locked, parent } = lock.nodes.get(key)!;
    const edges = sorted(inputs).map(([input, edge]) => [input, typeof edge === "string" ? add(edge, input) : edge]);
    const isRoot = key === lock.root;
    nodes[name] = {
      ...(isFlake ? {} : { flake: false }),
      ...(edges.length === 0 ? {} : { inputs: Object.fromEntries(edges) }),
      ...(isRoot || locked === undefined ? {} : { locked: attrsJson(locked) }),
      ...(isRoot || original === undefined ? {} : { original: attrsJson(original) }),
      ...(parent === undefined ? {} : { parent }),
    };
    return name;
  };
  add(lock.root, "root");
  return { nodes: Object.fromEntries(sorted(new Map(Object.entries(nodes)))), root: "root", version: 7 };
}

/** The bytes of `flake.lock`. */
export const printLockFile = (lock: LockFile): string => `${JSON.stringify(lockJson(lock), undefined, 2)}\n`;

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
  taken.add(name);
  return name;
}

const sorted = <T>(entries: ReadonlyMap<string, T>): [string, T][] =>
  [...entries].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));

/** The attributes of an input as JSON data. */
export const attrsJson = (attrs: InputAttrs): Record<string, string | number | boolean> =>
  Object.fromEntries(
    sorted(attrs).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value] as const),
  );

/** An input of some depth: what it is pinned to, or what it follows. */
type Pin = LockNode | readonly string[];

const isFollows = (pin: Pin): pin is readonly string[] => Array.isArray(pin);

/** Every input of a lock file by its path, in order. */
function allInputs(lock: LockFile): Map<string, Pin> {
  const all = new Map<string, Pin>();
  const visit = (key: string, path: readonly string[]): void => {
    for (const [name, edge] of sorted(lock.nodes.get(key)!.inputs)) {
      const inner = [...path, name];
      all.set(inner.join("/"), typeof edge === "string" ? lock.nodes.get(edge)! : edge);
      if (typeof edge === "string") visit(edge, inner);
    }
  };
  visit(lock.root, []);
  return all;
}

const bullet = "\xe2\x80\xa2";
const arrow = "\xe2\x86\x92";

/** What changed between two lock files, as Nix tells it: a line or two an input; empty when nothing did. */
export function describeLockChange(before: LockFile, after: LockFile): string {
  const old = allInputs(before);
  const now = allInputs(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort(comparePaths);
  return paths.map((path) => describePin(path, old.get(path), now.get(path))).join("");
}

function describePin(path: string, old: Pin | undefined, now: Pin | undefined): string {
  if (old === undefined) return `${bullet} Added input '${path}':\n    ${printPin(now!)}\n`;
  if (now === undefined) return `${bullet} Removed input '${path}'\n`;
  if (samePin(old, now)) return "";
  return `${bullet} Updated input '${path}':\n    ${printPin(old)}\n  ${arrow} ${printPin(now)}\n`;
}

function samePin(left: Pin, right: Pin): boolean {
  if (isFollows(left) || isFollows(right)) {
    return isFollows(left) && isFollows(right) && left.join("/") === right.join("/");
  }
  return sameInput(left.locked, right.locked);
}

function printPin(pin: Pin): string {
  if (isFollows(pin)) return `follows '${pin.join("/")}'`;
  const seconds = pin.locked!.get("lastModified");
  const date = typeof seconds === "bigint" ? ` (${new Date(Number(seconds) * 1000).toISOString().slice(0, 10)})` : "";
  return `'${printFlakeRef(pin.locked!)}'${date}`;
}

/** Paths by their elements. */
const comparePaths = (left: string, right: string): number => {
  const [a, b] = [left.replaceAll("/", "\0"), right.replaceAll("/", "\0")];
  return a < b ? -1 : a > b ? 1 : 0;
};
