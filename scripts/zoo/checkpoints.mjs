// Published weights score their published accuracy here: Caffe's LeNet, on a module written for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSafetensors, toHostTensor } from "@ocelli/formats";
import { Conv2d, Flatten, Linear, loadStateDict, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import { evaluator, loader, normalize } from "@ocelli/training";
import { loadDataset } from "@ocelli/training/node";

/** The network of Caffe's lenet.prototxt, layer by layer under its names. */
const caffeLenet = () =>
  new Sequential({
    conv1: new Conv2d(1, 20, { kernelSize: 5 }),
    pool1: new MaxPool2d({ kernelSize: 2 }),
    conv2: new Conv2d(20, 50, { kernelSize: 5 }),
    pool2: new MaxPool2d({ kernelSize: 2 }),
    flatten: new Flatten(),
    ip1: new Linear(800, 500),
    relu1: new ReLU(),
    ip2: new Linear(500, 10),
  });

/** Caffe's LeNet on MNIST's test set: grey / 256, published 99.14 %. */
export async function caffeOnMnist(device, dataDir) {
  const { tensors } = readSafetensors(readFileSync(join(dataDir, "weights", "caffe-lenet.safetensors")));
  const flat = {};
  for (const [name, tensor] of tensors) {
    flat[name.replace("_w", ".weight").replace("_b", ".bias")] = toHostTensor(tensor);
  }
  const model = caffeLenet();
  const state = await device.createState(loadStateDict(model, flat));
  const data = await loadDataset("mnist", { dataDir: join(dataDir, "data") });
  const transform = normalize({ mean: [0], std: [256 / 255] });
  const run = evaluator(device, state, { model, transform });
  const { accuracy, count } = await run(loader(data.test, { batchSize: 100 }).epoch(0));
  state.dispose();
  const right = Math.round(accuracy * count);
  return { ok: right === 9914, wanted: "9,914 of 10,000 right (99.14 %)", got: `${right} of ${count}` };
}
