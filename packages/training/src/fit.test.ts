import type { State } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { bars, bytesOf, type Kept, memorySink, withRun } from "../test/fit.js";
import { type FitEvent, fit, freshProgress } from "./fit.js";
import { adam, sgd } from "./index.js";

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
      await expect(last).rejects.toThrow(/holds a value that is not finite at step 1 \(epoch 1, batch 1\)/);
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
