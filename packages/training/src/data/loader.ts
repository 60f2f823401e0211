import { ArgumentError, type HostTensor } from "@ocelli/core";
import { gather, type ImageDataset, imageBytes } from "./dataset.js";
import { Generator, shuffle } from "./generator.js";

export interface LoaderOptions {
  /** Images a batch, at least 1. */
  readonly batchSize: number;
  /** A new order each epoch, a function of `seed` and the epoch only. Default false. */
  readonly shuffle?: boolean;
  /** Any safe integer. Default 0. */
  readonly seed?: number;
  /** Leave out a last, smaller batch. Default: the value of `shuffle` (training drops it, evaluation keeps it). */
  readonly dropLast?: boolean;
  /** Batches made ahead while the caller waits for something else. Default 1. */
  readonly prefetch?: number;
}

/** One batch. Its memory is fresh: no later batch writes into it. */
export interface Batch {
  /** uint8 [N, C, H, W] */
  readonly images: HostTensor;
  /** int32 [N] */
  readonly labels: HostTensor;
  /** Positions of the images in the dataset. */
  readonly indices: Int32Array;
  /** The epoch and the number of this batch in it, both from 0: what a resumed run continues from. */
  readonly epoch: number;
  readonly index: number;
}

export interface Loader {
  readonly dataset: ImageDataset;
  readonly batchSize: number;
  /** Batches an epoch. */
  readonly batches: number;
  /** Images an epoch. */
  readonly images: number;
  /**
   * The batches of one epoch, from batch `from` (default 0) on. The same arguments give the same batches, whatever ran before.
   * @throws ArgumentError unless `epoch >= 0` and `0 <= from <= batches` are integers
   */
  epoch(epoch: number, options?: { readonly from?: number }): AsyncIterable<Batch>;
}

/**
 * Batches of a dataset, epoch by epoch:
 * `for await (const batch of loader(train, { batchSize: 128, shuffle: true }).epoch(0)) ...`
 * @throws ArgumentError for options out of range, and when `dropLast` would leave no batch at all
 */
export function loader(dataset: ImageDataset, options: LoaderOptions): Loader {
  const { batchSize, seed = 0, prefetch = 1 } = options;
  const dropLast = options.dropLast ?? options.shuffle ?? false;
  needInteger("batchSize", batchSize, 1);
  needInteger("seed", seed, Number.MIN_SAFE_INTEGER);
  needInteger("prefetch", prefetch, 0);
  const batches = dropLast ? Math.floor(dataset.count / batchSize) : Math.ceil(dataset.count / batchSize);
  if (batches === 0) {
    const why = dataset.count > 0 ? ` fewer than batchSize ${batchSize}, and dropLast leaves none` : " nothing to load";
    throw new ArgumentError(`loader: ${dataset.name} has ${dataset.count} images:${why}`, {
      count: dataset.count,
      batchSize,
    });
  }
  const orderOf = (epoch: number) => epochOrder(dataset.count, options.shuffle ? { seed, epoch } : undefined);
  return {
    dataset,
    batchSize,
    batches,
    images: Math.min(dataset.count, batches * batchSize),
    epoch(epoch, { from = 0 } = {}) {
      needInteger("epoch", epoch, 0);
      needInteger("from", from, 0, batches);
      return {
        [Symbol.asyncIterator]: () => {
          const order = orderOf(epoch);
          const make = (index: number) => makeBatch(dataset, order, { epoch, index, batchSize });
          return ahead({ from, to: batches, prefetch, make });
        },
      };
    },
  };
}

/** The order in which an epoch visits `count` images; without a shuffle, 0, 1, 2 ... */
export function epochOrder(count: number, by?: { readonly seed: number; readonly epoch: number }): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  return by ? shuffle(order, new Generator(by.seed, "shuffle", by.epoch)) : order;
}

function makeBatch(
  dataset: ImageDataset,
  order: Int32Array,
  { epoch, index, batchSize }: { readonly epoch: number; readonly index: number; readonly batchSize: number },
): Batch {
  // Copied: a caller may keep or transfer it.
  const indices = order.slice(index * batchSize, (index + 1) * batchSize);
  const n = indices.length;
  const images = new Uint8Array(n * imageBytes(dataset));
  const labels = new Int32Array(n);
  gather(dataset, indices, images, labels);
  return {
    images: { dtype: "uint8", shape: [n, ...dataset.shape], data: images },
    labels: { dtype: "int32", shape: [n], data: labels },
    indices,
    epoch,
    index,
  };
}

interface AheadOptions<T extends object> {
  readonly from: number;
  readonly to: number;
  readonly prefetch: number;
  readonly make: (index: number) => T;
}

/**
 * Makes items `from..to-1`, up to `prefetch` of them before they are asked for. Making is synchronous work: it waits for a
 * free turn of the event loop, that is, for the caller to wait for a device. An item asked for earlier is made at once.
 */
function ahead<T extends object>({ from, to, prefetch, make }: AheadOptions<T>): AsyncIterator<T, undefined> {
  const ready: T[] = [];
  let next = from;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const fill = () => {
    timer = undefined;
    if (ready.length >= prefetch || next >= to) return;
    try {
      ready.push(make(next));
    } catch {
      // A batch that cannot be made is made again, and fails, when it is asked for.
      return;
    }
    next++;
    timer = setTimeout(fill, 0);
  };
  const stop = () => {
    clearTimeout(timer);
    ready.length = 0;
    next = to;
  };
  return {
    async next() {
      if (ready.length === 0 && next >= to) return { done: true, value: undefined };
      const value = ready.shift() ?? make(next++);
      timer ??= setTimeout(fill, 0);
      return { done: false, value };
    },
    async return() {
      stop();
      return { done: true, value: undefined };
    },
  };
}

function needInteger(name: string, value: number, minimum: number, maximum = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Number.MAX_SAFE_INTEGER ? `>= ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new ArgumentError(`loader: ${name} is ${value}; it needs an integer ${range}`, { [name]: value });
}
