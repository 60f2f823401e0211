import { describe, expect, it } from "vitest";
import type { Schedule } from "./index.js";
import { constantSchedule, makeSchedule, multiStepSchedule, stepSchedule } from "./index.js";

const at = (schedule: Schedule) => (epoch: number) => schedule.factor({ epoch, epochs: 400, history: [] });

describe("schedules", () => {
  it("constant stays", () => {
    expect([0, 7, 300].map(at(constantSchedule()))).toEqual([1, 1, 1]);
  });

  it("step divides every stepSize epochs", () => {
    const factor = at(stepSchedule({ stepSize: 10, gamma: 0.5 }));
    expect([0, 9, 10, 19, 20, 35].map(factor)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.125]);
  });

  it("multiStep divides at its milestones, in any order", () => {
    const schedule = multiStepSchedule({ milestones: [123, 82], gamma: 0.1 });
    const factor = at(schedule);
    expect([0, 81, 82, 122].map(factor)).toEqual([1, 1, 0.1, 0.1]);
    expect(factor(123)).toBeCloseTo(0.01, 15);
    expect(schedule.options.milestones).toEqual([82, 123]);
  });

  it("come back from name and options", () => {
    const schedule = stepSchedule({ stepSize: 3 });
    expect(at(makeSchedule(schedule))(4)).toBe(at(schedule)(4));
    expect(() => makeSchedule({ name: "cosin", options: {} })).toThrow(
      /"cosin" is unknown.* There are constant, step, multiStep/,
    );
    expect(() => stepSchedule({ stepSize: 0 })).toThrow(/stepSize is 0/);
  });
});
