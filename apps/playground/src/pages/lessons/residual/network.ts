import { add, relu, type Tensor } from "@ocelli/core";
import { BatchNorm2d, type Context, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Module } from "@ocelli/layers";

const channels = 8;

/** Two 3x3 convolutions with batch-norm, with or without the shortcut around them (He et al. 2016). `[N, 8, H, W]` -> the same. */
class Block extends Module {
  readonly conv1 = conv3x3();
  readonly bn1 = new BatchNorm2d(channels);
  readonly conv2 = conv3x3();
  readonly bn2 = new BatchNorm2d(channels);
  readonly shortcut: boolean;

  constructor(shortcut: boolean) {
    super();
    this.shortcut = shortcut;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(this.shortcut ? add(y, x) : y);
  }
}

const conv3x3 = (): Conv2d => new Conv2d(channels, channels, { kernelSize: 3, padding: 1, bias: false });

/**
 * A thin, deep network for digits, `[N, 1, 28, 28]` -> `[N, 10]`: a 5x5 convolution, blocks on 7x7 maps, a classifier. With and without shortcuts it has the
 * same parameters under the same names, so that both begin with the very same values.
 */
export class DeepNetwork extends Module {
  readonly stem = new Conv2d(1, channels, { kernelSize: 5, stride: 2, padding: 2, bias: false });
  readonly bn = new BatchNorm2d(channels);
  readonly maxpool = new MaxPool2d({ kernelSize: 2 });
  readonly blocks: readonly Block[];
  readonly avgpool = new GlobalAvgPool();
  readonly fc = new Linear(channels, 10);

  /** @param depth layers with weights, even, 4 or more */
  constructor({ depth, shortcuts }: { readonly depth: number; readonly shortcuts: boolean }) {
    super();
    this.blocks = Array.from({ length: (depth - 2) / 2 }, () => new Block(shortcuts));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const stem = ctx.chain(x, this.stem, this.bn, relu, this.maxpool);
    return ctx.chain(stem, ...this.blocks, this.avgpool, this.fc);
  }
}
