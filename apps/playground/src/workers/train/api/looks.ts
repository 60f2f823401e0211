import type { ClassScores } from "@ocelli/training";

/** RGBA, row by row. What travels is transferred: it is the page's alone. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

export interface LayerInfo {
  readonly path: string;
  /** "Conv2d", "ReLU" ... */
  readonly kind: string;
  /** Of its output for one image: `[C, H, W]` or `[features]`. */
  readonly shape: readonly number[];
  /** It is a convolution, whose filters can be seen. */
  readonly filters: boolean;
}

export interface FilterSheet {
  readonly layer: string;
  /** After so many steps. */
  readonly at: number;
  /** Of the weights: `[out, in, h, w]`. */
  readonly shape: readonly number[];
  /**
   * One for each output channel, `atMost` (default 64). Three input channels are seen in colour; otherwise each picture is of the first input
   * channel, middle grey for 0. All of a sheet have one scale.
   */
  readonly pictures: readonly Picture[];
  /** What is white (and, negative, black). */
  readonly scale: number;
}

export interface ActivationRequest {
  readonly layers: readonly string[];
  /** Position among the images that judge the run. */
  readonly image: number;
  /** Maps of a layer. Default 32. */
  readonly atMost?: number;
}

export interface ActivationMaps {
  readonly at: number;
  /** What the network was given. */
  readonly picture: Picture;
  readonly label: number;
  /** Of each class. */
  readonly probabilities: readonly number[];
  readonly layers: readonly {
    readonly path: string;
    readonly shape: readonly number[];
    /** Black: the layer's least value, white: its largest. Vectors are one row of pixels. */
    readonly pictures: readonly Picture[];
    readonly range: readonly [number, number];
  }[];
}

export interface Confusion {
  readonly at: number;
  /** Which images. */
  readonly of: "validation" | "test";
  readonly count: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly classes: readonly string[];
  /** `[true, predicted]`, row by row, `classes * classes` counts. */
  readonly matrix: Int32Array<ArrayBuffer>;
  /** Recall is the class's accuracy. */
  readonly perClass: readonly ClassScores[];
}

export interface Mistakes {
  readonly at: number;
  readonly of: "validation" | "test";
  /** All of them, and the images that were looked at. */
  readonly total: number;
  readonly count: number;
  readonly mistakes: readonly {
    /** Position among the images. */
    readonly index: number;
    readonly picture: Picture;
    readonly label: number;
    readonly predicted: number;
    /** Of the predicted class and of the right one, 0 to 1. */
    readonly probability: number;
    readonly right: number;
  }[];
}
