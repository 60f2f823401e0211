import type { Named } from "@ocelli/training";

/** What a network is trained on. */
export type DataSpec =
  /** Made on the spot: needs nothing. 28 x 28 pixels unless `size` says otherwise. */
  | { readonly kind: "digits"; readonly count: number; readonly size?: number }
  /** Files of a standard set or of the reader's own pictures, kept in the site's storage under this name: see `store/data.ts`. */
  | {
      readonly kind: "stored";
      readonly name: string;
      /** Side of the images in pixels. Left out: of pictures the network's own, of standard sets theirs. */
      readonly size?: number;
      /** So many of the training images at most, the same share of every class. Left out: all. */
      readonly count?: number;
    };

/** How a network is trained, as data: parts are by their names in @ocelli/training's tables. */
export interface TrainingSpec {
  readonly data: DataSpec;
  /** Share of the training images that judge each epoch; the test images then wait for the end. 0: the test images judge. */
  readonly validation?: number;
  readonly optimizer: Named;
  readonly schedule: Named;
  /** Name of a preset of augmentation: `augmentPresets`. */
  readonly augment: string;
  /** Left out: the network's own. */
  readonly loss?: Named;
  /** Of gradients. */
  readonly clip?: Named;
  /** A running average of the parameters, which is what is judged and used; left out: they themselves. */
  readonly average?: Named;
  /** Biases and the parameters of normalisation do not decay. */
  readonly noDecay?: boolean;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** What a training may do without. */
type Part = "validation" | "loss" | "clip" | "average" | "noDecay";

/** Fields of a training that somebody has set; a part that is undefined is not wanted. */
export type TrainingChanges = Partial<Omit<TrainingSpec, "data" | Part>> & {
  readonly [Name in Part]?: TrainingSpec[Name] | undefined;
};

export function changedTraining(training: TrainingSpec, changes: TrainingChanges): TrainingSpec {
  const fields = Object.entries({ ...training, ...changes });
  // Only parts may be undefined, and a training may do without those: which fields there are, `fromEntries` does not say.
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as unknown as TrainingSpec;
}

/** What a training is asked to begin from instead of chance. */
export interface Beginning {
  /** Id of a network in `store/networks.ts`. */
  readonly network: string;
  /** Everything but the head stays as it is taken. */
  readonly headOnly: boolean;
}

/** What a training began from. That network may be gone by now. */
export interface Origin extends Beginning {
  readonly title: string;
  /** Tensors whose values were taken, and all that there are. */
  readonly taken: number;
  readonly of: number;
  /** Names of those that began afresh. */
  readonly fresh: readonly string[];
}
