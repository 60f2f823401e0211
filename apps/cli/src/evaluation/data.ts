import { resolve } from "node:path";
import { OcelliError } from "@ocelli/core";
import { centerFrame, type Frame, type LabelledImages, makeFrame, type Views } from "@ocelli/training";
import { type DataFlags, type DataKind, type LoadedData, publishedKind } from "../data.js";
import { UsageError } from "../errors.js";
import { type Io, note } from "../io.js";
import { type ImageShape, type LoadedModel, resized } from "../model.js";
import { hasOtherImages } from "../training.js";
import { cropOf } from "./views.js";

export interface RequestFlags extends Partial<DataFlags> {
  readonly views?: unknown;
}

/** The data that is named; otherwise that of the run, with the very images that it tested on. */
export function requestOf(run: LoadedModel["run"], { data, dataDir, limit, ...flags }: RequestFlags): DataFlags {
  const name = data ?? run?.data.name;
  if (name === undefined) throw new UsageError("eval needs --data, for example --data mnist");
  const own = isOwn(run, data) ? run : undefined;
  const dir = dataDir ?? own?.data.dir ?? undefined;
  const place = own?.frames === undefined ? { data: name, dataDir: dir } : { data: dir ?? name };
  return {
    ...place,
    limit: limit ?? (data === undefined ? run?.data.limit : undefined),
    onBroken: flags.onBroken ?? own?.data.onBroken,
    workers: flags.workers ?? own?.data.workers,
    ...(own?.validation && { validation: own.validation.share, seed: own.validation.seed }),
  };
}

/** Whether the data are those that the run names. */
function isOwn(run: LoadedModel["run"], data: string | undefined): boolean {
  if (data === undefined || run?.frames === undefined) return data === undefined || data === run?.data.name;
  // Pictures are named by their place: a folder of the same name elsewhere holds others.
  return resolve(data) === run.data.dir;
}

/** Says so when a run's own pictures are others by now: where it sets some apart for tests, those are others too. */
export function noteChanged(
  io: Io,
  { run, file }: Pick<LoadedModel, "run" | "file">,
  { train }: Pick<LoadedData, "train">,
  flags: RequestFlags = {},
): void {
  // With another limit they are others by choice.
  if (run === undefined || !isOwn(run, flags.data) || requestOf(run, flags).limit !== run.data.limit) return;
  if (!hasOtherImages(run, train)) return;
  note(
    io,
    `note: ${run.data.name} is not what it was when ${file} was trained: the test images may be others, and it may have been trained on some of them`,
  );
}

/** How picture files become images: as in the run's own evaluation, and larger where crops are taken of them. */
export function framesFor(
  { run, image: [channels, height, width], resize }: LoadedModel,
  views: Views | undefined,
): { readonly channels: number; readonly train: Frame; readonly eval: Frame } {
  const frame = (): Frame => {
    const crop = cropOf(views);
    const sizes = views?.options.sizes as readonly number[] | undefined;
    // As the papers have it: crops of 224 from 256.
    const side = crop ? Math.round(Math.max(...crop) / 0.875) : sizes && Math.max(...sizes);
    if (side !== undefined) return centerFrame({ size: side, resize: side });
    return run?.frames ? makeFrame(run.frames.eval) : centerFrame({ size: [height, width], resize });
  };
  // Training images are classified by, not trained on: they are seen as test images are.
  return { channels, train: frame(), eval: frame() };
}

/** Names of classes are compared by nobody else: positions are what counts. */
export function noteClasses(io: Io, { file, classes }: LoadedModel, data: LabelledImages): void {
  if (classes === undefined || classes.join("\n") === data.classes.join("\n")) return;
  const at = classes.findIndex((name, i) => name !== data.classes[i]);
  note(
    io,
    `note: ${file} and ${data.name} name their classes differently: class ${at} is ${classes[at]}, and ${data.classes[at]}. They are compared by position.`,
  );
}

/** The shape of images that the model has to be made for. Views of other sizes it takes, or says that it does not. */
export function shapeFor(
  { image, imageKnown }: LoadedModel,
  views: Views | undefined,
  data: LabelledImages,
): readonly number[] {
  if (views === undefined) return data.shape;
  const [channels] = data.shape;
  return [channels, ...((imageKnown ? undefined : cropOf(views)) ?? image.slice(1))];
}

/** Published weights on a standard set: told before either is downloaded. */
export function checkPublished(model: Pick<LoadedModel, "name" | "image" | "options">, flags: RequestFlags): void {
  const kind = flags.views === undefined ? publishedKind(requestOf(undefined, flags)) : undefined;
  if (kind !== undefined) checkData(model, kind);
}

function checkData({ name, image, options }: Pick<LoadedModel, "name" | "image" | "options">, data: DataKind): void {
  const needed = options.numClasses;
  if (isSame(data.shape, image) && (needed === undefined || needed === data.classes)) return;
  throw new UsageError(
    `${name} was trained on ${image.join("x")} images in ${needed ?? "?"} classes; ${data.name} has ${data.shape.join("x")} in ${data.classes}`,
  );
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

/** The model for the data: of the data's size where the weights do not say theirs. @throws UsageError where the two do not go together */
export function fitting(io: Io, loaded: LoadedModel, data: DataKind): LoadedModel {
  const { name, image, imageKnown, options, entry, file } = loaded;
  if (imageKnown) {
    checkData(loaded, data);
    return loaded;
  }
  const has = options.numClasses ?? entry.numClasses;
  if (has !== data.classes) throw new UsageError(`${file} has ${has} classes; ${data.name} has ${data.classes}`);
  if (isSame(data.shape, image)) return loaded;
  const shape = data.shape.join("x");
  try {
    const taken = resized(loaded, data.shape as ImageShape);
    note(
      io,
      `note: ${file} does not say which images it was trained on; it is taken for ${shape}, as ${data.name} has`,
    );
    return taken;
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    const reason = error.message.replaceAll("\n", "\n  ");
    throw new UsageError(`${name} takes ${image.join("x")} images; ${data.name} has ${shape}\n  ${reason}`);
  }
}
