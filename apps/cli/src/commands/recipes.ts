import { modelEntry, modelNames, type Recipe, recipes } from "@ocelli/zoo";
import { type Io, print, printJson } from "../io.js";
import { recipeOf } from "../recipe.js";
import { describeRecipe } from "../recipe-text.js";
import { colors, labelled, table } from "../terminal.js";

/** `ocelli recipes [name]`: how the papers train, all in short or one in full. */
export function showRecipes(io: Io, name: string | undefined, { json = false }: { readonly json?: boolean }): void {
  const shown = name === undefined ? Object.entries<Recipe>(recipes) : [[name, recipeOf(name)] as const];
  if (json) {
    for (const [key, recipe] of shown) printJson(io, { name: key, ...recipe, models: modelsOf(recipe) });
    return;
  }
  const { bold, dim } = colors(io);
  if (name !== undefined) {
    const recipe = recipeOf(name);
    for (const line of labelled([...describeRecipe(recipe), ["models", modelsOf(recipe).join(", ")]], dim))
      print(io, line);
    return;
  }
  const rows = shown.map(([key, { batchSize, epochs, optimizer, source }]) => {
    const { name: rule, options } = optimizer;
    return [key, `${rule}, rate ${options.lr}`, `${epochs} x ${batchSize}`, source];
  });
  for (const line of table(rows)) print(io, line.replace(/^\S+/, bold));
  print(io);
  print(io, dim(`Name, optimizer, epochs and batch, source. In full: ${io.command} recipes NAME`));
}

/** Models that train by it unless told otherwise. */
function modelsOf(recipe: Recipe): string[] {
  return modelNames.filter((name) => modelEntry(name).recipe === recipe);
}
