import type { Named } from "@ocelli/training";

/** What a network is trained on. */
export type DataSpec =
  /** Made on the spot: needs nothing. */
  | { readonly kind: "digits"; readonly count: number }
  /** Files of a standard set or of the reader's own pictures, kept in the site's storage under this name: see `store/data.ts`. */
  | { readonly kind: "stored"; readonly name: string };

/** How a network is trained, as data: parts are by their names in @ocelli/training's tables. */
export interface TrainingSpec {
  readonly data: DataSpec;
  readonly optimizer: Named;
  readonly schedule: Named;
  /** Name of a preset of augmentation: `augmentPresets`. */
  readonly augment: string;
  readonly loss?: Named;
  /** Biases and the parameters of normalisation do not decay. */
  readonly noDecay?: boolean;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
}
