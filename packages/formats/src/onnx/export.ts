import { ArgumentError, type DType, type HostTensor, input, Tensor } from "@ocelli/core";
import { optimize } from "@ocelli/core/backend";
import type { BuildOptions } from "./builder.js";
import { encodeModel } from "./encode.js";
import { lowerGraph, opsOf, portable } from "./lower/index.js";
import { nameBatch } from "./lower/name-batch.js";
import type { OnnxModel } from "./model.js";

/** A size of an input: a number, or `"N"` for whatever number of images a run brings. */
export type ExportDim = number | "N";

/** A pure function of tensors that is to become a file. */
export interface Exportable {
  readonly inputs: Readonly<Record<string, { readonly shape: readonly ExportDim[]; readonly dtype: DType }>>;
  /** Values that the file shall hold, by the names they shall have in it: weights. */
  readonly state?: Readonly<Record<string, HostTensor>>;
  /** Called twice when a size is `"N"`. What it returns names the outputs; a single tensor is `output`. */
  readonly build: (
    inputs: Readonly<Record<string, Tensor>>,
    state: Readonly<Record<string, Tensor>>,
  ) => Tensor | Readonly<Record<string, Tensor>>;
}

/** Batch sizes to trace at. No layer has sizes like these for reasons of its own. */
const traced = [5, 7] as const;

/**
 * A program as the bytes of an ONNX file in standard operators. Sizes given as `"N"` stay open in the file.
 * @throws ArgumentError when the graph's structure, or a number in it, depends on N in a way that a file cannot say: the message names the op
 * @throws OnnxSizeError at 2 GiB
 */
export function exportGraph(program: Exportable, options: BuildOptions = {}): Uint8Array {
  const open = Object.values(program.inputs).some(({ shape }) => shape.includes("N"));
  if (!open) return encodeModel(modelAt(program, 1, options));
  const [first, second] = traced.map((batch) => modelAt(program, batch, options)) as [OnnxModel, OnnxModel];
  return encodeModel(nameBatch({ first, second, sizes: traced, inputs: program.inputs }));
}

const portableOps = opsOf(portable);

function modelAt(program: Exportable, batch: number, options: BuildOptions): OnnxModel {
  const sized = (shape: readonly ExportDim[]): number[] => shape.map((dim) => (dim === "N" ? batch : dim));
  const inputs = Object.entries(program.inputs).map(
    ([name, { shape, dtype }]) => [name, input(name, { shape: sized(shape), dtype })] as const,
  );
  const state = Object.entries(program.state ?? {}).map(
    ([name, value]) => [name, { leaf: input(`state:${name}`, value), value }] as const,
  );
  const leaves = state.map(([name, { leaf }]) => [name, leaf] as const);
  const built = program.build(Object.fromEntries(inputs), Object.fromEntries(leaves));
  const outputs = Object.entries(built instanceof Tensor ? { output: built } : built);
  if (outputs.length === 0) throw new ArgumentError("exportGraph: build returned no outputs");
  const results = optimize(
    outputs.map(([, tensor]) => tensor),
    { supports: (op) => portableOps.has(op) },
  );
  const named = new Map(outputs.map(([name], i) => [name, results[i] as Tensor]));
  return lowerGraph({ inputs: new Map(inputs), outputs: named, constants: new Map(state) }, portable).build(options);
}
