import { abs, gradients, type HostTensor, max, type Op, sum, type Tensor } from "@ocelli/core";
import { askedClasses, type ClassOptions, chosenScores, type ExplainedClasses, explainedClasses } from "./classes.js";
import type { Explainer } from "./explainer.js";
import { gradientsBy, guidedRule } from "./rules.js";

export interface SaliencyOptions extends ClassOptions {
  /** The gradient itself, channel by channel, instead of its size. Default false. */
  readonly signed?: boolean | undefined;
}

export interface PixelGradients extends ExplainedClasses {
  /** float32 `[N, H, W]`; `[N, C, H, W]` where channels are kept apart. */
  readonly map: HostTensor;
}

/**
 * How much each pixel would change the class's score: the largest |d score / d pixel| of the channels, `[N, H, W]`; with `signed` the
 * gradient `[N, C, H, W]`. Simonyan, Vedaldi, Zisserman: "Deep Inside Convolutional Networks", 2014, section 3. About pixels before
 * the transform: see {@link explainer}.
 * @throws ArgumentError for classes that the model has not, and for a model without logits
 */
export function saliency(
  explainer: Explainer,
  images: HostTensor,
  { signed = false, ...options }: SaliencyOptions = {},
): Promise<PixelGradients> {
  return signed
    ? pixelGradients(explainer, images, options, "signed saliency", (gradient) => gradient)
    : pixelGradients(explainer, images, options, "saliency", (gradient) => max(abs(gradient), { axes: 1 }));
}

/**
 * The class's score sent back to the pixels, `[N, C, H, W]`, where each ReLU passes only what is positive, and only where it was
 * active: Springenberg et al. 2015. Every ReLU of the model counts, module or function; leaky and smooth activations keep their own gradient.
 * @throws ArgumentError for classes that the model has not, and for a model without logits
 */
export function guidedBackpropagation(
  explainer: Explainer,
  images: HostTensor,
  options: ClassOptions = {},
): Promise<PixelGradients> {
  return pixelGradients(explainer, images, options, "guided", (gradient) => gradient, guidedRule);
}

async function pixelGradients(
  explainer: Explainer,
  images: HostTensor,
  options: ClassOptions,
  name: string,
  shown: (gradient: Tensor) => Tensor,
  rule?: Op,
): Promise<PixelGradients> {
  const read = await explainer.ask({
    name,
    inputs: { images, asked: askedClasses(explainer, images, options) },
    build: (pixels, { asked }, forward) => {
      const chosen = chosenScores(forward(pixels).logits, asked as Tensor);
      // Images do not mix in evaluation: the gradient of the sum is each image's own.
      const total = sum(chosen.scores);
      const [gradient] = rule === undefined ? gradients(total, [pixels]) : gradientsBy(rule, total, [pixels]);
      return { ...chosen, map: shown(gradient as Tensor) };
    },
  });
  return { ...explainedClasses(read), map: read.map };
}
