import { ArgumentError, type HostTensor, hostTensor } from "@ocelli/core";
import { ahead } from "./ahead.js";
import { gather, imageBytes } from "./dataset.js";
import { Generator, shuffle } from "./generator.js";
import { type ImageSource, isImageSource, type LabelledImages, type ReadImages } from "./source.js";

export interface LoaderOptions {
  /** Images a batch, at least 1. */
  readonly batchSize: number;
  /** A new order each epoch, a function of `seed` and the epoch only; sources then take their chances too. Default false. */
  readonly shuffle?: boolean | undefined;
  /** Any safe integer; for sources, not below 0. Default 0. */
  readonly seed?: number | undefined;
  /** Leave out a last, smaller batch. Default: the value of `shuffle` (training drops it, evaluation keeps it). */
  readonly dropLast?: boolean | undefined;
  /** Batches made ahead while the caller waits for something else. Default 1; of a source, 2. */
  readonly prefetch?: number | undefined;
}

/** One batch. Its memory is fresh: no later batch writes into it. */
export interface Batch {
  /** uint8 [N, C, H, W]; float32 of a source of features */
  readonly images: HostTensor;
  /** int32 [N] */
  readonly labels: HostTensor;
  /** Positions of the images in the dataset. */
  readonly indices: Int32Array;
  /** The epoch and the number of this batch in it, both from 0: what a resumed run continues from. */
  readonly epoch: number;
  readonly index: number;
}

export interface Loader<Data extends LabelledImages = LabelledImages> {
  readonly dataset: Data;
  readonly batchSize: number;
  /** Batches an epoch. */
  readonly batches: number;
  /** Images an epoch. */
  readonly images: number;
  /** Milliseconds that callers have waited for batches so far, in all epochs. */
  readonly waited: number;
  /**
   * The batches of one epoch, from batch `from` (default 0) on. The same arguments give the same batches, whatever ran before.
   * @throws ArgumentError unless `epoch >= 0` and `0 <= from <= batches` are integers
   */
  epoch(epoch: number, options?: { readonly from?: number | undefined }): AsyncIterable<Batch>;
}

/**
 * Batches of images, epoch by epoch:
 * `for await (const batch of loader(train, { batchSize: 128, shuffle: true }).epoch(0)) ...`
 *
 * Of a source, `prefetch` batches are read ahead, so that at most `prefetch + 1` exist. Where it leaves out a broken picture, a good one of
 * the same batch takes its place if batches have to be full (`dropLast`); otherwise the batch is smaller.
 * @throws ArgumentError for options out of range, and when `dropLast` would leave no batch at all
 */
export function loader<Data extends LabelledImages>(dataset: Data, options: LoaderOptions): Loader<Data> {
  const { batchSize, seed = 0 } = options;
  const source = isImageSource(dataset) ? dataset : undefined;
  const prefetch = options.prefetch ?? (source === undefined ? 1 : 2);
  const dropLast = options.dropLast ?? options.shuffle ?? false;
  needInteger("batchSize", batchSize, 1);
  needInteger("seed", seed, source === undefined ? Number.MIN_SAFE_INTEGER : 0);
  needInteger("prefetch", prefetch, 0);
  const batches = countBatches(dataset, batchSize, dropLast);
  const read = source === undefined ? readMemory : readSource;
  let waited = 0;
  const walk = (epoch: number, from: number): AsyncIterator<Batch, undefined> => {
    const chance = options.shuffle ? { seed, epoch } : undefined;
    const order = epochOrder(dataset.count, chance);
    const make = (index: number, signal: AbortSignal): Promise<Batch> => {
      // Copied: a caller may keep or transfer it.
      const indices = order.slice(index * batchSize, (index + 1) * batchSize);
      return read(dataset as never, { indices, epoch, index, chance, full: dropLast, signal });
    };
    return ahead({ from, to: batches, prefetch, make, begin: source === undefined ? "turn by turn" : "at once" });
  };
  return {
    dataset,
    batchSize,
    batches,
    images: Math.min(dataset.count, batches * batchSize),
    get waited() {
      return waited;
    },
    epoch(epoch, { from = 0 } = {}) {
      needInteger("epoch", epoch, 0);
      needInteger("from", from, 0, batches);
      return { [Symbol.asyncIterator]: () => timed(walk(epoch, from), (ms) => (waited += ms)) };
    },
  };
}

