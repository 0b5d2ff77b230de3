/**
 * Recipe: a builder script whose result is known without running it. A derivation is a recipe's when it runs
 * `busybox sh SCRIPT` and SCRIPT is the store path of a script listed here: the path contains the script's hash, so a
 * script that differs in one byte is no recipe. Each recipe's result must equal the script's, NAR hash for NAR hash.
 */
import { type ByteString, toBytes } from "../../store/format/bytes.ts";
import type { Derivation } from "../../store/format/derivation.ts";
import { baseNameOf } from "../../store/format/store-path.ts";
import type { StorePath } from "../../store/format/store-path.ts";
import {
  type FileTree,
  type SourceTree,
  type TreeNode,
  directory,
  isEntryName,
  regularFile,
} from "../../store/format/tree.ts";
import { BuildError } from "../builder.ts";

export interface RecipeInput {
  /** The derivation's variables; the ones in `passAsFile` are read as they are. */
  readonly env: ReadonlyMap<ByteString, ByteString>;
  readonly out: StorePath;
  /** The tree of an input. */
  readonly tree: (path: StorePath) => Promise<FileTree>;
  readonly storeDir: string;
}

export interface Recipe {
  /** Base name of the script's store path. */
  readonly script: string;
  /** Variables that must come as files, else the script would not find them. */
  readonly files: readonly string[];
  /** The output; undefined when the input is beyond what is known here, and the script must run after all. */
  readonly compute: (input: RecipeInput) => SourceTree | undefined | Promise<SourceTree | undefined>;
}

/** The recipe among `recipes` that makes this derivation's output, if there is one. */
export function findRecipe(recipes: readonly Recipe[], derivation: Derivation): Recipe | undefined {
  const { args, builder, env, outputs } = derivation;
  const [shell, script] = args;
  if (args.length !== 2 || shell !== "sh" || script === undefined) return undefined;
  if (!/-busybox-[^/]*\/bin\/busybox$/.test(builder) || env.get("busybox") !== builder) return undefined;
  if (outputs.size !== 1 || !outputs.has("out") || env.has("__json")) return undefined;
  const recipe = recipes.find((candidate) => candidate.script === baseNameOf(script));
  const asFiles = (env.get("passAsFile") ?? "").split(/[ \t\n]+/);
  return recipe?.files.every((name) => env.has(name) && asFiles.includes(name)) === true ? recipe : undefined;
}

/** What the script prints before it exits with 1. */
export function fail(message: string): never {
  throw new BuildError("exit", `error: ${message}`, { status: 1, log: `error: ${message}\n` });
}

/** The fields of lines that each end with a newline; undefined when a line has fewer fields than asked. */
export function records(text: ByteString, fields: number): string[][] | undefined {
  const found: string[][] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const parts = line.split("\t");
    if (parts.length !== fields || parts.includes("")) return undefined;
    found.push(parts);
  }
  return found;
}

/** A directory under construction: what `mkdir -p`, `ln -s` and redirections do, by relative paths. */
export class TreeBuilder {
  readonly #root: Branch = new Map();

  /** The node at a path; a Map is a directory. */
  at(path: string): Branch | Leaf | undefined {
    let node: Branch | Leaf | undefined = this.#root;
    for (const name of path.split("/")) {
      if (!(node instanceof Map)) return undefined;
      node = node.get(name);
    }
    return node;
  }

  /** Whether some parent of the path is no directory. */
  parentInTheWay(path: string): string | undefined {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const parent = path.slice(0, slash);
      const node = this.at(parent);
      if (node !== undefined && !(node instanceof Map)) return parent;
    }
    return undefined;
  }

  makeDirectory(path: string): void {
    this.#branch(path.split("/"));
  }

  put(path: string, leaf: Leaf): void {
    const names = path.split("/");
    const name = names.pop() as string;
    this.#branch(names).set(name, leaf);
  }

  tree(): SourceTree {
    return branchTree(this.#root);
  }

  #branch(names: readonly string[]): Branch {
    let branch = this.#root;
    for (const name of names) {
      let next = branch.get(name);
      if (next === undefined) branch.set(name, (next = new Map()));
      if (!(next instanceof Map)) fail(`${names.join("/")}: not a directory`);
      branch = next;
    }
    return branch;
  }
}

type Leaf = TreeNode<{ readonly contents: Uint8Array }>;
type Branch = Map<string, Branch | Leaf>;

function branchTree(branch: Branch): SourceTree {
  return directory(
    Array.from(branch, ([name, node]) => [name, node instanceof Map ? branchTree(node) : node] as const),
  );
}

/** Whether a relative path is plain: no empty names, no "." or "..", as the scripts expect it. */
export function isPlainPath(path: string): boolean {
  return path.split("/").every(isEntryName);
}

export function textFile(text: ByteString, executable = false): Leaf {
  return regularFile(toBytes(text), executable);
}
