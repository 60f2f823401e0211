import { ArgumentError, type HostTensor, type Tensor, toNumbers } from "@ocelli/core";
import { checkImages } from "./classes.js";
import type { Explainer } from "./explainer.js";
import { deconvolutionRule, gradientsBy } from "./rules.js";

export interface DeconvolutionOptions {
  /** Path of a layer with a map. */
  readonly layer: string;
  /** Which of its channels. */
  readonly channel: number;
  /** How many activations of each image, the strongest first. Default 1. */
  readonly count?: number | undefined;
}

/** One activation and what it comes from. */
export interface Projection {
  /** Which of the images. */
  readonly image: number;
  /** Where in the channel's map. */
  readonly row: number;
  readonly column: number;
  readonly activation: number;
  /** float32 `[C, H, W]`, like one image. */
  readonly pixels: HostTensor;
}

/**
 * The strongest activations of a channel, each alone projected back to the pixels: max pooling is undone by its switches, what comes back
 * through a ReLU is rectified wherever it is, convolutions are transposed. Zeiler, Fergus: "Visualizing and Understanding Convolutional
 * Networks", 2014, section 2.1. Every other operation passes its gradient on: batch-norm and local response normalisation, which the paper
 * has not, and leaky and smooth activations. Where overlapping pools share a switch, what they return adds up.
 * @returns image by image, the strongest first
 * @throws ArgumentError for layers and channels that the model has not, and for a layer without a map
 */
export async function deconvolution(
  explainer: Explainer,
  images: HostTensor,
  { layer, channel, count = 1 }: DeconvolutionOptions,
): Promise<Projection[]> {
  checkImages(images);
  const { maps } = await explainer.ask({
    name: `map ${layer}`,
    inputs: { images },
    build: (pixels, _, forward) => ({ maps: forward(pixels).map(layer) }),
  });
  const peaks = strongest(maps, channel, count);
  const { projections } = await explainer.ask({
    name: `deconvolution ${layer}`,
    inputs: { images: repeated(images, peaks), seeds: seedsOf(maps, channel, peaks) },
    build: (pixels, { seeds }, forward) => {
      const [back] = gradientsBy(deconvolutionRule, forward(pixels).map(layer), [pixels], seeds);
      return { projections: back as Tensor };
    },
  });
  const shape = images.shape.slice(1);
  const size = projections.data.length / peaks.length;
  return peaks.map((peak, i) => ({
    ...peak,
    pixels: { dtype: "float32", shape, data: projections.data.slice(i * size, (i + 1) * size) },
  }));
}

type Peak = Omit<Projection, "pixels">;

function strongest(maps: HostTensor, channel: number, count: number): Peak[] {
  const [n, channels, height, width] = maps.shape as [number, number, number, number];
  check("channel", channel, 0, channels - 1);
  check("count", count, 1, height * width);
  const values = toNumbers(maps);
  return Array.from({ length: n }, (_, image) => {
    const start = (image * channels + channel) * height * width;
    const map = values.subarray(start, start + height * width);
    const best = [...map.keys()].sort((a, b) => (map[b] as number) - (map[a] as number)).slice(0, count);
    return best.map((at) => ({
      image,
      row: Math.floor(at / width),
      column: at % width,
      activation: map[at] as number,
    }));
  }).flat();
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new ArgumentError(`deconvolution: ${name} is ${value}; it needs a whole number from ${least} to ${most}`, {
    name,
  });
}

/** For each peak its image. */
function repeated({ dtype, shape, data }: HostTensor, peaks: readonly Peak[]): HostTensor {
  const size = data.length / (shape[0] as number);
  const rows = new (data.constructor as Uint8ArrayConstructor)(peaks.length * size);
  for (const [i, { image }] of peaks.entries()) rows.set(data.subarray(image * size, (image + 1) * size), i * size);
  return { dtype, shape: [peaks.length, ...shape.slice(1)], data: rows };
}

/** For each peak a map that is empty but for its activation. */
function seedsOf({ shape }: HostTensor, channel: number, peaks: readonly Peak[]): HostTensor {
  const [, channels, height, width] = shape as [number, number, number, number];
  const data = new Float32Array(peaks.length * channels * height * width);
  for (const [i, { row, column, activation }] of peaks.entries())
    data[((i * channels + channel) * height + row) * width + column] = activation;
  return { dtype: "float32", shape: [peaks.length, channels, height, width], data };
}
