import { mean, type Tensor } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { loader, type StatisticsRows, stepStatistics, trainStep } from "@ocelli/training";
import type { ModelOutput } from "@ocelli/zoo";
import { firstBatch } from "./images.js";
import type { Inside } from "./looks.js";
import { fitOptionsOf } from "./opened.js";

/**
 * The statistics of the step that comes next, taken on a copy of the state: what the copy learns is thrown away.
 * @param lr of that step
 */
export async function gradientsOf(inside: Inside, lr: number): Promise<StatisticsRows & { readonly at: number }> {
  const { device, state, step, stepsPerEpoch } = inside;
  const { model, optimizer, transform, clip, freeze, lossPerSample, seed, train, batchSize } = fitOptionsOf(inside);
  const copy = await device.createState(await state.read());
  const take = trainStep<ModelOutput>(device, copy, {
    ...{ model, optimizer, transform, clip, freeze, seed, startStep: step },
    loss: (output, labels): Tensor => mean(lossPerSample(output, labels)),
  });
  try {
    const epoch = Math.floor(step / stepsPerEpoch);
    const batches = loader(train, { batchSize, shuffle: true, seed }).epoch(epoch, { from: step % stepsPerEpoch });
    const { statistics } = await take(await firstBatch(batches), { lr, statistics: stepStatistics() });
    const rows = await (statistics as NonNullable<typeof statistics>).rows();
    return { ...rows, at: step };
  } finally {
    take[disposeKey]();
    copy.dispose();
  }
}
