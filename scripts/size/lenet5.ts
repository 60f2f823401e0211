// What a program pays that builds LeNet-5 and its training gradient: core and layers, no device.
import { crossEntropy, gradients, input, type Tensor } from "@ocelli/core";
import { modelProgram } from "@ocelli/layers";
import { model } from "./model.js";

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
