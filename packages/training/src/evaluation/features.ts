import {
  ArgumentError,
  type Device,
  flattenState,
  type Handle,
  type HostTensor,
  mean,
  nearMatches,
  type Program,
  type Spec,
  type StateDict,
  Tensor,
  type Tensors,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, logitsOf, type Module, type TapRecord } from "@ocelli/layers";
import type { BatchTensors, Transform } from "../transform.js";
import { type EvaluationBatches, filledUp } from "./fill.js";

export interface FeaturesOptions<Out = unknown> {
  readonly model: Module<Tensor, Out>;
  readonly transform?: Transform | undefined;
  /** Path of a module: "classifier.5". Default: the model's logits. */
  readonly layer?: string | undefined;
  /** What the module gives, or what it is given: the input of the last layer is what it tells the classes by. Default "output". */
  readonly take?: "output" | "input" | undefined;
}

/** Vectors that stand for images. */
export interface ImageFeatures {
  /** float32 `[N, D]` */
  readonly features: HostTensor;
  readonly labels: Int32Array;
}

/**
 * What a network makes of images in evaluation, at some place inside it. Maps `[N, C, H, W]` become their means over the positions, `[N, C]`.
 * @throws ArgumentError with near matches for a layer that the model has not, for one that is not used in evaluation, and when there
 * are no images
 */
export async function featuresOf<Out>(
  device: Device,
  values: StateDict,
  batches: EvaluationBatches,
  options: FeaturesOptions<Out>,
): Promise<ImageFeatures> {
  checkLayer(options);
  const frozen = Object.fromEntries(flattenState({ params: values.params ?? {}, buffers: values.buffers ?? {} }));
  let program: Program | undefined;
  const rows: Float32Array[] = [];
  const labels: Int32Array[] = [];
  let size = 0;
  try {
    for await (const batch of batches) {
      const count = batch.images.shape[0] as number;
      if (count > size) {
        program?.[disposeKey]();
        program = await device.compile(featuresProgram(options, batch.images), { frozen });
        size = count;
      }
      const { images } = filledUp(batch, size);
      const handle = (await (program as Program).run({ images })).features as Handle;
      const read = toNumbers(await handle.read());
      rows.push(Float32Array.from(read.subarray(0, (read.length / size) * count)));
      labels.push(Int32Array.from(batch.labels.data));
    }
  } finally {
    program?.[disposeKey]();
  }
  const all = labels.flatMap((part) => [...part]);
  if (all.length === 0) throw new ArgumentError("featuresOf: there are no images");
  return { features: joined(rows, all.length), labels: Int32Array.from(all) };
}

function joined(rows: readonly Float32Array[], count: number): HostTensor {
  const data = new Float32Array(rows.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of rows) {
    data.set(part, at);
    at += part.length;
  }
  return { dtype: "float32", shape: [count, data.length / count], data };
}

function featuresProgram<Out>(options: FeaturesOptions<Out>, { shape, dtype }: Spec): Parameters<Device["compile"]>[0] {
  return {
    inputs: { images: { shape, dtype } },
    state: options.model.stateSpecs(),
    build: (inputs, state) => ({ outputs: { features: flat(tapped(options, inputs as BatchTensors, state)) } }),
  };
}

/** What the layer gives, or is given. */
function tapped<Out>(
  { model, transform, layer, take = "output" }: FeaturesOptions<Out>,
  batch: BatchTensors,
  state: Tensors,
): unknown {
  let found: unknown;
  const taps = (record: TapRecord): void => {
    if (record.path === layer) found = record[take];
  };
  const ctx = new Context(model, { state, training: false, taps });
  const output = ctx.call(model, transform === undefined ? batch.images : transform.apply(batch, ctx).images);
  if (layer === undefined) return logitsOf(output);
  if (found === undefined) throw new ArgumentError(`featuresOf: ${layer} is not used in evaluation`, { layer });
  return found;
}

/** Images one by one as vectors: `[N, D]`. @throws ArgumentError for what is no tensor */
function flat(features: unknown): Tensor {
  if (!(features instanceof Tensor) || features.shape.length < 2)
    throw new ArgumentError("featuresOf: the layer does not give a tensor of a row for each image");
  const axes = features.shape.slice(2).map((_, i) => i + 2);
  return axes.length === 0 ? features : mean(features, { axes });
}

function checkLayer<Out>({ model, layer, take }: FeaturesOptions<Out>): void {
  if (take !== undefined && take !== "input" && take !== "output")
    throw new ArgumentError(`featuresOf: take is ${String(take)}; it needs "input" or "output"`);
  const paths = [...model.modules().keys()].filter((path) => path !== "");
  if (layer === undefined || paths.includes(layer)) return;
  const near = nearMatches(layer, paths);
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `there are ${paths.slice(0, 8).join(", ")} ...`;
  throw new ArgumentError(`featuresOf: the model has no layer "${layer}"; ${hint}`, { layer });
}
