/**
 * Puts factors that follow a convolution into its weights, where both are constant: batch-norm in a frozen network then costs an addition.
 * (Ioffe and Szegedy 2015, section 3.1: in inference the normalisation is a linear transform.)
 */
import { add, mul, type Node, Node as NodeOf, reshape, type Tensor } from "@ocelli/core";
import { alongChannels, rewrite } from "@ocelli/core/backend";
import { fixedNodes } from "./fixed.js";

export function foldScale(outputs: readonly Tensor[]): Tensor[] {
  const fixed = fixedNodes(outputs);
  if (fixed.size === 0) return [...outputs];
  const uses = useCounts(outputs);
  const found = { isFixed: ({ node }: Tensor) => fixed.has(node), once: (tensor: Tensor) => uses.get(tensor) === 1 };
  return rewrite(outputs, (node, inputs) => {
    const folded = node.op.name === "mul" && !fixed.has(node) ? scaled(node, inputs, found) : undefined;
    return folded === undefined ? undefined : [folded];
  });
}

interface Found {
  readonly isFixed: (tensor: Tensor) => boolean;
  /** Read by one op only. */
  readonly once: (tensor: Tensor) => boolean;
}

/** A product as a convolution with other weights. The graph as it was says who reads what; `inputs` are what has become of it. */
function scaled(node: Node, inputs: readonly Tensor[], { isFixed, once }: Found): Tensor | undefined {
  const at = node.inputs.findIndex((input) => !isFixed(input));
  const scale = channelVector(inputs[1 - at] as Tensor);
  const [was, value] = [node.inputs[at] as Tensor, inputs[at] as Tensor];
  const isScale = isFixed(node.inputs[1 - at] as Tensor) && scale !== undefined;
  if (!isScale || !once(was) || was.node.op !== value.node.op) return undefined;
  const isFoldable = (conv: Tensor): boolean =>
    conv.node.op.name === "conv2d" && once(conv) && isFixed(conv.node.inputs[1] as Tensor);
  if (isFoldable(was)) return scaledConvolution(value.node, scale);
  if (was.node.op.name !== "add") return undefined;
  // (conv + bias) * scale is conv * scale + bias * scale.
  const conv = was.node.inputs.findIndex(isFoldable);
  const bias = conv < 0 ? undefined : (was.node.inputs[1 - conv] as Tensor);
  const vector = bias !== undefined && isFixed(bias) ? channelVector(bias) : undefined;
  if (vector === undefined) return undefined;
  const shifted = alongChannels(mul(vector, scale), (node.outputs[0] as Tensor).shape);
  return add(scaledConvolution((value.node.inputs[conv] as Tensor).node, scale), shifted);
}

function scaledConvolution({ op, inputs, attrs, outputs, scope }: Node, scale: Tensor): Tensor {
  const [x, weight] = inputs as readonly [Tensor, Tensor];
  const wider = mul(weight, reshape(scale, [scale.shape[0] as number, 1, 1, 1]));
  return new NodeOf(op, [x, wider], attrs, outputs, scope).outputs[0] as Tensor;
}

/** The `[C]` vector that `[N, C, H, W]` repeats along all other axes, if it does. */
function channelVector(tensor: Tensor): Tensor | undefined {
  const { node, shape } = tensor;
  if (node.op.name !== "broadcastTo" || shape.length !== 4) return undefined;
  const source = node.inputs[0] as Tensor;
  const channels = shape[1] as number;
  const aligned = [...new Array<number>(4 - source.shape.length).fill(1), ...source.shape];
  const isVector = aligned[1] === channels && aligned.every((dim, i) => i === 1 || dim === 1);
  return isVector ? reshape(source, [channels]) : undefined;
}

function useCounts(outputs: readonly Tensor[]): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const count = (tensor: Tensor): void => void uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  for (const output of outputs) count(output);
  const seen = new Set<Node>();
  const stack = outputs.map(({ node }) => node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) {
      count(input);
      stack.push(input.node);
    }
  }
  return uses;
}
