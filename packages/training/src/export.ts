import type { HostTensor, StateDict, Tensor, Tensors } from "@ocelli/core";
import { type BuildOptions, type ExportDim, exportGraph } from "@ocelli/formats/onnx";
import { Context, type Module, namedOutputs } from "@ocelli/layers";
import type { BatchTensors, Transform } from "./transform.js";

export interface ExportOptions extends BuildOptions {
  /** Shape of the input, `"N"` for any number of images: `["N", 3, 224, 224]`. */
  readonly input: readonly ExportDim[];
  /** Written into the file, which then takes uint8 pixels under the name `images`; else floats under `input`. */
  readonly transform?: Transform | undefined;
}

/**
 * A trained model as the bytes of an ONNX file (opset 17) in standard operators. Outputs: `logits`, or the model's own names. Weights are
 * named as PyTorch names them.
 * @param state what `await state.read()` gives; collections other than `params` and `buffers` are left out
 * @throws ArgumentError when the graph depends on N in a way that a file cannot say; StateError when values are missing
 */
export function exportOnnx<Out>(model: Module<Tensor, Out>, state: StateDict, options: ExportOptions): Uint8Array {
  const { input, transform, ...build } = options;
  const [name, dtype] = transform === undefined ? (["input", "float32"] as const) : (["images", "uint8"] as const);
  const qualified = new Map<string, string>();
  const values: Record<string, HostTensor> = {};
  for (const collection of ["params", "buffers"]) {
    for (const [key, value] of Object.entries(state[collection] ?? {})) {
      values[key] = value;
      qualified.set(key, `${collection}/${key}`);
    }
  }
  const forward = (x: Tensor, leaves: Tensors): Tensors => {
    const named = Object.fromEntries(Object.entries(leaves).map(([key, leaf]) => [qualified.get(key) as string, leaf]));
    const ctx = new Context(model, { state: named, training: false });
    const images = transform === undefined ? x : transform.apply({ images: x } as BatchTensors, ctx).images;
    return namedOutputs(ctx.call(model, images));
  };
  const inputs = { [name]: { shape: input, dtype } };
  return exportGraph(
    { inputs, state: values, build: (given, leaves) => forward(given[name] as Tensor, leaves) },
    build,
  );
}
