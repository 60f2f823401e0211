import { ArgumentError, add, equal, less, maximum, minimum, mul, select, sub, type Tensor } from "@ocelli/core";
import type { Context } from "@ocelli/layers";
import type { Transform } from "../transform.js";
import { brightness, contrast, saturation } from "./color.js";
import { sharpness } from "./filter.js";
import type { Size } from "./frame.js";
import { autoContrasted, equalized, posterized, solarized } from "./levels.js";
import { chanceOption, imageAugmentation, nameOption, numberOption, type Range } from "./options.js";
import { imageShape, unit } from "./pixels.js";
import { chance, perSample, tableAt, wholeNumbers } from "./random.js";
import { warped } from "./warp.js";

/** One step of a policy. */
export interface PolicyStep {
  readonly op: PolicyOp;
  /** Probability. Default 1. */
  readonly p?: number;
  /** In the op's own units ({@link PolicyOp}); those without take none. */
  readonly magnitude?: number;
}

/**
 * `shearX`, `shearY` (tangent of the angle), `translateX`, `translateY` (share of the side), `rotate` (degrees), `brightness`, `color`,
 * `contrast`, `sharpness` (1 is the image itself, 1 + magnitude more, 1 - magnitude less): with a random sign. `posterize` (bits),
 * `solarize` (threshold 0..255). `autoContrast`, `equalize`, `invert`, `identity`: without magnitude.
 */
export type PolicyOp = keyof typeof operations;

interface Operation {
  /** Left out: the op takes no magnitude. */
  readonly range?: Range;
  /** Numbers of the inverse map, in pixels from the centre, row by row. */
  readonly move?: (magnitude: number, image: Size) => readonly number[];
  /** Whether the magnitude has a random sign. */
  readonly signed?: boolean;
  readonly change?: (images: Tensor, magnitude: Tensor) => Tensor;
}

const positive = { min: 0 };

// @__NO_SIDE_EFFECTS__
function blend(change: (images: Tensor, factor: Tensor) => Tensor): Operation {
  return {
    range: { min: 0, max: 1 },
    signed: true,
    change: (images, magnitude) => change(unit(images), add(magnitude, 1)),
  };
}

/** Other images' magnitudes are computed along, and thrown away. */
const stepOfBits = [256, 128, 64, 32, 16, 8, 4, 2, 1];

const operations = {
  // About the upper left corner, as in Pillow.
  shearX: { range: positive, signed: true, move: (m, [h]) => [1, m, (m * h) / 2, 0, 1, 0] },
  shearY: { range: positive, signed: true, move: (m, [, w]) => [1, 0, 0, m, 1, (m * w) / 2] },
  translateX: { range: positive, signed: true, move: (m, [, w]) => [1, 0, -Math.trunc(m * w), 0, 1, 0] },
  translateY: { range: positive, signed: true, move: (m, [h]) => [1, 0, 0, 0, 1, -Math.trunc(m * h)] },
  rotate: { range: { min: 0, max: 360 }, signed: true, move: rotation },
  brightness: blend(brightness),
  color: blend(saturation),
  contrast: blend(contrast),
  sharpness: blend(sharpness),
  posterize: {
    range: { integer: true, min: 0, max: 8 },
    change: (images, bits) => posterized(images, tableAt(stepOfBits, minimum(maximum(bits, 0), 8))),
  },
  solarize: { range: { min: 0, max: 256 }, change: solarized },
  autoContrast: { change: autoContrasted },
  equalize: { change: equalized },
  invert: { change: (images) => sub(1, unit(images)) },
  identity: {},
} satisfies Record<string, Operation>;

function rotation(degrees: number): readonly number[] {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [c, -s, 0, s, c, 0];
}

/**
 * For each image one of the sub-policies, whose steps follow one another, each with its probability (the form of AutoAugment, Cubuk et al.
 * 2019). Geometry is bilinear; `fill` (0..1, default 0) is what comes from outside. Returns float32. Ops on levels (posterize, solarize, equalize)
 * round what an earlier step made: a pixel that lies on the very edge of two levels may go either way on another device.
 * @throws ArgumentError
 */
