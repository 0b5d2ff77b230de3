/** etc.sh: the tree behind /etc: links, with mode, user and group beside the ones that activation copies. */
import { type SourceTree, symlink } from "../../store/format/tree.ts";
import { type Recipe, type RecipeInput, TreeBuilder, fail, isPlainPath, records, textFile } from "./recipe.ts";

export const etcRecipe: Recipe = {
  script: "f1agkcbwf4rgajc5zqzrvjd9z7ss11dq-etc.sh",
  files: ["entries"],
  compute: makeEtc,
};

function makeEtc({ env }: RecipeInput): SourceTree | undefined {
  const entries = records(env.get("entries") as string, 5);
  if (entries === undefined || !entries.every(([target]) => isPlainPath(target as string))) return undefined;
  const tree = new TreeBuilder();
  tree.makeDirectory("etc");
  for (const entry of entries) placeEntry(tree, entry as [string, string, string, string, string]);
  return tree.tree();
}

function placeEntry(
  tree: TreeBuilder,
  [target, mode, user, group, source]: [string, string, string, string, string],
): void {
  const place = `etc/${target}`;
  const parent = tree.parentInTheWay(place);
  if (parent !== undefined)
    fail(`environment.etc."${target}" lies inside environment.etc."${parent.slice("etc/".length)}"`);
  const there = tree.at(place);
  if (there !== undefined) {
    if (!(there instanceof Map) && there.type === "symlink" && there.target === source) return;
    fail(`duplicate entry ${target}`);
  }
  tree.put(place, symlink(source));
  if (mode === "symlink") return;
  for (const [suffix, text] of [
    ["mode", mode],
    ["uid", user],
    ["gid", group],
  ] as const) {
    tree.put(`${place}.${suffix}`, textFile(`${text}\n`));
  }
}
