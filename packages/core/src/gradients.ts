import { isFloat } from "./dtype.js";
import { ArgumentError, GradientError, ShapeError } from "./errors.js";
import { topologicalOrder } from "./graph.js";
import { definitionOf, type VjpRule } from "./op.js";
import { add } from "./ops/elementwise.js";
import { full } from "./ops/leaf.js";
import { formatShape, sameShape, sizeOf } from "./shape.js";
import { formatSpec, hooks, type Node, type Tensor, withScope } from "./tensor.js";

/**
 * Gradients of a scalar with respect to `targets`: a graph from a graph. Call it on its own result for second order.
 *
 * @param loss a float tensor with one element, or of any shape when `seed` (the gradient of whatever follows it) is given
 * @returns one tensor a target, of the target's shape; zeros where the loss does not depend on it
 * @throws ShapeError when `loss` has several elements and there is no seed; GradientError when a target is not a float
 */
export function gradients(loss: Tensor, targets: readonly Tensor[], seed?: Tensor): Tensor[] {
  checkLoss(loss, seed);
  for (const target of targets) {
    if (!isFloat(target.dtype)) {
      throw new GradientError(`gradients: a target is ${formatSpec(target)}; only float tensors have gradients`);
    }
  }
  const found = backward(loss, targets, seed ?? full(loss.shape, 1, loss.dtype));
  return targets.map((target) => found.get(target) ?? full(target.shape, 0, target.dtype));
}

/** Gradients of the targets that `output` depends on. Nodes in `leaves` count as inputs: nothing flows through them. */
function backward(
  output: Tensor,
  targets: readonly Tensor[],
  seed: Tensor,
  leaves?: ReadonlySet<Node>,
): Map<Tensor, Tensor> {
  const order = dependents(topologicalOrder([output], leaves), targets, leaves);
  const found = new Map<Tensor, Tensor>([[output, seed]]);
  const view = hooks.view?.();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const dys = node.outputs.map((out) => found.get(out) ?? null);
    if (dys.some((dy) => dy !== null)) {
      const grads = withScope(node.scope, () => propagate(node, view?.see(node, dys) ?? node, dys, found));
      view?.made(grads);
    }
  }
  return new Map(targets.flatMap((target) => (found.has(target) ? [[target, found.get(target) as Tensor]] : [])));
}

function checkLoss(loss: Tensor, seed: Tensor | undefined): void {
  if (!isFloat(loss.dtype))
    throw new GradientError(`gradients: the loss is ${formatSpec(loss)}; it needs to be a float`);
  if (seed === undefined && sizeOf(loss.shape) !== 1) {
    throw new ShapeError(
      `gradients: the loss has shape ${formatShape(loss.shape)}; it needs one element. Reduce it (mean, sum) or give a seed.`,
      { shape: loss.shape },
    );
  }
  if (seed !== undefined && !sameShape(seed.shape, loss.shape)) {
    throw new ShapeError(
      `gradients: the seed has shape ${formatShape(seed.shape)}; the loss has ${formatShape(loss.shape)}`,
    );
  }
}

/** The nodes of `order` through which a target reaches the end; gradients flow only there. */
function dependents(order: readonly Node[], targets: readonly Tensor[], leaves?: ReadonlySet<Node>): Node[] {
  const wanted = new Set(targets);
  const reached = new Set<Node>();
  return order.filter((node) => {
    const isTarget = node.outputs.some((output) => wanted.has(output));
    const depends = !leaves?.has(node) && node.inputs.some((input) => reached.has(input.node) || wanted.has(input));
    if (isTarget || depends) reached.add(node);
    return depends;
  });
}

/** Adds what a node's rule gives to the gradients of its inputs. The rule is applied to `seen`: the node, or its copy. */
function propagate(
  { op, inputs }: Node,
  seen: Node,
  dys: readonly (Tensor | null)[],
  found: Map<Tensor, Tensor>,
): readonly (Tensor | null)[] {
  if (op.vjp === "nondifferentiable") return [];
  const grads = op.vjp === "decompose" ? throughDefinition(seen, dys) : applyRule(op.vjp, seen, dys);
  if (grads.length !== inputs.length) {
    throw new ArgumentError(
      `${op.name}: its gradient rule returned ${grads.length} gradients for ${inputs.length} inputs`,
    );
  }
  for (const [i, grad] of grads.entries()) {
    const input = inputs[i] as Tensor;
    if (grad === null) continue;
    if (!sameShape(grad.shape, input.shape) || grad.dtype !== input.dtype) {
      throw new ShapeError(
        `${op.name}: its gradient rule returned ${formatSpec(grad)} for input ${i}, which is ${formatSpec(input)}`,
      );
    }
    const sum = found.get(input);
    found.set(input, sum === undefined ? grad : add(sum, grad));
  }
  return grads;
}

function applyRule(rule: VjpRule, node: Node, dys: readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  const { inputs, outputs, attrs } = node;
  // Rules of ops with one output always find a dy here; those of ops with several look at dys.
  return rule({ dy: dys[0] as Tensor, dys, inputs, output: outputs[0] as Tensor, outputs, attrs });
}

/** Differentiates an op through its definition by other ops. */
function throughDefinition(node: Node, dys: readonly (Tensor | null)[]): (Tensor | null)[] {
  const { op, inputs } = node;
  const outputs = definitionOf(node, inputs);
  if (outputs === undefined)
    throw new GradientError(`${op.name}: has neither a gradient rule nor a definition by other ops`);
  const targets = [...new Set(inputs.filter((input) => isFloat(input.dtype)))];
  const leaves = new Set(inputs.map((input) => input.node));
  const sums = new Map<Tensor, Tensor>();
  for (const [i, dy] of dys.entries()) {
    if (dy === null) continue;
    for (const [target, grad] of backward(outputs[i] as Tensor, targets, dy, leaves)) {
      const known = sums.get(target);
      sums.set(target, known === undefined ? grad : add(known, grad));
    }
  }
  // A tensor that stands at several inputs has one gradient: it is handed over at the first of them.
  return inputs.map((input, i) => (inputs.indexOf(input) === i ? (sums.get(input) ?? null) : null));
}
