import {
  ArgumentError,
  add,
  concat,
  full,
  maximum,
  minimum,
  mul,
  narrow,
  oneHot,
  reshape,
  select,
  sub,
  type Tensor,
} from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { BatchTensors, Transform } from "../transform.js";
import { augmentation, chanceOption, numberOption } from "./options.js";
import { imageShape, imageVector, insideBox, unit } from "./pixels.js";
import { betaQuantiles, quantileCount } from "./quantiles.js";
import { chance, drawn, tableAt, wholeNumbers } from "./random.js";

export interface MixOptions {
  /** The images' shares are distributed as Beta(alpha, alpha): 1 is uniform, less is nearer to 0 and 1. At most 1000: as good as halves. */
  readonly alpha?: number;
  /** Of the labels, which become float32 `[N, numClasses]`: each class's share. */
  readonly numClasses: number;
  /** Share of the images that are mixed. Default 1. */
  readonly p?: number;
}

/**
 * Mixup (Zhang et al. 2018): each image and its label mixed with those of the image before it in the batch, in a random proportion of
 * its own. `alpha`: default 0.2. In evaluation labels stay as they are. Returns float32.
 * @throws ArgumentError
 */
export function mixup({ alpha = 0.2, numClasses, p = 1 }: MixOptions): Transform {
  checkMix("mixup", { alpha, numClasses, p });
  const shares = betaQuantiles(alpha);
  return augmentation("mixup", { alpha, numClasses, p }, (batch, ctx) => {
    const [n] = imageShape(batch.images, "mixup");
    const kept = ifChosen(drawn(ctx, n, shares), 1, { ctx, n, p });
    const images = unit(batch.images);
    const other = previous(images);
    return withLabels(
      { ...batch, images: add(other, mul(imageVector(kept), sub(images, other))) },
      { kept, numClasses },
    );
  });
}

/**
 * CutMix (Yun et al. 2019): a random part of each image comes from the image before it in the batch, and the label as much as the part
 * takes of the area. `alpha`: default 1. In evaluation labels stay as they are. Returns float32.
 * @throws ArgumentError
 */
export function cutMix({ alpha = 1, numClasses, p = 1 }: MixOptions): Transform {
  checkMix("cutMix", { alpha, numClasses, p });
  const sides = betaQuantiles(alpha).map((share) => Math.sqrt(1 - share));
  return augmentation("cutMix", { alpha, numClasses, p }, (batch, ctx) => {
    const [n, , h, w] = imageShape(batch.images, "cutMix");
    const drawnSide = wholeNumbers(ctx, n, quantileCount);
    const chosen = ifChosen(full([n], 1), 0, { ctx, n, p });
    const along = (count: number): { start: Tensor; length: Tensor } => {
      const halves = sides.map((side) => Math.floor(Math.floor(count * side) / 2));
      const half = mul(tableAt(halves, drawnSide), chosen);
      const centre = wholeNumbers(ctx, n, count);
      const start = maximum(sub(centre, half), 0);
      return { start, length: sub(minimum(add(centre, half), count), start) };
    };
    const [rows, columns] = [along(h), along(w)];
    const box = { top: rows.start, left: columns.start, height: rows.length, width: columns.length };
    const images = unit(batch.images);
    const kept = sub(1, mul(mul(rows.length, columns.length), 1 / (h * w)));
    return withLabels(
      { ...batch, images: select(insideBox(box, [h, w]), previous(images), images) },
      { kept, numClasses },
    );
  });
}

/** Label as shares of classes: float32 `[N, classes]`. */
export function softLabels(labels: Tensor, numClasses: number): Tensor {
  if (labels.dtype === "int32") return oneHot(labels, numClasses);
  if (labels.shape[1] === numClasses) return labels;
  throw new ArgumentError(`mix: labels are shares of ${labels.shape[1]} classes; numClasses is ${numClasses}`, {
    numClasses,
  });
}

function withLabels(
  batch: BatchTensors,
  { kept, numClasses }: { readonly kept: Tensor; readonly numClasses: number },
): BatchTensors {
  // Pictures of a pipeline have none.
  if (batch.labels === undefined) return batch;
  const labels = softLabels(batch.labels, numClasses);
  const other = previous(labels);
  return { ...batch, labels: add(other, mul(reshape(kept, [-1, 1]), sub(labels, other))) };
}

/** Each entry's predecessor in the batch; the last one stands before the first. */
function previous(x: Tensor): Tensor {
  if (x.shape[0] === 1) return x;
  return concat([narrow(x, 0, -1), narrow(x, 0, 0, -1)], 0);
}

function ifChosen(
  value: Tensor,
  otherwise: number,
  { ctx, n, p }: { readonly ctx: Context; readonly n: number; readonly p: number },
): Tensor {
  return p === 1 ? value : select(chance(ctx, n, p), value, otherwise);
}

function checkMix(where: string, { alpha, numClasses, p }: Required<MixOptions>): void {
  // Beyond, the table of shares would underflow.
  numberOption(where, "alpha", alpha, { min: 0, above: true, max: 1000 });
  numberOption(where, "numClasses", numClasses, { integer: true, min: 1 });
  chanceOption(where, p);
}
