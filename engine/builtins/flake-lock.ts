/**
 * `flake.lock`: the graph of a flake's inputs, each pinned. Reading checks the form and the version; nothing here fetches.
 */
import { NixError } from "#engine/eval/error.ts";
import type { InputAttr, InputAttrs } from "./flake-ref.ts";

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
    // Reported below like everything that is not an object.
  }
  throw new NixError("eval", `while parsing the lock file at '${path}': it is not a JSON object`);
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
