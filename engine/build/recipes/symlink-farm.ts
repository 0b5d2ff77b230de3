/** symlink-farm.sh: a directory of links, given one by one and merged from the leaves of other directories. */
import { type FileTree, nodeAt, symlink, walkTree } from "../../store/format/tree.ts";
import { isInStore, splitStorePath } from "../../store/format/store-path.ts";
import type { SourceTree } from "../../store/format/tree.ts";
import { type Recipe, type RecipeInput, TreeBuilder, fail, isPlainPath, records } from "./recipe.ts";

export const symlinkFarmRecipe: Recipe = {
  script: "ngcfcx2jr7c57d7ki12l0m0jnnbi8cfg-symlink-farm.sh",
  files: ["links", "paths"],
  compute: makeFarm,
};

interface Farm {
  readonly tree: TreeBuilder;
  readonly input: RecipeInput;
  readonly prefixes: readonly string[];
  readonly ignoreCollisions: boolean;
  /** Names linked by lines of the priority at hand. */
  group: Set<string>;
}

async function makeFarm(input: RecipeInput): Promise<SourceTree | undefined> {
  const links = records(input.env.get("links") as string, 2);
  const paths = records(input.env.get("paths") as string, 2);
  const prefixes = input.env.get("pathsToLink");
  const ignore = input.env.get("ignoreCollisions");
  if (links === undefined || paths === undefined || prefixes === undefined || ignore === undefined) return undefined;
  if (!links.every(([name]) => isPlainPath(name as string))) return undefined;
  const farm: Farm = {
    tree: new TreeBuilder(),
    input,
    prefixes: prefixes.split(" ").filter((prefix) => prefix !== ""),
    ignoreCollisions: ignore === "1",
    group: new Set(),
  };
  for (const [name, target] of links) placeLink(farm, name as string, target as string);
  return (await mergePaths(farm, paths)) ? farm.tree.tree() : undefined;
}

function placeLink(farm: Farm, name: string, target: string): void {
  checkParents(farm, name);
  if (farm.tree.at(name) !== undefined) fail(`two links are called ${name}`);
  farm.tree.put(name, symlink(target));
}

/** False when a path is not plainly a directory of an input: only the script can tell then. */
async function mergePaths(farm: Farm, paths: readonly string[][]): Promise<boolean> {
  let current = "";
  for (const [priority, path] of paths as [string, string][]) {
    const tree = await inputNode(farm.input, path);
    if (tree === undefined) return false;
    if (tree.type !== "directory") fail(`${path} is not a directory and cannot be merged`);
    if (priority !== current) farm.group = new Set();
    current = priority;
    for (const [leaf, node] of walkTree(tree)) {
      if (node.type === "directory") continue;
      if (leaf.includes("\n")) return false;
      if (isWanted(farm, leaf)) await addLeaf(farm, path, leaf.slice(1), node);
    }
  }
  return true;
}

async function inputNode(input: RecipeInput, path: string): Promise<FileTree | undefined> {
  if (!isInStore(path, input.storeDir)) return undefined;
  const [root, below] = splitStorePath(path, input.storeDir);
  return nodeAt(await input.tree(root), below);
}

function isWanted(farm: Farm, leaf: string): boolean {
  return farm.prefixes.some((prefix) => prefix === "/" || leaf.startsWith(`${prefix}/`));
}

async function addLeaf(farm: Farm, path: string, name: string, node: FileTree): Promise<void> {
  checkParents(farm, name);
  const there = farm.tree.at(name);
  if (there === undefined) {
    farm.tree.put(name, symlink(`${path}/${name}`));
    farm.group.add(name);
  } else if (there instanceof Map) {
    fail(`collision: ${name} is a directory and ${path}/${name} is not`);
  } else if (there.type === "symlink" && farm.group.has(name) && !farm.ignoreCollisions) {
    const older = await inputNode(farm.input, there.target);
    if (!sameFile(node, older)) fail(`collision between ${path}/${name} and ${there.target}`);
  }
}

/** The same bytes: blobs are named by their hash. */
function sameFile(left: FileTree, right: FileTree | undefined): boolean {
  return left.type === "regular" && right?.type === "regular" && left.blob === right.blob;
}

function checkParents(farm: Farm, name: string): void {
  const parent = farm.tree.parentInTheWay(name);
  if (parent !== undefined) fail(`collision: ${parent} is a link and is needed as a directory for ${name}`);
}
