import {
  ArgumentError,
  type Device,
  flattenState,
  type HostTensor,
  input,
  reshape,
  type Shape,
  type StateDict,
  sizeOf,
  Tensor,
  type Traceable,
  toNumbers,
  topologicalOrder,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { type AnyModule, Context, inventory, keySpec, Module, Sequential, type TapRecord } from "@ocelli/layers";
import { loader } from "./data/loader.js";
import type { ImageSource, LabelledImages } from "./data/source.js";
import { filledUp } from "./evaluation/fill.js";
import { checkPatterns, checkUsed, globs } from "./glob.js";
import type { BatchTensors, Transform } from "./transform.js";

/** A network whose first part is frozen. */
export interface FrozenStart<Out = Tensor> {
  readonly model: Module<Tensor, Out>;
  /** As for `trainStep`: what stays as it is. */
  readonly freeze: readonly string[];
  readonly transform?: Transform | undefined;
  /** Sources whose frames leave something to chance in training are read as in evaluation: they are the caller's to keep out. */
  readonly train: LabelledImages;
}

export interface CachedFeaturesOptions<Out = Tensor> extends FrozenStart<Out> {
  readonly device: Device;
  /** Parameters and buffers. */
  readonly values: StateDict;
  readonly validation?: LabelledImages | undefined;
  readonly test?: LabelledImages | undefined;
  /** Images at once. Default 100. */
  readonly batchSize?: number | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly images: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `fit` takes in place of its own options of these names: it trains the same state. */
export interface CachedFeatures<Out = Tensor> {
  /** The smallest module that holds all that is trained; its state has the whole model's names, so that checkpoints are the whole model's. */
  readonly model: Module<Tensor, Out>;
  readonly train: ImageSource;
  readonly validation: ImageSource | undefined;
  readonly test: ImageSource | undefined;
  readonly transform: undefined;
}

/**
 * What the frozen part of a network makes of each image, worked out once: training then runs the rest alone, and comes to the same
 * parameters (to rounding) in a fraction of the time.
 * `await fit({ ...options, ...(await cachedFeatures({ ...options, values: await state.read() })) })`
 * @throws ArgumentError where {@link whyNotCached} has a reason; the reason of `signal` when that was aborted
 */
export async function cachedFeatures<Out>(options: CachedFeaturesOptions<Out>): Promise<CachedFeatures<Out>> {
  const cut = cutAt(options);
  if (typeof cut === "string") throw new ArgumentError(`cachedFeatures: ${cut}`);
  const { model, train, validation, test, onProgress } = options;
  const images = [train, validation, test].reduce((sum, data) => sum + (data?.count ?? 0), 0);
  let done = 0;
  const progress = (count: number): void => {
    done += count;
    onProgress?.({ done, images });
  };
  const cached = async (data: LabelledImages): Promise<ImageSource> => featureSource(options, cut, data, progress);
  return {
    model: new Rest(model, cut),
    train: await cached(train),
    validation: validation && (await cached(validation)),
    test: test && (await cached(test)),
    transform: undefined,
  };
}

/**
 * Names of the parameters that patterns as for `freeze` leave to be trained.
 * @throws ArgumentError for a pattern that fits nothing
 */
export function trainedNames(model: AnyModule, freeze: readonly string[]): string[] {
  const { parameters, buffers } = inventory(model);
  checkPatterns("freeze", freeze);
  checkUsed("freeze", freeze, [...parameters.keys(), ...buffers.keys()]);
  const fits = globs(freeze);
  return [...parameters.keys()].filter((name) => !fits(name));
}

/** Where a model is cut in two. */
interface Cut<Out = unknown> {
  /** Path of the module that is trained. */
  readonly from: string;
  readonly module: Module<Tensor, Out>;
  /** Of what the module is given for one image. */
  readonly shape: Shape;
}

/** A model from one of its modules on. */
class Rest<Out> extends Module<Tensor, Out> {
  readonly #cut: Cut<Out>;

  constructor(model: Module<Tensor, Out>, cut: Cut<Out>) {
    super();
    // The model's own fields, under their own names: so the state's names are the model's too.
    const fields = Object.entries(model).filter(([, value]) => typeof value !== "function");
    Object.assign(this, Object.fromEntries(fields));
    this.#cut = cut;
  }

  override forward(rows: Tensor, ctx: Context): Out {
    const { module, shape } = this.#cut;
    return ctx.call(module, reshape(rows, [rows.shape[0] as number, ...shape]));
  }
}

async function featureSource<Out>(
  { device, values, model, transform, batchSize = 100, signal }: CachedFeaturesOptions<Out>,
  { from, shape }: Cut<Out>,
  data: LabelledImages,
  on: (count: number) => void,
): Promise<ImageSource> {
  const width = sizeOf(shape);
  const size = Math.min(batchSize, data.count);
  const frozen = Object.fromEntries(flattenState({ params: values.params ?? {}, buffers: values.buffers ?? {} }));
  const program = await device.compile(firstPart(model, from, transform, [size, ...data.shape]), { frozen });
  const rows = new Float32Array(data.count * width);
  const labels: number[] = [];
  try {
    for await (const batch of loader(data, { batchSize: size }).epoch(0)) {
      signal?.throwIfAborted();
      const given = toNumbers(
        (await (await program.run({ images: filledUp(batch, size).images })).features?.read()) as HostTensor,
      );
      rows.set(given.subarray(0, batch.indices.length * width), labels.length * width);
      labels.push(...toNumbers(batch.labels));
      on(batch.indices.length);
    }
  } finally {
    program[disposeKey]();
  }
  return {
    name: data.name,
    classes: data.classes,
    shape: [width, 1, 1],
    labels: Int32Array.from(labels),
    count: labels.length,
    async read({ indices }) {
      const images = new Float32Array(indices.length * width);
      indices.forEach((index, i) => {
        images.set(rows.subarray(index * width, (index + 1) * width), i * width);
      });
      return { images, broken: [] };
    },
  };
}

/** A program from images to what the module at `from` is given, in evaluation. */
function firstPart<Out>(
  model: Module<Tensor, Out>,
  from: string,
  transform: Transform | undefined,
  shape: Shape,
): Traceable {
  return {
    inputs: { images: { shape, dtype: "uint8" } },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      let features: unknown;
      const taps = ({ path, input: given }: TapRecord): void => {
        if (path === from) features = given;
      };
      const ctx = new Context(model, { state, taps });
      ctx.call(model, (transform?.apply(inputs as BatchTensors, ctx) ?? inputs).images as Tensor);
      return { outputs: { features: features as Tensor } };
    },
  };
}

/** More would crowd out the training. */
const mostBytes = 2 ** 30;

/**
 * Why the frozen part's results cannot be worked out once for all: no one module holds all that is trained, chance has a part in it
 * (augmentation, dropout), running statistics change, or it is too much to keep. Undefined where it can be. By the graph alone: nothing
 * runs.
 * @throws ArgumentError for a pattern that fits nothing
 */
export function whyNotCached<Out>(options: FrozenStart<Out>): string | undefined {
  const cut = cutAt(options);
  return typeof cut === "string" ? cut : undefined;
}

function cutAt<Out>(start: FrozenStart<Out>): Cut<Out> | string {
  const { model, freeze } = start;
  const trained = trainedNames(model, freeze);
  const holders = [...inventory(model).modules.keys()].filter(
    (path) => path !== "" && trained.every((name) => name.startsWith(`${path}.`)),
  );
  if (holders.length === 0 || trained.length === 0)
    return `no one module holds all that is trained (${trained[0] ?? "nothing"} ...)`;
  // The innermost has the longest path. What stands behind it may be in one further out: SqueezeNet pools after its last layer.
  const cuts = holders.sort((a, b) => b.length - a.length).map((path) => cutBefore(start, path));
  return cuts.find((cut) => typeof cut !== "string") ?? (cuts[0] as string);
}

/** The cut before the module at `from`, or why there is none. */
function cutBefore<Out>({ model, freeze, transform, train }: FrozenStart<Out>, from: string): Cut<Out> | string {
  const { parameters, buffers, modules } = inventory(model);
  const module = modules.get(from) as Module<Tensor, Out>;
  const fits = globs(freeze);
  const frozen = new Set([...parameters, ...buffers].flatMap(([name, entry]) => (fits(name) ? [entry] : [])));
  const outside = (name: string): boolean => !name.startsWith(`${from}.`);
  const calls: TapRecord[] = [];
  const key = input("key", keySpec);
  const ctx = new Context(model, {
    state: Object.fromEntries(Object.entries(model.stateSpecs()).map(([name, spec]) => [name, input(name, spec)])),
    training: true,
    key,
    frozen,
    taps: (record) => {
      if (record.path === from) calls.push(record);
    },
  });
  const images = input("images", { shape: [2, ...train.shape], dtype: "uint8" });
  const labels = input("labels", { shape: [2], dtype: "int32" });
  const output = ctx.call(model, transform?.apply({ images, labels }, ctx).images ?? images);
  const [call] = calls;
  const given = call?.input;
  if (calls.length !== 1 || call?.output !== output || !(given instanceof Tensor))
    return `the model's output is not that of ${from} alone`;
  const before = topologicalOrder([given]);
  if (before.includes(key.node)) return `chance has a part in what ${from} is given`;
  const changing = Object.keys(ctx.updates).find((name) => outside(name.slice(name.indexOf("/") + 1)));
  if (changing !== undefined) return `${changing} changes with every batch`;
  const norm = before.find(({ op }) => op.name === "batchNormTrain");
  if (norm !== undefined) return `${norm.scope} keeps no running statistics: what it gives depends on the batch`;
  const shape = given.shape.slice(1);
  if (4 * train.count * sizeOf(shape) > mostBytes)
    return `${train.count} times ${sizeOf(shape)} features are too much to keep`;
  return { from, module, shape };
}

/**
 * Patterns of the parameters' names, layer by layer from the input to the output, for `layerwise(optimizer, layerPatterns(model), 0.9)`. A
 * layer is what the model or a Sequential in it holds; what has no parameter of two dimensions (a norm) belongs to the one before.
 */
export function layerPatterns(model: AnyModule): (readonly string[])[] {
  const { modules, parameters } = inventory(model);
  const layers = new Map<string, boolean>();
  for (const [name, { shape }] of parameters) {
    const paths = [...name.matchAll(/\./g)].map(({ index }) => name.slice(0, index));
    const layer = paths.find((path) => modules.has(path) && !(modules.get(path) instanceof Sequential));
    const pattern = layer === undefined ? name : `${layer}.*`;
    layers.set(pattern, (layers.get(pattern) ?? false) || shape.length > 1);
  }
  const grouped: string[][] = [];
  for (const [pattern, isWeighty] of layers) {
    if (isWeighty || grouped.length === 0) grouped.push([pattern]);
    else grouped.at(-1)?.push(pattern);
  }
  return grouped;
}
