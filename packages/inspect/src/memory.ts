import {
  ArgumentError,
  add,
  byteSize,
  crossEntropy,
  div,
  gradients,
  type HostTensor,
  input,
  mean,
  mul,
  type Node,
  type Op,
  type Shape,
  type Spec,
  sqrt,
  sub,
  type Tensor,
  topologicalOrder,
} from "@ocelli/core";
import { optimize } from "@ocelli/core/backend";
import { type Module, namedOutputs, traceModule } from "@ocelli/layers";
import { isPrimitive, memoryRule } from "./cost.js";
import { fullest, memoryBlocks } from "./liveness.js";

export interface PeakMemoryOptions {
  /** Images at once. Default 1. */
  readonly batch?: number;
  /** A whole training step instead of a forward pass. Default false. */
  readonly training?: boolean;
  /** In training: what the optimizer keeps for each parameter. 0 plain SGD, 1 momentum (default), 2 Adam. */
  readonly optimizerSlots?: number;
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
  const { batch = 1, training = false, optimizerSlots = 1 } = options;
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
  const program = training ? trainingProgram(model, x, state, slots) : inferenceProgram(model, x, state);
  const steps = finished(program);
  const blocks = memoryBlocks(steps.order, steps.outputs, new Set(steps.updates));
  const { step } = fullest(blocks, steps.order.length);
  const parts = { activations: 0, gradients: 0 };
  for (const { tensor, bytes, first, last } of blocks) {
    if (first > step || last < step) continue;
    parts[steps.forward.has(tensor.node) ? "activations" : "gradients"] += bytes;
  }
  const leaves = steps.order.filter(({ inputs }) => inputs.length === 0);
  const constants = leaves.filter(({ attrs }) => isHostTensor((attrs as { value?: unknown }).value));
  const bytesOf = (specs: Iterable<Spec>): number => [...specs].reduce((sum, spec) => sum + byteSize(spec), 0);
  const parameters = bytesOf(model.parameters().values());
  const held = {
    parameters,
    buffers: bytesOf(model.buffers().values()) + bytesOf(constants.flatMap(({ outputs }) => outputs)),
    optimizerState: bytesOf(slots.values()),
    input: bytesOf([x, ...program.inputs]),
  };
  const total = [...Object.values(held), ...Object.values(parts)].reduce((sum, bytes) => sum + bytes, 0);
  const { scope, op } = steps.order[step] as Node;
  return { total, ...held, ...parts, at: scope === "" ? op.name : `${scope}/${op.name}` };
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new ArgumentError(`peakMemory: ${name} is ${value}; it needs a whole number, ${least} or more`, { name });
}

const leavesOf = (specs: Readonly<Record<string, Spec>>): Map<string, Tensor> =>
  new Map(Object.entries(specs).map(([name, spec]) => [name, input(name, spec)]));

const isHostTensor = (value: unknown): value is HostTensor =>
  typeof value === "object" && value !== null && "data" in value;

interface Program {
  readonly outputs: readonly Tensor[];
  /** The loss, or what the model returns. */
  readonly forward: readonly Tensor[];
  /** New values of state, in the order in which they are made. */
  readonly updates: readonly { readonly entry: Tensor; readonly value: Tensor }[];
  /** Inputs besides the images. */
  readonly inputs: readonly Tensor[];
}

function inferenceProgram(model: Module<Tensor, unknown>, x: Tensor, state: ReadonlyMap<string, Tensor>): Program {
  const { output } = traceModule(model, x, { state: Object.fromEntries(state) });
  const outputs = Object.values(namedOutputs(output));
  return { outputs, forward: outputs, updates: [], inputs: [] };
}

