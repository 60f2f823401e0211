import { ArgumentError, equal, formatShape, ShapeError, sameShape, type Tensor } from "@ocelli/core";
import type { OptionValue } from "../named.js";
import type { BatchTensors, Transform } from "../transform.js";
import { softLabels } from "./mix.js";
import { augmentation, chanceOption, numberOption } from "./options.js";
import { chance, perSample, wholeNumbers } from "./random.js";

/** One transform after the other. Its options hold theirs, so that it is data as they are. @throws ArgumentError */
export function compose(...parts: readonly Transform[]): Transform {
  checkParts("compose", parts);
  return {
    name: "compose",
    options: { transforms: parts.map(asData) },
    apply: (batch, ctx) => parts.reduce((value, part) => part.apply(value, ctx), batch),
    get uncut() {
      return parts.some((part) => part.uncut) ? compose(...parts.map((part) => part.uncut ?? part)) : undefined;
    },
  };
}

/** What is left of a transform that only cuts. */
export const nothing: Transform = { name: "compose", options: { transforms: [] }, apply: (batch) => batch };

/**
 * A transform for a share `p` of the images, in training only; it has to keep their size.
 * @throws ArgumentError; when applied, ShapeError if the size changes
 */
export function withProbability(p: number, part: Transform): Transform {
  chanceOption("withProbability", p);
  checkParts("withProbability", [part]);
  return augmentation("withProbability", { p, transform: asData(part) }, (batch, ctx) => {
    const changed = part.apply(batch, ctx);
    return either(chance(ctx, batch.images.shape[0] as number, p), changed, batch);
  });
}

/**
 * One of several transforms for each image, in training only; they have to make images of one size.
 * @throws ArgumentError; when applied, ShapeError if sizes differ
 */
export function oneOf(...parts: readonly Transform[]): Transform {
  checkParts("oneOf", parts);
  numberOption("oneOf", "number of transforms", parts.length, { min: 1 });
  return augmentation("oneOf", { transforms: parts.map(asData) }, (batch, ctx) => {
    const chosen = wholeNumbers(ctx, batch.images.shape[0] as number, parts.length);
    const results = parts.map((part) => part.apply(batch, ctx));
    return results.reduce((value, result, i) => either(equal(chosen, i), result, value));
  });
}

function asData({ name, options }: Transform): OptionValue {
  return { name, options };
}

function checkParts(where: string, parts: readonly Transform[]): void {
  const stranger = parts.findIndex((part) => typeof part?.apply !== "function");
  if (stranger < 0) return;
  throw new ArgumentError(
    `${where}: part ${stranger} is no transform: give what normalize(...) or makeTransform(...) return`,
    { part: stranger },
  );
}

/** Entry by entry and image by image: `a` where the condition (bool `[N]`) is true, else `b`. */
function either(condition: Tensor, a: BatchTensors, b: BatchTensors): BatchTensors {
  const merged = Object.entries(a).map(([name, value]) => [name, chosenEntry(condition, value, b[name] as Tensor)]);
  return Object.fromEntries(merged) as BatchTensors;
}

function chosenEntry(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  if (a === b) return a;
  // Labels that one of the two has mixed.
  if (a.shape.length === 2 && b.shape.length === 1)
    return chosenEntry(condition, a, softLabels(b, a.shape[1] as number));
  if (a.shape.length === 1 && b.shape.length === 2)
    return chosenEntry(condition, softLabels(a, b.shape[1] as number), b);
  if (sameShape(a.shape, b.shape)) return perSample(condition, a, b);
  throw new ShapeError(
    `transform: one choice makes ${formatShape(a.shape)}, another ${formatShape(b.shape)}; they need one size`,
    { shapes: [a.shape, b.shape] },
  );
}
