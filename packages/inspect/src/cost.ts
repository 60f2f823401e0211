import { type Node, type Op, sizeOf, type Tensor, topologicalOrder } from "@ocelli/core";
import { type PrimitiveName, primitives } from "@ocelli/core/backend";

/**
 * What an op does with memory. `view`: nothing, its output is its first input read otherwise. `pointwise`: each output value depends on
 * the inputs' values at its place alone, so that chains are one pass, and write over an operand that nobody reads afterwards.
 * `inPlace`: writes over its first input likewise, but is a pass of its own. `new`: its output is new memory.
 */
export type MemoryRule = "view" | "pointwise" | "inPlace" | "new";

interface OpCost {
  readonly memory: MemoryRule;
  /** Arithmetic operations besides multiply-adds. */
  readonly operations: (node: Node) => number;
}

const sizeIn = ({ inputs }: Node, i = 0): number => sizeOf((inputs[i] as Tensor).shape);
const sizeOut = ({ outputs }: Node): number => sizeOf((outputs[0] as Tensor).shape);
const kernelSize = ({ attrs }: Node): number => {
  const [height, width] = (attrs as { readonly kernel: readonly [number, number] }).kernel;
  return height * width;
};
const none = (): number => 0;

const pointwise: OpCost = { memory: "pointwise", operations: sizeOut };
const view: OpCost = { memory: "view", operations: none };
const copy: OpCost = { memory: "new", operations: none };
const product: OpCost = { memory: "new", operations: none };
/** n values become one by n - 1 operations. */
const reduction: OpCost = { memory: "new", operations: (node) => sizeIn(node) - sizeOut(node) };
const maxima: OpCost = { memory: "new", operations: (node) => sizeOut(node) * (kernelSize(node) - 1) };
const composite = (memory: MemoryRule): OpCost => ({ memory, operations: operationsOfDefinition });

/** Every primitive, so that a new one does not compile without a word here. */
const costs = {
  neg: pointwise,
  abs: pointwise,
  sign: pointwise,
  floor: pointwise,
  exp: pointwise,
  log: pointwise,
  sqrt: pointwise,
  sin: pointwise,
  cos: pointwise,
  tanh: pointwise,
  sigmoid: pointwise,
  erf: pointwise,
  relu: pointwise,
  add: pointwise,
  sub: pointwise,
  mul: pointwise,
  div: pointwise,
  pow: pointwise,
  maximum: pointwise,
  minimum: pointwise,
  reluGrad: pointwise,
  equal: pointwise,
  less: pointwise,
  lessEqual: pointwise,
  isFinite: pointwise,
  select: pointwise,
  cast: { memory: "pointwise", operations: none },
  reshape: view,
  transpose: copy,
  broadcastTo: view,
  slice: copy,
  pad: copy,
  concat: copy,
  gather: copy,
  scatterAdd: { memory: "new", operations: (node) => sizeIn(node, 2) },
  barrier: view,
  sum: reduction,
  max: reduction,
  argmax: reduction,
  matmul: product,
  conv2d: product,
  conv2dInputGrad: product,
  conv2dWeightGrad: product,
  maxPool2d: maxima,
  maxPool2dArgmax: maxima,
  maxPool2dGrad: { memory: "new", operations: (node) => sizeIn(node) },
  // A mean: k - 1 additions and a division.
  avgPool2d: { memory: "new", operations: (node) => sizeOut(node) * kernelSize(node) },
  avgPool2dGrad: { memory: "new", operations: (node) => sizeIn(node) * (kernelSize(node) + 1) },
  batchNormTrain: composite("inPlace"),
  batchNormGrad: composite("inPlace"),
  // What its definition counts: a scale and a shift for each value, five operations for each channel's pair of them.
  batchNormInference: { memory: "pointwise", operations: (node) => 2 * sizeOut(node) + 5 * sizeIn(node, 1) },
  localResponseNorm: composite("new"),
  localResponseNormGrad: composite("new"),
  softmax: composite("inPlace"),
  logSoftmax: composite("inPlace"),
  // Integer rounds are no floating-point operations.
  randomBits: copy,
  unitFloat: pointwise,
  // Four products and three sums a value; where to read is shared by the channels.
  gridSample2d: { memory: "new", operations: (node) => 7 * sizeOut(node) },
} as const satisfies Readonly<Record<PrimitiveName, OpCost>>;

// Each primitive is an op of attributes of its own, which no common type but `unknown` holds.
const known: ReadonlyMap<Op, OpCost> = new Map(
  (Object.keys(costs) as PrimitiveName[]).map((name) => [primitives[name] as unknown as Op, costs[name]]),
);

/** A user's own op costs what its definition does. */
const foreign: OpCost = composite("new");

/** One of core's own. */
export const isPrimitive = (op: Op): boolean => known.has(op);

const costOfOp = (op: Op): OpCost => known.get(op) ?? foreign;

export const memoryRule = ({ op }: Node): MemoryRule => costOfOp(op).memory;

/**
 * Floating-point operations of one node: 2 for each multiply-add, and 1 for each value that any other arithmetic makes (a sum,
 * a comparison, a root or an exponential alike). Windows count whole, padding included. Moving data, casts and random bits count
 * nothing; an op that is defined by others counts what those do.
 */
export function flopsOf(node: Node): number {
  return 2 * macsOf(node) + costOfOp(node.op).operations(node);
}

/** Multiply-adds of one node: those of matrix products and convolutions. */
export const macsOf = ({ op, inputs, outputs, attrs }: Node): number => op.macs?.(inputs, outputs, attrs) ?? 0;

/** Of an op that says itself how many multiply-adds it has, only the rest. */
function operationsOfDefinition({ op, inputs, attrs }: Node): number {
  // A leaf: its value is given.
  if (inputs.length === 0) return 0;
  const defined = op.decompose?.(inputs, attrs);
  if (defined === undefined) return 0;
  const given = new Set(inputs.map((input) => input.node));
  let total = 0;
  for (const node of topologicalOrder([defined].flat() as Tensor[], given)) {
    if (given.has(node)) continue;
    total += op.macs === undefined ? flopsOf(node) : costOfOp(node.op).operations(node);
  }
  return total;
}
