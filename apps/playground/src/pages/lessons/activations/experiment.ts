import { crossEntropy } from "@ocelli/core";
import { channelStatistics, digits, loader, normalize, sgd } from "@ocelli/training";
import { endless } from "../../../workers/lesson/endless.js";
import type { Experiment } from "../../../workers/lesson/experiment.js";
import { trained } from "../../../workers/lesson/trained.js";
import { type Histogram, histogram, moments } from "./histogram.js";
import { type Activation, depth, makeNetwork, type NetworkOptions } from "./network.js";
import { type Watched, watch } from "./watch.js";

export type Options = NetworkOptions;

/** What one layer hands on, and what comes back to it. */
export interface LayerState {
  readonly activations: Histogram;
  readonly mean: number;
  readonly std: number;
  /** Share at rest: of ReLU exactly 0, of tanh beyond 0.97 on either side. No gradient, or hardly any, passes there. */
  readonly saturated: number;
  /** Of the decimal logarithm of the gradients' sizes; those that are 0 are left out. */
  readonly gradients: Histogram;
  readonly gradientStd: number;
}

export interface Frame {
  /** Steps taken. */
  readonly step: number;
  /** That it ends with. */
  readonly steps: number;
  /** Of the batch that is watched. */
  readonly loss: number;
  readonly layers: readonly LayerState[];
}

/** Steps from one frame to the next. */
const stride = 5;
const steps = 60;
/** Decimal logarithms between which gradients are drawn. */
const gradientDecades = [-18, 2] as const;
const batchSize = 32;

export const experiment: Experiment<Options, Frame> = async function* (options, lab) {
  const device = await lab.fast();
  const data = digits({ count: 960 });
  const model = makeNetwork(options);
  const transform = normalize(channelStatistics(data));
  const optimizer = sgd({ lr: 0.02, momentum: 0.9 });
  const batches = endless(loader(data, { batchSize, shuffle: true }));
  const { value: batch } = await batches.next();
  using network = await trained(device, { model, loss: crossEntropy, transform, optimizer, seed: 3 });
  using look = await watch(device, { model, transform, batch, paths });
  for (let step = 0; step <= steps; step++) {
    if (step % stride === 0) {
      const { loss, layers } = await look(network.state);
      yield { step, steps, loss, layers: layers.map((layer) => stateOf(layer, options.activation)) };
    }
    await network.step((await batches.next()).value);
  }
};

const paths = Array.from({ length: depth }, (_, i) => `${i}`);

function stateOf({ activations, gradients }: Watched, activation: Activation): LayerState {
  const { mean, std } = moments(activations);
  const isSaturated =
    activation === "relu" ? (value: number) => value === 0 : (value: number) => Math.abs(value) > 0.97;
  const sizes = gradients.map(Math.abs).filter((size) => size > 0);
  return {
    activations: histogram(activations, activation === "relu" ? [0, 4] : [-1, 1]),
    mean,
    std,
    saturated: activations.filter(isSaturated).length / activations.length,
    gradients: histogram(sizes.map(Math.log10), gradientDecades),
    gradientStd: moments(gradients).std,
  };
}
