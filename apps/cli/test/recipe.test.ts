import { augmentPresets, makeOptimizer, makeSchedule } from "@ocelli/training";
import { modelEntry, modelNames, type Recipe, recipes } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { planTraining, type RecipeFlags } from "../src/recipe.js";
import { describePlan } from "../src/recipe-text.js";

const sgd = { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 } } as const;
const recipe: Recipe = {
  batchSize: 100,
  epochs: 50,
  optimizer: sgd,
  schedule: { name: "constant", options: {} },
  source: "this test",
};
const plan = (own: Partial<Recipe>, flags: RecipeFlags = {}) =>
  planTraining({ ...recipe, ...own }, flags, { images: 1000 });
const nesterov = { ...sgd, options: { ...sgd.options, nesterov: true } } as const;
const rmsprop = { name: "rmsprop", options: { lr: 0.045, alpha: 0.9, eps: 1 } } as const;
const milestones = (epochs: readonly number[]) =>
  ({ name: "multiStep", options: { milestones: epochs, gamma: 0.1 } }) as const;

describe("a recipe", () => {
  it("with Nesterov's momentum", () => {
    const made = plan({ optimizer: nesterov });
    expect(made.optimizer.options).toMatchObject({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: true });
    expect(describePlan(made, 0)).toMatch(/^sgd, learning rate 0\.1, Nesterov momentum 0\.9, weight decay/);
    // Without momentum there is nothing to look ahead along; another optimizer has its own.
    expect(plan({ optimizer: nesterov }, { momentum: 0 }).optimizer.options.nesterov).toBe(false);
    expect(plan({ optimizer: nesterov }, { optimizer: "adam" }).optimizer.name).toBe("adam");
  });

  it("with a rate that falls every so many epochs, in proportion to their number", () => {
    const own = { schedule: { name: "step", options: { stepSize: 2, gamma: 0.94 } } };
    expect(plan(own).schedule).toMatchObject({ name: "step", options: { stepSize: 2, gamma: 0.94 } });
    expect(plan(own, { epochs: 5 }).schedule.options).toEqual({ stepSize: 0.2, gamma: 0.94 });
    expect(plan(own, { gamma: 0.5 }).schedule.options).toEqual({ stepSize: 2, gamma: 0.5 });
    expect(plan(own, { stepSize: 7 }).schedule.options).toEqual({ stepSize: 7, gamma: 0.1 });
    expect(plan(own, { schedule: "constant" }).schedule.name).toBe("constant");
    expect(describePlan(plan(own, { epochs: 5 }), 0)).toContain("(times 0.94 every 0.2 epochs)");
    expect(describePlan(plan(own, { stepSize: 1, gamma: 0.9 }), 0)).toContain("(times 0.9 every epoch)");
  });

  it("with milestones, of which a short run has fewer", () => {
    const own = { schedule: milestones([20, 40]) };
    expect(plan(own, { epochs: 10 }).schedule.options.milestones).toEqual([4, 8]);
    expect(plan(own, { epochs: 2 }).schedule.options.milestones).toEqual([1]);
    expect(plan(own, { epochs: 1 }).schedule.name).toBe("constant");
    expect(plan(own, { milestones: [3] }).schedule).toEqual(milestones([3]));
  });

  it("that waits for a plateau, less long in a shorter run", () => {
    const own = { schedule: { name: "plateau", options: { monitor: "error", factor: 0.1, patience: 5 } } };
    expect(plan(own).schedule.options).toMatchObject({ monitor: "error", factor: 0.1, patience: 5 });
    expect(plan(own, { epochs: 20 }).schedule.options.patience).toBe(2);
    expect(plan(own, { epochs: 1 }).schedule.options.patience).toBe(1);
    expect(plan(own, { patience: 7, gamma: 0.5 }).schedule.options).toMatchObject({ patience: 7, factor: 0.5 });
    expect(describePlan(plan(own), 0)).toContain("(times 0.1 when 5 epochs bring nothing better)");
    expect(describePlan(plan(own, { epochs: 1 }), 0)).toContain("(times 0.1 when an epoch brings nothing better)");
  });

  it("of schedules multiplied, each in proportion", () => {
    const schedules = [{ name: "multiStep", options: { milestones: [1], gamma: 10 } }, milestones([20, 40])];
    const own = { schedule: { name: "product", options: { schedules } } };
    const made = plan(own, { epochs: 5, warmup: 1 });
    expect(makeSchedule(made.schedule).factor({ epoch: 2.5, epochs: 5, batches: 1, history: [] })).toBeCloseTo(1);
    expect(describePlan(made, 0)).toContain(
      "(rising during the first epoch; times 10 after epoch 1, times 0.1 after epochs 2 and 4)",
    );
  });

  it("without steps, where a factor of steps would do nothing", () => {
    expect(plan({}).schedule.name).toBe("constant");
    expect(() => plan({}, { gamma: 0.5 })).toThrow(/--gamma is the factor of a step, and there are no steps/);
    expect(() => plan({ schedule: milestones([25]) }, { epochs: 1, gamma: 0.5 })).toThrow(/--step-size/);
  });

  it("with rmsprop", () => {
    const own = { optimizer: rmsprop };
    expect(plan(own).optimizer).toMatchObject({ name: "rmsprop", options: { lr: 0.045, alpha: 0.9, eps: 1 } });
    // Its steps do not grow with the gradient: the batch does not matter.
    expect(plan(own, { batchSize: 10 }).optimizer.options.lr).toBe(0.045);
    expect(plan({}, { optimizer: "rmsprop" }).optimizer.options).toMatchObject({ lr: 1e-3, alpha: 0.99, momentum: 0 });
    expect(plan(own, { momentum: 0.5 }).optimizer.options.momentum).toBe(0.5);
    expect(plan(own, { batchSize: 50, optimizer: "sgd" }).optimizer).toMatchObject({
      name: "sgd",
      options: { lr: 0.01 },
    });
  });

  it("whose rate grows with the images of a step, however they are divided", () => {
    expect(plan({}, { batchSize: 50 }).optimizer.options.lr).toBe(0.05);
    expect(plan({}, { batchSize: 25, accumulate: 4 }).optimizer.options.lr).toBe(0.1);
    expect(plan({}, { accumulate: 4 })).toMatchObject({ batchSize: 25, accumulate: 4, optimizer: sgd });
    expect(describePlan(plan({}, { accumulate: 4 }), 3)).toContain("50 epochs, batches of 4 times 25, seed 3");
    expect(describePlan(plan({}, { accumulate: 4 }), 0, recipe)).not.toContain("was scaled");
  });

  it("without decay of biases and norms, and with lower rates towards the input", () => {
    const layers = [["conv1.*"], ["conv2.*"], ["fc.*"]];
    const flags = { decay: "weights", layerDecay: 0.5 } as const;
    const { optimizer } = planTraining(recipe, flags, { images: 1000, layers });
    expect(optimizer.options.groups).toMatchObject([
      { match: ["conv1.*"], vectors: true, lrFactor: 0.25, options: { weightDecay: 0 } },
      { match: ["conv1.*"], vectors: false, lrFactor: 0.25 },
      { match: ["conv2.*"], vectors: true, lrFactor: 0.5 },
      { match: ["conv2.*"], vectors: false, lrFactor: 0.5 },
      { vectors: true, lrFactor: 1, options: { weightDecay: 0 } },
    ]);
    expect(makeOptimizer(optimizer).lr).toBe(0.1);
    const words = describePlan({ ...plan({}), optimizer }, 0);
    expect(words).toMatch(/weight decay 0\.0001 \(not of biases and norms\), lower rates .* \(down to times 0\.25\)/);
    expect(plan({ noDecay: true }).optimizer.name).toBe("grouped");
    expect(plan({ noDecay: true }, { decay: "all" }).optimizer.name).toBe("sgd");
  });

  it("with clipping, averages and smoothed labels, its own or the user's", () => {
    const own = { labelSmoothing: 0.1, clip: { name: "clipNorm", options: { max: 2 } } };
    expect(plan(own)).toMatchObject({ clip: own.clip, loss: { options: { labelSmoothing: 0.1 } } });
    expect(plan(own, { labelSmoothing: 0 }).loss).toBeUndefined();
    expect(plan({}, { swa: 20, accumulate: 2 }).average).toEqual({ name: "swa", options: { start: 200, every: 10 } });
    expect(plan(own, { clipValue: 1 }).clip).toEqual({ name: "clipValue", options: { max: 1 } });
    const words = describePlan(plan(own, { ema: 0.99 }), 0).split("\n")[1];
    expect(words).toBe(
      "label smoothing 0.1, gradients clipped at norm 2, running average of the parameters (decay 0.99)",
    );
  });

  const wrong: readonly (readonly [flags: RecipeFlags, message: RegExp])[] = [
    [{ optimizer: "nadam", momentum: 0.5 }, /--momentum is an option of sgd, rmsprop and lars; nadam has none/],
    [{ schedule: "cosine", stepSize: 3 }, /--schedule cosine does not take --step-size$/],
    [{ schedule: "plateau", milestones: [1] }, /does not take --milestones; it takes --patience and --gamma/],
    [{ schedule: "multi-step" }, /--schedule multi-step needs --milestones, the epochs after which/],
    [{ schedule: "cyclic" }, /needs --step-size, the number of epochs up/],
    [{ stepSize: 3, patience: 2 }, /--schedule step does not take --patience/],
    [{ clipNorm: 1, clipValue: 1 }, /--clip-norm and --clip-value/],
    [{ ema: 0.9, swa: 1 }, /--ema and --swa/],
    [{ warmup: 4, epochs: 4 }, /--warmup 4: the run ends after 4 epochs/],
    [{ swa: 50 }, /the run ends after 50 epochs/],
  ];
  it.each(wrong)("refuses %j", (flags, message) => {
    expect(() => plan({}, flags)).toThrow(message);
  });
});

describe("the papers' recipes", () => {
  it.each(Object.entries(recipes))("%s can be trained with, and told", (_, own: Recipe) => {
    const made = planTraining(own, {}, { images: 1_281_167 });
    if (own.augment !== undefined) expect(Object.keys(augmentPresets)).toContain(own.augment);
    expect(made).toMatchObject({ epochs: own.epochs, batchSize: own.batchSize, schedule: { name: own.schedule.name } });
    expect(describePlan(made, 0, own)).not.toMatch(/scaled|undefined|NaN/);
    // Short runs keep the shape.
    expect(makeSchedule(planTraining(own, { epochs: 3 }, { images: 10 }).schedule)).toBeDefined();
  });

  it("are those of all models", () => {
    const known: readonly Recipe[] = Object.values(recipes);
    expect(modelNames.filter((name) => !known.includes(modelEntry(name).recipe))).toEqual([]);
  });
});
