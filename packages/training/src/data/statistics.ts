import { ArgumentError } from "@ocelli/core";
import { type ImageDataset, type ImageShape, imageBytes } from "./dataset.js";
import { epochOrder, loader } from "./loader.js";
import { isImageSource, type LabelledImages } from "./source.js";
import { subset } from "./subset.js";

/** Mean and standard deviation of each channel, of pixels divided by 255. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Mean and (population) standard deviation of each channel, in units of pixel / 255. Exact up to the last division: sums are
 * integers taken from histograms.
 * @throws ArgumentError for a dataset without images
 */
export function channelStatistics(dataset: ImageDataset): ChannelStatistics {
  if (dataset.count === 0)
    throw new ArgumentError(`channelStatistics: ${dataset.name} has no images`, { name: dataset.name });
  const histograms = emptyHistograms(dataset.shape);
  addPixels(histograms, dataset.images, dataset.shape);
  return statisticsOf(histograms);
}

export interface MeasureOptions {
  /** Of a source, so many images are read, chosen by `seed`. Default 2000; `Infinity` reads all. */
  readonly samples?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/**
 * {@link channelStatistics} of any images. Those in memory are all counted; of a source, a sample, as evaluation reads it and without its
 * broken pictures.
 * @throws ArgumentError for no images, or none that can be read
 */
export async function measureStatistics(
  data: LabelledImages,
  options: MeasureOptions = {},
): Promise<ChannelStatistics> {
  if (!isImageSource(data)) return channelStatistics(data);
  const { samples = 2000, seed = 0, signal, onProgress } = options;
  if (!(samples >= 1))
    throw new ArgumentError(`measureStatistics: samples is ${samples}; it needs 1 or more`, { samples });
  if (data.count === 0) throw new ArgumentError(`measureStatistics: ${data.name} has no images`, { name: data.name });
  const total = Math.min(data.count, Math.floor(samples));
  const chosen = epochOrder(data.count, { seed, epoch: 0 }).subarray(0, total);
  const histograms = emptyHistograms(data.shape);
  // Batches of some megabytes, whatever the size of an image.
  const batchSize = Math.max(1, Math.min(64, Math.floor(2 ** 24 / imageBytes(data))));
  let done = 0;
  for await (const { images, index } of loader(subset(data, chosen), { batchSize }).epoch(0)) {
    signal?.throwIfAborted();
    addPixels(histograms, images.data as Uint8Array, data.shape);
    done = Math.min(total, (index + 1) * batchSize);
    onProgress?.({ done, total });
  }
  if (done === 0)
    throw new ArgumentError(`measureStatistics: none of ${total} pictures of ${data.name} can be read`, { total });
  return statisticsOf(histograms);
}

function emptyHistograms([channels]: ImageShape): Float64Array[] {
  return Array.from({ length: channels }, () => new Float64Array(256));
}

function addPixels(
  histograms: readonly Float64Array[],
  images: Uint8Array,
  [channels, height, width]: ImageShape,
): void {
  const plane = height * width;
  for (let at = 0, channel = 0; at < images.length; at += plane, channel = (channel + 1) % channels) {
    const histogram = histograms[channel] as Float64Array;
    for (let i = at; i < at + plane; i++) {
      const pixel = images[i] as number;
      histogram[pixel] = (histogram[pixel] as number) + 1;
    }
  }
}

function statisticsOf(histograms: readonly Float64Array[]): ChannelStatistics {
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
