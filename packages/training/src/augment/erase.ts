import { ArgumentError, full, mul, select, sub, type Tensor } from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Transform } from "../transform.js";
import type { Size } from "./frame.js";
import { imageAugmentation, numberOption, sizeOption } from "./options.js";
import { channelVector, imageShape, insideBox, unit } from "./pixels.js";
import { digits, wholeNumbers } from "./random.js";
import { type Boxes, checkedShares, type ResizedCropShares, randomBoxes } from "./resized-crop.js";

/** What stands where pixels were: one number, one for each channel, or uniform noise. */
export type Filling = number | readonly number[] | "random";

export interface RandomErasingOptions {
  /** Range of the part's share of the image. Default `[0.02, 0.33]`. */
  readonly scale?: ResizedCropShares["scale"];
  /** Range of its height to its width. Default `[0.3, 3.3]`. */
  readonly ratio?: ResizedCropShares["ratio"];
  /** Default 0: black, or the mean where the images are normalized already. */
  readonly value?: Filling;
  /** Share of the images. Default 0.5. */
  readonly p?: number;
}

/**
 * Random erasing (Zhong et al. 2020), as torchvision does it: ten tries for a part that fits, else nothing. Goes before or behind
 * `normalize`. Returns float32.
 * @throws ArgumentError
 */
export function randomErasing({
  scale = [0.02, 0.33],
  ratio = [0.3, 3.3],
  value = 0,
  p = 0.5,
}: RandomErasingOptions = {}): Transform {
  const where = "randomErasing";
  const shares = checkedShares(where, { scale, ratio });
  checkFilling(where, value);
  // Boxes go by width to height.
  const inverse = [1 / shares.ratio[1], 1 / shares.ratio[0]] as const;
  return imageAugmentation(where, { ...shares, value, p }, (images, ctx) => {
    const [n, , h, w] = imageShape(images, where);
    const boxes = randomBoxes(ctx, n, {
      image: [h, w],
      scale: shares.scale,
      ratio: inverse,
      // Something of the image stays.
      limit: [h - 1, w - 1],
      fallback: { top: 0, left: 0, height: 0, width: 0 },
    });
    return filled(images, boxes, { value, ctx });
  });
}

/**
 * Cutout (DeVries and Taylor 2017): a square whose centre lies anywhere in the image, cut off at the border. `value` as in
 * {@link randomErasing}; the paper's is the mean, 0 behind `normalize`. Returns float32.
 * @throws ArgumentError
 */
export function cutout({
  size: given,
  value = 0,
  p = 1,
}: {
  /** Height and width, or one number for both. */
  readonly size: number | Size;
  readonly value?: Filling;
  readonly p?: number;
}): Transform {
  const size = sizeOption("cutout", "size", given);
  checkFilling("cutout", value);
  return imageAugmentation("cutout", { size, value, p }, (images, ctx) => {
    const [n, , h, w] = imageShape(images, "cutout");
    const start = (count: number, length: number): Tensor => sub(wholeNumbers(ctx, n, count), Math.floor(length / 2));
    const boxes = {
      top: start(h, size[0]),
      left: start(w, size[1]),
      height: full([n], size[0]),
      width: full([n], size[1]),
    };
    return filled(images, boxes, { value, ctx });
  });
}

function checkFilling(where: string, value: Filling): void {
  if (value === "random") return;
  for (const number of Array.isArray(value) ? value : [value]) numberOption(where, "value", number);
}

/** Boxes may stick out. */
function filled(
  images: Tensor,
  boxes: Boxes,
  { value, ctx }: { readonly value: Filling; readonly ctx: Context },
): Tensor {
  const [n, c, h, w] = imageShape(images, "erase");
  if (typeof value === "object" && value.length !== c)
    throw new ArgumentError(`erase: value has ${value.length} numbers for ${c} channels`, { value });
  const filling =
    value === "random"
      ? mul(digits(ctx, [n, c, h, w], 256), 1 / 255)
      : channelVector(typeof value === "number" ? [value] : value);
  return select(insideBox(boxes, [h, w]), filling, unit(images));
}
