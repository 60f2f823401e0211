import { ArgumentError } from "@ocelli/core";
import { type Batch, type LabelledImages, loader, subset } from "@ocelli/training";
import type { Picture } from "./api.js";
import { pictureOf } from "./pictures.js";

/** @throws ArgumentError when there is none: a single picture that cannot be read */
export async function firstBatch(batches: AsyncIterable<Batch>): Promise<Batch> {
  for await (const batch of batches) return batch;
  throw new ArgumentError("The images cannot be read any more: were their files moved or deleted?");
}

/** Images of a set as pictures, in the order that is asked for. */
export async function picturesOf(data: LabelledImages, positions: readonly number[]): Promise<Picture[]> {
  if (positions.length === 0) return [];
  const size = data.shape.reduce((a, b) => a * b, 1);
  const found = new Map<number, Picture>();
  for await (const { images, indices } of loader(subset(data, positions), { batchSize: 32 }).epoch(0)) {
    const pixels = images.data as Uint8Array;
    for (const [i, index] of indices.entries())
      found.set(index, pictureOf(pixels.subarray(i * size, (i + 1) * size), data.shape));
  }
  return positions.flatMap((_, i) => found.get(i) ?? []);
}
