import { ArgumentError, FormatError, nearMatches, randomKey } from "@ocelli/core";
import type { Frame } from "../augment/frame.js";
import type { ImageSource, ReadImages, ReadRequest } from "../data/source.js";
import { decodePicture } from "./decode.js";
import { byPath, isHidden, type LocatedFile, located } from "./located.js";

export interface ImageFilesOptions {
  /**
   * What is cut out of each picture. One frame for all reading, or one for training and one, of the same size, for whatever is read without
   * chance.
   */
  readonly frame: Frame | { readonly train: Frame; readonly eval: Frame };
  /** "photos train": for progress lines and errors. Default "pictures". */
  readonly name?: string | undefined;
  /** The class of a file by its path; undefined leaves the file out. Default: the name of the folder that it lies in. */
  readonly label?: ((path: string) => string | undefined) | undefined;
  /** Class names in the order of the labels: those of the training set, for another split. Default: all that there are, sorted. */
  readonly classes?: readonly string[] | undefined;
  /** 3 (red, green, blue; the default) or 1 (grey). */
  readonly channels?: 1 | 3 | undefined;
  /** A picture that cannot be read: an error (default), or left out. */
  readonly onBroken?: "fail" | "skip" | undefined;
  /** Told once of each picture that is left out, in words and with the cause by itself. Default: the words to `console.warn`. */
  readonly report?: ((line: string, broken: { readonly path: string; readonly reason: string }) => void) | undefined;
  /** Pictures of more pixels count as broken. Default 100 million. */
  readonly maxPixels?: number | undefined;
  /** Pictures that are decoded at once. Default: as many as the processor runs threads, 8 at most. */
  readonly concurrency?: number | undefined;
}

/** Pictures in files, with where they lie. */
export interface ImageFiles extends ImageSource {
  /** Of each image. */
  readonly paths: readonly string[];
}

/**
 * Picture files as a source of images: what the browser decodes (JPEG, PNG, WebP, GIF, mostly AVIF), upright by their EXIF orientation, in
 * sRGB, 8 bits; of those that move, the first frame; transparent ones over black. The same seed, epoch and position give the same part of the
 * picture as in Node. Hidden files and what has no picture's name are left out; pictures with a label of their own are taken whatever their
 * name. Of folders `train` and `val`, make a source each: `files.filter(({ path }) => path.includes("/train/"))`.
 *
 * `read` fails with a FormatError that names the file and the cause, or leaves the picture out (`onBroken`).
 * @param files of an `<input type="file" webkitdirectory>`, of {@link droppedFiles} or {@link directoryFiles}; or pictures with labels
 * @throws ArgumentError without pictures, with a picture in no folder, with a single class, or with options out of range
 */
export function imageFiles(files: Iterable<File | LocatedFile>, options: ImageFilesOptions): ImageFiles {
  const checked = checkOptions(options);
  const { name, frames, channels } = checked;
  const all = [...files].map(located);
  const pictures = byPath(all.flatMap((file) => labelled(file, options.label) ?? []));
  if (pictures.length === 0)
    throw new ArgumentError(`${name}: there is no picture among ${all.length} files`, { files: all.length });
  const classes = options.classes ?? [...new Set(pictures.map(({ label }) => label))].sort();
  if (classes.length < 2) {
    throw new ArgumentError(
      `${name}: all ${pictures.length} pictures are of one class, ${classes[0]}; a classifier needs two or more. The class is the folder that a picture lies in: give the folder above, or a label function.`,
      { classes },
    );
  }
  const reader = new Reader(pictures, checked);
  return {
    name,
    classes,
    labels: Int32Array.from(pictures, (picture) => classOf(name, picture, classes)),
    paths: pictures.map(({ path }) => path),
    shape: [channels, ...frames.train.size],
    count: pictures.length,
    read: (request) => reader.read(request),
  };
}

function checkOptions(options: ImageFilesOptions) {
  const {
    frame,
    name = "pictures",
    channels = 3,
    onBroken = "fail",
    maxPixels = 1e8,
    report = (line) => console.warn(line),
  } = options;
  const { concurrency = Math.min(8, navigator.hardwareConcurrency || 4) } = options;
  const wrong = (what: string, needed: string): ArgumentError => new ArgumentError(`imageFiles: ${what}; ${needed}`);
  const frames = "place" in frame ? { train: frame, eval: frame } : frame;
  const [train, still] = [frames.train, frames.eval].map(({ size }) => size.join("x"));
  if (train !== still)
    throw wrong(`the frame of training is of ${train} pixels and that of evaluation of ${still}`, "they need one size");
  if (channels !== 1 && channels !== 3) throw wrong(`channels is ${channels}`, "pictures have 1 or 3");
  if (onBroken !== "fail" && onBroken !== "skip")
    throw wrong(`onBroken is ${JSON.stringify(onBroken)}`, 'it needs "fail" or "skip"');
  if (!(maxPixels >= 1)) throw wrong(`maxPixels is ${maxPixels}`, "it needs 1 or more");
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw wrong(`concurrency is ${concurrency}`, "it needs an integer, 1 or more");
  return { frames, name, channels, onBroken, maxPixels, report, concurrency };
}

