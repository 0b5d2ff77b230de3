/** `builtin:fetchurl`, `builtin:buildenv` and `builtin:unpack-channel`: what Nix itself builds, without a process. */
import type { Derivation } from "../store/format/derivation.ts";
import { decodeNar } from "../store/format/nar.ts";
import type { StorePath } from "../store/format/store-path.ts";
import { splitStorePath } from "../store/format/store-path.ts";
import { type FileTree, type SourceTree, directory, nodeAt, regularFile, symlink } from "../store/format/tree.ts";
import type { Store } from "../store/store.ts";
import { BuildError, type CancelSignal } from "./builder.ts";
import { words } from "./environment.ts";

/** What only the surroundings can do. */
export interface BuiltinTools {
  /** The bytes at a URL. @throws StoreError "network" */
  readonly download?: (url: string, signal: CancelSignal) => Promise<Uint8Array>;
  /** Unpacks a tar archive (compressed or not) or a zip; file names decide nothing, the bytes do. */
  readonly unpack?: (archive: Uint8Array) => Promise<SourceTree>;
  /** Unpacks xz, bzip2, gzip or zstd when the bytes are so compressed. */
  readonly decompress?: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** For binary caches that are written. */
  readonly gzip?: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/** The output trees by name. @throws BuildError "unsupported" for an unknown builder or a missing tool */
export async function runBuiltin(
  derivation: Derivation,
  outputs: ReadonlyMap<string, StorePath>,
  store: Store,
  tools: BuiltinTools,
  signal: CancelSignal,
): Promise<Map<string, SourceTree>> {
  const attribute = attributeReader(derivation);
  if (!outputs.has("out")) throw new BuildError("output", "builtin builders have one output, 'out'", { exit: 1 });
  switch (derivation.builder) {
    case "builtin:fetchurl":
      return new Map([["out", await fetchUrl(attribute, tools, signal)]]);
    case "builtin:buildenv":
      return new Map([["out", await buildEnvironment(attribute, store)]]);
    case "builtin:unpack-channel":
      return new Map([["out", await unpackChannel(attribute, store, tools)]]);
    default:
      throw new BuildError(
        "unsupported",
        `unsupported builtin builder '${derivation.builder.slice("builtin:".length)}'`,
        { exit: 1 },
      );
  }
}

type Attributes = (name: string) => string | undefined;

function attributeReader(derivation: Derivation): Attributes {
  const structured = derivation.env.get("__json");
  if (structured === undefined) return (name) => derivation.env.get(name);
  const values = JSON.parse(structured) as Record<string, unknown>;
  return (name) => {
    const value = values[name];
    return typeof value === "string" ? value : value === true ? "1" : value === undefined ? undefined : "";
  };
}

function required(attribute: Attributes, name: string): string {
  const value = attribute(name);
  if (value === undefined) throw new BuildError("output", `attribute '${name}' missing`, { exit: 1 });
  return value;
}

async function fetchUrl(attribute: Attributes, tools: BuiltinTools, signal: CancelSignal): Promise<SourceTree> {
  if (tools.download === undefined) throw new BuildError("unsupported", "downloads are not possible here", { exit: 1 });
  const bytes = await tools.download(required(attribute, "url"), signal);
  if (attribute("unpack") === "1") {
    const nar = tools.decompress === undefined ? bytes : await tools.decompress(bytes);
    return decodeNar(nar);
  }
  return regularFile(bytes, attribute("executable") === "1");
}

async function unpackChannel(attribute: Attributes, store: Store, tools: BuiltinTools): Promise<SourceTree> {
  if (tools.unpack === undefined) throw new BuildError("unsupported", "archives cannot be unpacked here", { exit: 1 });
  const name = required(attribute, "channelName");
  if (name.includes("/")) {
    throw new BuildError("output", `channelName is not allowed to contain filesystem separators, got ${name}`, {
      exit: 1,
    });
  }
  const [path, below] = splitStorePath(required(attribute, "src"), store.storeDir);
  const archive = await store.readFile(path, below);
  if (archive === undefined) throw new BuildError("output", `'${path}' is not an archive`, { exit: 1 });
  const unpacked = await tools.unpack(archive);
  const entries = unpacked.type === "directory" ? [...unpacked.entries] : [];
  const [only] = entries;
  if (entries.length !== 1 || only === undefined) {
    throw new BuildError("output", "channel tarball contains more than one file", { exit: 1 });
  }
  return directory([[name, only[1]]]);
}

/** A package to merge, as `derivations` lists it. */
interface Package {
  readonly path: StorePath;
  readonly active: boolean;
  readonly priority: number;
}

/** `derivations`: for each package active ("true"/"false"), priority, number of outputs, their paths. */
function parsePackages(text: string): Package[] {
  const items = words(text);
  const packages: Package[] = [];
  for (let at = 0; at < items.length;) {
    const active = items[at++] !== "false";
    const priority = Number(items[at++]);
    for (let outputs = Number(items[at++]); outputs > 0; outputs--) {
      packages.push({ path: items[at++] as string, active, priority });
    }
  }
  return packages;
}

/** A merged directory before it is a tree: a link knows which package and priority it came with. */
type EnvNode = { readonly link: string; readonly priority: number } | Map<string, EnvNode>;

async function buildEnvironment(attribute: Attributes, store: Store): Promise<SourceTree> {
  const root = new Map<string, EnvNode>();
  const done = new Set<StorePath>();
  let postponed = new Set<StorePath>();
  const packages = parsePackages(required(attribute, "derivations"))
    .filter((item) => item.active)
    .sort((left, right) => left.priority - right.priority || (left.path < right.path ? -1 : 1));
  const merge = async (path: StorePath, priority: number) => {
    if (done.has(path)) return;
    done.add(path);
    await mergeDirectory(store, root, path, priority);
    for (const propagated of await propagatedPackages(store, path))
      if (!done.has(propagated)) postponed.add(propagated);
  };
  for (const { path, priority } of packages) await merge(path, priority);
  for (let priority = 1000; postponed.size > 0; priority++) {
    const batch = [...postponed].sort();
    postponed = new Set();
    for (const path of batch) await merge(path, priority);
  }
  root.set("manifest.nix", { link: required(attribute, "manifest"), priority: 0 });
  return environmentTree(root);
}

async function propagatedPackages(store: Store, path: StorePath): Promise<StorePath[]> {
  const [root, below] = splitStorePath(path, store.storeDir);
  const text = await store.readFile(root, `${below}/nix-support/propagated-user-env-packages`);
  return text === undefined ? [] : words(String.fromCharCode(...text));
}

async function mergeDirectory(store: Store, into: Map<string, EnvNode>, path: string, priority: number): Promise<void> {
  const node = await nodeFollowing(store, path);
  if (node === undefined) return;
  if (node.type !== "directory")
    throw new BuildError("output", `not including '${path}' in the user environment because it's not a directory`, {
      exit: 1,
    });
  for (const [name, child] of node.entries) {
    if (IGNORED.test(`${path}/${name}`)) continue;
    await mergeEntry(store, into, `${path}/${name}`, name, child, priority);
  }
}

/** Files that every package may have and no environment wants. */
const IGNORED = /\/(propagated-build-inputs|nix-support|perllocal\.pod|info\/dir|log|manifest\.nix|manifest\.json)$/;

async function mergeEntry(
  store: Store,
  into: Map<string, EnvNode>,
  path: string,
  name: string,
  child: FileTree,
  priority: number,
): Promise<void> {
  const isDirectory = (await nodeFollowing(store, path))?.type === "directory";
  const there = into.get(name);
  if (there === undefined) {
    into.set(name, { link: path, priority });
    return;
  }
  if (isDirectory) {
    let target = there;
    if (!(target instanceof Map)) {
      const opened = new Map<string, EnvNode>();
      if ((await nodeFollowing(store, target.link))?.type !== "directory") throw conflict(path, target.link);
      await mergeDirectory(store, opened, target.link, target.priority);
      into.set(name, opened);
      target = opened;
    }
    await mergeDirectory(store, target, path, priority);
    return;
  }
  if (there instanceof Map) throw new BuildError("output", `collision between '${path}' and a directory`, { exit: 1 });
  if (child.type === "symlink" && child.target === there.link) return;
  if (there.priority === priority) throw conflict(there.link, path);
  if (there.priority > priority) into.set(name, { link: path, priority });
}

function conflict(left: string, right: string): BuildError {
  const message = `Unable to build profile. There is a conflict for the following files:\n\n  ${left}\n  ${right}`;
  return new BuildError("output", message, { exit: 1 });
}

/** The node a path leads to, through links that stay in the store; undefined when it leads nowhere. */
async function nodeFollowing(store: Store, path: string, hops = 40): Promise<FileTree | undefined> {
  if (hops === 0) return undefined;
  const [root, below] = splitStorePath(path, store.storeDir);
  if (!store.isValid(root)) return undefined;
  const node = nodeAt(await store.tree(root), below);
  if (node?.type !== "symlink") return node;
  const target = node.target.startsWith("/") ? node.target : `${path.slice(0, path.lastIndexOf("/"))}/${node.target}`;
  return target.startsWith(`${store.storeDir}/`) ? nodeFollowing(store, target, hops - 1) : undefined;
}

function environmentTree(nodes: Map<string, EnvNode>): SourceTree {
  return directory(
    Array.from(
      nodes,
      ([name, node]) => [name, node instanceof Map ? environmentTree(node) : symlink(node.link)] as const,
    ),
  );
}
