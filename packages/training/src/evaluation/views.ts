import { ArgumentError, concat, narrow, ShapeError, sub, type Tensor } from "@ocelli/core";
import { middle } from "../augment/crop.js";
import type { Size } from "../augment/frame.js";
import { numberOption, sizeOption } from "../augment/options.js";
import { columnsAt, imageShape, positions, unit } from "../augment/pixels.js";
import { makeNamed, type Named } from "../named.js";
import { resized } from "./resize.js";

/**
 * What a network is shown of each image in evaluation, as data and as a function; the mean of its class probabilities counts. Views come
 * before the transform, so they take pixels as they travel.
 */
export interface Views extends Named {
  /** Images `[N, C, H, W]` -> views of one size stacked as `[k * N, C, h, w]`, the first view of all images first. */
  apply(images: Tensor): readonly Tensor[];
}

export interface CropViewsOptions {
  /** Height and width of the crops, or one number for both. */
  readonly size: number | Size;
}

/** The middle of each image. @throws ArgumentError; when applied, ShapeError for images smaller than `size` */
export function centerView({ size: given }: CropViewsOptions): Views {
  const size = sizeOption("centerView", "size", given);
  return { name: "center", options: { size }, apply: (images) => [cropsOf("centerView", images, size).centre] };
}

/** The four corners and the middle. @throws ArgumentError; when applied, ShapeError for images smaller than `size` */
export function fiveCropViews({ size: given }: CropViewsOptions): Views {
  const size = sizeOption("fiveCropViews", "size", given);
  const apply = (images: Tensor): Tensor[] => [concat(cropsOf("fiveCropViews", images, size).all, 0)];
  return { name: "fiveCrop", options: { size }, apply };
}

/**
 * The four corners and the middle, and the same mirrored (Krizhevsky et al. 2012, section 4.1: 10 crops of 224 from images of 256).
 * @throws ArgumentError; when applied, ShapeError for images smaller than `size`
 */
export function tenCropViews({ size: given }: CropViewsOptions): Views {
  const size = sizeOption("tenCropViews", "size", given);
  const apply = (images: Tensor): Tensor[] => [withMirrored(concat(cropsOf("tenCropViews", images, size).all, 0))];
  return { name: "tenCrop", options: { size }, apply };
}

export interface MultiScaleViewsOptions {
  /** Shorter sides that the images are brought to; the whole image is shown, so the network must take any size. */
  readonly sizes: readonly number[];
  /** Also mirrored. Default true. */
  readonly flip?: boolean;
}

/**
 * The whole image at several sizes, as fully convolutional networks see it densely (Sermanet et al. 2014; Simonyan and Zisserman 2015,
 * section 3.2): for networks that end in global pooling. Bilinear, on the device.
 * @throws ArgumentError
 */
export function multiScaleViews({ sizes, flip = true }: MultiScaleViewsOptions): Views {
  if (!Array.isArray(sizes) || sizes.length === 0)
    throw new ArgumentError(`multiScaleViews: sizes are ${JSON.stringify(sizes)}; it needs an array of numbers`);
  for (const [i, size] of sizes.entries())
    numberOption("multiScaleViews", `size ${i}`, size, { integer: true, min: 1 });
  if (typeof flip !== "boolean") throw new ArgumentError(`multiScaleViews: flip is ${flip}; it needs true or false`);
  return {
    name: "multiScale",
    options: { sizes, flip },
    apply: (images) =>
      sizes.map((size: number) => {
        const view = scaled(images, size);
        return flip ? withMirrored(view) : view;
      }),
  };
}

/** Every kind of views, by the name that is stored. */
export const views = {
  center: centerView,
  fiveCrop: fiveCropViews,
  tenCrop: tenCropViews,
  multiScale: multiScaleViews,
} as const;

/** Views from their name and options. @throws ArgumentError for an unknown name, or options out of range */
export function makeViews(given: Named): Views {
  return makeNamed("views", views, given);
}

function cropsOf(
  where: string,
  images: Tensor,
  [height, width]: Size,
): { readonly centre: Tensor; readonly all: readonly Tensor[] } {
  const [, , h, w] = imageShape(images, where);
  if (h < height || w < width) {
    throw new ShapeError(
      `${where}: images of ${h}x${w} hold no crop of ${height}x${width}: take a smaller size, or larger images`,
      { size: [height, width], image: [h, w] },
    );
  }
  const [down, right] = [h - height, w - width];
  const crop = (top: number, left: number): Tensor =>
    narrow(narrow(images, 2, top, top + height), 3, left, left + width);
  const centre = crop(middle(down), middle(right));
  return { centre, all: [crop(0, 0), crop(0, right), crop(down, 0), crop(down, right), centre] };
}

function withMirrored(images: Tensor): Tensor {
  const width = images.shape[3] as number;
  return concat([images, columnsAt(images, sub(width - 1, positions(width)))], 0);
}

/** The shorter side at `size`, the longer one in proportion. */
function scaled(images: Tensor, size: number): Tensor {
  const [, , h, w] = imageShape(images, "multiScaleViews");
  const ratio = size / Math.min(h, w);
  return h === size && w === size ? images : resized(unit(images), [Math.round(h * ratio), Math.round(w * ratio)]);
}
