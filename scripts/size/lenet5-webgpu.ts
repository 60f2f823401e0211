// What a page pays that trains LeNet-5 on WebGPU: core, layers, training and the device.
import { crossEntropy, type HostTensor } from "@ocelli/core";
import { webgpu } from "@ocelli/kernels-webgpu";
import { sgd, trainStep } from "@ocelli/training";
import { model } from "./model.js";

export async function train(batches: AsyncIterable<{ images: HostTensor; labels: HostTensor }>): Promise<void> {
  const device = await webgpu();
  const state = await device.init(model);
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.05, momentum: 0.9 }) });
  for await (const batch of batches) console.log((await (await step(batch)).loss.read()).data[0]);
}
Object.assign(globalThis, { train });
