import { type Initializer, type Parameter, zeros } from "@ocelli/layers";

/** A layer whose weight starts from `weight` and whose bias, if it has one, from `bias`: for a paper's own initialisation. */
export function initialised<Layer extends { readonly weight: Parameter; readonly bias: Parameter | null }>(
  layer: Layer,
  weight: Initializer,
  bias: Initializer = zeros,
): Layer {
  layer.weight.init = weight;
  if (layer.bias !== null) layer.bias.init = bias;
  return layer;
}
