import { ArgumentError, FormatError, randomKey } from "@ocelli/core";
import { planDecode } from "../../augment/decode-plan.js";
import type { Frame } from "../../augment/frame.js";
import { findBadLabel } from "../../data/dataset.js";
import type { ImageSource, ReadImages, ReadRequest } from "../../data/source.js";
import { type Decoders, decodersOf, type Task } from "./decoders.js";
import type { Reply } from "./protocol.js";

/** Labelled picture files: what `imageFolder` and `imageList` find. */
export interface PictureFiles {
  /** "photos train": for progress lines and errors. */
  readonly name: string;
  /** Paths. */
  readonly files: readonly string[];
  /** Class of each file, `0 <= label < classes.length`. */
  readonly labels: Uint8Array | Int32Array;
  /** Class names, in the order of the labels. */
  readonly classes: readonly string[];
}

export interface PictureSourceOptions {
  /**
   * What is cut out of each picture. One frame for all reading, or one for training and one, of the same size, for whatever is read without
   * chance.
   */
  readonly frame: Frame | { readonly train: Frame; readonly eval: Frame };
  /** 3 (red, green, blue; the default) or 1 (grey). */
  readonly channels?: 1 | 3 | undefined;
  /**
   * Threads. Default: as many as the processor runs at once. `sharp` decodes on the threads of Node's own pool: of those there are 4 unless
   * the environment variable UV_THREADPOOL_SIZE asks for more when the process starts.
   */
  readonly workers?: number | undefined;
  /** A picture that cannot be read: an error (default), or left out. */
  readonly onBroken?: "fail" | "skip" | undefined;
  /** Told once of each file that is left out, with the cause, and of threads that had to be replaced. Default: a warning of the process. */
  readonly report?: ((line: string) => void) | undefined;
  /** Pictures of more pixels count as broken. Default 100 million. */
  readonly maxPixels?: number | undefined;
}

/**
 * Picture files as a source of images: JPEG, PNG, WebP, TIFF, GIF and AVIF, upright by their EXIF orientation, in sRGB, 8 bits; of those that
 * move, the first frame; transparent ones over black. Decoded by `sharp` on threads of their own and scaled as torchvision does
 * (bilinear with antialiasing). The same seed, epoch and position give the same part of the picture.
 *
 * `read` fails with a FormatError that names the file and the cause, or leaves the picture out (`onBroken`).
 * @throws ArgumentError for options out of range, lists of different lengths, labels without a class; when `sharp` is not installed
 */
export function pictureSource(files: PictureFiles, options: PictureSourceOptions): ImageSource {
  checkFiles(files);
  const { name, labels, classes } = files;
  const { channels, train } = checkOptions(options);
  const decoders = decodersOf(options.workers);
  const reader = new Reader(files, options, decoders);
  const [height, width] = train.size;
  return {
    name,
    labels,
    classes,
    shape: [channels, height, width],
    count: labels.length,
    read: (request) => reader.read(request),
  };
}

function checkFiles({ name, files, labels, classes }: PictureFiles): void {
  if (files.length !== labels.length)
    throw new ArgumentError(`pictureSource: ${name} has ${files.length} files and ${labels.length} labels`, {
      files: files.length,
      labels: labels.length,
    });
  const bad = findBadLabel(labels, classes.length);
  if (bad < 0) return;
  throw new ArgumentError(
    `pictureSource: label ${labels[bad]} of ${files[bad]} is outside the ${classes.length} classes`,
    { label: labels[bad], file: files[bad] },
  );
}

/** Two frames and the defaults. */
function checkOptions({
  frame,
  channels = 3,
  onBroken = "fail",
  maxPixels = 1e8,
  report = warn,
}: PictureSourceOptions) {
  const { train, eval: still } = "place" in frame ? { train: frame, eval: frame } : frame;
  const [a, b] = [train, still].map(({ size }) => size.join("x"));
  if (a !== b)
    throw new ArgumentError(
      `pictureSource: the frame of training is of ${a} pixels and that of evaluation of ${b}; they need one size`,
    );
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`pictureSource: channels is ${channels}; pictures have 1 or 3`, { channels });
  if (onBroken !== "fail" && onBroken !== "skip")
    throw new ArgumentError(`pictureSource: onBroken is ${JSON.stringify(onBroken)}; it needs "fail" or "skip"`, {
      onBroken,
    });
  if (!(maxPixels >= 1))
    throw new ArgumentError(`pictureSource: maxPixels is ${maxPixels}; it needs 1 or more`, { maxPixels });
  // What libvips counts with.
  return { train, eval: still, channels, onBroken, maxPixels: Math.min(maxPixels, 2 ** 31), report };
}

