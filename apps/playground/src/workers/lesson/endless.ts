import type { Batch, Loader } from "@ocelli/training";

/** A loader's batches, epoch after epoch. */
export async function* endless({ epoch }: Pick<Loader, "epoch">): AsyncGenerator<Batch, never, undefined> {
  for (let i = 0; ; i++) yield* epoch(i);
}
