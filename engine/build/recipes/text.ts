/** text.sh: one text file, as the output itself or at `destination` below it. */
import type { SourceTree } from "../../store/format/tree.ts";
import { type Recipe, type RecipeInput, TreeBuilder, isPlainPath, textFile } from "./recipe.ts";

export const textRecipe: Recipe = {
  script: "xh1lrzx8knavb0qn0nsgmvzr3m35d5cd-text.sh",
  files: ["text"],
  compute: makeText,
};

function makeText({ env }: RecipeInput): SourceTree | undefined {
  const destination = env.get("destination");
  const executable = env.get("executable");
  if (destination === undefined || executable === undefined) return undefined;
  const file = textFile(env.get("text") as string, executable === "1");
  if (destination === "") return file;
  if (!isPlainPath(destination)) return undefined;
  const tree = new TreeBuilder();
  tree.put(destination, file);
  return tree.tree();
}
