import { input, type Shape, type Tensor } from "@ocelli/core";
import { logitsOf, type Module, type Parameter, type TapRecord, traceModule } from "@ocelli/layers";
import { createModel, type ModelName, type ModelOptions, modelEntry, type ZooModel } from "../src/index.js";

/** Each call of a layer in a pass: path and output shape without the batch, in order. */
export function callsOf(
  model: Module<Tensor, unknown>,
  image: Shape,
  { training = false } = {},
): (readonly [path: string, shape: Shape])[] {
  const records: TapRecord[] = [];
  const x = input("x", { shape: [2, ...image], dtype: "float32" });
  traceModule(model, x, { training, taps: (record) => records.push(record) });
  return records.map(({ path, output }) => [path, logitsOf(output).shape.slice(1)] as const);
}

/** Shape of the logits of a model built with options, for a batch of 2 images of that size. */
export function logitsShape(name: ModelName, options: ModelOptions & { readonly inputSize: number }): Shape {
  const model: ZooModel = createModel(name, options);
  const shape = [2, options.inChannels ?? modelEntry(name).input[0], options.inputSize, options.inputSize];
  return (traceModule(model, input("x", { shape, dtype: "float32" })).output as Tensor).shape;
}

/**
 * What an initialiser makes of random numbers that are all 1: the deviation of a normal distribution with mean 0, the upper bound of a
 * uniform one, the value of a constant.
 */
export function startOf(parameter: Parameter | null): number {
  if (parameter === null) throw new Error("the layer has no such parameter");
  const random = { normal: () => 1, uniform: () => 1 } as unknown as Parameters<Parameter["init"]>[1];
  return parameter.init(parameter.shape, random)[0] as number;
}
