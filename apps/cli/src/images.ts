import { readFile, stat } from "node:fs/promises";
import { type HostTensor, hostTensor } from "@ocelli/core";
import type { Sharp } from "sharp";
import { Failure } from "./errors.js";
import type { ImageShape } from "./model.js";

export interface PreparedImage {
  /** uint8 `[1, C, H, W]` */
  readonly pixels: HostTensor;
  /** More light than dark, in a grey picture. */
  readonly isLight: boolean;
}

export interface ReadOptions {
  /** Swaps light and dark. */
  readonly invert?: boolean;
  /** The shorter side is brought to this, and the middle cut out. */
  readonly resize?: number | undefined;
}

/**
 * Reads a picture and brings it to what a model takes. With `resize` as torchvision does for its weights. Otherwise grey ones are shown
 * whole on a border of their background's kind, as digits are; colour ones fill the frame, and what stands out is cut off.
 * @throws Failure for what is no picture
 */
export async function readImage(
  path: string,
  [channels, height, width]: ImageShape,
  { invert = false, resize }: ReadOptions = {},
): Promise<PreparedImage> {
  await checkPicture(path);
  const bytes = await readFile(path);
  if (channels !== 1 && channels !== 3)
    throw new Failure(`${path}: the model takes ${channels} channels; pictures have 1 or 3`);
  const { default: sharp } = await import("sharp");
  // Inverted later, so that the border ends black either way.
  const background = invert ? "white" : "black";
  try {
    let picture = sharp(bytes, { failOn: "error" }).autoOrient().flatten({ background });
    picture = channels === 1 ? picture.greyscale() : picture.toColourspace("srgb");
    picture =
      resize === undefined
        ? picture.resize(width, height, { fit: channels === 1 ? "contain" : "cover", background })
        : shorterSideThenMiddle(picture, await sizeOf(bytes), { resize, width, height });
    if (invert) picture = picture.negate({ alpha: false });
    const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const pixels = toPlanes(data, info.channels, [channels, height, width]);
    return { pixels: hostTensor(pixels, [1, channels, height, width]), isLight: channels === 1 && mean(pixels) > 127 };
  } catch (error) {
    throw new Failure(`${path}: not a picture that can be read (${firstLine(error)}). PNG, JPEG and WebP work.`);
  }
}

/** Whether there is a file at all. @throws Failure for a folder; ENOENT */
export async function checkPicture(path: string): Promise<void> {
  if ((await stat(path)).isDirectory()) throw new Failure(`${path}: it is a folder; name the pictures in it`);
}

/** Upright. */
async function sizeOf(bytes: Uint8Array): Promise<Size> {
  const { default: sharp } = await import("sharp");
  return (await sharp(bytes).metadata()).autoOrient;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Bilinear with as wide a filter as the picture is scaled down, and torchvision's rounding: the longer side is cut off to a whole
 * number, half a pixel of margin goes to the even side. Within two levels of Pillow's pixels where the picture is
 * scaled down.
 */
function shorterSideThenMiddle(
  picture: Sharp,
  from: Size,
  { resize, width, height }: Size & { readonly resize: number },
): Sharp {
  const short = Math.min(from.width, from.height);
  // A crop larger than the resized picture has nothing to cut from.
  const side = Math.max(resize, width, height);
  const scaled = (length: number): number => Math.trunc((side * length) / short);
  const to = { width: scaled(from.width), height: scaled(from.height) };
  const margin = (outer: number, inner: number): number => roundHalfEven((outer - inner) / 2);
  return picture
    .resize(to.width, to.height, { fit: "fill", kernel: "linear", fastShrinkOnLoad: false })
    .extract({ left: margin(to.width, width), top: margin(to.height, height), width, height });
}

const roundHalfEven = (value: number): number => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** Interleaved pixels to planes. Grey pictures may come back with three equal channels. */
function toPlanes(data: Uint8Array, given: number, [channels, height, width]: ImageShape): Uint8Array {
  const plane = height * width;
  const out = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < plane; i++) out[c * plane + i] = data[i * given + Math.min(c, given - 1)] as number;
  }
  return out;
}

function mean(pixels: Uint8Array): number {
  return pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
}

function firstLine(error: unknown): string {
  return String((error as Error).message).split("\n")[0] ?? "";
}
