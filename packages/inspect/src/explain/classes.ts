import {
  ArgumentError,
  argmax,
  formatSpec,
  type HostTensor,
  hostTensor,
  less,
  mul,
  oneHot,
  select,
  sum,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import type { Explainer } from "./explainer.js";

export interface ClassOptions {
  /** Which class to explain: an index for all images, or one for each. Default: the predicted one. */
  readonly classes?: number | readonly number[] | undefined;
}

/** What was explained. */
export interface ExplainedClasses {
  /** The class, of each image. */
  readonly classes: readonly number[];
  /** Its logit. */
  readonly scores: readonly number[];
}

/** Stands for the predicted class, so that one program answers for all classes. */
const predicted = -1;

/** Classes as a program's input, int32 `[N]`. @throws ArgumentError for indices that are no classes */
export function askedClasses(explainer: Explainer, images: HostTensor, { classes }: ClassOptions): HostTensor {
  checkImages(images);
  const [count, ...image] = images.shape as readonly number[];
  const asked =
    typeof classes === "object" ? [...classes] : Array.from({ length: count as number }, () => classes ?? predicted);
  if (asked.length !== count)
    throw new ArgumentError(`explain: there are ${asked.length} classes for ${count} images; it needs one for each`);
  const known = explainer.layers(image).classes ?? 0;
  const wrong = asked.find((index) => !Number.isInteger(index) || index < 0 || index >= known);
  if (classes !== undefined && wrong !== undefined && known > 0) {
    throw new ArgumentError(`explain: class ${wrong} is none of the model's; it has 0 to ${known - 1}`, { wrong });
  }
  return hostTensor(Int32Array.from(asked));
}

/** For each image the class that is explained (int32 `[N]`) and its score. */
export function chosenScores(logits: Tensor, asked: Tensor): { readonly classes: Tensor; readonly scores: Tensor } {
  const classes = select(less(asked, 0), argmax(logits, 1), asked);
  return { classes, scores: ofClass(logits, classes) };
}

/** Values `[N, classes]` of one class each, `[N]`. */
export function ofClass(values: Tensor, classes: Tensor): Tensor {
  return sum(mul(values, oneHot(classes, values.shape[1] as number)), { axes: 1 });
}

export function explainedClasses(read: Readonly<Record<"classes" | "scores", HostTensor>>): ExplainedClasses {
  return { classes: [...toNumbers(read.classes)], scores: [...toNumbers(read.scores)] };
}

/** @throws ArgumentError for what is no batch of images */
export function checkImages(images: HostTensor): void {
  const { shape, dtype } = (images ?? {}) as Partial<HostTensor>;
  if (shape?.length === 4 && (dtype === "uint8" || dtype === "float32") && shape[0] !== 0) return;
  const what = shape === undefined ? "no host tensor" : formatSpec(images);
  throw new ArgumentError(`explain: the images are ${what}; it needs uint8 or float32 [N, C, H, W]`);
}
