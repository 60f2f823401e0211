/**
 * He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2: the networks for CIFAR-10.
 */
import { add, narrow, pad, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  kaimingNormal,
  Linear,
  Module,
  Sequential,
} from "@ocelli/layers";
import type { ModelOptions, ModelTable } from "../entry.js";
import { initialised } from "../initialise.js";

const conv3x3 = (inChannels: number, outChannels: number, stride: number): Conv2d =>
  initialised(new Conv2d(inChannels, outChannels, { kernelSize: 3, stride, padding: 1, bias: false }), kaimingNormal());

/** Shortcut option A: every second pixel, and zeros for the new channels, half before and half after. It has no parameters. */
export function shortcutA(x: Tensor, outChannels: number, stride: number): Tensor {
  const strided = stride === 1 ? x : narrow(narrow(x, 2, 0, undefined, stride), 3, 0, undefined, stride);
  const extra = outChannels - (x.shape[1] as number);
  const before = Math.floor(extra / 2);
  return extra === 0 ? strided : pad(strided, { low: [0, before, 0, 0], high: [0, extra - before, 0, 0] });
}

/** Two 3x3 convolutions and the identity: `[N, C, H, W]` -> `[N, O, H/stride, W/stride]`. */
export class CifarBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly #stride: number;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.conv1 = conv3x3(inChannels, outChannels, stride);
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = conv3x3(outChannels, outChannels, 1);
    this.bn2 = new BatchNorm2d(outChannels);
    this.#stride = stride;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(add(y, shortcutA(x, y.shape[1] as number, this.#stride)));
  }
}

/** 6n + 2 layers in three stages of 16, 32 and 64 channels: `[N, 3, 32, 32]` -> `[N, classes]`. n = 3 is ResNet-20. */
export class CifarResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1 = new BatchNorm2d(16);
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly pool = new GlobalAvgPool();
  readonly linear: Linear;

  constructor(n: number, { numClasses = 10, inChannels = 3 }: ModelOptions = {}) {
    super();
    this.conv1 = conv3x3(inChannels, 16, 1);
    const stage = (from: number, to: number, stride: number): Sequential =>
      new Sequential(
        ...Array.from({ length: n }, (_, i) => new CifarBlock(i === 0 ? from : to, to, i === 0 ? stride : 1)),
      );
    this.layer1 = stage(16, 16, 1);
    this.layer2 = stage(16, 32, 2);
    this.layer3 = stage(32, 64, 2);
    this.linear = initialised(new Linear(64, numClasses), kaimingNormal());
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.pool, this.linear);
  }
}

const he2016 = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016";

/** The table's part of this paper. */
export const residualCifarModels = {
  resnet20_cifar: {
    summary: "ResNet-20 for 32x32 images, shortcut option A",
    citation: he2016,
    input: [3, 32, 32],
    numClasses: 10,
    head: "linear",
    build: (options?: ModelOptions) => new CifarResNet(3, options),
    preprocessing: {},
    recipe: {
      batchSize: 128,
      epochs: 164,
      optimizer: "sgd",
      lr: 0.1,
      momentum: 0.9,
      weightDecay: 1e-4,
      milestones: [82, 123],
      gamma: 0.1,
    },
  },
} as const satisfies ModelTable;
