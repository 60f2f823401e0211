import { type Device, type HostTensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { webgpu } from "@ocelli/kernels-webgpu";
import { expect, it } from "vitest";
import { itOnAdapter } from "../../../kernels-webgpu/test/adapter.js";
import { batchOf, range, train, withStep } from "../../test/steps.js";
import { adam, clipNorm, clipValue, ema, grouped, makeOptimizer, optimizers, stepStatistics, swa } from "../index.js";
import type { TrainStepOptions } from "../train-step.js";

type Numbers = Readonly<Record<string, Float64Array>>;

/** All that a training leaves behind, and the statistics of its last step. */
function outcome(device: Device, options: Partial<TrainStepOptions>): Promise<Numbers> {
  return withStep(device, options, async ({ step, state }) => {
    await train(step, range(0, 7));
    const { statistics } = await step(batchOf(7), { statistics: stepStatistics() });
    const flat: Record<string, Float64Array> = {
      statistics: toNumbers(await (statistics as NonNullable<typeof statistics>).read()),
    };
    for (const [collection, entries] of Object.entries(await state.read()))
      for (const [name, value] of Object.entries(entries))
        flat[`${collection}/${name}`] = toNumbers(value as HostTensor);
    return flat;
  });
}

function expectNear(got: Numbers, wanted: Numbers): void {
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, values] of Object.entries(wanted)) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    for (const [i, value] of values.entries())
      expect(Math.abs((got[name]?.[i] as number) - value) / scale, `${name}[${i}]`).toBeLessThan(2e-3);
  }
}

const everything: readonly Partial<TrainStepOptions>[] = [
  { accumulate: 2, clip: clipNorm(0.5), average: ema({ decay: 0.9 }), lossScale: { initial: 64, interval: 2 } },
  { accumulate: 4, clip: clipValue(0.05), average: swa({ start: 1 }), freeze: ["0.*", "1.*"] },
  {
    optimizer: grouped(adam({ lr: 0.01, eps: 1e-3 }), [{ vectors: true, lrFactor: 0.5, options: { amsgrad: true } }]),
    average: swa({ start: 2, every: 3 }),
  },
];

// Without the bias before the batch-norm, whose gradient is nothing but rounding errors: LARS and the others make them large.
const each: readonly Partial<TrainStepOptions>[] = Object.keys(optimizers).map((name) => ({
  optimizer: makeOptimizer({ name, options: { lr: 0.01 } }),
  freeze: ["0.bias"],
}));

async function check(device: Device, cases: readonly Partial<TrainStepOptions>[]): Promise<void> {
  await using oracle = await reference();
  for (const options of cases) expectNear(await outcome(device, options), await outcome(oracle, options));
}

it("steps of all kinds come out on ONNX Runtime as on the reference", { timeout: 120_000 }, async () => {
  await using device = await onnx({ provider: "cpu" });
  await check(device, [...everything, ...each]);
});

// Software compiles slowly.
itOnAdapter("steps come out on WebGPU as on the reference", { timeout: 120_000 }, async () => {
  await using device = await webgpu();
  await check(device, everything);
});
