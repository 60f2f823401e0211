import type { Transform } from "../transform.js";
import { imageAugmentation, nameOption, numberOption } from "./options.js";
import { applyPolicy, type PolicyOp, type PolicyStep, policy } from "./policy.js";

type Level = readonly [op: PolicyOp, p: number, level?: number];

/** Op, probability and level 0..9: the policies that Cubuk et al. 2019 found, in torchvision's version. */
// biome-ignore format: a row is a sub-policy
const found = {
  imagenet: [
    [["posterize", 0.4, 8], ["rotate", 0.6, 9]],
    [["solarize", 0.6, 5], ["autoContrast", 0.6]],
    [["equalize", 0.8], ["equalize", 0.6]],
    [["posterize", 0.6, 7], ["posterize", 0.6, 6]],
    [["equalize", 0.4], ["solarize", 0.2, 4]],
    [["equalize", 0.4], ["rotate", 0.8, 8]],
    [["solarize", 0.6, 3], ["equalize", 0.6]],
    [["posterize", 0.8, 5], ["equalize", 1]],
    [["rotate", 0.2, 3], ["solarize", 0.6, 8]],
    [["equalize", 0.6], ["posterize", 0.4, 6]],
    [["rotate", 0.8, 8], ["color", 0.4, 0]],
    [["rotate", 0.4, 9], ["equalize", 0.6]],
    [["equalize", 0], ["equalize", 0.8]],
    [["invert", 0.6], ["equalize", 1]],
    [["color", 0.6, 4], ["contrast", 1, 8]],
    [["rotate", 0.8, 8], ["color", 1, 2]],
    [["color", 0.8, 8], ["solarize", 0.8, 7]],
    [["sharpness", 0.4, 7], ["invert", 0.6]],
    [["shearX", 0.6, 5], ["equalize", 1]],
    [["color", 0.4, 0], ["equalize", 0.6]],
    [["equalize", 0.4], ["solarize", 0.2, 4]],
    [["solarize", 0.6, 5], ["autoContrast", 0.6]],
    [["invert", 0.6], ["equalize", 1]],
    [["color", 0.6, 4], ["contrast", 1, 8]],
    [["equalize", 0.8], ["equalize", 0.6]],
  ],
  cifar10: [
    [["invert", 0.1], ["contrast", 0.2, 6]],
    [["rotate", 0.7, 2], ["translateX", 0.3, 9]],
    [["sharpness", 0.8, 1], ["sharpness", 0.9, 3]],
    [["shearY", 0.5, 8], ["translateY", 0.7, 9]],
    [["autoContrast", 0.5], ["equalize", 0.9]],
    [["shearY", 0.2, 7], ["posterize", 0.3, 7]],
    [["color", 0.4, 3], ["brightness", 0.6, 7]],
    [["sharpness", 0.3, 9], ["brightness", 0.7, 9]],
    [["equalize", 0.6], ["equalize", 0.5]],
    [["contrast", 0.6, 7], ["sharpness", 0.6, 5]],
    [["color", 0.7, 7], ["translateX", 0.5, 8]],
    [["equalize", 0.3], ["autoContrast", 0.4]],
    [["translateY", 0.4, 3], ["sharpness", 0.2, 6]],
    [["brightness", 0.9, 6], ["color", 0.2, 8]],
    [["solarize", 0.5, 2], ["invert", 0]],
    [["equalize", 0.2], ["autoContrast", 0.6]],
    [["equalize", 0.2], ["equalize", 0.6]],
    [["color", 0.9, 9], ["equalize", 0.6]],
    [["autoContrast", 0.8], ["solarize", 0.2, 8]],
    [["brightness", 0.1, 3], ["color", 0.7, 0]],
    [["solarize", 0.4, 5], ["autoContrast", 0.9]],
    [["translateY", 0.9, 9], ["translateY", 0.7, 9]],
    [["autoContrast", 0.9], ["solarize", 0.8, 3]],
    [["equalize", 0.8], ["invert", 0.1]],
    [["translateY", 0.7, 9], ["autoContrast", 0.9]],
  ],
  svhn: [
    [["shearX", 0.9, 4], ["invert", 0.2]],
    [["shearY", 0.9, 8], ["invert", 0.7]],
    [["equalize", 0.6], ["solarize", 0.6, 6]],
    [["invert", 0.9], ["equalize", 0.6]],
    [["equalize", 0.6], ["rotate", 0.9, 3]],
    [["shearX", 0.9, 4], ["autoContrast", 0.8]],
    [["shearY", 0.9, 8], ["invert", 0.4]],
    [["shearY", 0.9, 5], ["solarize", 0.2, 6]],
    [["invert", 0.9], ["autoContrast", 0.8]],
    [["equalize", 0.6], ["rotate", 0.9, 3]],
    [["shearX", 0.9, 4], ["solarize", 0.3, 3]],
    [["shearY", 0.8, 8], ["invert", 0.7]],
    [["equalize", 0.9], ["translateY", 0.6, 6]],
    [["invert", 0.9], ["equalize", 0.6]],
    [["contrast", 0.3, 3], ["rotate", 0.8, 4]],
    [["invert", 0.8], ["translateY", 0, 2]],
    [["shearY", 0.7, 6], ["solarize", 0.4, 8]],
    [["invert", 0.6], ["rotate", 0.8, 4]],
    [["shearY", 0.3, 7], ["translateX", 0.9, 3]],
    [["shearX", 0.1, 6], ["invert", 0.6]],
    [["solarize", 0.7, 2], ["translateY", 0.6, 7]],
    [["shearY", 0.8, 4], ["invert", 0.8]],
    [["shearX", 0.7, 9], ["translateY", 0.8, 3]],
    [["shearY", 0.8, 5], ["autoContrast", 0.7]],
    [["shearX", 0.7, 2], ["invert", 0.1]],
  ],
} as const satisfies Record<string, readonly (readonly Level[])[]>;

