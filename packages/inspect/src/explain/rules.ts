import {
  apply,
  defineOp,
  gradients,
  type Op,
  relu,
  reluGrad,
  type Tensor,
  type VjpRule,
  withScope,
} from "@ocelli/core";
import { decompose, primitives, rewrite } from "@ocelli/core/backend";
import { isPrimitive } from "../cost.js";

/** A ReLU that passes gradients on by another rule. Devices run it as the ReLU that it is: forwards nothing changes. */
// @__NO_SIDE_EFFECTS__
function reluThatPasses(name: string, vjp: VjpRule): Op {
  return defineOp({ name, infer: ([x]) => x as Tensor, vjp, decompose: ([x]) => relu(x as Tensor) });
}

/**
 * Springenberg, Dosovitskiy, Brox, Riedmiller: "Striving for Simplicity: The All Convolutional Net", 2015, figure 1: what is positive, where
 * the unit was active.
 */
export const guidedRule = reluThatPasses("guidedRelu", ({ dy, output }) => [reluGrad(relu(dy), output)]);

/** Zeiler, Fergus: "Visualizing and Understanding Convolutional Networks", 2014, section 2.1: what is positive, wherever it is. */
export const deconvolutionRule = reluThatPasses("deconvolutionRelu", ({ dy }) => [relu(dy)]);

/**
 * `gradients(of, targets, seed)` with each ReLU of the graph exchanged for `rule`, whether a module made it or a function. Leaky and smooth
 * activations keep the gradients they have.
 */
export function gradientsBy(rule: Op, of: Tensor, targets: readonly Tensor[], seed?: Tensor): Tensor[] {
  // A user's op that is differentiated through its definition may hide a ReLU there; one with a rule of its own keeps that.
  const open = decompose([of, ...targets], (op) => isPrimitive(op) || op.vjp !== "decompose");
  const [start, ...ends] = rewrite(open, ({ op, scope }, inputs) =>
    op === (primitives.relu as Op) ? withScope(scope, () => [apply(rule, inputs)]) : undefined,
  );
  return gradients(start as Tensor, ends, seed);
}
