/** The three convolutions. */
import type { Spec } from "@ocelli/core";
import type { ConvAttrs } from "@ocelli/core/backend";
import type { Kernel, Site } from "../kernel.js";
import { dispatchesOf, type Tile, tilesFor } from "./tiles.js";
import { type ConvName, type ConvShapes, convWalk, type Walk } from "./walk.js";

type Shape4 = ConvShapes["x"];
const shapesOf = (x: Spec["shape"], w: Spec["shape"], y: Spec["shape"]): ConvShapes => ({
  x: x as Shape4,
  w: w as Shape4,
  y: y as Shape4,
});

/** Which of a node's shapes are the forward convolution's input, weight and output. */
function shapesIn(name: ConvName, { inputs, outputs }: Site): ConvShapes {
  const [first, second, result] = [inputs[0]!.shape, inputs[1]!.shape, outputs[0]!.shape];
  if (name === "conv2d") return shapesOf(first, second, result);
  return name === "conv2dInputGrad" ? shapesOf(result, second, first) : shapesOf(first, result, second);
}

function kernel(name: ConvName): Kernel<Tile> {
  const walkOf = (site: Site): Walk => convWalk(name, shapesIn(name, site), site.attrs as ConvAttrs);
  return {
    variants: (site) => tilesFor(walkOf(site), site),
    dispatches: (site, tile) => dispatchesOf(walkOf(site), tile, site),
  };
}

export const conv2d = kernel("conv2d");
export const conv2dInputGrad = kernel("conv2dInputGrad");
export const conv2dWeightGrad = kernel("conv2dWeightGrad");
