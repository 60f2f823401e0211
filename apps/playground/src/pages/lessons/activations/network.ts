import type { Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  Conv2d,
  GlobalAvgPool,
  type Initializer,
  kaimingNormal,
  type Layer,
  Linear,
  LocalResponseNorm,
  type Module,
  normal,
  ReLU,
  Sequential,
  Tanh,
  xavierNormal,
} from "@ocelli/layers";

type Init = "small" | "large" | "xavier" | "he";
export type Norm = "none" | "batch-norm" | "lrn";
export type Activation = "relu" | "tanh";

export interface NetworkOptions {
  readonly init: Init;
  readonly norm: Norm;
  readonly activation: Activation;
}

/** Layers whose activations are watched: "0", "1" ... in the network. */
export const depth = 10;
const channels = 16;

const initializers: Readonly<Record<Init, Initializer>> = {
  small: normal(0, 0.01),
  large: normal(0, 0.3),
  xavier: xavierNormal(),
  he: kaimingNormal({ nonlinearity: "relu" }),
};

/** Ten 3x3 convolutions on 14x14 maps, each with normalisation and activation, and a classifier. `[N, 1, 28, 28]` -> `[N, 10]`. */
export const makeNetwork = (options: NetworkOptions): Module<Tensor> =>
  new Sequential(
    ...Array.from({ length: depth }, (_, i) => layer(i === 0, options)),
    new Sequential(new GlobalAvgPool(), new Linear(channels, 10)),
  );

function layer(first: boolean, { init, norm, activation }: NetworkOptions): Module<Tensor> {
  const conv = new Conv2d(first ? 1 : channels, channels, {
    kernelSize: 3,
    stride: first ? 2 : 1,
    padding: 1,
    bias: false,
  });
  conv.weight.init = initializers[init];
  const active = activation === "relu" ? new ReLU() : new Tanh();
  return new Sequential(...withNorm(norm, conv, active));
}

/** Batch-norm stands before the activation (Ioffe and Szegedy 2015), response normalisation behind it, with AlexNet's constants. */
function withNorm(norm: Norm, conv: Conv2d, active: Layer): Layer[] {
  if (norm === "batch-norm") return [conv, new BatchNorm2d(channels), active];
  if (norm === "lrn") return [conv, active, new LocalResponseNorm(5, { alpha: 5e-4, beta: 0.75, k: 2 })];
  return [conv, active];
}
