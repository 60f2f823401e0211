import type { HostTensor } from "@ocelli/core";
import type { HostBatch } from "../train-step.js";

/** A batch, and where its images stand in the data set (a loader's `Batch` fits). */
export type EvaluationBatch = HostBatch & { readonly indices?: Int32Array };

export type EvaluationBatches = AsyncIterable<EvaluationBatch> | Iterable<EvaluationBatch>;

/** The batch filled up to `size` by zeros whose label is no class. */
export function filledUp({ images, labels }: HostBatch, size: number): { images: HostTensor; labels: HostTensor } {
  return { images: grown(images, size, 0), labels: grown(labels, size, -1) };
}

function grown({ dtype, shape, data }: HostTensor, size: number, filling: number): HostTensor {
  const count = shape[0] as number;
  if (count === size) return { dtype, shape, data };
  const Data = data.constructor as new (length: number) => typeof data;
  const all = new Data((data.length / count) * size).fill(filling);
  all.set(data as never);
  return { dtype, shape: [size, ...shape.slice(1)], data: all };
}
