import {
  crossEntropyPerSample,
  type Device,
  flattenState,
  hashBytes,
  type State,
  type StateDict,
  type Tensor,
} from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { type ImageDataset, imageDataset } from "./data/index.js";
import { type CheckpointSink, type FitEvent, type FitOptions, fit, freshProgress, type Progress } from "./fit.js";
import { adam, normalize, sgd, stepSchedule } from "./index.js";

/** Bars on a noisy background: class 0 horizontal, 1 vertical, 2 none. */
function bars(count: number, seed: number): ImageDataset {
  const images = new Uint8Array(count * 64);
  const labels = new Uint8Array(count);
  let word = seed * 2654435761 + 12345;
  const next = (below: number): number => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return Math.floor((word / 2 ** 32) * below);
  };
  for (let n = 0; n < count; n++) {
    const label = n % 3;
    const at = next(8);
    labels[n] = label;
    for (let i = 0; i < 64; i++) images[n * 64 + i] = next(90);
    for (let i = 0; i < 8 && label < 2; i++) images[n * 64 + (label === 0 ? at * 8 + i : i * 8 + at)] = 220;
  }
  return imageDataset({ name: "bars", images, labels, shape: [1, 8, 8], classes: ["horizontal", "vertical", "none"] });
}

class Net extends Module {
  readonly features = new Sequential(
    new Conv2d(1, 6, { kernelSize: 3 }),
    new BatchNorm2d(6),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
  );
  readonly head = new Sequential(new Flatten(), new Dropout(0.1), new Linear(54, 3));
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.head);
  }
}

interface Kept extends CheckpointSink {
  readonly saved: { kind: string; values: StateDict; progress: Progress }[];
}

function memorySink(): Kept {
  const saved: Kept["saved"] = [];
  return { saved, save: async (kind, values, progress) => void saved.push({ kind, values, progress }) };
}

async function withRun<T>(fn: (device: Device, options: FitOptions) => Promise<T>): Promise<T> {
  // In float64 a state would lose digits on its way through a float32 checkpoint.
  const device = await reference({ precision: "float32" });
  const model = new Net();
  const state = await device.init(model, { seed: 3 });
  const options: FitOptions = {
    device,
    model,
    state,
    train: bars(150, 1),
    test: bars(40, 2),
    epochs: 3,
    batchSize: 16,
    seed: 5,
    optimizer: sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-3 }),
    schedule: stepSchedule({ stepSize: 2, gamma: 0.5 }),
    lossPerSample: crossEntropyPerSample,
    transform: normalize({ mean: [0.2], std: [0.25] }),
  };
  try {
    return await fn(device, options);
  } finally {
    state.dispose();
    await device.dispose();
  }
}

/** A short name of each value's bytes. */
const bytesOf = (values: StateDict): string =>
  [...flattenState(values)]
    .map(([name, { data }]) => `${name} ${hashBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`)
    .join("\n");

describe("fit", () => {
  it("learns, reports each step and epoch, and checkpoints the best", async () => {
    await withRun(async (_, options) => {
      const events: FitEvent[] = [];
      const checkpoints = memorySink();
      const result = await fit({ ...options, checkpoints, on: (event) => events.push(event) });
      expect(result.status).toBe("done");
      expect(result.testAccuracy).toBeGreaterThan(0.9);
      const { history } = result.progress;
      expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
      expect(history.map(({ lr }) => lr)).toEqual([0.1, 0.1, 0.05]);
      expect(history[2]?.trainLoss).toBeLessThan(history[0]?.trainLoss as number);
      expect(events.filter(({ type }) => type === "step")).toHaveLength(27);
      expect(events.map(({ type }) => type).slice(0, 3)).toEqual(["start", "compiled", "step"]);
      expect(checkpoints.saved.filter(({ kind }) => kind === "last")).toHaveLength(3);
      expect(checkpoints.saved[0]?.kind).toBe("best");
    });
  });

  it("gives the same bits when interrupted at any step and resumed", async () => {
    const straight = await withRun(async (_, options) => {
      const checkpoints = memorySink();
      await fit({ ...options, checkpoints });
      return checkpoints.saved.at(-1) as Kept["saved"][0];
    });
    for (const stopAt of [1, 8, 9, 14]) {
      const interrupted = await withRun(async (_, options) => {
        const checkpoints = memorySink();
        const stop = new AbortController();
        const on = (event: FitEvent): void => {
          if (event.type === "step" && event.step === stopAt) stop.abort();
        };
        const result = await fit({ ...options, checkpoints, signal: stop.signal, on });
        expect(result.status).toBe("interrupted");
        return checkpoints.saved.at(-1) as Kept["saved"][0];
      });
      expect(interrupted.progress.step).toBeGreaterThanOrEqual(stopAt);
      expect(interrupted.progress.step).toBeLessThanOrEqual(stopAt + 2);
      const resumed = await withRun(async (device, options) => {
        const checkpoints = memorySink();
        using state: State = await device.createState(interrupted.values);
        await fit({ ...options, state, checkpoints, from: interrupted.progress });
        return checkpoints.saved.at(-1) as Kept["saved"][0];
      });
      expect(bytesOf(resumed.values)).toBe(bytesOf(straight.values));
      expect({ ...resumed.progress, history: [] }).toEqual({ ...straight.progress, history: [] });
      expect(resumed.progress.history.map((e) => [e.trainLoss, e.testAccuracy])).toEqual(
        straight.progress.history.map((e) => [e.trainLoss, e.testAccuracy]),
      );
    }
  });

  it("depends on the seed", async () => {
    const run = (seed: number): Promise<string> =>
      withRun(async (_, options) => {
        const checkpoints = memorySink();
        await fit({ ...options, epochs: 1, seed, checkpoints });
        return bytesOf((checkpoints.saved.at(-1) as Kept["saved"][0]).values);
      });
    const [a, b, c] = [await run(1), await run(1), await run(2)];
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it("stops at a loss that is no number, says at which step, and writes no checkpoint", async () => {
    await withRun(async (_, options) => {
      const checkpoints = memorySink();
      const wild = fit({ ...options, checkpoints, optimizer: sgd({ lr: 1e30 }) });
      await expect(wild).rejects.toThrow(/fit: the loss is .* at step \d+ \(epoch 1, batch \d+\).*lower learning rate/);
      expect(checkpoints.saved).toHaveLength(0);
    });
  });

  it("writes no checkpoint of parameters that went bad in the very last step", async () => {
    await withRun(async (_, options) => {
      const checkpoints = memorySink();
      const last = fit({
        ...options,
        train: bars(16, 1),
        test: undefined,
        epochs: 1,
        checkpoints,
        optimizer: sgd({ lr: 1e300 }),
      });
      await expect(last).rejects.toThrow(/holds a value that is not finite/);
      expect(checkpoints.saved).toHaveLength(0);
    });
  });

  it("trains with Adam, without test data", async () => {
    await withRun(async (_, options) => {
      const result = await fit({ ...options, test: undefined, epochs: 2, optimizer: adam({ lr: 0.02 }) });
      expect(result.testAccuracy).toBeNull();
      expect(result.progress.history[1]?.trainAccuracy).toBeGreaterThan(0.7);
      expect(freshProgress.step).toBe(0);
    });
  });
});
