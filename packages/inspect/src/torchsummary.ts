import { ArgumentError, input, type Shape, sizeOf, Tensor } from "@ocelli/core";
import { Flatten, type Module, Sequential, type TapRecord, traceModule } from "@ocelli/layers";
import { Parts } from "./parts.js";

export interface TorchSummary {
  readonly layers: readonly { readonly name: string; readonly outputShape: Shape; readonly parameters: number }[];
  readonly parameters: number;
  /** In units of 1024^2 bytes, as the tool prints them. */
  readonly megabytes: {
    readonly input: number;
    /** Twice all layers' outputs: their gradients are taken to need as much. */
    readonly forwardBackward: number;
    readonly parameters: number;
    readonly total: number;
  };
}

/**
 * What the Python tool torchsummary 1.5 makes of a model in evaluation: every call of a module but containers, `Flatten` and the model itself, its
 * output counted whether or not it has memory of its own, and twice, for the backward pass. Far more than a network needs (see
 * {@link peakMemory}), but what many tutorials quote.
 * @throws ShapeError when the model does not take the input
 */
export function torchSummary(
  model: Module<Tensor, unknown>,
  image: Shape,
  { batch = 1 }: { readonly batch?: number } = {},
): TorchSummary {
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new ArgumentError(`torchSummary: batch is ${batch}; it needs a whole number, 1 or more`, { batch });
  const x = input("input", { shape: [batch, ...image], dtype: "float32" });
  const calls: TapRecord[] = [];
  traceModule(model, x, { taps: (record) => calls.push(record) });
  const parts = new Parts(model);
  const counted = new Set<string>();
  // Torchvision flattens by a function, which the tool does not see.
  const unseen = (module: unknown): boolean => module instanceof Sequential || module instanceof Flatten;
  const listed = calls.filter(({ module, path }) => path !== "" && !unseen(module));
  const layers = listed.map(({ path, output }, i) => {
    const { weights, biases } = counted.has(path) ? { weights: 0, biases: 0 } : parts.parametersOf(path);
    counted.add(path);
    const outputShape = output instanceof Tensor ? output.shape : [];
    return { name: `${parts.typeOf(path)}-${i + 1}`, outputShape, parameters: weights + biases };
  });
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const outputs = layers.reduce((sum, { outputShape }) => sum + (outputShape.length > 0 ? sizeOf(outputShape) : 0), 0);
  const megabytes = (values: number): number => (4 * values) / 1024 ** 2;
  const sizes = {
    input: megabytes(sizeOf(x.shape)),
    forwardBackward: megabytes(2 * outputs),
    parameters: megabytes(parameters),
  };
  const total = sizes.input + sizes.forwardBackward + sizes.parameters;
  return { layers, parameters, megabytes: { ...sizes, total } };
}

/** The tool's table, with a line below on what has no row. @param batch what stands for the batch; it writes -1 where none is given */
export function formatTorchSummary({ layers, parameters, megabytes }: TorchSummary, batch = -1): string {
  const row = (name: string, shape: string, count: string): string =>
    `${name.padStart(20)}  ${shape.padStart(25)} ${count.padStart(15)}`;
  const rule = (mark: string): string => mark.repeat(64);
  const exact = (count: number): string => count.toLocaleString("en-US");
  return [
    rule("-"),
    row("Layer (type)", "Output Shape", "Param #"),
    rule("="),
    ...layers.map(({ name, outputShape, parameters }) =>
      row(name, `[${[batch, ...outputShape.slice(1)].join(", ")}]`, exact(parameters)),
    ),
    rule("="),
    `Total params: ${exact(parameters)}`,
    `Trainable params: ${exact(parameters)}`,
    "Non-trainable params: 0",
    rule("-"),
    `Input size (MB): ${megabytes.input.toFixed(2)}`,
    `Forward/backward pass size (MB): ${megabytes.forwardBackward.toFixed(2)}`,
    `Params size (MB): ${megabytes.parameters.toFixed(2)}`,
    `Estimated Total Size (MB): ${megabytes.total.toFixed(2)}`,
    rule("-"),
    "Functions that a block calls (relu, add ...) are no modules and have no row, as in the tool.",
  ].join("\n");
}
