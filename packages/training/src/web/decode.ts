import { planDecode, type Step } from "../augment/decode-plan.js";
import type { Box, Frame, Framing, Size } from "../augment/frame.js";
import { type Axis, axisOf, type Pixels, resample, span } from "./resample.js";

export interface DecodeRequest {
  readonly frame: Frame;
  /** Where to cut, given the size of the upright picture. */
  readonly place: (picture: Size) => Framing;
  readonly channels: 1 | 3;
  /** Pictures of more are refused. */
  readonly maxPixels: number;
}

/**
 * A picture file as planes of one size, `[C, H, W]`: upright by its EXIF orientation, in sRGB, transparent ones over black, of moving
 * ones the first frame. The browser decodes beside this thread, and scales large pictures down by a half, a quarter or an eighth, piece by
 * piece; the rest is scaled here, as in Node and so in torchvision.
 * @throws whatever the browser throws for what is no picture; RangeError for too large a one
 */
export async function decodePicture(file: Blob, request: DecodeRequest, out: Uint8Array): Promise<void> {
  const { frame, place, channels, maxPixels } = request;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "default" });
  try {
    const { width, height } = bitmap;
    if (width * height > maxPixels)
      throw new RangeError(`has ${width}x${height} pixels; at most ${maxPixels} are taken`);
    const { shrunk, steps } = planDecode([height, width], place([height, width]), frame);
    const axes = steps.map(axesOf);
    const box = boxOf(steps[0] as Step, axes[0] as Axes);
    const divisor = shrunk === undefined ? 1 : Math.round(height / shrunk[0]);
    let pixels = divisor === 1 ? drawn([[bitmap, -box.left, -box.top]], box) : await shrunkPixels(bitmap, divisor, box);
    for (const { x, y } of axes) pixels = resample(pixels, x, y);
    toPlanes(pixels, channels, out);
  } finally {
    bitmap.close();
  }
}

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

function axesOf({ from, to, window }: Step): Axes {
  return {
    y: axisOf(from[0], to[0], window.top, window.height),
    x: axisOf(from[1], to[1], window.left, window.width),
  };
}

/** What a step reads. */
function boxOf({ top, left }: Step, { x, y }: Axes): Box {
  const [rows, columns] = [span(y), span(x)];
  return { top: top + rows.start, left: left + columns.start, height: rows.length, width: columns.length };
}

/** The browser scales this many pixels without being missed for long: some milliseconds. */
const stripPixels = 2 ** 22;

/** A part of a picture of a `divisor`-th of the size. */
async function shrunkPixels(bitmap: ImageBitmap, divisor: number, box: Box): Promise<Pixels> {
  const left = box.left * divisor;
  const width = Math.min(box.width * divisor, bitmap.width - left);
  const rows = Math.max(1, Math.floor(stripPixels / (width * divisor)));
  const strips: [ImageBitmap, number, number][] = [];
  try {
    for (let row = 0; row < box.height; row += rows) {
      const resizeHeight = Math.min(rows, box.height - row);
      const top = (box.top + row) * divisor;
      const height = Math.min(resizeHeight * divisor, bitmap.height - top);
      // Of a half, a quarter and an eighth, this quality is the mean of the pixels.
      const how = { resizeWidth: box.width, resizeHeight, resizeQuality: "medium" } as const;
      strips.push([await createImageBitmap(bitmap, left, top, width, height, how), 0, row]);
    }
    return drawn(strips, box);
  } finally {
    for (const [strip] of strips) strip.close();
  }
}

let context: OffscreenCanvasRenderingContext2D | undefined;

/** The pixels of bitmaps that are laid at places of a canvas. */
function drawn(bitmaps: readonly (readonly [ImageBitmap, x: number, y: number])[], { width, height }: Box): Pixels {
  // In the processor's memory from the start; opaque, so that what shines through is black.
  const settings = { alpha: false, willReadFrequently: true };
  context ??= new OffscreenCanvas(1, 1).getContext("2d", settings) as OffscreenCanvasRenderingContext2D;
  // Clears it, too.
  Object.assign(context.canvas, { width, height });
  for (const [bitmap, x, y] of bitmaps) context.drawImage(bitmap, x, y);
  return { bytes: context.getImageData(0, 0, width, height).data, width, step: 4 };
}

/** Grey is luma (ITU-R BT.601, as in Pillow). */
function toPlanes({ bytes, step }: Pixels, channels: 1 | 3, out: Uint8Array): void {
  const plane = out.length / channels;
  for (let i = 0, at = 0; i < plane; i++, at += step) {
    const [r, g, b] = [bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number];
    if (channels === 1) out[i] = (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
    else {
      out[i] = r;
      out[plane + i] = g;
      out[2 * plane + i] = b;
    }
  }
}
