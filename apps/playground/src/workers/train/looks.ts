import {
  ArgumentError,
  type Handle,
  type HostTensor,
  input,
  type State,
  softmax,
  Tensor,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, logitsOf, type TapRecord, traceModule } from "@ocelli/layers";
import { type BatchTensors, loader, makeTransform, subset } from "@ocelli/training";
import { judged } from "../../model/judged.js";
import type { ActivationMaps, ActivationRequest, FilterSheet, LayerInfo, Picture } from "./api.js";
import { firstBatch } from "./images.js";
import type { Parts } from "./opened.js";
import { handedOver, pictureOf, rangeOf, scaledPicture } from "./pictures.js";

/** What a look inside works with: a run between two steps. Nothing here changes the state. */
export type Inside = Parts & { readonly state: State; readonly step: number };

/** Modules whose output is one tensor that no module inside them made, in the order of the forward pass. */
export function layersOf({ built }: Pick<Parts, "built">): LayerInfo[] {
  const x = input("images", { shape: [1, ...built.input], dtype: "float32" });
  const seen = new Set<Tensor>();
  const found = new Map<string, LayerInfo>();
  const taps = ({ path, module, output }: TapRecord): void => {
    if (path === "" || !(output instanceof Tensor) || seen.has(output)) return;
    seen.add(output);
    const filters = filterName(path) in parameterShapes(built);
    found.set(path, { path, kind: module.constructor.name, shape: output.shape.slice(1), filters });
  };
  traceModule(built.model, x, { taps });
  return [...found.values()];
}

/**
 * Calls with what the run is judged by, and what is kept of it for use: of one that averages its parameters the averages, which lie elsewhere
 * in its state; else the state itself.
 */
export async function withJudged<T>(
  { device, state, training }: Pick<Inside, "device" | "state" | "training">,
  use: (state: State) => Promise<T>,
): Promise<T> {
  if (training.average === undefined) return use(state);
  using averaged = await device.createState(judged(await state.read(["params", "buffers", "ema"])));
  return await use(averaged);
}

const filterName = (path: string): string => `${path}.weight`;

/** Of convolutions' weights, `[out, in, h, w]`. */
function parameterShapes({ model }: Parts["built"]): Readonly<Record<string, readonly number[]>> {
  const filters = [...model.parameters()].filter(([, { shape }]) => shape.length === 4);
  return Object.fromEntries(filters.map(([name, { shape }]) => [name, shape]));
}

/** See `TrainApi.filters`. @throws ArgumentError for a layer without filters */
export async function filtersOf(inside: Inside, layer: string | undefined, atMost = 64): Promise<FilterSheet> {
  const shapes = parameterShapes(inside.built);
  const name = layer === undefined ? Object.keys(shapes)[0] : filterName(layer);
  const shape = name === undefined ? undefined : shapes[name];
  if (name === undefined || shape === undefined)
    throw new ArgumentError(`${layer ?? "This network"} has no filters: it is no convolution.`, { layer });
  const { params } = judged(await inside.state.read(["params", "ema"]));
  const values = Float32Array.from(toNumbers(params?.[name] as HostTensor));
  const [out, channels, height, width] = shape as [number, number, number, number];
  const [low, high] = rangeOf(values);
  const scale = Math.max(-low, high);
  const shown = channels === 3 ? 3 : 1;
  const pictures = Array.from({ length: Math.min(out, atMost) }, (_, i) => {
    const from = i * channels * height * width;
    const filter = values.subarray(from, from + shown * height * width);
    return scaledPicture(filter, [shown, height, width], [-scale, scale]);
  });
  const path = name.slice(0, -".weight".length);
  return handedOver({ layer: path, at: inside.step, shape, pictures, scale }, pictures);
}

/** See `TrainApi.activations`. @throws ArgumentError for a layer that there is not, or an image outside of the set */
export async function activationsOf(
  inside: Inside,
  { layers, image, atMost = 32 }: ActivationRequest,
): Promise<ActivationMaps> {
  const { data, step } = inside;
  const { judged } = data;
  if (!Number.isSafeInteger(image) || image < 0 || image >= judged.count)
    throw new ArgumentError(`There is no image ${image} among the ${judged.count} of ${judged.name}.`, { image });
  const batch = await firstBatch(loader(subset(judged, [image]), { batchSize: 1 }).epoch(0));
  const given = batch.images;
  const results = await withJudged(inside, (state) => evaluated({ ...inside, state }, given, layers));
  const pixels = toNumbers(given);
  const picture = pictureOf(pixels, judged.shape);
  const maps = layers.map((path) => mapsOf(path, results[path] as HostTensor, atMost));
  const probabilities = [...toNumbers(results[""] as HostTensor)];
  const all = [picture, ...maps.flatMap(({ pictures }) => pictures)];
  return handedOver({ at: step, picture, label: Number(batch.labels.data[0]), probabilities, layers: maps }, all);
}

/** Outputs of layers for images, in evaluation; under "" the probabilities. */
async function evaluated(
  { device, state, built, transform }: Inside,
  images: HostTensor,
  layers: readonly string[],
): Promise<Readonly<Record<string, HostTensor>>> {
  const { dtype, shape } = images;
  const program = await device.compile({
    inputs: { images: { dtype, shape } },
    state: built.model.stateSpecs(),
    build: (inputs, values) => {
      const outputs: Record<string, Tensor> = {};
      const taps = ({ path, output }: TapRecord): void => {
        if (layers.includes(path) && output instanceof Tensor) outputs[path] = output;
      };
      const ctx = new Context(built.model, { state: values, training: false, taps });
      const { images: x } = makeTransform(transform).apply(inputs as BatchTensors, ctx);
      outputs[""] = softmax(logitsOf(ctx.call(built.model, x)));
      const missing = layers.find((path) => outputs[path] === undefined);
      if (missing !== undefined) throw new ArgumentError(`The network has no layer "${missing}" in use.`, { missing });
      return { outputs };
    },
  });
  try {
    const handles = await program.run({ images }, state);
    const read = Object.entries(handles).map(async ([name, handle]: [string, Handle]) => [name, await handle.read()]);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    program[disposeKey]();
  }
}

function mapsOf(
  path: string,
  { shape: [, ...shape], ...rest }: HostTensor,
  atMost: number,
): ActivationMaps["layers"][number] {
  const values = Float64Array.from(toNumbers({ shape, ...rest } as HostTensor));
  const range = rangeOf(values);
  const [channels, height, width] = (shape.length === 3 ? shape : [1, 1, values.length]) as [number, number, number];
  const size = height * width;
  const pictures: Picture[] = Array.from({ length: Math.min(channels, atMost) }, (_, i) =>
    scaledPicture(values.subarray(i * size, (i + 1) * size), [1, height, width], range),
  );
  return { path, shape, pictures, range };
}