function trainingProgram(
  model: Module<Tensor, unknown>,
  x: Tensor,
  state: ReadonlyMap<string, Tensor>,
  slots: ReadonlyMap<string, Tensor>,
): Program {
  const labels = input("labels", { shape: [x.shape[0] as number], dtype: "int32" });
  const key = input("key", { shape: [2], dtype: "uint32" });
  const { output, updates: statistics } = traceModule(model, x, {
    state: Object.fromEntries(state),
    training: true,
    key,
  });
  const losses = Object.values(namedOutputs(output)).map((y) =>
    y.shape.length === 2 ? crossEntropy(y, labels) : mean(y),
  );
  const loss = losses.reduce((sum, next) => add(sum, next));
  const names = [...model.parameters().keys()];
  const slotCount = slots.size / Math.max(1, names.length);
  const params = names.map((name) => state.get(`params/${name}`) as Tensor);
  const grads = gradients(loss, params);
  const updates = names.flatMap((name, i) => {
    const own = Array.from({ length: slotCount }, (_, slot) => slots.get(`${name}.${slot}`) as Tensor);
    return updated(params[i] as Tensor, grads[i] as Tensor, own);
  });
  const buffers = Object.entries(statistics).map(([name, value]) => ({ entry: state.get(name) as Tensor, value }));
  return { outputs: [loss], forward: [loss], updates: [...buffers, ...updates.reverse()], inputs: [labels, key] };
}

/** One update: momentum in the first slot, and as Adam does a mean of squares in each further one. */
function updated(param: Tensor, grad: Tensor, slots: readonly Tensor[]): Program["updates"] {
  const rate = 0.1;
  const decay = 0.9;
  const values = slots.map((slot, i) => add(mul(slot, decay), i === 0 ? grad : mul(grad, grad)));
  const direction = values.slice(1).reduce((sum, square) => div(sum, add(sqrt(square), 1e-8)), values[0] ?? grad);
  const kept = slots.map((entry, i) => ({ entry, value: values[i] as Tensor }));
  // Reversed with the rest: the slots' new values come before the parameter's.
  return [{ entry: param, value: sub(param, mul(direction, rate)) }, ...kept.reverse()];
}

interface Steps {
  readonly order: readonly Node[];
  readonly forward: ReadonlySet<Node>;
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

/** The passes that every device runs, and the order. */
function finished({ outputs, forward, updates }: Program): Steps {
  // A user's own op runs as its definition, or where it has none by a kernel that only its device knows.
  const supports = (op: Op): boolean => isPrimitive(op) || op.decompose === undefined;
  const all = optimize([...outputs, ...forward, ...updates.map(({ value }) => value)], { supports });
  const results = all.slice(0, outputs.length);
  const ends = all.slice(outputs.length, outputs.length + forward.length);
  const values = all.slice(outputs.length + forward.length);
  const pairs = updates.map(({ entry }, i) => ({ entry, value: values[i] as Tensor }));
  return {
    order: orderOf([...results, ...values], pairs),
    forward: new Set(topologicalOrder(ends)),
    outputs: results,
    updates: values,
  };
}

/** Depth first from the outputs in turn; an update comes after everything that reads the old value. */
function orderOf(outputs: readonly Tensor[], updates: Program["updates"]): Node[] {
  const readers = readersOf(topologicalOrder(outputs));
  const after = new Map<Node, Node[]>();
  for (const { entry, value } of updates) {
    const others = (readers.get(entry) ?? []).filter((node) => node !== value.node);
    after.set(value.node, [...(after.get(value.node) ?? []), ...others]);
  }
  const order: Node[] = [];
  const entered = new Set<Node>();
  const stack: { readonly node: Node; readonly before: readonly Node[]; next: number }[] = [];
  const enter = (node: Node): void => {
    if (entered.has(node)) return;
    entered.add(node);
    stack.push({ node, before: [...node.inputs.map((tensor) => tensor.node), ...(after.get(node) ?? [])], next: 0 });
  };
  for (const { node } of outputs) {
    enter(node);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const before = top.before[top.next++];
      if (before !== undefined) enter(before);
      else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** Who reads each tensor, views looked through. */
function readersOf(order: readonly Node[]): Map<Tensor, Node[]> {
  const base = new Map<Tensor, Tensor>();
  const readers = new Map<Tensor, Node[]>();
  for (const node of order) {
    const inputs = node.inputs.map((tensor) => base.get(tensor) ?? tensor);
    if (inputs.length > 0 && memoryRule(node) === "view") base.set(node.outputs[0] as Tensor, inputs[0] as Tensor);
    else
      for (const tensor of inputs) {
        const known = readers.get(tensor);
        if (known === undefined) readers.set(tensor, [node]);
        else known.push(node);
      }
  }
  return readers;
}
