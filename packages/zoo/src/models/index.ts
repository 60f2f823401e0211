import type { ModelTable } from "../entry.js";
import { lenetModels } from "./lenet.js";
import { residualCifarModels } from "./resnet-cifar.js";

/** Every model, by name, in the order of the field's history. A literal table: listing it builds nothing. */
export const models = {
  ...lenetModels,
  ...residualCifarModels,
} as const satisfies ModelTable;

export type ModelName = keyof typeof models;
