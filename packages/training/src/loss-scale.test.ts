import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ArgumentError,
  crossEntropy,
  crossEntropyPerSample,
  type Device,
  type Handle,
  type HostTensor,
  hostTensor,
  item,
  mul,
  type State,
  type StateDict,
  type Tensor,
} from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential } from "@ocelli/layers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adam, digits, fit, freshProgress, type LossScale, normalize, type Progress, sgd, trainStep } from "./index.js";
import { readCheckpoint, writeCheckpoint } from "./node/index.js";
import type { HostBatch, TrainStep } from "./train-step.js";

const net = () =>
  new Sequential(
    new Conv2d(1, 3, { kernelSize: 3 }),
    new BatchNorm2d(3),
    new ReLU(),
    new Flatten(),
    new Linear(3 * 2 * 3, 4),
  );

/** Four images of 4x5 pixels. */
function batchOf(seed: number, first = 1): HostBatch {
  const images = Float32Array.from({ length: 80 }, (_, i) => (i === 0 ? first : Math.sin(seed + 1.3 * i)));
  return { images: hostTensor(images, [4, 1, 4, 5]), labels: hostTensor(Int32Array.of(seed % 4, 1, 3, 0)) };
}

/** One of its pixels is infinite; batch-norm makes NaN of it. */
const wild = batchOf(9, Number.POSITIVE_INFINITY);

interface Run {
  readonly step: TrainStep;
  readonly state: State;
}

async function withRun<T>(
  device: Device,
  lossScale: LossScale | undefined,
  fn: (run: Run) => Promise<T>,
  {
    loss = crossEntropy,
    optimizer = sgd({ lr: 0.1, momentum: 0.9 }),
    values = undefined as StateDict | undefined,
    startStep = 0,
  } = {},
): Promise<T> {
  const model = net();
  using state = values === undefined ? await device.init(model, { seed: 4 }) : await device.createState(values);
  return await fn({
    step: trainStep(device, state, { model, loss, lossScale, optimizer, startStep }),
    state,
  });
}

const read = async (handle: Handle | undefined): Promise<number> => item(await (handle as Handle).read());

const scaleOf = async ({ state }: Run): Promise<number[]> => {
  const { scale, good } = (await state.read(["lossScale"])).lossScale as { scale: HostTensor; good: HostTensor };
  return [item(scale), item(good)];
};

/** All that training changes, but for the scale. */
const trained = async ({ state }: Run): Promise<StateDict> => state.read(["params", "buffers", "optimizer"]);

describe("loss scaling without overflow", () => {
  const scales: readonly LossScale[] = [1, 2 ** -10, 1024, 2 ** 30, "dynamic", { initial: 8, interval: 2 }];
  it.each([sgd({ lr: 0.1, momentum: 0.9 }), adam({ lr: 0.01 })])("trains as without it: $name", async (optimizer) => {
    await using device = await reference();
    const outcome = (lossScale?: LossScale): Promise<unknown> =>
      withRun(
        device,
        lossScale,
        async (run) => {
          const losses: number[] = [];
          for (let i = 0; i < 6; i++) losses.push(await read((await run.step(batchOf(i))).loss));
          return { losses, values: await trained(run) };
        },
        { optimizer },
      );
    const plain = await outcome();
    for (const lossScale of scales) expect(await outcome(lossScale), JSON.stringify(lossScale)).toEqual(plain);
  });

  it("is as near as rounding allows for any other scale", async () => {
    await using device = await reference();
    const loss = (lossScale?: LossScale): Promise<number> =>
      withRun(device, lossScale, async ({ step }) => {
        for (let i = 0; i < 5; i++) await step(batchOf(i));
        return read((await step(batchOf(5))).loss);
      });
    expect(await loss(1000 / 3)).toBeCloseTo(await loss(), 6);
  });

  it("adds nothing where none is asked for, and no state where the scale is fixed", async () => {
    await using device = await reference();
    await withRun(device, undefined, async ({ step, state }) => {
      expect(Object.keys(await step(batchOf(0)))).toEqual(["loss", "accuracy"]);
      expect(state.has("lossScale")).toBe(false);
    });
    await withRun(device, 64, async ({ step, state }) => {
      const { skipped } = await step(batchOf(0));
      expect(await read(skipped)).toBe(0);
      expect(state.has("lossScale")).toBe(false);
    });
  });

  it("compiles one program, whatever the scale is and becomes", async () => {
    await using device = await reference();
    const hash = (initial: number): Promise<string> =>
      withRun(device, { initial, interval: 1 }, async ({ step }) => {
        const before = await step.program(batchOf(0));
        await step(batchOf(0));
        await step(wild);
        expect(await step.program(batchOf(1))).toBe(before);
        return before.stats.hash;
      });
    expect(await hash(2)).toBe(await hash(1024));
  });
});

