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

/** Half-open range of positions: `from <= i < to`. Defaults: 0 and the number of images. */
export interface IndexRange {
  readonly from?: number;
  readonly to?: number;
}

/** Mean and standard deviation of each channel, of pixels divided by 255. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

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
 * Some of the images. A range shares the memory of `dataset`; indices (any order, repeats allowed) copy.
 * @throws ArgumentError when an index or the range leaves `0..count`
 */
export function subset(dataset: ImageDataset, selection: ArrayLike<number> | IndexRange): ImageDataset {
  return "length" in selection ? pick(dataset, selection) : slice(dataset, selection);
}

function slice(dataset: ImageDataset, { from = 0, to = dataset.count }: IndexRange): ImageDataset {
  const fits = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= dataset.count;
  if (!fits) {
    throw new ArgumentError(
      `subset: range ${from}..${to} is not within the ${dataset.count} images of ${dataset.name}`,
      {
        from,
        to,
        count: dataset.count,
      },
    );
  }
  const size = imageBytes(dataset);
  const images = dataset.images.subarray(from * size, to * size);
  return { ...dataset, images, labels: dataset.labels.subarray(from, to), count: to - from };
}

function pick(dataset: ImageDataset, indices: ArrayLike<number>): ImageDataset {
  const images = new Uint8Array(indices.length * imageBytes(dataset));
  const labels = new Int32Array(indices.length);
  gather(dataset, indices, images, labels);
  return { ...dataset, images, labels, count: indices.length };
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

/**
 * Mean and (population) standard deviation of each channel, in units of pixel / 255. Exact up to the last division: sums are
 * integers taken from histograms.
 * @throws ArgumentError for a dataset without images
 */
export function channelStatistics(dataset: ImageDataset): ChannelStatistics {
  if (dataset.count === 0)
    throw new ArgumentError(`channelStatistics: ${dataset.name} has no images`, { name: dataset.name });
  const [channels, height, width] = dataset.shape;
  const plane = height * width;
  const histograms = Array.from({ length: channels }, () => new Float64Array(256));
  for (let at = 0, channel = 0; at < dataset.images.length; at += plane, channel = (channel + 1) % channels) {
    const histogram = histograms[channel] as Float64Array;
    for (let i = at; i < at + plane; i++) {
      const pixel = dataset.images[i] as number;
      histogram[pixel] = (histogram[pixel] as number) + 1;
    }
  }
  const moments = histograms.map(momentsOf);
  return { mean: moments.map(([mean]) => mean), std: moments.map(([, std]) => std) };
}

function momentsOf(histogram: Float64Array): [mean: number, std: number] {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let value = 0; value < 256; value++) {
    const n = histogram[value] as number;
    count += n;
    sum += n * value;
    squares += n * value * value;
  }
  const mean = sum / count;
  return [mean / 255, Math.sqrt(Math.max(0, squares / count - mean * mean)) / 255];
}

/** Images of each class. */
export function classCounts(dataset: ImageDataset): number[] {
  const counts = new Array<number>(dataset.classes.length).fill(0);
  for (const label of dataset.labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
