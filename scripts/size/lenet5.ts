// What a program pays that builds LeNet-5 and its training gradient: core and layers, no device.
import { crossEntropy, gradients, input, type Tensor } from "@ocelli/core";
import { Conv2d, Flatten, Linear, MaxPool2d, modelProgram, ReLU, Sequential } from "@ocelli/layers";

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
const program = modelProgram(model, { shape: [32, 1, 28, 28], dtype: "float32" }, { training: true });
const specs = { ...program.inputs, ...program.state };
const leaves = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, input(name, spec)]));
const { logits } = program.build(leaves, leaves).outputs;
const loss = crossEntropy(logits as Tensor, input("labels", { shape: [32], dtype: "int32" }));
console.log(
  gradients(
    loss,
    Object.keys(program.state ?? {}).map((name) => leaves[name] as Tensor),
  ),
);
