import { ArgumentError, formatShape } from "@ocelli/core";

/** Labelled images in memory. Plain data: nothing here owns a device or a file. */
export interface ImageDataset {
  /** `"mnist train"`: for progress lines and errors. */
  readonly name: string;
  /** Pixels 0..255 as planes: `[count, C, H, W]`, row-major. */
  readonly images: Uint8Array;
  /** Class of each image, `0 <= label < classes.length`. */
  readonly labels: Uint8Array | Int32Array;
  /** `[C, H, W]` of one image. */
  readonly shape: ImageShape;
  /** Class names, in the order of the labels. */
  readonly classes: readonly string[];
  /** Number of images. */
  readonly count: number;
}

/** Channels, height, width. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/**
 * Checks and wraps memory as an {@link ImageDataset}; takes it, does not copy it.
 * @throws ArgumentError when lengths do not fit together or a label has no class
 */
export function imageDataset(parts: Omit<ImageDataset, "count">): ImageDataset {
  const { name, images, labels, shape, classes } = parts;
  const where = `imageDataset ${JSON.stringify(name)}`;
  if (shape.length !== 3 || shape.some((dim) => !Number.isSafeInteger(dim) || dim < 1)) {
    throw new ArgumentError(`${where}: shape is ${formatShape(shape)}; it needs three positive integers [C, H, W]`, {
      shape,
    });
  }
  const count = labels.length;
  const needed = count * imageBytes({ shape });
  if (images.length !== needed) {
    throw new ArgumentError(
      `${where}: images hold ${images.length} bytes; ${count} labels of shape ${formatShape(shape)} need ${needed}`,
      { bytes: images.length, needed, count, shape },
    );
  }
  const at = findBadLabel(labels, classes.length);
  if (at >= 0) {
    throw new ArgumentError(`${where}: label ${labels[at]} of image ${at} is outside the ${classes.length} classes`, {
      label: labels[at],
      index: at,
      classes: classes.length,
    });
  }
  return { name, images, labels, shape, classes, count };
}

/** Position of the first label outside `0..classes-1`, or -1. */
export function findBadLabel(labels: ArrayLike<number>, classes: number): number {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label < 0 || label >= classes) return i;
  }
  return -1;
}

/** Bytes of one image. */
export function imageBytes({ shape }: Pick<ImageDataset, "shape">): number {
  return shape[0] * shape[1] * shape[2];
}

/**
 * Copies images and labels at `indices` one after another into `images` and `labels`.
 * @throws ArgumentError when an index leaves `0..count-1`
 */
export function gather(
  dataset: ImageDataset,
  indices: ArrayLike<number>,
  images: Uint8Array,
  labels: Int32Array,
): void {
  const size = imageBytes(dataset);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (!Number.isInteger(index) || index < 0 || index >= dataset.count) {
      throw new ArgumentError(`subset: index ${index} is not within the ${dataset.count} images of ${dataset.name}`, {
        index,
        count: dataset.count,
      });
    }
    images.set(dataset.images.subarray(index * size, (index + 1) * size), i * size);
    labels[i] = dataset.labels[index] as number;
  }
}
