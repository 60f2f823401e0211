import {
  add,
  crossEntropy,
  div,
  gradients,
  input,
  mean,
  mul,
  type Node,
  type Op,
  sqrt,
  sub,
  type Tensor,
  topologicalOrder,
} from "@ocelli/core";
import { optimize } from "@ocelli/core/backend";
import { type Around, type Module, namedOutputs, traceModule } from "@ocelli/layers";
import { isPrimitive, memoryRule } from "./cost.js";

/** A pass of a model, or a training step, as the tensors that it computes. */
export interface Program {
  readonly outputs: readonly Tensor[];
  /** The loss, or what the model returns. */
  readonly forward: readonly Tensor[];
  /** New values of state, in the order in which they are made. */
  readonly updates: readonly { readonly entry: Tensor; readonly value: Tensor }[];
  /** Inputs besides the images. */
  readonly inputs: readonly Tensor[];
}

/** A forward pass. */
export function inferenceProgram(
  model: Module<Tensor, unknown>,
  x: Tensor,
  state: ReadonlyMap<string, Tensor>,
): Program {
  const { output } = traceModule(model, x, { state: Object.fromEntries(state) });
  const outputs = Object.values(namedOutputs(output));
  return { outputs, forward: outputs, updates: [], inputs: [] };
}

/** A step: cross-entropy of everything that the model returns, its gradients, the update. */
export function trainingProgram(
  model: Module<Tensor, unknown>,
  x: Tensor,
  state: ReadonlyMap<string, Tensor>,
  slots: ReadonlyMap<string, Tensor>,
  around: Around | undefined,
): Program {
  const labels = input("labels", { shape: [x.shape[0] as number], dtype: "int32" });
  const key = input("key", { shape: [2], dtype: "uint32" });
  const { output, updates: statistics } = traceModule(model, x, {
    state: Object.fromEntries(state),
    training: true,
    key,
    around,
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

/** What a device does. */
export interface Steps {
  readonly order: readonly Node[];
  /** Those of the order that the loss, or the model's output, needs. */
  readonly forward: ReadonlySet<Node>;
  readonly outputs: readonly Tensor[];
  readonly updates: readonly Tensor[];
}

/** The passes that every device runs, and the order. */
export function finished({ outputs, forward, updates }: Program): Steps {
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
