import { type Device, type HostTensor, hostTensor, randomKey, type Tensors } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, Sequential } from "@ocelli/layers";
import type { BatchTensors, Transform } from "../transform.js";

export interface ApplyOptions {
  /** Default true: as in a training step. */
  readonly training?: boolean;
  /** Names the random numbers, with `step`: those that the same step of a run under this seed draws. Default 0. */
  readonly seed?: number;
  /** Default 0. */
  readonly step?: number;
}

/**
 * What a transform makes of a batch (`images`, and whatever else it looks at, `labels` mostly): for pictures of it, and tests. Training
 * runs transforms inside its step.
 */
export async function applyTransform<Batch extends { readonly images: HostTensor }>(
  device: Device,
  transform: Transform,
  batch: Batch,
  { training = true, seed = 0, step = 0 }: ApplyOptions = {},
): Promise<{ readonly [Name in keyof Batch]: HostTensor }> {
  const given: Record<string, HostTensor> = { ...batch };
  const specs = Object.entries(given).map(([name, { dtype, shape }]) => [name, { dtype, shape }]);
  const program = await device.compile({
    inputs: { ...Object.fromEntries(specs), key: { dtype: "uint32", shape: [2] } },
    build: ({ key, ...inputs }) => {
      const ctx = new Context(new Sequential(), { state: {}, training, key });
      return { outputs: transform.apply(inputs as Tensors as BatchTensors, ctx) };
    },
  });
  const key = hostTensor(Uint32Array.from(randomKey(seed, step)));
  try {
    const results = await program.run({ ...given, key });
    const read = Object.entries(results).map(async ([name, handle]) => [name, await handle.read()]);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    program[disposeKey]();
  }
}