export function policy({
  subPolicies,
  fill = 0,
}: {
  readonly subPolicies: readonly (readonly PolicyStep[])[];
  readonly fill?: number;
}): Transform {
  const where = "policy";
  if (!Array.isArray(subPolicies) || subPolicies.length === 0 || !subPolicies.every(Array.isArray))
    throw new ArgumentError(`${where}: subPolicies needs at least one list of { op, p, magnitude }`, { subPolicies });
  for (const step of subPolicies.flat()) checkStep(where, step);
  const checkedFill = numberOption(where, "fill", fill, { min: 0, max: 1 });
  const data = subPolicies.map((steps) => steps.map((step) => ({ ...step })));
  return imageAugmentation(where, { subPolicies: data, fill: checkedFill, p: 1 }, (images, ctx) =>
    applyPolicy(images, ctx, { subPolicies, fill }),
  );
}

/** One draw of a sub-policy for each image, and its steps. */
export function applyPolicy(
  images: Tensor,
  ctx: Context,
  { subPolicies, fill }: { readonly subPolicies: readonly (readonly PolicyStep[])[]; readonly fill: number },
): Tensor {
  const [n] = imageShape(images, "policy");
  const chosen = wholeNumbers(ctx, n, subPolicies.length);
  const longest = Math.max(...subPolicies.map((steps) => steps.length));
  let result = images;
  for (let place = 0; place < longest; place++) {
    const steps = subPolicies.map((all): PolicyStep => all[place] ?? { op: "identity" });
    result = applySteps(result, ctx, { steps, chosen, fill });
  }
  return result;
}

/** Every op among the steps is computed for all images; each image keeps that of its own step. */
function applySteps(
  images: Tensor,
  ctx: Context,
  { steps, chosen, fill }: { readonly steps: readonly PolicyStep[]; readonly chosen: Tensor; readonly fill: number },
): Tensor {
  const [n, , h, w] = imageShape(images, "policy");
  const present = [...new Set(steps.map(({ op }) => op))];
  const probabilities = steps.map(({ p = 1 }) => p);
  const active = less(ctx.randomUniform([n]), tableAt(probabilities, chosen));
  const codes = steps.map(({ op }) => present.indexOf(op));
  const code = select(active, tableAt(codes, chosen), -1);
  // Two rows a step: with the magnitude as it is, and negative where the op has a sign.
  const row = add(mul(chosen, 2), select(chance(ctx, n, 0.5), 1, 0));
  const rows = steps.flatMap(({ op, magnitude = 0 }) => {
    const operation: Operation = operations[op];
    return [magnitude, operation.signed === true ? -magnitude : magnitude].map((value) => ({ operation, value }));
  });

  let result = images;
  if (rows.some(({ operation }) => operation.move !== undefined)) {
    const maps = rows.map(({ operation, value }) => operation.move?.(value, [h, w]) ?? identity);
    const entry = (k: number): Tensor =>
      tableAt(
        maps.map((map) => map[k] as number),
        row,
      );
    const [xx, xy, x0, yx, yy, y0] = [0, 1, 2, 3, 4, 5].map(entry) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const moves = rows.map(({ operation }) => (operation.move === undefined ? 0 : 1));
    const moved = warped(unit(images), { xx, xy, x0, yx, yy, y0 }, fill);
    result = perSample(less(0, select(active, tableAt(moves, row), 0)), moved, result);
  }
  const magnitude = tableAt(
    rows.map(({ value }) => value),
    row,
  );
  for (const [i, op] of present.entries()) {
    const { change }: Operation = operations[op];
    if (change !== undefined) result = perSample(equal(code, i), change(images, magnitude), result);
  }
  return result;
}

const identity = [1, 0, 0, 0, 1, 0];

function checkStep(where: string, step: PolicyStep): void {
  nameOption(where, "op", step?.op, Object.keys(operations));
  const { op, p = 1, magnitude } = step;
  const { range }: Operation = operations[op];
  chanceOption(`${where}: ${op}`, p);
  if (range !== undefined) numberOption(`${where}: ${op}`, "magnitude", magnitude, range);
  else if (magnitude !== undefined && magnitude !== null)
    throw new ArgumentError(`${where}: ${op} takes no magnitude; it has ${magnitude}`, { op, magnitude });
}
