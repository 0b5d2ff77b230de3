/**
 * A workspace as a folder for real Nix: the files, every package set beside them, and the few lines that evaluate them as the page does.
 * Invariant: C++ Nix gives the same derivation for it, because everything that enters a hash lies under the name it has in the page:
 * the workspace in `nixos`, as in /etc/nixos, and each set in `channels/<name>`, as among root's channels.
 */
import { zipSync, type Zippable } from "fflate";
import { decodeUtf8, encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import { type SourceTree, type TreeNode, directory, nodeAt, regularFile, walkTree } from "#engine/store/format/tree.ts";
import type { SampleFile } from "../samples.ts";

export interface Home {
  readonly title: string;
  readonly entry: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** The embedded channel. */
  readonly channel: SourceTree;
  readonly sets: readonly { readonly name: string; readonly nixpkgs: boolean; readonly tree: SourceTree }[];
  /** The system that the page gets from it; null when it did not evaluate. */
  readonly expected: string | null;
}

/** The embedded channel's texts and seeds as one tree. */
export function channelTree(
  texts: readonly SampleFile[],
  seeds: readonly (readonly [name: string, tree: SourceTree])[],
): SourceTree {
  const files = texts
    .filter(([path]) => path.startsWith("channel/"))
    .map(([path, executable, text]) => [path.slice("channel/".length), utf8File(text, executable)] as const);
  return treeOf([...files, ...seeds.map(([name, tree]) => [`seeds/${name}`, tree] as const)]);
}

export function homeTree({ title, entry, files, channel, sets, expected }: Home): SourceTree {
  const nixpkgs = sets.find((set) => set.nixpkgs);
  // As the page does: another nixpkgs that knows no systems is asked through the embedded channel.
  const systems = nixpkgs !== undefined && nodeAt(nixpkgs.tree, "nixos/lib/page.nix") ? nixpkgs.name : "nixos";
  const path = `-I nixpkgs=channels/${nixpkgs?.name ?? "nixos"} -I channels`;
  const angles = files.some(({ path: name, text }) => name.endsWith(".nix") && /<[\w.+-]+(?:\/[\w./+-]*)?>/.test(text));
  return treeOf([
    ...files.map(({ path: name, text }) => [`nixos/${name}`, utf8File(text)] as const),
    ["channels/nixos", channel],
    ...sets.map(({ name, tree }) => [`channels/${name}`, tree] as const),
    ["default.nix", utf8File(defaultNix(systems, entry))],
    ["flake.nix", utf8File(flakeNix(title))],
    ["README.md", utf8File(readme(title, path, angles, expected))],
  ]);
}

const defaultNix = (systems: string, entry: string): string => `# The system of nixos/${entry}, as Terrarium builds it.
{ system ? "i686-linux" }:
(import ./channels/${systems}/nixos {
  configuration = ./nixos + ${nixString(`/${entry}`)};
  inherit system;
}).system
`;

const flakeNix = (title: string): string => `{
  description = ${nixString(title)};
  outputs = { self }: {
    packages.i686-linux.default = import ./default.nix { };
    packages.x86_64-linux.default = import ./default.nix { };
  };
}
`;

function readme(title: string, path: string, angles: boolean, expected: string | null): string {
  const flake = angles ? "" : ", and so does `nix build .`";
  const result = expected === null ? "" : `\nIt is \`${expected}\`.\n`;
  return `# ${title}\n\n\`nix-build ${path}\` builds the system that Terrarium shows${flake}.\n${result}`;
}

const nixString = (text: string): string => `"${text.replaceAll(/["\\]|\$\{/g, "\\$&").replaceAll("\n", "\\n")}"`;

const utf8File = (text: string, executable = false) => regularFile(toBytes(encodeUtf8(text)), executable);

type Branch = Map<string, Branch | SourceTree>;

/** A tree from nodes at paths. */
export function treeOf(nodes: readonly (readonly [path: string, node: SourceTree])[]): SourceTree {
  const root: Branch = new Map();
  for (const [path, node] of nodes) {
    const names = encodeUtf8(path).split("/");
    const last = names.pop() as string;
    let branch = root;
    for (const name of names) {
      const there = branch.get(name);
      const next = there instanceof Map ? there : openBranch(there);
      branch.set(name, next);
      branch = next;
    }
    branch.set(last, node);
  }
  return freeze(root);
}

/** A finished folder that something more is put into. */
const openBranch = (tree: SourceTree | undefined): Branch =>
  tree?.type === "directory" ? new Map(tree.entries) : new Map();

function freeze(branch: Branch): SourceTree {
  return directory(Array.from(branch, ([name, node]) => [name, node instanceof Map ? freeze(node) : node] as const));
}

const UNIX = 3;
const LINK = 0o120777;

/** A zip archive of a tree below one folder, with modes and links as Unix has them, and the same bytes every time. */
export function zipTree(tree: SourceTree, folder: string): Uint8Array<ArrayBuffer> {
  const files: Zippable = {};
  for (const [path, node] of walkTree(tree)) {
    const name = `${folder}${decodeUtf8(path)}`;
    const mode = modeOf(node);
    const attributes = { os: UNIX, attrs: mode << 16, mtime: new Date(1980, 0, 1) };
    if (node.type === "directory") files[`${name}/`] = [new Uint8Array(0), attributes];
    else files[name] = [node.type === "symlink" ? toBytes(node.target) : node.contents, attributes];
  }
  return zipSync(files, { level: 6 });
}

function modeOf(node: TreeNode<unknown>): number {
  if (node.type === "symlink") return LINK;
  if (node.type === "directory") return 0o40755;
  return node.executable ? 0o100755 : 0o100644;
}
