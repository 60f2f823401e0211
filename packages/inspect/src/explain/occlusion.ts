import {
  ArgumentError,
  arange,
  greaterEqual,
  type HostTensor,
  hostTensor,
  less,
  reshape,
  select,
  softmax,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { askedClasses, type ClassOptions, ofClass } from "./classes.js";
import type { Explainer } from "./explainer.js";
import { predict } from "./feature-maps.js";

export interface OcclusionOptions extends ClassOptions {
  /** Side of the square patch in pixels. Default: a seventh of the image's shorter side, 32 of 224. */
  readonly size?: number | undefined;
  /** Pixels from one patch to the next. Default: half the size. */
  readonly stride?: number | undefined;
  /** What the patch shows, in 0..1: one number, or one a channel, such as the data set's mean. Default 0.5, grey. */
  readonly fill?: number | readonly number[] | undefined;
  /** Patches at once. Default 16. */
  readonly batch?: number | undefined;
  /** Called after each batch. A promise is waited for: whoever computes in a worker can let messages in, of a cancellation above all. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Occlusion {
  /** The class that was watched, of each image. */
  readonly classes: readonly number[];
  /** Its probability in the whole image. */
  readonly whole: readonly number[];
  /** Its probability behind each patch, float32 `[N, rows, columns]`. */
  readonly map: HostTensor;
  /** First pixel row of each row of the map, and first pixel column of each column. */
  readonly tops: readonly number[];
  readonly lefts: readonly number[];
  readonly size: number;
  /** How much probability is lost when a pixel is hidden, on average over the patches that cover it: float32 `[N, H, W]`. */
  readonly onImages: HostTensor;
}

/**
 * The class's probability while a grey patch moves over the image: where it falls, the network looked. Zeiler, Fergus: "Visualizing and
 * Understanding Convolutional Networks", 2014, section 4.2. The last row and column of patches end at the image's border. As many passes
 * as patches: 169 for 224x224 pixels.
 * @throws ArgumentError for options that make no sense, and as {@link saliency}; the signal's reason when it is aborted
 */
export async function occlusion(
  explainer: Explainer,
  images: HostTensor,
  options: OcclusionOptions = {},
): Promise<Occlusion> {
  const asked = toNumbers(askedClasses(explainer, images, options));
  const plan = planned(images, options);
  const { probabilities, top } = await predict(explainer, images, { top: 1 });
  const classes = [...asked].map((index, i) => (index < 0 ? (top[i]?.[0]?.index as number) : index));
  const [count, classCount] = probabilities.shape as [number, number];
  const map = await behindPatches(explainer, images, classes, plan, options);
  const whole = classes.map((index, i) => probabilities.data[i * classCount + index] as number);
  const { tops, lefts, size } = plan;
  return {
    classes,
    whole,
    map: { dtype: "float32", shape: [count, tops.length, lefts.length], data: map },
    tops,
    lefts,
    size,
    onImages: lost(images, whole, map, plan),
  };
}

interface Plan {
  readonly size: number;
  readonly tops: readonly number[];
  readonly lefts: readonly number[];
  readonly fill: HostTensor;
  readonly batch: number;
}

function planned(images: HostTensor, options: OcclusionOptions): Plan {
  const [, channels, height, width] = images.shape as [number, number, number, number];
  const side = Math.min(height, width);
  const size = whole("size", options.size ?? Math.max(1, Math.round(side / 7)), side);
  const stride = whole("stride", options.stride ?? Math.max(1, Math.floor(size / 2)), Math.max(height, width));
  const batch = whole("batch", options.batch ?? 16, Number.MAX_SAFE_INTEGER);
  const { fill = 0.5 } = options;
  const colour = typeof fill === "number" ? Array.from({ length: channels }, () => fill) : fill;
  if (colour.length !== channels || !colour.every(Number.isFinite))
    throw new ArgumentError(
      `occlusion: fill is ${colour.join(", ")}; it needs a number, or one for each of ${channels} channels`,
    );
  const starts = (length: number): number[] => startsOf(length, size, stride);
  return { size, tops: starts(height), lefts: starts(width), fill: hostTensor(colour), batch };
}

function whole(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new ArgumentError(`occlusion: ${name} is ${value}; it needs a whole number from 1 to ${most}`, { name });
}

/** Every `stride` pixels as long as the patch fits, and one at the end. */
function startsOf(length: number, size: number, stride: number): number[] {
  const last = length - size;
  const starts = Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);
  return starts.at(-1) === last ? starts : [...starts, last];
}

