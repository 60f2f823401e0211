import { ArgumentError, add, constant, hostTensor, matmul, reshape, ShapeError } from "@ocelli/core";
import type { ImageDataset } from "../data/dataset.js";
import type { Transform } from "../transform.js";
import { imageAugmentation, numberOption } from "./options.js";
import { imageShape, unit } from "./pixels.js";
import { normalQuantiles } from "./quantiles.js";
import { drawn } from "./random.js";

export interface LightingOptions {
  /** Standard deviation of what each component is multiplied with. Default 0.1. */
  readonly std?: number;
  /** Of the pixels' covariance, for pixels in 0..1. Default: those published for ImageNet. */
  readonly eigenvalues?: readonly number[];
  /** A row for each channel, a column for each eigenvalue. */
  readonly eigenvectors?: readonly (readonly number[])[];
  /** Share of the images. Default 1. */
  readonly p?: number;
}

/** ImageNet's, as Facebook's ResNet training published them. */
const imageNet = {
  eigenvalues: [0.2175, 0.0188, 0.0045],
  eigenvectors: [
    [-0.5675, 0.7192, 0.4009],
    [-0.5808, -0.0045, -0.814],
    [-0.5836, -0.6948, 0.4203],
  ],
};

/**
 * AlexNet's colour augmentation (Krizhevsky et al. 2012): along each principal component of the pixels, all pixels of an image are moved by
 * its eigenvalue times a normal number. May leave 0..1. For other data than ImageNet, {@link pcaOfPixels} gives the components. Returns
 * float32.
 * @throws ArgumentError; when applied to another number of channels, ShapeError
 */
export function lighting({
  std = 0.1,
  eigenvalues = imageNet.eigenvalues,
  eigenvectors = imageNet.eigenvectors,
  p = 1,
}: LightingOptions = {}): Transform {
  const where = "lighting";
  numberOption(where, "std", std, { min: 0 });
  const lists = Array.isArray(eigenvalues) && Array.isArray(eigenvectors);
  const components = lists ? eigenvalues.length : 0;
  if (
    !lists ||
    !eigenvectors.every((row) => row?.length === components) ||
    ![...eigenvalues, ...eigenvectors.flat()].every(Number.isFinite)
  ) {
    throw new ArgumentError(`${where}: eigenvectors need a row for each channel, with a number for each eigenvalue`, {
      eigenvalues,
      eigenvectors,
    });
  }
  const channels = eigenvectors.length;
  const weights = eigenvectors.flatMap((row: readonly number[]) =>
    row.map((value, i) => value * std * (eigenvalues[i] as number)),
  );
  return imageAugmentation(where, { std, eigenvalues, eigenvectors, p }, (images, ctx) => {
    const [n, c] = imageShape(images, where);
    if (c !== channels)
      throw new ShapeError(`${where}: images have ${c} channels; the eigenvectors are for ${channels}`, {
        channels: c,
      });
    const normal = reshape(drawn(ctx, n * components, normalQuantiles()), [n, components]);
    const moves = matmul(normal, constant(hostTensor(weights, [channels, components])), { transposeB: true });
    return add(unit(images), reshape(moves, [n, channels, 1, 1]));
  });
}

export interface PixelComponents {
  /** The largest first. */
  readonly eigenvalues: readonly number[];
  /** A row for each channel, a column for each eigenvalue. */
  readonly eigenvectors: readonly (readonly number[])[];
}

/** Principal components of a data set's pixels (in 0..1), for {@link lighting}: eigenvalues and eigenvectors of their covariance. */
export function pcaOfPixels({ images, shape: [channels, height, width], count }: ImageDataset): PixelComponents {
  const plane = height * width;
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels * channels);
  for (let image = 0; image < count; image++) {
    for (let i = 0; i < plane; i++) {
      const at = image * channels * plane + i;
      for (let a = 0; a < channels; a++) {
        const value = images[at + a * plane] as number;
        sums[a] = (sums[a] as number) + value;
        for (let b = 0; b <= a; b++) {
          const entry = a * channels + b;
          products[entry] = (products[entry] as number) + value * (images[at + b * plane] as number);
        }
      }
    }
  }
  const pixels = Math.max(count * plane, 1);
  const covariance = Array.from({ length: channels }, (_, a) =>
    Array.from({ length: channels }, (_, b) => {
      const [mean, other] = [(sums[a] as number) / pixels, (sums[b] as number) / pixels];
      const product = products[Math.max(a, b) * channels + Math.min(a, b)] as number;
      return (product / pixels - mean * other) / 255 ** 2;
    }),
  );
  return eigen(covariance);
}

/** Of a symmetric matrix, by Jacobi's rotations. */
function eigen(symmetric: readonly (readonly number[])[]): PixelComponents {
  const n = symmetric.length;
  const a = symmetric.map((row) => [...row]) as number[][];
  const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  // Each sweep squares what is left beside the diagonal: a few are enough.
  for (let sweep = 0; sweep < 20; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const angle = Math.atan2(2 * at(a, p, q), at(a, q, q) - at(a, p, p)) / 2;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (const matrix of [a, v]) for (const row of matrix) rotate(row, [p, q], [c, s]);
        for (let k = 0; k < n; k++) {
          const [x, y] = [at(a, p, k), at(a, q, k)];
          (a[p] as number[])[k] = c * x - s * y;
          (a[q] as number[])[k] = s * x + c * y;
        }
      }
  const order = a.map((_, i) => i).sort((i, j) => at(a, j, j) - at(a, i, i));
  return {
    eigenvalues: order.map((i) => at(a, i, i)),
    eigenvectors: v.map((row) => order.map((i) => row[i] as number)),
  };
}

const at = (matrix: readonly (readonly number[])[], row: number, column: number): number =>
  (matrix[row] as readonly number[])[column] as number;

function rotate(row: number[], [p, q]: readonly [number, number], [c, s]: readonly [number, number]): void {
  const [x, y] = [row[p] as number, row[q] as number];
  row[p] = c * x - s * y;
  row[q] = s * x + c * y;
}