describe("an overflow", () => {
  it.each<LossScale>([1024, { initial: 1024 }])(
    "changes parameters, slots and buffers in nothing: %o",
    async (lossScale) => {
      await using device = await reference({ precision: "float32" });
      const batches = [batchOf(0), wild, batchOf(1), wild, wild, batchOf(2)];
      const straight = await withRun(device, undefined, async (run) => {
        for (const batch of batches) if (batch !== wild) await run.step(batch);
        return trained(run);
      });
      await withRun(device, lossScale, async (run) => {
        for (const batch of batches) {
          const before = run.step.count > 0 ? await trained(run) : undefined;
          const { skipped } = await run.step(batch);
          expect(await read(skipped)).toBe(batch === wild ? 1 : 0);
          if (batch === wild) expect(await trained(run)).toEqual(before);
        }
        expect(await trained(run)).toEqual(straight);
      });
    },
  );

  it("would have ruined them", async () => {
    await using device = await reference({ precision: "float32" });
    await withRun(device, undefined, async (run) => {
      await run.step(wild);
      const { params, buffers } = await trained(run);
      expect(params?.["4.weight"]?.data.every(Number.isFinite)).toBe(false);
      expect(buffers?.["1.running_var"]?.data.every(Number.isFinite)).toBe(false);
    });
  });

  it("of a scale that is too large lowers it until the gradients fit, and the loss is reported as it is", async () => {
    await using device = await reference({ precision: "float32" });
    const steep = (output: Tensor, labels: Tensor): Tensor => mul(crossEntropy(output, labels), 64);
    const check = async (run: Run): Promise<void> => {
      const seen: number[][] = [];
      for (let i = 0; i < 12; i++) {
        const { loss, skipped, lossScale } = await run.step(batchOf(0));
        expect(await read(loss)).toBeLessThan(64 * 2);
        seen.push([Math.log2(await read(lossScale)), await read(skipped)]);
      }
      const bad = seen.filter(([, skipped]) => skipped === 1).length;
      expect(bad).toBeGreaterThan(0);
      expect(bad).toBeLessThan(12);
      // Each bad step halves what the next one is scaled by; then it stays.
      expect(seen).toEqual(seen.map((_, i) => [127 - Math.min(i, bad), i < bad ? 1 : 0]));
      expect(await scaleOf(run)).toEqual([2 ** (127 - bad), 12 - bad]);
    };
    await withRun(device, { initial: 2 ** 127 }, check, { loss: steep, optimizer: sgd({ lr: 1e-3 }) });
  });

  it("lowers the scale to the smallest normal number, never to 0", async () => {
    await using device = await reference({ precision: "float32" });
    await withRun(device, { initial: 2 ** -125, backoff: 0.25 }, async (run) => {
      for (let i = 0; i < 3; i++) await run.step(wild);
      expect(await scaleOf(run)).toEqual([2 ** -126, 0]);
    });
  });
});

describe("a dynamic scale", () => {
  it("grows after so many good steps in a row", async () => {
    await using device = await reference({ precision: "float32" });
    await withRun(device, { initial: 8, interval: 3, growth: 4, backoff: 0.25 }, async (run) => {
      const seen: number[][] = [];
      for (const batch of [0, 1, 2, 3, 4, wild, 5, 6, 7, 8]) {
        await run.step(typeof batch === "number" ? batchOf(batch) : batch);
        seen.push(await scaleOf(run));
      }
      expect(seen).toEqual([
        [8, 1],
        [8, 2],
        [32, 0],
        [32, 1],
        [32, 2],
        [8, 0],
        [8, 1],
        [8, 2],
        [32, 0],
        [32, 1],
      ]);
    });
  });

  it("does not grow to infinity", async () => {
    await using device = await reference({ precision: "float32" });
    await withRun(device, { initial: 2 ** 100, growth: 2 ** 30, interval: 1 }, async (run) => {
      await run.step(batchOf(0));
      expect(await scaleOf(run)).toEqual([2 ** 100, 0]);
    });
  });

  it("starts as PyTorch's", async () => {
    await using device = await reference();
    await withRun(device, "dynamic", async (run) => {
      const { lossScale } = await run.step(batchOf(0));
      expect(await read(lossScale)).toBe(65536);
      expect(await scaleOf(run)).toEqual([65536, 1]);
      expect(run.state.specs.get("lossScale/scale")).toEqual({ shape: [], dtype: "float32" });
      expect(run.state.specs.get("lossScale/good")).toEqual({ shape: [], dtype: "int32" });
    });
  });
});

