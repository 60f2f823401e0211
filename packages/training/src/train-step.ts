import {
  ArgumentError,
  accuracy,
  type Device,
  gradients,
  type Handle,
  type HostTensor,
  hostTensor,
  type Program,
  randomKey,
  type Spec,
  type State,
  type StateDict,
  type Tensor,
  type Tensors,
  type Traceable,
} from "@ocelli/core";
import { Context, logitsOf, type Module } from "@ocelli/layers";
import { type LossScale, lossScaling, scaledGradients } from "./loss-scale.js";
import type { Optimizer } from "./optim/index.js";
import type { BatchTensors, Transform } from "./transform.js";

/** What a step needs of a batch (a loader's `Batch` fits). */
export interface HostBatch {
  /** What the transform takes: uint8 `[N, C, H, W]` as a rule. */
  readonly images: HostTensor;
  /** int32 `[N]` */
  readonly labels: HostTensor;
}

export interface TrainStepOptions<Out = Tensor> {
  readonly model: Module<Tensor, Out>;
  readonly optimizer: Optimizer;
  /** A scalar from the model's output and the labels. */
  readonly loss: (output: Out, labels: Tensor) => Tensor;
  /** Runs on the device before the model; images are cast and normalised here. */
  readonly transform?: Transform | undefined;
  /** Further scalars to report. Default: `accuracy`. */
  readonly metrics?: Readonly<Record<string, (output: Out, labels: Tensor) => Tensor>>;
  /**
   * Differentiates `scale * loss` and divides the gradients by the scale, so that small ones survive float16. A step with a gradient that
   * is not finite changes nothing but the scale. `"dynamic"`, or its options: the scale follows the gradients. Default: no scaling.
   */
  readonly lossScale?: LossScale | undefined;
  /** Names all random numbers of the run; step k under seed s always draws the same. */
  readonly seed?: number;
  /** Steps already taken (a resumed run). */
  readonly startStep?: number;
}

/**
 * Handles of the loss and the metrics of one step. With loss scaling also `skipped` (1 if a gradient was not finite, else 0), and
 * `lossScale` (what the step was scaled by) if the scale is dynamic. The loss is the unscaled one.
 */
export type StepResult = Readonly<Record<string, Handle>> & { readonly loss: Handle };

export interface TrainStep {
  /**
   * Queues one step; resolves when it is queued (at most two are in flight). `lr` overrides the optimizer's.
   * @throws ArgumentError for a batch without images or labels; StateError when the state is not the model's
   */
  (batch: HostBatch, options?: { readonly lr?: number }): Promise<StepResult>;
  /** Steps taken. */
  readonly count: number;
  /** The compiled program for batches like this one. */
  program(batch: HostBatch): Promise<Program>;
}

/**
 * The whole training step as one program: transform, forward, loss, backward, update, new batch-norm statistics. Traced once for each
 * shape of batch. The optimizer's state is added to `state` at the first step, and so is a dynamic loss scale (`lossScale`), unless a
 * checkpoint brought them.
 * @throws ArgumentError for a loss scale that is none
 */
export function trainStep<Out = Tensor>(device: Device, state: State, options: TrainStepOptions<Out>): TrainStep {
  const { model, optimizer, seed = 0 } = options;
  const scaling = lossScaling(options.lossScale);
  const programs = new Map<string, Promise<Program>>();
  let count = options.startStep ?? 0;
  let ready: Promise<void> | undefined;

  const program = (batch: HostBatch): Promise<Program> => {
    const specs = specsOf(batch);
    const key = JSON.stringify(specs);
    let found = programs.get(key);
    if (found === undefined) {
      found = device.compile(trainingProgram(options, specs));
      programs.set(key, found);
      found.catch(() => programs.delete(key));
    }
    return found;
  };

  const step = async (given: HostBatch, { lr = optimizer.lr }: { readonly lr?: number } = {}): Promise<StepResult> => {
    const batch = checkedBatch(given);
    ready ??= addMissing(state, { ...optimizerState(model, optimizer), ...scaling?.initial });
    await ready;
    const compiled = await program(batch);
    const number = count++;
    const scalars = Object.entries(optimizer.scalars(number + 1, lr)).map(([name, value]) => [
      `scalar:${name}`,
      hostTensor([value], []),
    ]);
    const key = hostTensor(Uint32Array.from(randomKey(seed, number)));
    return (await compiled.run({ ...batch, key, ...Object.fromEntries(scalars) }, state)) as StepResult;
  };

  return Object.defineProperty(Object.assign(step, { program, count }), "count", { get: () => count });
}

