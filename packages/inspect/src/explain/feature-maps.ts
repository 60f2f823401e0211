import { ArgumentError, type HostTensor, softmax, toNumbers } from "@ocelli/core";
import { checkImages } from "./classes.js";
import type { Explainer } from "./explainer.js";

/**
 * What layers make of images, by path: maps `[N, C, H, W]`, vectors `[N, D]`. One program for all of them; what comes after the last
 * is not computed.
 * @throws ArgumentError with near matches for an unknown path; for a layer that evaluation does not use, or that gives no tensor
 */
export async function featureMaps<const Path extends string>(
  explainer: Explainer,
  images: HostTensor,
  paths: readonly Path[],
): Promise<Readonly<Record<Path, HostTensor>>> {
  checkImages(images);
  if (paths.length === 0) throw new ArgumentError("featureMaps: it needs the path of at least one layer");
  const read = await explainer.ask({
    name: `feature maps ${paths.join()}`,
    inputs: { images },
    build: (pixels, _, forward) => {
      const pass = forward(pixels);
      // Numbered: a path may be the name of something that every object has.
      return Object.fromEntries(paths.map((path, i) => [`${i}`, pass.layer(path)]));
    },
  });
  return Object.fromEntries(paths.map((path, i) => [path, read[`${i}`] as HostTensor])) as Record<Path, HostTensor>;
}

/** A class and its probability. */
export interface RankedClass {
  readonly index: number;
  readonly probability: number;
}

export interface Prediction {
  /** float32 `[N, classes]` */
  readonly probabilities: HostTensor;
  /** The most probable classes of each image, best first. */
  readonly top: readonly (readonly RankedClass[])[];
}

/** Class probabilities, and the `top` best classes (default 5). @throws ArgumentError for a model without logits */
export async function predict(
  explainer: Explainer,
  images: HostTensor,
  { top = 5 }: { readonly top?: number | undefined } = {},
): Promise<Prediction> {
  checkImages(images);
  const { probabilities } = await explainer.ask({
    name: "probabilities",
    inputs: { images },
    build: (pixels, _, forward) => ({ probabilities: softmax(forward(pixels).logits) }),
  });
  const [count, classes] = probabilities.shape as [number, number];
  const values = toNumbers(probabilities);
  const ranked = (image: number): RankedClass[] =>
    Array.from({ length: classes }, (_, index) => ({ index, probability: values[image * classes + index] as number }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top);
  return { probabilities, top: Array.from({ length: count }, (_, image) => ranked(image)) };
}
