import type { Recipe } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { describePlan, planTraining } from "../src/recipe.js";

const recipe: Recipe = { batchSize: 100, epochs: 50, optimizer: "sgd", lr: 0.1, momentum: 0.9, weightDecay: 1e-4 };
const plan = (own: Partial<Recipe>, flags: Parameters<typeof planTraining>[1] = {}) =>
  planTraining({ ...recipe, ...own }, flags, 1000);

describe("a recipe", () => {
  it("with Nesterov's momentum", () => {
    const made = plan({ nesterov: true });
    expect(made.optimizer.options).toEqual({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: true });
    expect(describePlan(made, 0)).toMatch(/^sgd, learning rate 0\.1, Nesterov momentum 0\.9, weight decay/);
    // Without momentum there is nothing to look ahead along; another optimizer has its own.
    expect(plan({ nesterov: true }, { momentum: 0 }).optimizer.options.nesterov).toBe(false);
    expect(plan({ nesterov: true }, { optimizer: "adam" }).optimizer.name).toBe("adam");
  });

  it("with a rate that falls every so many epochs, in proportion to their number", () => {
    const own = { every: 2, gamma: 0.94 };
    expect(plan(own).schedule).toMatchObject({ name: "step", options: { stepSize: 2, gamma: 0.94 } });
    expect(plan(own, { epochs: 5 }).schedule.options).toEqual({ stepSize: 0.2, gamma: 0.94 });
    expect(plan(own, { gamma: 0.5 }).schedule.options).toEqual({ stepSize: 2, gamma: 0.5 });
    expect(plan(own, { stepSize: 7 }).schedule.options).toEqual({ stepSize: 7, gamma: 0.1 });
    expect(plan(own, { schedule: "constant" }).schedule.name).toBe("constant");
    expect(describePlan(plan(own, { epochs: 5 }), 0)).toContain("(times 0.94 every 0.2 epochs)");
    expect(describePlan(plan({ every: 1, gamma: 0.9 }), 0)).toContain("(times 0.9 every epoch)");
  });

  it("without steps, where a factor of steps would do nothing", () => {
    expect(plan({}).schedule.name).toBe("constant");
    expect(() => plan({}, { gamma: 0.5 })).toThrow(/--gamma is the factor of a step, and there are no steps/);
    expect(() => plan({ milestones: [25] }, { epochs: 1, gamma: 0.5 })).toThrow(/--step-size/);
  });

  it("with rmsprop", () => {
    const own = { optimizer: "rmsprop", lr: 0.045, momentum: 0, alpha: 0.9, eps: 1 } as const;
    expect(plan(own).optimizer).toMatchObject({ name: "rmsprop", lr: 0.045, options: { alpha: 0.9, eps: 1 } });
    // Its steps do not grow with the gradient: the batch does not matter.
    expect(plan(own, { batchSize: 10 }).optimizer.lr).toBe(0.045);
    expect(plan({}, { optimizer: "rmsprop" }).optimizer).toMatchObject({
      lr: 1e-3,
      options: { alpha: 0.99, momentum: 0 },
    });
    expect(plan(own, { momentum: 0.5 }).optimizer.options.momentum).toBe(0.5);
    expect(plan(own, { batchSize: 50, optimizer: "sgd" }).optimizer).toMatchObject({ name: "sgd", lr: 0.01 });
  });
});
