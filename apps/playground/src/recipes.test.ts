import { makeSchedule } from "@ocelli/training";
import { modelEntry, modelNames } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { optimizerFor, proposal } from "./recipes.js";

describe("a proposal", () => {
  it("takes a network's own recipe where that fits", () => {
    const { training } = proposal({ entry: modelEntry("lenet5_modern"), channels: 1, images: 6000 });
    expect(training).toMatchObject({
      epochs: 5,
      batchSize: 64,
      augment: "plain",
      optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9 } },
      schedule: { name: "multiStep", options: { milestones: [3, 4] } },
    });
  });

  it("keeps proportions where it is shortened", () => {
    const { training, source } = proposal({ entry: modelEntry("resnet20_cifar"), channels: 3, images: 50_000 });
    const own = modelEntry("resnet20_cifar").recipe;
    expect(training.batchSize).toBe(64);
    expect(training.optimizer.options.lr).toBeCloseTo((own.optimizer.options.lr * 64) / own.batchSize, 6);
    expect(training.augment).toBe(own.augment);
    expect(source).toContain(`${training.epochs} epochs instead of ${own.epochs}`);
    const half = makeSchedule(training.schedule).factor({ epoch: 12, epochs: 20, batches: 10, history: [] });
    const whole = makeSchedule(own.schedule as never);
    expect(half).toBeCloseTo(
      whole.factor({ epoch: 0.6 * own.epochs, epochs: own.epochs, batches: 10, history: [] }),
      9,
    );
  });

  it("follows the reader's batch and epochs", () => {
    const context = { entry: modelEntry("lenet5_modern"), channels: 1, images: 6000 };
    const { training } = proposal({ ...context, epochs: 10, batchSize: 32 });
    expect(training.schedule.options.milestones).toEqual([6, 8]);
    expect(training.optimizer.options.lr).toBeCloseTo(0.01, 12);
  });

  it("keeps the average of the weights that a paper judges by", () => {
    const entry = modelEntry("inception_v3");
    const { training } = proposal({ entry, channels: 3, images: 1000 });
    expect(training.average).toEqual(entry.recipe.average);
    expect(training.average).toMatchObject({ name: "ema", options: { warmup: true } });
  });

  it("makes small batches of few images", () => {
    expect(proposal({ entry: undefined, channels: 3, images: 40 }).training.batchSize).toBe(8);
    expect(proposal({ entry: undefined, channels: 3, images: 3 }).training.batchSize).toBe(3);
  });

  it("goes through few images often", () => {
    const { training } = proposal({ entry: modelEntry("lenet5_modern"), channels: 3, images: 17 });
    expect(training).toMatchObject({ batchSize: 8, epochs: 100 });
    expect(training.epochs * Math.floor(17 / 8)).toBeGreaterThan(150);
  });

  it("can be trained with, whatever the network", () => {
    for (const name of modelNames) {
      const { training } = proposal({ entry: modelEntry(name), channels: 3, images: 1000 });
      expect(optimizerFor(training).lr, name).toBeGreaterThan(0);
      expect(makeSchedule(training.schedule).name).toBe(training.schedule.name);
      expect(training.loss !== undefined && modelEntry(name).ownLoss !== undefined, name).toBe(false);
    }
  });
});
