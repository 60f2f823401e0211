import { relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GlobalAvgPool,
  Linear,
  linearDecay,
  MaxPool2d,
  type Module,
  Residual,
  Sequential,
  StochasticDepth,
} from "@ocelli/layers";

/** What is left out at random: units, or whole blocks. */
export type Method = "dropout" | "stochastic depth";

/** Of a hidden layer: a square, so that they can be drawn as one. */
const units = 144;
const channels = 12;
const blocks = 8;

/** `[N, 1, 28, 28]` -> `[N, 10]`. @param rate probability that a unit, or the last block, is left out; 0 for none */
export function makeNetwork(method: Method, rate: number): Module<Tensor> {
  return method === "dropout" ? fullyConnected(rate) : residual(rate);
}

/** Dropout stands in front of the ReLU, which changes nothing but that a zero behind it means "left out". */
const fullyConnected = (p: number): Module<Tensor> =>
  new Sequential(
    new Flatten(),
    new Linear(28 * 28, units),
    new Dropout(p),
    relu,
    new Linear(units, units),
    new Dropout(p),
    relu,
    new Linear(units, 10),
  );

/** Survival falls linearly with depth (Huang et al. 2016), to `1 - rate` in the last block. */
function residual(rate: number): Module<Tensor> {
  const stem = [
    new Conv2d(1, channels, { kernelSize: 5, stride: 2, padding: 2, bias: false }),
    new BatchNorm2d(channels),
    relu,
    new MaxPool2d({ kernelSize: 2 }),
  ];
  const body = linearDecay(blocks, 1 - rate).map(
    (survival) => new Residual(new StochasticDepth(branch(), { survival })),
  );
  return new Sequential(
    ...stem,
    ...body.flatMap((block) => [block, relu]),
    new GlobalAvgPool(),
    new Linear(channels, 10),
  );
}

const branch = (): Module =>
  new Sequential(conv3x3(), new BatchNorm2d(channels), relu, conv3x3(), new BatchNorm2d(channels));

const conv3x3 = (): Conv2d => new Conv2d(channels, channels, { kernelSize: 3, padding: 1, bias: false });
