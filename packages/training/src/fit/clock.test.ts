import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Clock } from "./clock.js";

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => void vi.restoreAllMocks());

/** Waits for data that comes after so many milliseconds; `meanwhile` happens some time before. */
async function waitFor(clock: Clock, ms: number, meanwhile?: { readonly at: number; readonly what: () => void }) {
  let come: () => void = () => undefined;
  const waiting = clock.waitFor(new Promise<void>((resolve) => (come = resolve)));
  if (meanwhile !== undefined) {
    now += meanwhile.at;
    meanwhile.what();
  }
  now += ms - (meanwhile?.at ?? 0);
  come();
  await waiting;
}

describe("the clock", () => {
  it("counts waiting for data only while no step is under way", async () => {
    const clock = new Clock();
    clock.restart();
    await waitFor(clock, 100);
    expect(clock.waiting).toBe(1);
    clock.queued();
    await waitFor(clock, 100);
    expect(clock.waiting).toBe(0.5);
    // The step ends 30 ms before the data comes.
    await waitFor(clock, 200, { at: 170, what: () => clock.finished(32) });
    expect(clock.waiting).toBeCloseTo((100 + 30) / 400, 12);
    expect(clock.imagesPerSecond).toBeCloseTo(32 / 0.4, 12);
    expect(clock.seconds).toBe(0.4);
  });

  it("begins anew with each epoch", async () => {
    const clock = new Clock();
    clock.queued();
    await waitFor(clock, 50, { at: 10, what: () => clock.finished(8) });
    clock.restart();
    now += 1000;
    expect([clock.waiting, clock.imagesPerSecond, clock.seconds]).toEqual([0, 0, 1]);
  });

  it("takes no notice of a step behind another", async () => {
    const clock = new Clock();
    clock.restart();
    clock.queued();
    clock.queued();
    await waitFor(clock, 100, { at: 50, what: () => clock.finished(1) });
    expect(clock.waiting).toBe(0);
  });
});