function countBatches({ name, count }: LabelledImages, batchSize: number, dropLast: boolean): number {
  const batches = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
  if (batches > 0) return batches;
  const why = count > 0 ? ` fewer than batchSize ${batchSize}, and dropLast leaves none` : " nothing to load";
  throw new ArgumentError(`loader: ${name} has ${count} images:${why}`, { count, batchSize });
}

/** Leaves out batches without an image, and adds up how long each was waited for. */
function timed(batches: AsyncIterator<Batch, undefined>, add: (ms: number) => void): AsyncIterator<Batch, undefined> {
  return {
    async next() {
      const start = performance.now();
      try {
        let result = await batches.next();
        while (!result.done && result.value.indices.length === 0) result = await batches.next();
        return result;
      } finally {
        add(performance.now() - start);
      }
    },
    return: () => (batches.return as () => Promise<IteratorResult<Batch, undefined>>)(),
  };
}

/** The order in which an epoch visits `count` images; without a shuffle, 0, 1, 2 ... */
export function epochOrder(count: number, by?: { readonly seed: number; readonly epoch: number }): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  return by ? shuffle(order, new Generator(by.seed, "shuffle", by.epoch)) : order;
}

interface BatchRequest {
  readonly indices: Int32Array;
  readonly epoch: number;
  readonly index: number;
  readonly chance: { readonly seed: number; readonly epoch: number } | undefined;
  /** Whether a broken picture's place has to be filled. */
  readonly full: boolean;
  readonly signal: AbortSignal;
}

async function readMemory(
  dataset: Exclude<LabelledImages, ImageSource>,
  { indices, epoch, index }: BatchRequest,
): Promise<Batch> {
  const n = indices.length;
  const images = new Uint8Array(n * imageBytes(dataset));
  const labels = new Int32Array(n);
  gather(dataset, indices, images, labels);
  return batchOf(dataset, { images, labels, indices, epoch, index });
}

async function readSource(source: ImageSource, request: BatchRequest): Promise<Batch> {
  const { indices: wanted, chance, signal, full, epoch, index } = request;
  const read = await source.read({ indices: wanted, chance, signal });
  const { images, indices } = read.broken.length === 0 ? { ...read, indices: wanted } : mend(source, request, read);
  if (full && indices.length === 0) {
    throw new ArgumentError(
      `loader: ${source.name}: all ${wanted.length} pictures of batch ${index} of epoch ${epoch} are broken. Take them out of the set, or make batches larger.`,
      { epoch, batch: index },
    );
  }
  const labels = Int32Array.from(indices, (i) => source.labels[i] as number);
  return batchOf(source, { images, labels, indices, epoch, index });
}

/** The batch without its broken pictures; `full`: good ones, in turn, in their places. */
function mend(
  source: ImageSource,
  { indices, full }: BatchRequest,
  { images, broken }: ReadImages,
): { images: ReadImages["images"]; indices: Int32Array } {
  const bad = new Set(broken);
  const places = [...indices.keys()];
  const good = places.filter((place) => !bad.has(place));
  let taken = 0;
  const kept =
    full && good.length > 0
      ? places.map((place) => (bad.has(place) ? (good[taken++ % good.length] as number) : place))
      : good;
  const size = imageBytes(source);
  const mended = images.slice(0, kept.length * size);
  kept.forEach((place, i) => {
    mended.set(images.subarray(place * size, (place + 1) * size), i * size);
  });
  return { images: mended, indices: Int32Array.from(kept, (place) => indices[place] as number) };
}

function batchOf(
  { shape }: LabelledImages,
  parts: Omit<Batch, "images" | "labels"> & Pick<ReadImages, "images"> & { readonly labels: Int32Array },
): Batch {
  const n = parts.indices.length;
  return {
    ...parts,
    images: hostTensor(parts.images, [n, ...shape]),
    labels: { dtype: "int32", shape: [n], data: parts.labels },
  };
}

function needInteger(name: string, value: number, minimum: number, maximum = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  const range = maximum === Number.MAX_SAFE_INTEGER ? `>= ${minimum}` : `from ${minimum} to ${maximum}`;
  throw new ArgumentError(`loader: ${name} is ${value}; it needs an integer ${range}`, { [name]: value });
}
