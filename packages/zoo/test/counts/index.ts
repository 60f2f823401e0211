import type { ModelName } from "../../src/index.js";
import { lenetCounts } from "./lenet.js";
import { residualCifarCounts } from "./resnet-cifar.js";

/** Parameter counts of all models by closed forms of the papers, written without looking at the code. */
export const counts: Readonly<Record<ModelName, number>> = { ...lenetCounts, ...residualCifarCounts };