/** The watched class's probability for each image and patch, row by row. */
async function behindPatches(
  explainer: Explainer,
  images: HostTensor,
  classes: readonly number[],
  { size, tops, lefts, fill, batch }: Plan,
  { onProgress, signal }: OcclusionOptions,
): Promise<Float32Array> {
  const patches = tops.flatMap((top) => lefts.map((left) => ({ top, left })));
  const total = patches.length * classes.length;
  const result = new Float32Array(total);
  const at = Math.min(batch, patches.length);
  for (const [i, index] of classes.entries()) {
    for (let start = 0; start < patches.length; start += at) {
      signal?.throwIfAborted();
      const some = patches.slice(start, start + at);
      // The last batch is filled up: another size would be another program.
      const numbers = (of: (patch: { top: number; left: number }) => number): HostTensor =>
        hostTensor(Int32Array.from({ length: at }, (_, k) => of(some[Math.min(k, some.length - 1)] ?? patches[0]!)));
      const { probabilities } = await explainer.ask({
        name: "occlusion",
        frozen: true,
        inputs: {
          images: imageAt(images, i),
          fill,
          tops: numbers(({ top }) => top),
          bottoms: numbers(({ top }) => top + size),
          lefts: numbers(({ left }) => left),
          rights: numbers(({ left }) => left + size),
          classes: numbers(() => index),
        },
        build: (pixels, inputs, forward) => {
          const { logits } = forward(occluded(pixels, inputs));
          return { probabilities: ofClass(softmax(logits), inputs.classes as Tensor) };
        },
      });
      const done = i * patches.length + start;
      result.set(toNumbers(probabilities).subarray(0, some.length), done);
      await onProgress?.({ done: done + some.length, total });
    }
  }
  return result;
}

/** One image `[1, C, H, W]` behind each patch: `[B, C, H, W]`. The image travels once. */
function occluded(pixels: Tensor, inputs: Readonly<Record<string, Tensor>>): Tensor {
  const [, channels, height, width] = pixels.shape as [number, number, number, number];
  const bound = (name: string): Tensor => reshape(inputs[name] as Tensor, [-1, 1, 1, 1]);
  const rows = reshape(arange(height), [1, 1, height, 1]);
  const columns = reshape(arange(width), [1, 1, 1, width]);
  const fill = reshape(inputs.fill as Tensor, [1, channels, 1, 1]);
  const within = (places: Tensor, low: string, high: string, inside: Tensor): Tensor =>
    select(greaterEqual(places, bound(low)), select(less(places, bound(high)), inside, pixels), pixels);
  return within(rows, "tops", "bottoms", within(columns, "lefts", "rights", fill));
}

/** Image `i` alone, as a view. */
function imageAt({ dtype, shape, data }: HostTensor, i: number): HostTensor {
  const size = data.length / (shape[0] as number);
  return { dtype, shape: [1, ...shape.slice(1)], data: data.subarray(i * size, (i + 1) * size) as HostTensor["data"] };
}

function lost(
  images: HostTensor,
  whole: readonly number[],
  map: Float32Array,
  { tops, lefts, size }: Plan,
): HostTensor {
  const [count, , height, width] = images.shape as [number, number, number, number];
  const data = new Float32Array(count * height * width);
  const covering = (starts: readonly number[], length: number): number[][] =>
    Array.from({ length }, (_, at) => [...starts.keys()].filter((i) => at >= starts[i]! && at < starts[i]! + size));
  const [rowsAt, columnsAt] = [covering(tops, height), covering(lefts, width)];
  let at = 0;
  for (let image = 0; image < count; image++) {
    for (const rows of rowsAt) {
      for (const columns of columnsAt) {
        let sum = 0;
        for (const row of rows)
          for (const column of columns) sum += map[(image * tops.length + row) * lefts.length + column] as number;
        // Where strides are longer than patches nobody covers a pixel: nothing is known to be lost.
        const patches = rows.length * columns.length;
        data[at++] = patches === 0 ? 0 : (whole[image] as number) - sum / patches;
      }
    }
  }
  return { dtype: "float32", shape: [count, height, width], data };
}
