import {
  type ConvOptions,
  dilatedSize,
  formatShape,
  type Pair,
  padding4,
  poolSize,
  ShapeError,
  samePadding,
} from "@ocelli/core";

/** What slides over a map: a convolution or a pooling layer has these fields. */
export interface Sliding {
  readonly kernelSize: Pair;
  readonly stride: Pair;
  readonly padding?: NonNullable<ConvOptions["padding"]>;
  readonly dilation?: Pair;
  readonly ceilMode?: boolean;
}

/**
 * Height and width of the map that layers leave of images of `size`: for classifiers that read a whole map.
 * @param layers convolutions and poolings by name, in order
 * @throws ShapeError naming the layer whose window does not fit
 */
export function mapSize(model: string, size: Pair, layers: Readonly<Record<string, Sliding>>): Pair {
  const [height, width] = [walk(size[0], 0, layers), walk(size[1], 1, layers)];
  const short = height.ranOut ?? width.ranOut;
  if (short !== undefined) {
    throw new ShapeError(
      `${model}: images of ${formatShape(size)} leave ${short.size} pixels along one side for ${short.layer}; its window covers ${short.window}`,
      { inputSize: size, layer: short.layer },
    );
  }
  return [height.size, width.size];
}

interface Walk {
  readonly size: number;
  readonly ranOut?: { readonly layer: string; readonly size: number; readonly window: number };
}

/** Along one axis: 0 is height, 1 is width. */
function walk(size: number, axis: 0 | 1, layers: Readonly<Record<string, Sliding>>): Walk {
  let now = size;
  for (const [layer, { kernelSize, stride, padding = 0, dilation = [1, 1], ceilMode = false }] of Object.entries(
    layers,
  )) {
    const [k, s, d] = [kernelSize[axis], stride[axis], dilation[axis]];
    const [before, after] = padding === "same" ? samePadding(now, k, s, d) : sides(padding, axis);
    const next = poolSize(now, k, s, before, after, d, ceilMode);
    if (next < 1) return { size: 0, ranOut: { layer, size: now, window: dilatedSize(k, d) } };
    now = next;
  }
  return { size: now };
}

function sides(padding: NonNullable<ConvOptions["padding"]>, axis: 0 | 1): Pair {
  if (typeof padding === "string") return [0, 0];
  const [top, bottom, left, right] = padding4(padding, "mapSize");
  return axis === 0 ? [top, bottom] : [left, right];
}
