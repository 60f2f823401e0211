// What a page pays that trains LeNet-5 on WebGPU: core, layers, training and the device.
import { crossEntropy, type HostTensor } from "@ocelli/core";
import { webgpu } from "@ocelli/kernels-webgpu";
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";

const pool = () => new MaxPool2d({ kernelSize: 2 });
const model = new Sequential(
  new Conv2d(1, 6, { kernelSize: 5, padding: 2 }),
  new ReLU(),
  pool(),
  new Conv2d(6, 16, { kernelSize: 5 }),
  new ReLU(),
  pool(),
  new Conv2d(16, 120, { kernelSize: 5 }),
  new ReLU(),
  new Flatten(),
  new Linear(120, 84),
  new ReLU(),
  new Linear(84, 10),
);

export async function train(batches: AsyncIterable<{ images: HostTensor; labels: HostTensor }>): Promise<void> {
  const device = await webgpu();
  const state = await device.init(model);
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.05, momentum: 0.9 }) });
  for await (const batch of batches) console.log((await (await step(batch)).loss.read()).data[0]);
}
Object.assign(globalThis, { train });
