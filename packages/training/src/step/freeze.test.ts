import { crossEntropy, type HostTensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { batchOf, initialValues, range, train, withStep } from "../../test/steps.js";
import { adam, ema, sgd, trainStep } from "../index.js";

const momentum = sgd({ lr: 0.1, momentum: 0.9 });

describe("freeze", () => {
  it("leaves parameters and their statistics as they are, without slots, sums, averages or a backward pass", async () => {
    await using device = await reference();
    const options = { freeze: ["0.*", "1.*"], accumulate: 2, average: ema({ decay: 0.5 }), optimizer: momentum };
    await withStep(device, options, async ({ step, state, model }) => {
      const frozen = (await step.program(batchOf(0))).stats.nodes;
      await train(step, range(0, 4));
      const { params = {}, buffers, optimizer = {}, accumulators = {}, ema: averages = {} } = await state.read();
      const initial = initialValues(model);
      for (const [name, value] of Object.entries(params)) {
        const before = expect(value, name);
        if (name.startsWith("3.")) before.not.toEqual(initial.params?.[name]);
        else before.toEqual(initial.params?.[name]);
      }
      expect(buffers).toEqual(initial.buffers);
      expect(Object.keys(optimizer)).toEqual(["3.weight.momentum_buffer", "3.bias.momentum_buffer"]);
      expect(Object.keys(accumulators)).toEqual(["3.weight", "3.bias"]);
      expect(Object.keys(averages)).toEqual(["3.weight", "3.bias", "1.running_mean", "1.running_var"]);
      const all = await withStep(device, { accumulate: 2 }, async ({ step }) => step.program(batchOf(0)));
      expect(frozen).toBeLessThan(0.8 * all.stats.nodes);
    });
  });

  it("of statistics alone lets scale and shift learn", async () => {
    await using device = await reference();
    await withStep(device, { freeze: ["*.running_*"] }, async ({ step, state, model }) => {
      await train(step, range(0, 2));
      const { params, buffers } = await state.read();
      const initial = initialValues(model);
      expect(buffers).toEqual(initial.buffers);
      expect(params?.["1.weight"]).not.toEqual(initial.params?.["1.weight"]);
    });
  });

  it("ends where another step thaws: slots of what was frozen start afresh, the others go on", async () => {
    await using device = await reference();
    await withStep(device, { freeze: ["0.*"], optimizer: momentum }, async ({ step, state, model }) => {
      await train(step, [0]);
      const before = (await state.read(["optimizer"])).optimizer ?? {};
      const thawed = trainStep(device, state, { model, loss: crossEntropy, optimizer: momentum, startStep: 1 });
      await thawed(batchOf(1), { lr: 0 });
      const { optimizer = {} } = await state.read(["optimizer"]);
      expect(Object.keys(optimizer)).toHaveLength(6);
      expect(optimizer["0.weight.momentum_buffer"]?.data.some((value) => value !== 0)).toBe(true);
      const [was, is] = [before, optimizer].map((slots) => slots["3.bias.momentum_buffer"] as HostTensor);
      expect(is?.data).not.toEqual(was?.data);
      expect(is?.data).toHaveLength(3);
    });
  });

  it("does not hide that a state's slots are another optimizer's", async () => {
    await using device = await reference();
    await withStep(device, { optimizer: momentum }, async ({ step, state, model }) => {
      await train(step, [0]);
      const other = trainStep(device, state, { model, loss: crossEntropy, optimizer: adam() });
      await expect(other(batchOf(1))).rejects.toThrow(
        /lacks 12 of the program's entries:\n {2}optimizer\/0.weight.exp_sum/,
      );
    });
  });
});
