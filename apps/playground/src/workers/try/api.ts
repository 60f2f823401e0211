import type { LayerOutput } from "@ocelli/inspect/explain";
import type { ImageShape } from "../../model/spec.js";
import type { NetworkSource } from "../../store/source.js";
import type { DeviceReport } from "../device.js";

/** A network that is ready to be asked. */
export interface LoadedNetwork {
  /** Tells it from those that were loaded before: each question names it. */
  readonly key: number;
  readonly kind: NetworkSource["kind"];
  readonly title: string;
  /** Names, as many as there are logits. */
  readonly classes: readonly string[];
  readonly input: ImageShape;
  readonly parameters: number;
  /** How often it is right and on what, where that is known: "99.8 % of 10,000 drawn digits". */
  readonly accuracy: string | undefined;
  /** In words: how a picture is cut, and what the first layer is given of its pixels. */
  readonly preparation: { readonly cut: string; readonly pixels: string };
  readonly layers: readonly LayerOutput[];
  /** What Grad-CAM looks at unless told otherwise. */
  readonly gradCamLayer: string | undefined;
}

/** What somebody shows the network. */
export type GivenPicture =
  | {
      readonly kind: "file";
      readonly file: Blob;
      readonly name: string;
      /** Light and dark swapped: ink on paper for a network that knows chalk on a board. */
      readonly inverted?: boolean | undefined;
    }
  /** A square of grey bytes, row by row, as MNIST's: white on black. What was drawn is made so by `strokes.ts`. */
  | { readonly kind: "grey"; readonly pixels: Uint8Array; readonly drawn: boolean };

/** What the network sees of it. */
export interface Seen {
  /** The network's. */
  readonly key: number;
  /** Bytes as planes, `[C, H, W]`. */
  readonly pixels: Uint8Array;
  readonly shape: ImageShape;
  /** The whole picture, small: only of files. */
  readonly preview: ImageBitmap | undefined;
}

export interface Answer {
  /** The most probable classes, best first. */
  readonly top: readonly { readonly index: number; readonly probability: number }[];
  /** Of the pass alone; undefined of a network's first, in which it is compiled. */
  readonly milliseconds: number | undefined;
}

/** What a layer makes of the image. */
export interface Maps {
  readonly layer: string;
  /** `[C, h, w]`, or `[D]` of a layer that gives a vector. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type PixelMethod = "saliency" | "guided" | "grad-cam";

export interface PixelQuestion {
  readonly method: PixelMethod;
  /** Left out: the predicted class. */
  readonly classIndex: number | undefined;
  /** Of Grad-CAM. */
  readonly layer: string | undefined;
}

/** Numbers that lie on the image's pixels. */
export interface OnPixels {
  /** `[H, W]`, or `[C, H, W]` where channels are kept apart. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** The class that was explained. */
  readonly classIndex: number;
  /** Its probability for occlusion, its logit otherwise. */
  readonly score: number;
}

export interface OcclusionQuestion {
  readonly classIndex: number | undefined;
  /** Side of the patch in pixels; half of it from one to the next. */
  readonly size: number;
}

export interface DeconvolutionQuestion {
  readonly layer: string;
  /** Left out: the one with the strongest activation. */
  readonly channel: number | undefined;
}

/** The strongest activation of a channel, projected back. */
export interface Projected {
  /** `[C, H, W]` */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly channel: number;
  readonly activation: number;
  readonly row: number;
  readonly column: number;
}

/**
 * What the Try page's worker does. Questions name the network that they are about; one about a network that is no longer there is a
 * StaleError, whose answer nobody waits for. Errors keep their names and messages.
 */
export interface TryApi {
  /** Opens what computes, once. @throws DeviceError when nothing can be had */
  open(): Promise<DeviceReport>;
  /**
   * Takes the place of the network before.
   * @throws ArgumentError for a spec that does not work, FormatError and StorageError of its file, StateError for values that do not fit the network
   */
  load(source: NetworkSource): Promise<LoadedNetwork>;
  /** @throws FormatError for a file that is no picture or too large; ArgumentError for a network that takes no pictures */
  see(key: number, picture: GivenPicture): Promise<Seen>;
  answer(key: number, pixels: Uint8Array): Promise<Answer>;
  featureMaps(key: number, pixels: Uint8Array, layer: string): Promise<Maps>;
  pixels(key: number, pixels: Uint8Array, question: PixelQuestion): Promise<OnPixels>;
  /** @param onProgress `Comlink.proxy(fn)`: 0 to 1; waited for, so that a cancellation comes in between */
  occlusion(
    key: number,
    pixels: Uint8Array,
    question: OcclusionQuestion,
    onProgress: (share: number) => void | Promise<void>,
  ): Promise<OnPixels>;
  /** Ends the occlusion under way: it fails with an AbortError. */
  cancelOcclusion(): Promise<void>;
  deconvolution(key: number, pixels: Uint8Array, question: DeconvolutionQuestion): Promise<Projected>;
  /** Ten digits as the built-in data have them, one of each, 28x28 grey. */
  exampleDigits(seed: number): Promise<readonly Uint8Array[]>;
}
