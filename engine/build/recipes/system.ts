/** system.sh: the top level of a system: texts in which `@out@` stands for the output's path, and links. */
import { type SourceTree, symlink } from "../../store/format/tree.ts";
import { type Recipe, type RecipeInput, TreeBuilder, isPlainPath, records, textFile } from "./recipe.ts";

export const systemRecipe: Recipe = {
  script: "2ysgx0r31zh0bv0x4c9x223s1rgy1v94-system.sh",
  files: ["links", "files"],
  compute: makeSystem,
};

function makeSystem({ env, out }: RecipeInput): SourceTree | undefined {
  const files = records(env.get("files") as string, 3);
  const links = records(env.get("links") as string, 2);
  if (files === undefined || links === undefined) return undefined;
  const names = [...files.map(([, , name]) => name as string), ...links.map(([name]) => name as string)];
  if (!names.every(isPlainPath) || new Set(names).size !== names.length) return undefined;
  const asFiles = new Set((env.get("passAsFile") ?? "").split(/[ \t\n]+/));
  const tree = new TreeBuilder();
  tree.makeDirectory("specialisation");
  for (const [mode, variable, name] of files as [string, string, string][]) {
    const text = asFiles.has(variable) ? env.get(variable) : undefined;
    if (text === undefined || tree.at(name) !== undefined || tree.parentInTheWay(name) !== undefined) return undefined;
    tree.put(name, textFile(text.replaceAll("@out@", out), mode === "script"));
  }
  for (const [name, target] of links as [string, string][]) {
    if (tree.at(name) !== undefined || tree.parentInTheWay(name) !== undefined) return undefined;
    tree.put(name, symlink(target));
  }
  return tree.tree();
}
