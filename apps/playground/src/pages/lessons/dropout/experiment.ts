import { crossEntropy, type Device } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { adam, channelStatistics, digits, evaluator, type ImageDataset, loader, normalize } from "@ocelli/training";
import type { Experiment } from "../../../workers/lesson/experiment.js";
import { together, trained } from "../../../workers/lesson/trained.js";
import { type Ensemble, ensembleOf } from "./ensemble.js";
import { type Method, makeNetwork } from "./network.js";

export interface Options {
  readonly method: Method;
  /** Probability that a unit, or the last block, is left out in a step. */
  readonly rate: number;
}

/** How a network does on images, in evaluation: nothing is left out. */
export interface Score {
  readonly loss: number;
  readonly accuracy: number;
}

export interface Side {
  readonly train: Score;
  readonly test: Score;
}

export interface Frame {
  readonly epoch: number;
  /** That it ends with. */
  readonly epochs: number;
  readonly without: Side;
  readonly with: Side;
  /** Of the network with the method, at the end. */
  readonly ensemble?: Ensemble & {
    /** Accuracy of the whole network, from which nothing is left out. */
    readonly whole: number;
  };
}

const epochs = 30;
const trainCount = 100;
const testCount = 200;
const batchSize = 25;

export const experiment: Experiment<Options, Frame> = async function* ({ method, rate }, lab) {
  const device = await lab.fast();
  const data = { train: digits({ count: trainCount }), test: digits({ split: "test", count: testCount }) };
  const [without, dropping] = [
    await begin(device, data, { method, rate: 0 }),
    await begin(device, data, { method, rate }),
  ];
  using _ = together([without, dropping]);
  const batches = loader(data.train, { batchSize, shuffle: true });
  for (let epoch = 0; epoch < epochs; epoch++) {
    yield { epoch, epochs, without: await without.scores(), with: await dropping.scores() };
    for await (const batch of batches.epoch(epoch)) {
      await without.step(batch);
      await dropping.step(batch);
    }
  }
  const frame = { epoch: epochs, epochs, without: await without.scores(), with: await dropping.scores() };
  const ensemble = await ensembleOf(device, dropping.state, { ...dropping, test: data.test });
  yield { ...frame, ensemble: { ...ensemble, whole: frame.with.test.accuracy } };
};

interface Data {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
}

async function begin(device: Device, data: Data, { method, rate }: Options) {
  const model = makeNetwork(method, rate);
  const transform = normalize(channelStatistics(data.train));
  const optimizer = adam({ lr: method === "dropout" ? 1e-3 : 2e-3 });
  const network = await trained(device, { model, loss: crossEntropy, transform, optimizer, seed: 1 });
  const evaluate = evaluator(device, network.state, { model, transform });
  const score = async (images: ImageDataset): Promise<Score> => {
    const { loss, accuracy } = await evaluate(loader(images, { batchSize: 100 }).epoch(0));
    return { loss, accuracy };
  };
  return {
    ...network,
    model,
    transform,
    scores: async (): Promise<Side> => ({ train: await score(data.train), test: await score(data.test) }),
    [disposeKey]: () => together([evaluate, network])[disposeKey](),
  };
}
