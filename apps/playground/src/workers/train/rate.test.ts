import { stepSchedule } from "@ocelli/training";
import { describe, expect, it } from "vitest";
import { HandledRate } from "./rate.js";

const batches = 10;
const factors = (rate: HandledRate, from: number, to: number): number[] => {
  const { factor } = rate.over(stepSchedule({ stepSize: 1, gamma: 0.1 }));
  return Array.from({ length: to - from }, (_, i) =>
    factor({ epoch: (from + i) / batches, epochs: 3, batches, history: [] }),
  );
};

describe("the rate under the reader's hand", () => {
  it("is the schedule's until it is set, then a multiple of it", () => {
    const rate = new HandledRate();
    expect(factors(rate, 0, 4)).toEqual([1, 1, 1, 1]);
    rate.set(0.5);
    expect(factors(rate, 4, 6)).toEqual([0.5, 0.5]);
    expect(factors(rate, 10, 11)[0]).toBeCloseTo(0.05, 12);
  });

  it("gives a resumed run the rates that the run had, and has", () => {
    const rate = new HandledRate();
    factors(rate, 0, 4);
    rate.set(0.5);
    factors(rate, 4, 8);
    rate.set(2);
    const straight = factors(rate, 8, 12);
    const resumed = new HandledRate(JSON.parse(JSON.stringify(rate.changes)), 3);
    expect(factors(resumed, 3, 8)).toEqual([1, 0.5, 0.5, 0.5, 0.5]);
    expect(factors(resumed, 8, 12)).toEqual(straight);
  });

  it("set after a failure replaces what was set behind the checkpoint", () => {
    const rate = new HandledRate();
    factors(rate, 0, 6);
    rate.set(100);
    factors(rate, 6, 8);
    rate.goOnFrom(4);
    rate.set(0.1);
    expect(rate.changes).toEqual([{ step: 4, factor: 0.1 }]);
    expect(factors(rate, 4, 8)).toEqual([0.1, 0.1, 0.1, 0.1]);
  });

  it("asking for an epoch's first rate again, as summaries do, decides nothing", () => {
    const rate = new HandledRate();
    factors(rate, 0, 10);
    factors(rate, 0, 1);
    rate.set(0.5);
    expect(rate.changes).toEqual([{ step: 10, factor: 0.5 }]);
  });
});
