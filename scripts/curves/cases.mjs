// The trainings whose losses are compared: network, batches and recipe, the same for every device and for PyTorch.
import { createHash } from "node:crypto";
import { crossEntropy } from "@ocelli/core";
import { channelStatistics, loader, normalize, sgd, subset, trainStep } from "@ocelli/training";
import { loadDataset } from "@ocelli/training/node";
import { modelEntry } from "@ocelli/zoo";

export const steps = 50;
export const seeds = [0, 1, 2];

/**
 * By model. Batches are small, because a processor that plays the graphics card takes seconds for a step of ResNet-20. `perturbed` is how
 * often PyTorch repeats the training in float32 from weights that are one rounding off.
 */
export const cases = {
  lenet5_modern: { data: "mnist", batchSize: 32, perturbed: 16 },
  // The recipe's rate is for batches of 128, and shrinks with the batch: at 0.1 with 16 images PyTorch's own float32 is 8e-3 from its
  // float64 within five steps.
  resnet20_cifar: { data: "cifar10", batchSize: 16, lr: 0.1 / 8, perturbed: 4 },
};

/** Of the training set: what there is of CIFAR-10 in the folder differs from place to place, its first file does not. */
const images = 10_000;

/** A function from seeds to trainings of this model. */
export async function trainings(name, dataDir) {
  const { build, recipe } = modelEntry(name);
  const { options } = recipe.optimizer;
  const { data, batchSize, lr = options.lr } = cases[name];
  const train = subset((await loadDataset(data, { dataDir })).train, { to: images });
  const statistics = channelStatistics(train);
  const { momentum, weightDecay } = options;
  const optimizer = { lr, momentum, weightDecay };
  return async (seed) => {
    const model = build();
    const batches = await firstBatches(loader(train, { batchSize, shuffle: true, seed }));
    const training = { name, seed, model, values: model.initialState({ seed }), batches, statistics, optimizer };
    return { ...training, digest: digestOf(training) };
  };
}

async function firstBatches(batches) {
  const first = [];
  for await (const batch of batches.epoch(0)) if (first.push(batch) === steps) break;
  return first;
}

/** Names everything that the losses depend on. */
function digestOf({ values, batches, statistics, optimizer }) {
  const hash = createHash("sha256").update(JSON.stringify({ statistics, optimizer }));
  for (const [name, { data }] of Object.values(values).flatMap(Object.entries)) hash.update(name).update(bytesOf(data));
  for (const { images, labels } of batches) hash.update(images.data).update(bytesOf(labels.data));
  return hash.digest("hex").slice(0, 16);
}

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/** A training under way on the device: its state, and what takes a step and resolves with its loss. */
export async function started(device, { model, values, statistics, optimizer }) {
  const state = await device.createState(values);
  const transform = normalize(statistics);
  const options = { model, loss: crossEntropy, transform, optimizer: sgd(optimizer), metrics: {} };
  const step = trainStep(device, state, options);
  const take = async (batch) => (await (await step(batch)).loss.read()).data[0];
  return { state, take };
}

/** The loss of each step, as the device takes it. */
export async function* losses(device, training) {
  const { state, take } = await started(device, training);
  try {
    for (const batch of training.batches) yield await take(batch);
  } finally {
    state.dispose();
  }
}