describe("a resumed run", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "ocelli-scale-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Through a file. */
  async function saved(values: StateDict, progress: Progress = freshProgress): Promise<StateDict> {
    await writeCheckpoint(join(folder, "last.safetensors"), { values, progress });
    return (await readCheckpoint(join(folder, "last.safetensors"))).values;
  }

  it("goes on with the scale and its count, to the same bits", async () => {
    await using device = await reference({ precision: "float32" });
    const lossScale = { initial: 16, interval: 4 };
    const batches = [batchOf(0), wild, ...[1, 2, 3, 4, 5].map((seed) => batchOf(seed))];
    const straight = await withRun(device, lossScale, async ({ step, state }) => {
      for (const batch of batches) await step(batch);
      return state.read();
    });
    expect(item(straight.lossScale?.scale as HostTensor)).toBe(16);
    for (const stop of [1, 2, 3, 5, 6]) {
      const values = await withRun(device, lossScale, async ({ step, state }) => {
        for (const batch of batches.slice(0, stop)) await step(batch);
        return saved(await state.read());
      });
      const resumed = await withRun(
        device,
        lossScale,
        async ({ step, state }) => {
          for (const batch of batches.slice(stop)) await step(batch);
          return state.read();
        },
        { values, startStep: stop },
      );
      expect(resumed).toEqual(straight);
    }
  });

  it("does so in fit", async () => {
    await using device = await reference({ precision: "float32" });
    const model = new Sequential(new Flatten(), new Linear(784, 10));
    const shared = {
      device,
      model,
      train: digits({ split: "train", count: 40 }),
      epochs: 2,
      batchSize: 8,
      optimizer: sgd({ lr: 0.05, momentum: 0.9 }),
      lossPerSample: (output: Tensor, labels: Tensor) => crossEntropyPerSample(output, labels),
      transform: normalize({ mean: [0.1], std: [0.3] }),
      lossScale: { initial: 64, interval: 3 },
    };
    using state = await device.init(model, { seed: 1 });
    const initial = await state.read();
    await fit({ ...shared, state });
    const straight = await state.read();
    expect(item(straight.lossScale?.scale as HostTensor)).toBe(512);
    expect(item(straight.lossScale?.good as HostTensor)).toBe(1);

    using first = await device.createState(initial);
    const stop = new AbortController();
    const { progress } = await fit({
      ...shared,
      state: first,
      signal: stop.signal,
      on: (event) => {
        if (event.type === "step" && event.step === 4) stop.abort();
      },
    });
    expect(progress.step).toBeLessThan(10);
    using second = await device.createState(await saved(await first.read(), progress));
    await fit({ ...shared, state: second, from: progress });
    expect(await second.read()).toEqual(straight);
  });
});

describe("bad options", () => {
  it.each<[unknown, RegExp]>([
    [0, /trainStep: lossScale is 0; it needs a number above 0 that float32 can hold/],
    [Number.NaN, /lossScale is NaN/],
    [1e39, /lossScale is 1e\+39/],
    ["static", /lossScale is "static"; it needs a number, "dynamic", or options as an object/],
    [null, /lossScale is null; it needs a number, "dynamic"/],
    [{ initial: -1 }, /lossScale.initial is -1; it needs a number above 0/],
    [{ growth: 1 }, /lossScale.growth is 1; it needs a finite number above 1/],
    [{ backoff: 1 }, /lossScale.backoff is 1; it needs a number above 0 and below 1/],
    [{ interval: 2.5 }, /lossScale.interval is 2.5; it needs an integer in 1/],
  ])("are named: %o", async (lossScale, message) => {
    await using device = await reference();
    const run = (): Promise<unknown> => withRun(device, lossScale as LossScale, async () => undefined);
    await expect(run()).rejects.toThrow(message);
    await expect(run()).rejects.toThrow(ArgumentError);
  });
});
