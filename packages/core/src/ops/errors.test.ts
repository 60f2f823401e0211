import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import { ArgumentError, DTypeError, type OcelliError, ShapeError } from "../errors.js";
import * as ops from "../index.js";
import { apply } from "../op.js";
import { formatShape, type Shape } from "../shape.js";
import { type Tensor, withScope } from "../tensor.js";
import { addOp, selectOp } from "./elementwise.js";
import { input } from "./leaf.js";
import { batchNormGradOp, localResponseNormGradOp } from "./norm.js";
import { avgPool2dGradOp, maxPool2dGradOp } from "./pool.js";
import { unitFloatOp } from "./random.js";

const t = (shape: Shape, dtype: DType = "float32"): Tensor => input(`t${formatShape(shape)}${dtype}`, { shape, dtype });
const conv = { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], dilation: [1, 1], ceilMode: false } as const;
const image = (): Tensor => t([1, 4, 6, 6]);

type Kind = new (message: string) => OcelliError;
const cases: readonly (readonly [string, () => unknown, Kind, string])[] = [
  ["exp of ints", () => ops.exp(t([2], "int32")), DTypeError, "exp: input is int32; it needs a float. Cast it first."],
  [
    "neg of bools",
    () => ops.neg(t([2], "bool")),
    DTypeError,
    "neg: input is bool; it needs a float or int32. Cast it first.",
  ],
  [
    "add of shapes",
    () => ops.add(t([2, 3]), t([4])),
    ShapeError,
    "add: shapes [2, 3] and [4] do not broadcast: 3 against 4 in dimension -1",
  ],
  [
    "add as a primitive",
    () => apply(addOp, [t([2, 3]), t([3])]),
    ShapeError,
    "add: primitives take equal shapes; got [2, 3] and [3]",
  ],
  [
    "add of dtypes",
    () => ops.add(t([2]), t([2], "int32")),
    DTypeError,
    "add: operands are float32 and int32; they need one dtype. Cast one of them.",
  ],
  [
    "add of bytes",
    () => ops.add(t([2], "uint8"), 1),
    DTypeError,
    "add: operands are uint8; they need a float, int32 or uint32 dtype",
  ],
  ["div of ints", () => ops.div(t([2], "int32"), 2), DTypeError, "div: operands are int32; they need a float dtype"],
  [
    "less of bools",
    () => ops.less(t([2], "bool"), t([2], "bool")),
    DTypeError,
    "less: operands are bool; they need a numeric dtype",
  ],
  ["isFinite of ints", () => ops.isFinite(t([2], "int32")), DTypeError, "isFinite: input is int32; it needs a float"],
  [
    "select by numbers",
    () => ops.select(t([2]), t([2]), t([2])),
    DTypeError,
    "select: the condition is float32; it needs bool",
  ],
  [
    "select as a primitive",
    () => apply(selectOp, [t([1], "bool"), t([2]), t([2])]),
    ShapeError,
    "select: condition [1] and branches [2] differ",
  ],
  ["reshape", () => ops.reshape(t([2, 3]), [4, 2]), ShapeError, "reshape: [2, 3] has 6 elements; [4, 2] needs 8"],
  ["reshape, open", () => ops.reshape(t([2, 3]), [4, -1]), ShapeError, "reshape: [2, 3] does not divide into [4, -1]"],
  ["reshape, open twice", () => ops.reshape(t([2, 3]), [-1, -1]), ShapeError, "reshape:"],
  [
    "transpose",
    () => ops.transpose(t([2, 3]), [0, 0]),
    ArgumentError,
    "transpose: [0, 0] is no permutation of the 2 axes of the input",
  ],
  ["broadcastTo", () => ops.broadcastTo(t([2]), [3]), ShapeError, "broadcastTo: [2] does not broadcast to [3]"],
  [
    "broadcastTo fewer",
    () => ops.broadcastTo(t([1, 2]), [2]),
    ShapeError,
    "broadcastTo: [1, 2] does not broadcast to [2]",
  ],
  [
    "slice",
    () => ops.slice(t([3]), [1], [4]),
    ArgumentError,
    "slice: 1:4:1 does not lie in dimension 0, which has 3 elements",
  ],
  [
    "slice ranks",
    () => ops.slice(t([3]), [0, 0], [1, 1]),
    ArgumentError,
    "slice: starts, ends and strides need one number for each of the 1 dimensions of the input",
  ],
  ["slice stride 0", () => ops.slice(t([3]), [0], [3], [0]), ArgumentError, "slice: 0:3:0 does not lie in dimension 0"],
  [
    "pad",
    () => ops.pad(t([3]), { low: [-1] }),
    ArgumentError,
    "pad: low is [-1]; it needs 1 non-negative integers. To crop, use slice.",
  ],
  ["concat of nothing", () => ops.concat([], 0), ArgumentError, "concat: needs at least one tensor"],
  [
    "concat of shapes",
    () => ops.concat([t([2, 3]), t([2, 4])], 0),
    ShapeError,
    "concat: input 1 is [2, 4]; it has to equal [2, 3] except in dimension 0",
  ],
  [
    "concat of dtypes",
    () => ops.concat([t([2]), t([2], "bool")], 0),
    DTypeError,
    "concat: input 1 is bool; input 0 is float32",
  ],
  [
    "concat axis",
    () => ops.concat([t([2]), t([2])], 1),
    ArgumentError,
    "concat: axis 1 is out of range for a tensor with 1 dimensions",
  ],
  [
    "gather",
    () => ops.gather(t([2]), t([2])),
    DTypeError,
    "gather: indices are float32[2]; they need to be int32 with one dimension",
  ],
  [
    "scatterAdd",
    () => ops.scatterAdd(t([4]), t([2], "int32"), t([3])),
    ShapeError,
    "scatterAdd: updates are float32[3]; they need float32[2]",
  ],
  [
    "sum of bytes",
    () => ops.sum(t([2], "uint8")),
    DTypeError,
    "sum: input is uint8; it needs a float or int32. Cast it first.",
  ],
  ["sum axes", () => ops.sum(t([2, 3]), { axes: [1, -1] }), ArgumentError, "sum: axes [1, 1] repeat"],
  ["max of nothing", () => ops.max(t([2, 0]), { axes: 1 }), ArgumentError, "max: an axis to reduce has no elements"],
  ["argmax of nothing", () => ops.argmax(t([2, 0])), ArgumentError, "argmax: the axis has no elements"],
  ["matmul sizes", () => ops.matmul(t([2, 3]), t([4, 5])), ShapeError, "matmul: a has 3 columns; b has 4 rows"],
  [
    "matmul transposed",
    () => ops.matmul(t([2, 3]), t([4, 5]), { transposeB: true }),
    ShapeError,
    "matmul: a has 3 columns; b has 5 rows (transposed)",
  ],
  [
    "matmul ranks",
    () => ops.matmul(t([3]), t([3, 2])),
    ShapeError,
    "matmul: operands are [3] and [3, 2]; they need two dimensions and equal ones before them",
  ],
  [
    "matmul dtypes",
    () => ops.matmul(t([2, 2]), t([2, 2], "int32")),
    DTypeError,
    "matmul: operands are float32 and int32; they need one float dtype",
  ],
  [
    "conv2d channels",
    () => ops.conv2d(t([1, 32, 56, 56]), t([128, 64, 3, 3])),
    ShapeError,
    "conv2d: input has 32 channels; weight [128, 64, 3, 3] with groups=1 needs 64",
  ],
  [
    "conv2d groups",
    () => ops.conv2d(image(), t([3, 2, 3, 3]), { groups: 2 }),
    ShapeError,
    "conv2d: 3 output channels do not divide into 2 groups",
  ],
  [
    "conv2d no groups",
    () => ops.conv2d(image(), t([3, 4, 3, 3]), { groups: 0 }),
    ArgumentError,
    "conv2d: groups is 0; it needs an integer >= 1",
  ],
  [
    "conv2d size",
    () => ops.conv2d(image(), t([3, 4, 5, 3]), { dilation: 2 }),
    ShapeError,
    "conv2d: the kernel covers 9x5 pixels; the input with its padding has 6x6",
  ],
  [
    "conv2d rank",
    () => ops.conv2d(t([4, 6, 6]), t([3, 4, 3, 3])),
    ShapeError,
    "conv2d: input is [4, 6, 6]; it needs 4 dimensions [N, C, H, W]",
  ],
  [
    "conv2d dtype",
    () => ops.conv2d(t([1, 4, 6, 6], "uint8"), t([3, 4, 3, 3])),
    DTypeError,
    "conv2d: operands are uint8 and float32; they need one float dtype. Cast images first.",
  ],
  [
    "conv2d stride",
    () => ops.conv2d(image(), t([3, 4, 3, 3]), { stride: 0 }),
    ArgumentError,
    "conv2d: stride is 0; it needs one or two integers >= 1",
  ],
  [
    "conv2d padding",
    () => ops.conv2d(image(), t([3, 4, 3, 3]), { padding: -1 }),
    ArgumentError,
    "conv2d: padding is -1; it needs 1, 2 or 4 non-negative integers",
  ],
  [
    "conv2dInputGrad",
    () => ops.conv2dInputGrad(t([1, 3, 5, 4]), t([3, 4, 3, 3]), { ...conv, inputShape: [1, 4, 6, 6] }),
    ShapeError,
    "conv2dInputGrad: dy is [1, 3, 5, 4]; these attributes need [1, 3, 4, 4]",
  ],
  [
    "conv2dWeightGrad",
    () => ops.conv2dWeightGrad(image(), t([1, 3, 5, 4]), { ...conv, weightShape: [3, 4, 3, 3] }),
    ShapeError,
    "conv2dWeightGrad: dy is [1, 3, 5, 4]; these attributes need [1, 3, 4, 4]",
  ],
  [
    "convTranspose2d",
    () => ops.convTranspose2d(image(), t([3, 4, 3, 3])),
    ShapeError,
    "convTranspose2d: input has 4 channels; weight [3, 4, 3, 3] needs 3",
  ],
  [
    "maxPool2d rank",
    () => ops.maxPool2d(t([6, 6]), { kernelSize: 2 }),
    ShapeError,
    "maxPool2d: input is [6, 6]; it needs 4 dimensions [N, C, H, W]",
  ],
  [
    "maxPool2d dtype",
    () => ops.maxPool2d(t([1, 1, 6, 6], "int32"), { kernelSize: 2 }),
    DTypeError,
    "maxPool2d: input is int32; it needs a float. Cast it first.",
  ],
  [
    "maxPool2d padding",
    () => ops.maxPool2d(image(), { kernelSize: 2, padding: 2 }),
    ArgumentError,
    "maxPool2d: padding [2, 2, 2, 2] is more than half of the kernel [2, 2]",
  ],
  [
    "avgPool2d size",
    () => ops.avgPool2d(image(), { kernelSize: 7 }),
    ShapeError,
    "avgPool2d: the window [7, 7] does not fit into the input [1, 4, 6, 6] with padding [0, 0, 0, 0]",
  ],
  [
    "maxPool2dGrad",
    () => apply(maxPool2dGradOp, [t([1, 4, 2, 2]), image(), image()], pool),
    ShapeError,
    "maxPool2dGrad: dy is [1, 4, 2, 2]; these attributes need [1, 4, 3, 3]",
  ],
  [
    "avgPool2dGrad",
    () => apply(avgPool2dGradOp, [t([1, 4, 2, 2])], { ...pool, countIncludePad: true, inputShape: [1, 4, 6, 6] }),
    ShapeError,
    "avgPool2dGrad: dy is [1, 4, 2, 2]; these attributes need [1, 4, 3, 3]",
  ],
  [
    "batchNormTrain",
    () => ops.batchNormTrain(image(), t([3]), t([4])),
    ShapeError,
    "batchNormTrain: input has 4 channels; a parameter or statistic is [3]",
  ],
  [
    "batchNormTrain of one",
    () => ops.batchNormTrain(t([1, 4]), t([4]), t([4])),
    ShapeError,
    "batchNormTrain: input [1, 4] has one value a channel; training needs at least two",
  ],
  [
    "batchNormGrad",
    () => apply(batchNormGradOp, [t([2, 4]), t([3, 4]), t([4]), t([4]), t([4])], { eps: 0 }),
    ShapeError,
    "batchNormGrad: dy is [2, 4]; input is [3, 4]",
  ],
  [
    "batchNormInference",
    () => ops.batchNormInference(t([4]), t([4]), t([4]), t([4]), t([4])),
    ShapeError,
    "batchNormInference: input is [4]; it needs [N, C] or [N, C, ...]",
  ],
  [
    "localResponseNorm",
    () => ops.localResponseNorm(image(), { size: 0 }),
    ArgumentError,
    "localResponseNorm: size is 0; it needs an integer >= 1",
  ],
  [
    "localResponseNormGrad",
    () => apply(localResponseNormGradOp, [t([1, 2, 3]), image()], { size: 1, alpha: 1, beta: 1, k: 1 }),
    ShapeError,
    "localResponseNormGrad: dy is [1, 2, 3]; input is [1, 4, 6, 6]",
  ],
  [
    "softmax axis",
    () => ops.softmax(t([2]), 1),
    ArgumentError,
    "softmax: axis 1 is out of range for a tensor with 1 dimensions",
  ],
  [
    "logSoftmax dtype",
    () => ops.logSoftmax(t([2], "int32")),
    DTypeError,
    "logSoftmax: input is int32; it needs a float",
  ],
  [
    "randomBits key",
    () => ops.randomBits(t([2], "int32"), [3]),
    DTypeError,
    "randomBits: the key is int32[2]; it needs uint32[2]",
  ],
  [
    "randomBits stream",
    () => ops.randomBits(t([2], "uint32"), [3], 2 ** 32),
    ArgumentError,
    "randomBits: stream is 4294967296; it needs an integer in 0..2^32-1",
  ],
  ["unitFloat", () => apply(unitFloatOp, [t([2])]), DTypeError, "unitFloat: input is float32; it needs uint32"],
  [
    "gridSample2d",
    () => ops.gridSample2d(image(), t([1, 5, 5, 3])),
    ShapeError,
    "gridSample2d: grid is [1, 5, 5, 3]; it needs [1, H', W', 2]",
  ],
  ["full", () => ops.full([-1], 0), ShapeError, "full: shape [-1] has a dimension that is not a non-negative integer"],
  [
    "input",
    () => ops.input("x", { shape: [2 ** 30, 2 ** 30], dtype: "float32" }),
    ShapeError,
    "input x: shape [1073741824, 1073741824] has more elements than can be counted exactly",
  ],
  ["oneHot", () => ops.oneHot(t([2]), 3), DTypeError, "oneHot: labels are float32[2]; they need to be int32[N]"],
  [
    "crossEntropy",
    () => ops.crossEntropy(t([2, 3]), t([3], "int32")),
    ShapeError,
    "crossEntropy: logits are float32[2, 3], labels int32[3]; they need [N, classes] and int32[N], or soft labels of the logits' shape",
  ],
];

