import { ArgumentError } from "@ocelli/core";
import {
  type AugmentPreset,
  augmentPresets,
  type ChannelStatistics,
  digits,
  type Frame,
  imageDataset,
  isImageSource,
  type LabelledImages,
  measureStatistics,
  type NormalizeOptions,
  split,
  splitIndices,
} from "@ocelli/training";
import { imageFiles } from "@ocelli/training/web";
import type { BuiltModel } from "../../model/build.js";
import { asData } from "../../model/named.js";
import type { ImageShape } from "../../model/spec.js";
import type { DataSpec } from "../../model/training.js";
import { type DataContent, openData } from "../../store/data.js";
import type { DataSummary } from "./api.js";
import { borderOf, ownImage } from "./fitting.js";
import { resized } from "./resize.js";

/** What there is to know of data before a picture of it is decoded. */
export interface Described {
  readonly title: string;
  readonly classes: readonly string[];
  /** Of one image as the network gets it, before its border. */
  readonly image: ImageShape;
  readonly content: DataContent;
}

/** The data of a training. */
export interface TrainData {
  readonly summary: DataSummary;
  readonly train: LabelledImages;
  readonly validation?: LabelledImages;
  readonly test?: LabelledImages;
  /** What judges each epoch. */
  readonly judged: LabelledImages;
  readonly preset: AugmentPreset;
  /** What the network's images are normalised by, its border with it. */
  readonly normalization: NormalizeOptions;
}

/** More than this is not scaled up in memory. */
const mostBytes = 2 ** 29;

/** The last ones made: a plan, a preview and the start want the same. */
let last: { readonly count: number; readonly sets: Sets } | undefined;

/** Opens data for a network: what they are, and of what shape its images become. @throws ArgumentError, StorageError */
export async function describe(spec: DataSpec, network: BuiltModel | undefined): Promise<Described> {
  const own: ImageShape = network === undefined ? [3, 64, 64] : ownImage(network);
  if (spec.kind === "digits") return inMemory("Digits", digitSets(spec.count), spec.size);
  const { about, content } = await openData(spec.name);
  if (content.kind === "standard") return inMemory(about.title, limited(content, spec.count), spec.size);
  const side = spec.size ?? own[1];
  // In colour, whatever the network was made for: it is fitted to them.
  return { title: about.title, classes: about.classes, image: [3, side, side], content };
}

type Sets = Extract<DataContent, { readonly kind: "standard" }>;

function digitSets(count: number): Sets {
  if (last?.count === count) return last.sets;
  const train = digits({ split: "train", count });
  // A fifth as many, so that an evaluation is short beside its epoch.
  const test = digits({ split: "test", count: Math.min(2000, Math.max(100, Math.round(count / 5))) });
  last = { count, sets: { kind: "standard", train, test } };
  return last.sets;
}

/** So many of the training images, the same share of every class. */
function limited({ train, test }: Sets, count: number | undefined): Sets {
  if (count === undefined || count >= train.count) return { kind: "standard", train, test };
  return { kind: "standard", train: split(train, { validation: count / train.count }).validation, test };
}

function inMemory(title: string, { train, test }: Sets, size: number | undefined): Described {
  const [channels, height, width] = train.shape;
  const image: ImageShape = size === undefined ? [channels, height, width] : [channels, size, size];
  const bytes = (train.count + test.count) * image[0] * image[1] * image[2];
  if (bytes > mostBytes) {
    const [given, most] = [bytes, mostBytes].map((value) => Math.round(value / 2 ** 20));
    throw new ArgumentError(
      `${title} at ${size} x ${size} pixels takes ${given} MiB of memory; at most ${most} MiB are taken. Use fewer images or smaller ones.`,
      { bytes },
    );
  }
  return { title, classes: train.classes, image, content: { kind: "standard", train, test } };
}

export interface OpenOptions {
  readonly network: BuiltModel;
  /** Name of a preset. */
  readonly augment: string;
  /** Share of the training images that judge. */
  readonly validation: number;
  readonly seed: number;
  /** What takes its time. */
  readonly tell?: ((doing: string) => void) | undefined;
}

/** Where there are no test images. */
const usualShare = 0.2;