export type AutoAugmentPolicy = keyof typeof found;

/** What is not drawn by a magnitude has none. `share`: 0..1 of the strongest. */
function atShare(op: PolicyOp, share: number): number | undefined {
  switch (op) {
    case "shearX":
    case "shearY":
      return 0.3 * share;
    case "translateX":
    case "translateY":
      return (150 / 331) * share;
    case "rotate":
      return 30 * share;
    case "posterize":
      return 8 - Math.round(4 * share);
    case "solarize":
      return 255 - 255 * share;
    case "brightness":
    case "color":
    case "contrast":
    case "sharpness":
      return 0.9 * share;
    default:
      return undefined;
  }
}

function step(op: PolicyOp, p: number, share: number): PolicyStep {
  const magnitude = atShare(op, share);
  return magnitude === undefined ? { op, p } : { op, p, magnitude };
}

/** AutoAugment's steps for a data set, in the form that {@link policy} takes. @throws ArgumentError for an unknown name */
export function autoAugmentPolicy(name: AutoAugmentPolicy): readonly (readonly PolicyStep[])[] {
  const known = nameOption("autoAugment", "policy", name, Object.keys(found) as AutoAugmentPolicy[]);
  return found[known].map((steps: readonly Level[]) => steps.map(([op, p, level = 0]) => step(op, p, level / 9)));
}

/**
 * AutoAugment (Cubuk et al. 2019) with the policy found for a data set, bilinear; the ops' strengths are torchvision's. Returns float32.
 * @throws ArgumentError
 */
export function autoAugment({
  policy: name,
  fill = 0,
}: {
  readonly policy: AutoAugmentPolicy;
  readonly fill?: number;
}): Transform {
  const { apply } = policy({ subPolicies: autoAugmentPolicy(name), fill });
  return { name: "autoAugment", options: { policy: name, fill }, apply };
}

const randOps: readonly PolicyOp[] = [
  "identity",
  "shearX",
  "shearY",
  "translateX",
  "translateY",
  "rotate",
  "brightness",
  "color",
  "contrast",
  "sharpness",
  "posterize",
  "solarize",
  "autoContrast",
  "equalize",
];

/**
 * RandAugment (Cubuk et al. 2020): `n` (default 2) ops one after the other, each drawn from fourteen, all of strength `m` (0..30, default 9);
 * torchvision's ops and strengths, bilinear. Returns float32.
 * @throws ArgumentError
 */
export function randAugment({
  n = 2,
  m = 9,
  fill = 0,
}: {
  readonly n?: number;
  readonly m?: number;
  readonly fill?: number;
} = {}): Transform {
  numberOption("randAugment", "n", n, { integer: true, min: 1 });
  numberOption("randAugment", "m", m, { integer: true, min: 0, max: 30 });
  numberOption("randAugment", "fill", fill, { min: 0, max: 1 });
  const subPolicies = randOps.map((op) => [step(op, 1, m / 30)]);
  return imageAugmentation("randAugment", { n, m, fill, p: 1 }, (images, ctx) => {
    let result = images;
    for (let i = 0; i < n; i++) result = applyPolicy(result, ctx, { subPolicies, fill });
    return result;
  });
}