function specsOf({ images, labels }: HostBatch): Record<string, Spec> {
  const spec = ({ dtype, shape }: HostTensor): Spec => ({ dtype, shape });
  return { images: spec(images), labels: spec(labels) };
}

/** The two tensors alone: a loader's batch carries more. */
function checkedBatch({ images, labels }: HostBatch): { images: HostTensor; labels: HostTensor } {
  if (images === undefined || labels === undefined) {
    throw new ArgumentError("trainStep: the batch lacks images or labels; it needs both as host tensors");
  }
  return { images, labels };
}

/** Zeros for every slot of every parameter, under `optimizer/NAME.SLOT`. */
export function optimizerState(model: Module<never, unknown>, optimizer: Optimizer): StateDict {
  const zeros: Record<string, HostTensor> = {};
  for (const [name, param] of model.parameters()) {
    for (const [slot, spec] of Object.entries(optimizer.slots(param))) {
      zeros[`${name}.${slot}`] = hostTensor(new Float32Array(spec.shape.reduce((a, b) => a * b, 1)), spec.shape);
    }
  }
  return { optimizer: zeros };
}

/** Adds the collections that the state has not got. */
async function addMissing(state: State, fresh: StateDict): Promise<void> {
  const missing = Object.entries(fresh).filter(
    ([name, entries]) => !state.has(name) && Object.keys(entries).length > 0,
  );
  if (missing.length > 0) await state.write(Object.fromEntries(missing));
}

/** The step as a traceable program. Inputs: the batch, `key`, the optimizer's scalars. */
export function trainingProgram<Out>(options: TrainStepOptions<Out>, batch: Readonly<Record<string, Spec>>): Traceable {
  const { model, optimizer, lossScale } = options;
  const scalarNames = Object.keys(optimizer.scalars(1, optimizer.lr));
  const slots: Record<string, Spec> = {};
  for (const [name, param] of model.parameters()) {
    for (const [slot, spec] of Object.entries(optimizer.slots(param))) {
      slots[`optimizer/${name}.${slot}`] = { shape: spec.shape, dtype: spec.dtype };
    }
  }
  return {
    inputs: {
      ...batch,
      key: { shape: [2], dtype: "uint32" },
      ...Object.fromEntries(scalarNames.map((name) => [`scalar:${name}`, { shape: [], dtype: "float32" as const }])),
    },
    state: { ...model.stateSpecs(), ...slots, ...lossScaling(lossScale)?.specs },
    build: (inputs, state) => buildStep(options, inputs, state),
  };
}

function buildStep<Out>(
  options: TrainStepOptions<Out>,
  inputs: Tensors,
  state: Tensors,
): ReturnType<Traceable["build"]> {
  const { model, loss, transform, optimizer, metrics = defaultMetrics<Out>() } = options;
  const ctx = new Context(model, { state, training: true, key: inputs.key as Tensor });
  const given = inputs as BatchTensors;
  const batch = transform === undefined ? given : transform.apply(given, ctx);
  const output = ctx.call(model, batch.images);
  const labels = batch.labels as Tensor;
  const value = loss(output, labels);
  const parameters = [...model.parameters()];
  const params = parameters.map(([name]) => state[`params/${name}`] as Tensor);
  const scaling = lossScaling(options.lossScale);
  const scaled = scaling && scaledGradients(scaling, { loss: value, params, state });
  const grads = scaled?.grads ?? gradients(value, params);
  const updates: Record<string, Tensor> = { ...ctx.updates };
  const scalars = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, tensor]) => (name.startsWith("scalar:") ? [[name.slice(7), tensor]] : [])),
  );
  for (const [i, [name, spec]] of parameters.entries()) {
    const slotNames = Object.keys(optimizer.slots(spec));
    const slots = Object.fromEntries(slotNames.map((slot) => [slot, state[`optimizer/${name}.${slot}`] as Tensor]));
    const next = optimizer.update({ name, param: params[i] as Tensor, grad: grads[i] as Tensor, slots, scalars });
    updates[`params/${name}`] = next.param;
    for (const slot of slotNames) updates[`optimizer/${name}.${slot}`] = next.slots[slot] as Tensor;
  }
  const reported = Object.entries(metrics).map(([name, metric]) => [name, metric(output, labels)]);
  return {
    outputs: { loss: value, ...scaled?.reported, ...Object.fromEntries(reported) },
    updates: scaled?.gate(updates) ?? updates,
  };
}

function defaultMetrics<Out>(): Readonly<Record<string, (output: Out, labels: Tensor) => Tensor>> {
  return { accuracy: (output, labels) => accuracy(logitsOf(output), labels) };
}
