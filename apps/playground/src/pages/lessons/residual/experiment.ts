import { crossEntropy, type HostTensor, item } from "@ocelli/core";
import {
  channelStatistics,
  digits,
  type HostBatch,
  loader,
  normalize,
  sgd,
  stepStatistics,
  type TrainStep,
} from "@ocelli/training";
import { endless } from "../../../workers/lesson/endless.js";
import type { Experiment } from "../../../workers/lesson/experiment.js";
import { together, trained } from "../../../workers/lesson/trained.js";
import { DeepNetwork } from "./network.js";

export interface Options {
  /** Layers with weights: even, 4 or more. */
  readonly depth: number;
  readonly lr: number;
}

/** One network after a step. */
export interface Side {
  /** Of the batch, before the step. */
  readonly loss: number;
  /** Share of the batch that is classified wrongly. */
  readonly error: number;
  /** L2 norm of each convolution's weight gradient, from the image to the logits. */
  readonly gradients: readonly number[];
}

export interface Frame {
  /** From 1. */
  readonly step: number;
  /** That it ends with. */
  readonly steps: number;
  readonly plain: Side;
  readonly residual: Side;
}

const steps = 120;
const batchSize = 32;

export const experiment: Experiment<Options, Frame> = async function* ({ depth, lr }, lab) {
  const device = await lab.fast();
  const data = digits({ count: 2000 });
  const transform = normalize(channelStatistics(data));
  const begin = (shortcuts: boolean) => {
    const optimizer = sgd({ lr, momentum: 0.9 });
    const model = new DeepNetwork({ depth, shortcuts });
    return trained(device, { model, loss: crossEntropy, transform, optimizer, seed: 1 });
  };
  const [plain, residual] = [await begin(false), await begin(true)];
  using _ = together([plain, residual]);
  const batches = endless(loader(data, { batchSize, shuffle: true }));
  for (let step = 1; step <= steps; step++) {
    const { value: batch } = await batches.next();
    yield { step, steps, plain: await sideOf(plain.step, batch), residual: await sideOf(residual.step, batch) };
  }
};

/** Takes one step. Statistics are part of every one, so that there is one program to compile. */
async function sideOf(step: TrainStep, batch: HostBatch): Promise<Side> {
  const { loss, accuracy, statistics } = await step(batch, { statistics: stepStatistics({ activations: false }) });
  const { parameters } = (await statistics?.rows()) ?? { parameters: [] };
  return {
    loss: item(await loss.read()),
    error: 1 - item((await accuracy?.read()) as HostTensor),
    gradients: parameters.filter(({ name }) => convolution.test(name)).map(({ gradient }) => gradient),
  };
}

const convolution = /(stem|conv\d)\.weight$/;