describe("errors of ops say what came, what was needed", () => {
  it.each(cases)("%s", (_, build, kind, message) => {
    let thrown: unknown;
    try {
      build();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(kind);
    expect((thrown as OcelliError).name).toBe(kind.name);
    expect((thrown as OcelliError).message).toContain(message);
  });
});

describe("errors say where", () => {
  const wrong = (): Tensor => ops.conv2d(t([1, 32, 56, 56]), t([128, 64, 3, 3]));

  it("in the model, with the inputs, as the design prints them", () => {
    expect(() => withScope("layer2.0.conv1", wrong)).toThrow(
      [
        "conv2d: input has 32 channels; weight [128, 64, 3, 3] with groups=1 needs 64",
        "  at layer2.0.conv1   input float32[1, 32, 56, 56], weight float32[128, 64, 3, 3]",
      ].join("\n"),
    );
    expect(wrong).toThrow(/\n {2}with input float32\[1, 32, 56, 56\]/);
  });

  it("and carry their fields", () => {
    try {
      withScope("stem", wrong);
    } catch (error) {
      expect((error as OcelliError).fields).toMatchObject({ channels: 32, needed: 64, op: "conv2d", scope: "stem" });
    }
    expect.assertions(1);
  });

  it("and leave the scope as it was", () => {
    expect(() => withScope("a", () => withScope("b", wrong))).toThrow("at b");
    expect(ops.scope()).toBe("");
  });
});
