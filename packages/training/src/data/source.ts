import type { ImageDataset, ImageShape } from "./dataset.js";

/** What an {@link ImageSource} is asked for. */
export interface ReadRequest {
  /** Positions of the images, in any order. */
  readonly indices: Int32Array;
  /** Names the chance in what is read; left out in evaluation, which always reads the same. */
  readonly chance?: { readonly seed: number; readonly epoch: number } | undefined;
  /** Aborted when nobody wants the images any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadImages {
  /** Pixels 0..255 as planes: `[indices.length, C, H, W]`, row-major. Fresh memory. Float32: features of images in their place. */
  readonly images: Uint8Array | Float32Array;
  /** Places in `indices` whose picture is broken; what stands there is black. A source may fail instead: that is its own option. */
  readonly broken: readonly number[];
}

/**
 * Labelled images that are read when they are needed: files, mostly. Labels and sizes are known beforehand, and all images come out in
 * one shape.
 */
export interface ImageSource {
  /** "photos train": for progress lines and errors. */
  readonly name: string;
  /** Class of each image, `0 <= label < classes.length`. */
  readonly labels: Uint8Array | Int32Array;
  /** `[C, H, W]` of one image as it is read. */
  readonly shape: ImageShape;
  /** Class names, in the order of the labels. */
  readonly classes: readonly string[];
  /** Number of images. */
  readonly count: number;
  read(request: ReadRequest): Promise<ReadImages>;
}

/** What training and evaluation take: images in memory, or images that are read when they are needed. */
export type LabelledImages = ImageDataset | ImageSource;

export function isImageSource(data: LabelledImages): data is ImageSource {
  return "read" in data;
}
