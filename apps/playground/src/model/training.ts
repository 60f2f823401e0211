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
  /** Biases and the parameters of normalisation do not decay. */
  readonly noDecay?: boolean;
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
}
