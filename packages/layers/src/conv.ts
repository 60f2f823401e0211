import {
  ArgumentError,
  add,
  type ConvOptions,
  conv2d,
  convTranspose2d,
  type Padding,
  type Pair,
  padding4,
  pair,
  reshape,
  type Shape,
  type Tensor,
} from "@ocelli/core";
import { checkInput, checkInteger } from "./check.js";
import type { Context } from "./context.js";
import { fans, kaimingUniform, uniform } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

interface KernelOptions {
  readonly kernelSize: number | Pair;
  /** Default 1. */
  readonly stride?: number | Pair;
  /** Default 1. */
  readonly dilation?: number | Pair;
  /** Input and output channels fall into this many groups that do not mix. Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

export interface Conv2dOptions extends KernelOptions {
  /** One number for all sides, (vertical, horizontal), (top, bottom, left, right), "valid" (none) or "same". Default 0. */
  readonly padding?: NonNullable<ConvOptions["padding"]>;
}

export interface ConvTranspose2dOptions extends KernelOptions {
  /** What the matching convolution pads: it is cut off here. Default 0. */
  readonly padding?: number | Pair | Padding;
  /** Extra size at the bottom and right, less than the stride. Default 0. */
  readonly outputPadding?: number | Pair;
}

function checkKernel(where: string, inChannels: number, outChannels: number, options: KernelOptions) {
  checkInteger(where, "inChannels", inChannels);
  checkInteger(where, "outChannels", outChannels);
  const groups = checkInteger(where, "groups", options.groups ?? 1);
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ArgumentError(
      `${where}: ${inChannels} input and ${outChannels} output channels do not both divide into ${groups} groups`,
      { inChannels, outChannels, groups },
    );
  }
  return {
    kernelSize: pair(options.kernelSize, "kernelSize", where),
    stride: pair(options.stride ?? 1, "stride", where),
    dilation: pair(options.dilation ?? 1, "dilation", where),
    groups,
  };
}

function checkPadding(padding: NonNullable<ConvOptions["padding"]>): NonNullable<ConvOptions["padding"]> {
  if (padding === "same" || padding === "valid") return padding;
  if (typeof padding === "string")
    throw new ArgumentError(`Conv2d: padding is "${padding as string}"; the words are "same" and "valid"`);
  return padding4(padding, "Conv2d");
}

/** PyTorch's defaults: weight and bias are both uniform in +- 1 / sqrt(fanIn). */
const weightOf = (shape: Shape): Parameter => new Parameter(shape, kaimingUniform({ a: Math.sqrt(5) }));

function biasOf(channels: number, weightShape: Shape): Parameter {
  const bound = 1 / Math.sqrt(fans(weightShape).fanIn);
  return new Parameter([channels], uniform(-bound, bound));
}

const addBias = (y: Tensor, bias: Parameter | null, ctx: Context): Tensor =>
  bias === null ? y : add(y, reshape(ctx.get(bias), [1, -1, 1, 1]));

/**
 * 2-D convolution (cross-correlation). `[N, C, H, W] -> [N, O, H', W']` with
 * `H' = floor((H + padding - dilation * (kernel - 1) - 1) / stride) + 1`; weight `[O, C/groups, kH, kW]`, bias `[O]`.
 * @throws ArgumentError for options out of range; in `forward` ShapeError and DTypeError as `conv2d`
 */
export class Conv2d extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: NonNullable<ConvOptions["padding"]>;
  readonly dilation: Pair;
  readonly groups: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inChannels: number, outChannels: number, options: Conv2dOptions) {
    super();
    const { kernelSize, stride, dilation, groups } = checkKernel("Conv2d", inChannels, outChannels, options);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = checkPadding(options.padding ?? 0);
    this.dilation = dilation;
    this.groups = groups;
    const shape = [outChannels, inChannels / groups, ...kernelSize];
    this.weight = weightOf(shape);
    this.bias = (options.bias ?? true) ? biasOf(outChannels, shape) : null;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const { stride, padding, dilation, groups } = this;
    return addBias(conv2d(x, ctx.get(this.weight), { stride, padding, dilation, groups }), this.bias, ctx);
  }
}

/**
 * Transposed 2-D convolution: the gradient of {@link Conv2d} with respect to its input. `[N, C, H, W] -> [N, O, H', W']` with
 * `H' = (H - 1) * stride - padding + dilation * (kernel - 1) + outputPadding + 1`; weight `[C, O/groups, kH, kW]`, bias `[O]`.
 * @throws ArgumentError for options out of range; in `forward` ShapeError and DTypeError
 */
export class ConvTranspose2d extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding: Padding;
  readonly outputPadding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inChannels: number, outChannels: number, options: ConvTranspose2dOptions) {
    super();
    const where = "ConvTranspose2d";
    const { kernelSize, stride, dilation, groups } = checkKernel(where, inChannels, outChannels, options);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding4(options.padding ?? 0, where);
    this.outputPadding = pair(options.outputPadding ?? 0, "outputPadding", where, 0);
    if (this.outputPadding[0] >= stride[0] || this.outputPadding[1] >= stride[1]) {
      // A convolution of this stride would give the larger output, too: it could not tell them apart.
      throw new ArgumentError(
        `${where}: outputPadding is [${this.outputPadding}]; it has to be less than the stride [${stride}]`,
      );
    }
    this.dilation = dilation;
    this.groups = groups;
    const shape = [inChannels, outChannels / groups, ...kernelSize];
    this.weight = weightOf(shape);
    this.bias = (options.bias ?? true) ? biasOf(outChannels, shape) : null;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this;
    checkInput("ConvTranspose2d", x, [4], "4, [N, C, H, W]", this.inChannels);
    const y = convTranspose2d(x, ctx.get(this.weight), { stride, padding, outputPadding, dilation, groups });
    return addBias(y, this.bias, ctx);
  }
}
