import {
  ArgumentError,
  byteSize,
  type HostTensor,
  input,
  type Node,
  type Shape,
  type Spec,
  type Tensor,
} from "@ocelli/core";
import { type Module, recomputing } from "@ocelli/layers";
import { type Block, fullest, memoryBlocks } from "./liveness.js";
import { finished, inferenceProgram, type Steps, trainingProgram } from "./steps.js";

export interface PeakMemoryOptions {
  /** Images at once. Default 1. */
  readonly batch?: number;
  /** A whole training step instead of a forward pass. Default false. */
  readonly training?: boolean;
  /** In training: what the optimizer keeps for each parameter. 0 plain SGD, 1 momentum (default), 2 Adam. */
  readonly optimizerSlots?: number;
  /** In training: modules whose results are computed again in the backward pass instead of kept, as `recomputing` takes them. */
  readonly recompute?: Iterable<string> | undefined;
}

/** Bytes in use at the fullest moment, by what they hold. */
export interface PeakMemory {
  /** The sum of all others. */
  readonly total: number;
  readonly parameters: number;
  /** Running statistics, and constants of the graph. */
  readonly buffers: number;
  readonly optimizerState: number;
  /** Images, and in training labels and the random key. */
  readonly input: number;
  /** What the forward pass has made and somebody still reads. */
  readonly activations: number;
  /** What the backward pass has made: gradients of activations and of parameters, and what it computes once more. */
  readonly gradients: number;
  /** Where that moment is: the layer and its operation, `features.2/conv2d`. */
  readonly at: string;
}

/**
 * Peak memory of inference, or of one step of training, by liveness: the graph (in training with cross-entropy of everything that the
 * model returns, its gradients and the optimizer's update) goes through the passes that devices run, and each value lives from the
 * operation that makes it to the last that reads it. Nothing is computed, and no device is needed.
 *
 * The rules: operations run in the order of the model, backward ones from the last layer to the first, and a parameter is updated in its
 * own memory as soon as its gradient is there and nothing reads the old value any more, so that gradients of all parameters never lie in
 * memory together. Element-wise chains are one pass and write over an operand that is read for the last time; views take nothing.
 * Parameters, buffers, the optimizer's state and the input stay throughout. Not counted: workspaces of kernels, fragmentation, the
 * runtime itself.
 *
 * @throws ShapeError when the model does not take the input; ArgumentError for options that are no counts
 */
export function peakMemory(model: Module<Tensor, unknown>, image: Shape, options: PeakMemoryOptions = {}): PeakMemory {
  return measure(model, image, options).peak;
}

/** A graph in the order in which it runs, and what lies in memory meanwhile. */
export interface Measured {
  readonly peak: PeakMemory;
  readonly steps: Steps;
  readonly blocks: readonly Block[];
}

/** {@link peakMemory} with what it was found from. */
export function measure(model: Module<Tensor, unknown>, image: Shape, options: PeakMemoryOptions): Measured {
  const { batch = 1, training = false, optimizerSlots = 1, recompute = [] } = options;
  checkCount("batch", batch, 1);
  checkCount("optimizerSlots", optimizerSlots, 0);
  const x = input("input", { shape: [batch, ...image], dtype: "float32" });
  const state = leavesOf(model.stateSpecs());
  const slots = leavesOf(
    Object.fromEntries(
      [...model.parameters()].flatMap(([name, { shape, dtype }]) =>
        Array.from({ length: training ? optimizerSlots : 0 }, (_, i) => [`${name}.${i}`, { shape, dtype }]),
      ),
    ),
  );
  const around = recomputing(model, recompute);
  const program = training ? trainingProgram(model, x, state, slots, around) : inferenceProgram(model, x, state);
  const steps = finished(program);
  const blocks = memoryBlocks(steps.order, steps.outputs, new Set(steps.updates));
  const held = {
    parameters: bytesOf(model.parameters().values()),
    buffers: bytesOf(model.buffers().values()) + bytesOf(constantsOf(steps.order)),
    optimizerState: bytesOf(slots.values()),
    input: bytesOf([x, ...program.inputs]),
  };
  return { peak: peakOf(steps, blocks, held), steps, blocks };
}

function peakOf(
  { order, forward }: Steps,
  blocks: readonly Block[],
  held: Omit<PeakMemory, "total" | "activations" | "gradients" | "at">,
): PeakMemory {
  const { step } = fullest(blocks, order.length);
  const parts = { activations: 0, gradients: 0 };
  for (const { tensor, bytes, first, last } of blocks) {
    if (first > step || last < step) continue;
    parts[forward.has(tensor.node) ? "activations" : "gradients"] += bytes;
  }
  const total = [...Object.values(held), ...Object.values(parts)].reduce((sum, bytes) => sum + bytes, 0);
  const { scope, op } = order[step] as Node;
  return { total, ...held, ...parts, at: scope === "" ? op.name : `${scope}/${op.name}` };
}

const bytesOf = (specs: Iterable<Spec>): number => [...specs].reduce((sum, spec) => sum + byteSize(spec), 0);

/** Arrays that are part of the graph. */
function constantsOf(order: readonly Node[]): Tensor[] {
  const leaves = order.filter(({ inputs }) => inputs.length === 0);
  const constants = leaves.filter(({ attrs }) => isHostTensor((attrs as { value?: unknown }).value));
  return constants.flatMap(({ outputs }) => outputs);
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new ArgumentError(`peakMemory: ${name} is ${value}; it needs a whole number, ${least} or more`, { name });
}

const leavesOf = (specs: Readonly<Record<string, Spec>>): Map<string, Tensor> =>
  new Map(Object.entries(specs).map(([name, spec]) => [name, input(name, spec)]));

const isHostTensor = (value: unknown): value is HostTensor =>
  typeof value === "object" && value !== null && "data" in value;
