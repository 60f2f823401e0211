/** Trains a few steps on a device of its own, and says how that went. */
import { crossEntropy, hostTensor, item } from "@ocelli/core";
import { Linear, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { webgpu } from "../src/index.js";

async function train(): Promise<{ adapter: string; losses: number[] }> {
  const device = await webgpu({ onNotice: () => undefined });
  const model = new Sequential(new Linear(4, 2));
  const state = await device.init(model, { seed: 0 });
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.5 }) });
  const batch = { images: hostTensor([1, 0, 0, 0, 0, 0, 0, 1], [2, 4]), labels: hostTensor(Int32Array.of(0, 1)) };
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) losses.push(item(await (await step(batch)).loss.read()));
  state.dispose();
  await device.dispose();
  return { adapter: device.info.adapter, losses };
}

train().then(
  (result) => postMessage(result),
  (error: unknown) => postMessage({ error: String(error) }),
);
