import { ArgumentError, gradients, type HostTensor, mean, mul, relu, sum, type Tensor } from "@ocelli/core";
import { askedClasses, type ClassOptions, chosenScores, type ExplainedClasses, explainedClasses } from "./classes.js";
import type { Explainer } from "./explainer.js";
import { onPixels, resized } from "./resize.js";
import { guidedBackpropagation, type PixelGradients } from "./saliency.js";

export interface GradCamOptions extends ClassOptions {
  /** Path of a layer with a map. Default: {@link layersOf}'s `gradCamLayer`. */
  readonly layer?: string | undefined;
}

export interface GradCam extends ExplainedClasses {
  readonly layer: string;
  /** float32 `[N, h, w]`, at the size of the layer's map. Not scaled: 0 where nothing speaks for the class. */
  readonly map: HostTensor;
  /** The same bilinearly, over the images' own pixels: `[N, H, W]`. */
  readonly onImages: HostTensor;
}

/**
 * Where a layer's map speaks for a class: the positive part of the channels' sum, each weighted by the mean slope of the class's score
 * along it. Selvaraju et al.: "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017, equations 1 and 2.
 * On the images, the map is where the transform takes its pixels from: less a border that it adds, and back at the size of before.
 * @throws ArgumentError for classes and layers that the model has not, for a layer without a map, and for a model without logits
 */
export async function gradCam(
  explainer: Explainer,
  images: HostTensor,
  { layer: given, ...options }: GradCamOptions = {},
): Promise<GradCam> {
  const asked = askedClasses(explainer, images, options);
  const layer = given ?? explainer.layers(images.shape.slice(1)).gradCamLayer;
  if (layer === undefined)
    throw new ArgumentError("gradCam: no layer of the model has a map; saliency and occlusion need none");
  const read = await explainer.ask({
    name: `Grad-CAM ${layer}`,
    inputs: { images, asked },
    build: (pixels, inputs, forward) => {
      const pass = forward(pixels);
      const maps = pass.map(layer);
      const chosen = chosenScores(pass.logits, inputs.asked as Tensor);
      const [slopes] = gradients(sum(chosen.scores), [maps]);
      const weights = mean(slopes as Tensor, { axes: [2, 3], keepDims: true });
      const map = relu(sum(mul(weights, maps), { axes: 1 }));
      const [, , height, width] = pass.seen.shape as [number, number, number, number];
      return { ...chosen, map, onImages: onPixels(resized(map, height, width), pass.seen, pixels) };
    },
  });
  return { ...explainedClasses(read), layer, map: read.map, onImages: read.onImages };
}

/**
 * Guided backpropagation where Grad-CAM is: their product, `[N, C, H, W]` (Selvaraju et al. 2017, section 3.2). As fine as the pixels, and
 * about the class.
 * @throws ArgumentError, as {@link gradCam}
 */
export async function guidedGradCam(
  explainer: Explainer,
  images: HostTensor,
  options: GradCamOptions = {},
): Promise<PixelGradients> {
  const { classes, onImages } = await gradCam(explainer, images, options);
  const guided = await guidedBackpropagation(explainer, images, { classes });
  const [, channels, height, width] = images.shape as [number, number, number, number];
  const area = height * width;
  const data = Float32Array.from(guided.map.data, (value, i) => {
    const image = Math.floor(i / (channels * area));
    return value * (onImages.data[image * area + (i % area)] as number);
  });
  return { ...guided, map: { ...guided.map, data } };
}