function warn(line: string): void {
  process.emitWarning(line, "PictureWarning");
}

class Reader {
  readonly #files: PictureFiles;
  readonly #options: ReturnType<typeof checkOptions>;
  readonly #decoders: Decoders;
  /** Height and width of each picture; 0 until known. */
  readonly #sizes: Uint32Array;
  /** Broken pictures, with the cause. */
  readonly #broken = new Map<number, string>();

  constructor(files: PictureFiles, options: PictureSourceOptions, decoders: Decoders) {
    this.#files = files;
    this.#options = checkOptions(options);
    this.#decoders = decoders;
    this.#sizes = new Uint32Array(2 * files.files.length);
  }

  async read(request: ReadRequest): Promise<ReadImages> {
    const { indices, signal } = request;
    await this.#measure(indices, signal);
    const { channels, train } = this.#options;
    const pixels = channels * train.size[0] * train.size[1];
    const images = new Uint8Array(indices.length * pixels);
    const good = [...indices.keys()].filter((place) => !this.#broken.has(indices[place] as number));
    const at = (place: number): number => indices[place] as number;
    await this.#share(
      good,
      (places) => this.#decodeTask(places.map(at), request),
      signal,
      (places, reply) => {
        places.forEach((place, i) => {
          images.set(reply.images.subarray(i * pixels, (i + 1) * pixels), place * pixels);
        });
        this.#note(places.map(at), reply);
      },
    );
    const broken = [...indices.keys()].filter((place) => this.#broken.has(at(place)));
    return { images, broken };
  }

  /** Finds out the sizes that are not known yet. */
  async #measure(indices: Int32Array, signal: AbortSignal | undefined): Promise<void> {
    const unknown = [...new Set(indices)].filter((i) => this.#sizes[2 * i] === 0 && !this.#broken.has(i));
    const task = (chosen: readonly number[]): Task => ({ kind: "measure", ...this.#named(chosen) });
    await this.#share(unknown, task, signal, (chosen, reply) => {
      chosen.forEach((index, i) => {
        this.#sizes.set(reply.sizes.subarray(2 * i, 2 * i + 2), 2 * index);
      });
      this.#note(chosen, reply);
    });
  }

  #named(indices: readonly number[]): Pick<Task, "files" | "maxPixels"> {
    return { files: indices.map((i) => this.#files.files[i] as string), maxPixels: this.#options.maxPixels };
  }

  #decodeTask(indices: readonly number[], { chance }: ReadRequest): Task {
    const { train, eval: still, channels } = this.#options;
    const frame = chance === undefined ? still : train;
    const plans = indices.map((index) => {
      const size = [this.#sizes[2 * index] as number, this.#sizes[2 * index + 1] as number] as const;
      const key = chance === undefined ? randomKey(0) : randomKey(chance.seed, chance.epoch, index);
      return planDecode(size, frame.place(size, key), frame);
    });
    return { kind: "decode", ...this.#named(indices), plans, size: frame.size, channels };
  }

  /** Deals items out to the threads: in small shares, so that all have work until the end. */
  async #share(
    items: readonly number[],
    task: (share: readonly number[]) => Task,
    signal: AbortSignal | undefined,
    done: (share: readonly number[], reply: Reply) => void,
  ): Promise<void> {
    const size = Math.max(1, Math.ceil(items.length / (4 * this.#decoders.count)));
    const shares = Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
      items.slice(i * size, (i + 1) * size),
    );
    signal?.throwIfAborted();
    const tasks = shares.map(task);
    const runs = tasks.map((one) => this.#decoders.run(one, this.#options.report));
    const stop = (): void => {
      for (const run of runs) run.cancel(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await Promise.all(runs.map(async ({ reply }, i) => done(shares[i] as readonly number[], await reply)));
    } finally {
      signal?.removeEventListener("abort", stop);
      stop();
    }
  }

  #note(indices: readonly number[], { broken }: Reply): void {
    for (const { at, reason } of broken) {
      const index = indices[at] as number;
      const file = this.#files.files[index] as string;
      if (this.#options.onBroken === "fail") {
        throw new FormatError(
          `${file}: ${reason}. Take it out of the set, or leave out what is broken (onBroken: "skip"; --on-broken skip).`,
          {
            file,
            reason,
          },
        );
      }
      if (!this.#broken.has(index)) this.#options.report(`${file}: left out, because it cannot be read: ${reason}`);
      this.#broken.set(index, reason);
    }
  }
}