/** The images that judge, and those that are learned from, with what happens to them on the way. @throws ArgumentError, FormatError */
export async function openTraining(described: Described, options: OpenOptions): Promise<TrainData> {
  const { network, augment, seed } = options;
  const { title, classes, image, content } = described;
  const known = knownStatistics(network, image[0]);
  const border = borderOf(network);
  const presetFor = (statistics: ChannelStatistics): { preset: AugmentPreset; normalization: NormalizeOptions } => {
    const { mean, std } = statistics;
    // A constant channel has no spread to divide by.
    const normalization = { mean, std: std.map((value) => (value > 0 ? value : 1)), pad: border };
    const context = { size: image[1], channels: image[0], numClasses: classes.length, statistics: normalization };
    return { preset: presetOf(augment)(context), normalization };
  };
  const share = options.validation > 0 ? options.validation : content.kind === "pictures" ? usualShare : 0;
  const anything = { mean: [0], std: [1] };
  const { frame } = presetFor(known ?? anything).preset;
  const { all: files, test } = imagesOf(described, frame);
  // Where nothing is left to chance, training sees what evaluation sees.
  const all = isFixed(frame) ? await decoded(files, options.tell) : files;
  const parts = share > 0 ? split(all, { validation: share, seed }) : { train: all, validation: undefined };
  const validation = parts.validation && (await decoded(parts.validation, options.tell));
  const statistics = known ?? (await measureStatistics(parts.train, { samples: 500 }));
  const judged = validation ?? (test as LabelledImages);
  return {
    summary: {
      ...{ title, classes, image },
      train: parts.train.count,
      validation: validation?.count ?? 0,
      test: test?.count ?? 0,
      judged: validation === undefined ? "test" : "validation",
    },
    train: parts.train,
    ...(validation && { validation }),
    ...(test && { test }),
    judged,
    ...presetFor(statistics),
  };
}

/** Whether files are read in training as in evaluation: nothing is left to chance. */
export const isFixed = ({ train, eval: judging }: AugmentPreset["frame"]): boolean =>
  JSON.stringify(asData(train)) === JSON.stringify(asData(judging));

/** The counts that {@link openTraining} would find, without reading a picture. */
export function summaryOf({ title, classes, image, content }: Described, validation: number): DataSummary {
  const count = content.kind === "pictures" ? content.files.length : content.train.count;
  const test = content.kind === "pictures" ? 0 : content.test.count;
  const share = validation > 0 ? validation : content.kind === "pictures" ? usualShare : 0;
  const labels =
    content.kind === "pictures" ? content.files.map(({ label }) => classes.indexOf(label)) : content.train.labels;
  const apart =
    share > 0
      ? splitIndices({ labels: Int32Array.from(labels), name: title }, { validation: share }).validation.length
      : 0;
  return {
    ...{ title, classes, image },
    ...{ train: count - apart, validation: apart, test },
    judged: share > 0 ? "validation" : "test",
  };
}

/** The numbers that the network itself normalises by, if it has some for so many channels. */
function knownStatistics({ entry }: BuiltModel, channels: number): ChannelStatistics | undefined {
  const { mean, std } = entry?.preprocessing ?? {};
  return mean?.length === channels && std !== undefined ? { mean, std } : undefined;
}

/** @throws ArgumentError for an unknown name */
function presetOf(name: string): (typeof augmentPresets)["plain"] {
  if (Object.hasOwn(augmentPresets, name)) return augmentPresets[name as keyof typeof augmentPresets];
  throw new ArgumentError(`There is no augmentation "${name}"; there are ${Object.keys(augmentPresets).join(", ")}`, {
    name,
  });
}

/** The images themselves: in memory, or files that are read as the frame says. */
export function imagesOf(
  { title, classes, image, content }: Described,
  frame: { readonly train: Frame; readonly eval: Frame },
): { readonly all: LabelledImages; readonly test?: LabelledImages } {
  if (content.kind === "standard")
    return { all: resized(content.train, image[1]), test: resized(content.test, image[1]) };
  const source = imageFiles(content.files, {
    frame,
    name: title,
    classes,
    channels: image[0] as 1 | 3,
    onBroken: "skip",
  });
  return { all: source };
}

/** Decoded pictures that memory takes easily. */
const rememberedBytes = 2 ** 28;
const decodedAtOnce = 32;

/** Pictures as evaluation sees them, in memory, so that each is decoded once; too many stay files. What cannot be read is left out. */
async function decoded(source: LabelledImages, tell: OpenOptions["tell"]): Promise<LabelledImages> {
  const size = source.shape.reduce((a, b) => a * b, 1);
  if (!isImageSource(source) || source.count * size > rememberedBytes) return source;
  const images = new Uint8Array(source.count * size);
  const good: number[] = [];
  for (let from = 0; from < source.count; from += decodedAtOnce) {
    const indices = Int32Array.from({ length: Math.min(decodedAtOnce, source.count - from) }, (_, i) => from + i);
    const read = await source.read({ indices });
    for (const [place, index] of indices.entries()) {
      if (read.broken.includes(place)) continue;
      const pixels = (read.images as Uint8Array).subarray(place * size, (place + 1) * size);
      images.set(pixels, good.length * size);
      good.push(index);
    }
    tell?.(`Reading pictures, ${from + indices.length} of ${source.count}`);
  }
  const { name, shape, classes, labels } = source;
  return imageDataset({
    ...{ name, shape, classes },
    images: images.subarray(0, good.length * size),
    labels: Int32Array.from(good, (index) => labels[index] as number),
  });
}
