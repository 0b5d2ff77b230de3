/** All recipes. Adding one: its script in samples/channel/recipes, a file here, a line in this list, a golden. */
import { etcRecipe } from "./etc.ts";
import type { Recipe } from "./recipe.ts";
import { symlinkFarmRecipe } from "./symlink-farm.ts";
import { systemRecipe } from "./system.ts";
import { textRecipe } from "./text.ts";

export const RECIPES: readonly Recipe[] = [textRecipe, symlinkFarmRecipe, etcRecipe, systemRecipe];
