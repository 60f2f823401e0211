import type { EpochEvent, StepEvent } from "@ocelli/training";
import { expect, it } from "vitest";
import { Curves } from "./curves.js";
import { Pace } from "./pace.js";

const size = { epochs: 2, stepsPerEpoch: 10, batchSize: 8 };
const step = (n: number): StepEvent => ({
  type: "step",
  ...{ epoch: Math.ceil(n / 10), batch: ((n - 1) % 10) + 1, batches: 10, step: n },
  ...{ loss: 1 / n, accuracy: 0.5, lr: 0.1, imagesPerSecond: 1, waiting: 0, secondsLeft: 1 },
});

it("tells speed and the time that is left from the last seconds", () => {
  let now = 0;
  const curves = new Curves(size, { points: [], epochs: [], step: 0 }, () => now);
  for (let n = 1; n <= 5; n++) {
    now += 100;
    curves.step(step(n));
  }
  expect(curves.live.imagesPerSecond).toBeCloseTo(80, 9);
  expect(curves.live.secondsLeft).toBeCloseTo((15 * 8) / 80, 9);
  expect(curves.live.epoch).toBe(0.5);
});

it("counts evaluation once it has been timed, and not as slowness", () => {
  let now = 0;
  const curves = new Curves(size, { points: [], epochs: [], step: 0 }, () => now);
  for (let n = 1; n <= 10; n++) {
    now += 100;
    curves.step(step(n));
  }
  expect(curves.live.evaluating).toBe(true);
  now += 3000;
  curves.epoch({ type: "epoch", epoch: 1, step: 10, best: true } as EpochEvent);
  for (let n = 11; n <= 12; n++) {
    now += 100;
    curves.step(step(n));
  }
  expect(curves.live).toMatchObject({ evaluating: false, imagesPerSecond: expect.closeTo(80, 9) });
  expect(curves.live.secondsLeft).toBeCloseTo(0.8 + 3, 9);
});

it("leaves out what a run had behind its checkpoint", () => {
  const point = (n: number) => ({ step: n, epoch: n / 10, loss: 1, accuracy: 0, lr: 0.1 });
  const before = { points: [point(4), point(8), point(12)], epochs: [], step: 8 };
  const curves = new Curves(size, before);
  expect(curves.points.map((one) => one.step)).toEqual([4, 8]);
  expect(curves.live).toMatchObject({ step: 8, epoch: 0.8, loss: 1 });
});

it("measures over a window", () => {
  let now = 0;
  const pace = new Pace({ now: () => now, window: 1000 });
  expect(pace.imagesPerSecond).toBeNull();
  for (let i = 0; i < 20; i++) {
    now += i < 10 ? 1000 : 100;
    pace.add(10);
  }
  expect(pace.imagesPerSecond).toBeCloseTo(100, 9);
});
