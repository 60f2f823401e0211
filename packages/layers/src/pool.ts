import {
  ArgumentError,
  type AvgPoolOptions,
  avgPool2d,
  concat,
  type MaxPoolOptions,
  maxPool2d,
  mean,
  narrow,
  type Padding,
  type Pair,
  padding4,
  pair,
  ShapeError,
  type Tensor,
} from "@ocelli/core";
import { checkInput, checkInteger } from "./check.js";
import { Module } from "./module.js";

abstract class WindowPool extends Module {
  /** The layer's name: that of the class does not survive minifying. */
  protected abstract title(): string;
  readonly kernelSize: Pair;
  /** The kernel size when left out. */
  readonly stride: Pair;
  readonly padding: Padding;
  readonly ceilMode: boolean;

  constructor({ kernelSize, stride, padding, ceilMode }: AvgPoolOptions) {
    super();
    const where = this.title();
    this.kernelSize = pair(kernelSize, "kernelSize", where);
    this.stride = pair(stride ?? kernelSize, "stride", where);
    this.padding = padding4(padding ?? 0, where);
    this.ceilMode = ceilMode ?? false;
    if (this.padding.some((p, i) => 2 * p > (this.kernelSize[i < 2 ? 0 : 1] as number))) {
      throw new ArgumentError(
        `${where}: padding [${this.padding}] is more than half of the kernel [${this.kernelSize}]`,
      );
    }
  }
}

/** Maximum over windows, `[N, C, H, W] -> [N, C, H', W']`. Padding never wins. */
export class MaxPool2d extends WindowPool {
  readonly dilation: Pair;

  protected override title() {
    return "MaxPool2d";
  }

  constructor(options: MaxPoolOptions) {
    super(options);
    this.dilation = pair(options.dilation ?? 1, "dilation", "MaxPool2d");
  }

  override forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    return maxPool2d(x, { kernelSize, stride, padding, dilation, ceilMode });
  }
}

/** Mean over windows, `[N, C, H, W] -> [N, C, H', W']`. Padded zeros count unless `countIncludePad` is false. */
export class AvgPool2d extends WindowPool {
  readonly countIncludePad: boolean;

  protected override title() {
    return "AvgPool2d";
  }

  constructor(options: AvgPoolOptions) {
    super(options);
    this.countIncludePad = options.countIncludePad ?? true;
  }

  override forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return avgPool2d(x, { kernelSize, stride, padding, ceilMode, countIncludePad });
  }
}

/** Height and width of the output; null keeps the input's. */
export type AdaptiveSize = number | readonly [number | null, number | null];

type Pool = (x: Tensor, kernelSize: Pair, stride: Pair) => Tensor;

interface Windows {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** PyTorch's windows: output i covers `floor(i * size / count) .. ceil((i + 1) * size / count)`. */
function windows(size: number, count: number): Windows {
  const indices = Array.from({ length: count }, (_, i) => i);
  return {
    starts: indices.map((i) => Math.floor((i * size) / count)),
    ends: indices.map((i) => Math.ceil(((i + 1) * size) / count)),
  };
}

/** Kernel and stride, when all windows have one size and one distance. */
function uniformWindow({ starts, ends }: Windows): readonly [kernel: number, stride: number] | undefined {
  const kernel = ends[0] as number;
  const stride = starts[1] ?? kernel;
  const same = starts.every((start, i) => start === i * stride && (ends[i] as number) - start === kernel);
  // A larger output repeats pixels, which no window that moves does.
  return same && stride > 0 ? [kernel, stride] : undefined;
}

/** Pools one axis (2 or 3) of `[N, C, H, W]`. */
function poolAxis(x: Tensor, axis: 2 | 3, count: number, pool: Pool): Tensor {
  const size = x.shape[axis] as number;
  if (size === count) return x;
  const along = (n: number): Pair => (axis === 2 ? [n, 1] : [1, n]);
  const all = windows(size, count);
  const uniform = uniformWindow(all);
  if (uniform !== undefined) return pool(x, along(uniform[0]), along(uniform[1]));
  const parts = all.starts.map((start, i) => {
    const end = all.ends[i] as number;
    return pool(narrow(x, axis, start, end), along(end - start), along(1));
  });
  return concat(parts, axis);
}

/** Maxima and means over rectangles are those over columns of those over rows, so that any window is two steps of one axis. */
function adaptivePool(x: Tensor, [height, width]: readonly [number | null, number | null], pool: Pool): Tensor {
  const [h, w] = x.shape.slice(2) as [number, number];
  const [oh, ow] = [height ?? h, width ?? w];
  const [down, across] = [uniformWindow(windows(h, oh)), uniformWindow(windows(w, ow))];
  if (oh === h && ow === w) return x;
  if (down && across) return pool(x, [down[0], across[0]], [down[1], across[1]]);
  // Width first: among equal maxima the first in reading order wins, as in PyTorch.
  return poolAxis(poolAxis(x, 3, ow, pool), 2, oh, pool);
}

abstract class AdaptivePool extends Module {
  protected abstract title(): string;
  readonly size: readonly [number | null, number | null];

  constructor(size: AdaptiveSize) {
    super();
    this.size = typeof size === "number" ? [size, size] : size;
    for (const count of this.size) if (count !== null) checkInteger(this.title(), "size", count);
  }

  protected pooled(x: Tensor, pool: Pool): Tensor {
    checkInput(this.title(), x, [4], "4, [N, C, H, W]");
    if (x.shape[2] === 0 || x.shape[3] === 0) {
      throw new ShapeError(`${this.title()}: input has no pixels`, { input: x.shape });
    }
    return adaptivePool(x, this.size, pool);
  }
}

/** Mean over windows laid so that the output has a given size, `[N, C, H, W] -> [N, C, size, size]`, for any H and W. */
export class AdaptiveAvgPool2d extends AdaptivePool {
  protected override title() {
    return "AdaptiveAvgPool2d";
  }

  override forward(x: Tensor): Tensor {
    return this.pooled(x, (part, kernelSize, stride) => avgPool2d(part, { kernelSize, stride }));
  }
}

/** Maximum over windows laid so that the output has a given size, `[N, C, H, W] -> [N, C, size, size]`, for any H and W. */
export class AdaptiveMaxPool2d extends AdaptivePool {
  protected override title() {
    return "AdaptiveMaxPool2d";
  }

  override forward(x: Tensor): Tensor {
    return this.pooled(x, (part, kernelSize, stride) => maxPool2d(part, { kernelSize, stride }));
  }
}

export interface GlobalAvgPoolOptions {
  /** Keep the pooled dimensions as 1. Default false. */
  readonly keepDims?: boolean;
}

/** Mean of each channel (Lin et al. 2013). `[N, C, ...] -> [N, C]`. @throws ShapeError for fewer than 3 dimensions */
export class GlobalAvgPool extends Module {
  readonly keepDims: boolean;

  constructor({ keepDims = false }: GlobalAvgPoolOptions = {}) {
    super();
    this.keepDims = keepDims;
  }

  override forward(x: Tensor): Tensor {
    const axes = x.shape.map((_, i) => i).slice(2);
    checkInput("GlobalAvgPool", x, axes.length > 0 ? [x.shape.length] : [], "3 or more, [N, C, ...]");
    return mean(x, { axes, keepDims: this.keepDims });
  }
}
