import { signal } from "@preact/signals";
import type { ModelSpec } from "./model/spec.js";
import type { TrainingSpec } from "./model/training.js";

/** The network that the reader looks at: pages share it, so that what was found on one can be trained on the next. */
export const currentModel = signal<ModelSpec>({ kind: "zoo", name: "lenet5_modern" });

/** How it is to be trained, where the reader or a link said so; undefined: as the Train page proposes. */
export const currentTraining = signal<TrainingSpec | undefined>(undefined);

/** The saved network that Try and Take it away work with; undefined: none chosen yet. */
export const currentNetwork = signal<string | undefined>(undefined);