type Labelled = LocatedFile & { readonly label: string };

/** Names that pictures have, also such as only some browsers decode: those are then broken, not overlooked. */
const picture = /\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|avif|tiff?|heic|heif|jxl)$/i;

function labelled(given: LocatedFile, labelOf: ImageFilesOptions["label"]): Labelled | undefined {
  const { path, file, label } = given;
  if (label !== undefined) return { path, file, label };
  const names = path.split("/");
  if (names.some(isHidden) || !picture.test(path)) return undefined;
  if (labelOf === undefined && names.length < 2) {
    throw new ArgumentError(
      `imageFiles: ${path} lies in no folder, whose name would be its class; give a folder of folders, or a label function`,
      { path },
    );
  }
  const found = labelOf === undefined ? (names.at(-2) as string) : labelOf(path);
  return found === undefined ? undefined : { path, file, label: found };
}

function classOf(name: string, { path, label }: Labelled, classes: readonly string[]): number {
  const index = classes.indexOf(label);
  if (index >= 0) return index;
  const [near] = nearMatches(label, classes);
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  throw new ArgumentError(
    `${name}: ${path} is of class ${JSON.stringify(label)}, which is not among the ${classes.length} classes${guess}`,
    { path, label },
  );
}

class Reader {
  readonly #files: readonly Labelled[];
  readonly #options: ReturnType<typeof checkOptions>;
  /** Broken pictures that have been reported. */
  readonly #reported = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(files: readonly Labelled[], options: ReturnType<typeof checkOptions>) {
    this.#files = files;
    this.#options = options;
    this.#free = options.concurrency;
  }

  async read({ indices, chance, signal }: ReadRequest): Promise<ReadImages> {
    const { frames, channels, onBroken, maxPixels } = this.#options;
    const frame = chance === undefined ? frames.eval : frames.train;
    const [height, width] = frame.size;
    const length = channels * height * width;
    const images = new Uint8Array(indices.length * length);
    const broken: number[] = [];
    // The first picture that fails ends the others' waiting.
    const failed = new AbortController();
    const picture = async (index: number, at: number): Promise<void> => {
      failed.signal.throwIfAborted();
      signal?.throwIfAborted();
      const key = chance === undefined ? randomKey(0) : randomKey(chance.seed, chance.epoch, index);
      const out = images.subarray(at * length, (at + 1) * length);
      const { path, file } = this.#fileAt(index);
      try {
        const place = (size: readonly [number, number]) => frame.place(size, key);
        await decodePicture(file, { frame, place, channels, maxPixels }, out);
      } catch (error) {
        if (error instanceof ArgumentError) throw error;
        const reason = reasonFor(file, error);
        if (onBroken === "fail") throw brokenError(path, reason, error);
        this.#report(index, path, reason);
        broken.push(at);
      }
    };
    try {
      await Promise.all(Array.from(indices, (index, at) => this.#inTurn(() => picture(index, at))));
    } catch (error) {
      failed.abort(error);
      throw error;
    }
    return { images, broken: broken.sort((a, b) => a - b) };
  }

  #fileAt(index: number): Labelled {
    const file = this.#files[index];
    if (file !== undefined) return file;
    throw new ArgumentError(`${this.#options.name}: index ${index} is not within the ${this.#files.length} pictures`, {
      index,
    });
  }

  #report(index: number, path: string, reason: string): void {
    if (!this.#reported.has(index))
      this.#options.report(`${path}: left out, because it cannot be read: ${reason}`, { path, reason });
    this.#reported.add(index);
  }

  /** So many at once, whoever asks: decoded pictures are large. */
  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

function brokenError(path: string, reason: string, cause: unknown): FormatError {
  return new FormatError(
    `${path}: ${reason}. Take it out of the set, or leave out what is broken (onBroken: "skip").`,
    {
      file: path,
      reason,
      cause,
    },
  );
}

function reasonFor(file: Blob, error: unknown): string {
  if (file.size === 0) return "is empty";
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  // The browser's own words for it say no more.
  if (name === "InvalidStateError") return "is damaged, or of a format that this browser does not decode";
  if (name === "NotReadableError" || name === "NotFoundError") return "was changed or moved since it was chosen";
  return message.replace(/\.$/, "");
}
