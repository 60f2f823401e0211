import { type HostTensor, hostTensor, item, type StateDict, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { batchOf, counting, fixtures, initialValues, optionsOf, range, train, withStep } from "../../test/steps.js";
import { adam, averagedValues, clipNorm, clipValue, ema, sgd, stepStatistics, swa } from "../index.js";

function expectClose(
  values: Readonly<Record<string, HostTensor>>,
  expected: Readonly<Record<string, readonly number[]>>,
) {
  for (const [name, numbers] of Object.entries(expected)) {
    const got = toNumbers(values[name] as HostTensor);
    expect(got).toHaveLength(numbers.length);
    for (const [i, number] of numbers.entries())
      expect(Math.abs((got[i] as number) - number), `${name}[${i}]`).toBeLessThan(
        1e-5 * Math.max(0.1, Math.abs(number)),
      );
  }
}

describe("a step trains as PyTorch does", () => {
  for (const { calls, losses, state: expected, averages, ...options } of fixtures) {
    it(JSON.stringify(options), async () => {
      await using device = await reference();
      await withStep(device, optionsOf({ calls, losses, state: expected, ...options }), async ({ step, state }) => {
        const got = await train(step, range(0, calls));
        for (const [i, loss] of losses.entries()) expect(got[i]).toBeCloseTo(loss, 6);
        const { params, buffers, ema } = await state.read();
        expectClose({ ...params, ...buffers }, expected);
        expect(ema === undefined).toBe(averages === undefined);
        if (averages !== undefined) expectClose(ema ?? {}, averages);
      });
    });
  }
});

describe("what varies from step to step", () => {
  it("compiles nothing: learning rates, clipping, averages", async () => {
    await using inner = await reference();
    const counter = counting(inner);
    const options = {
      optimizer: adam({ lr: 0.01, amsgrad: true }),
      clip: clipNorm(0.1),
      average: swa({ start: 2, every: 2 }),
    };
    await withStep(counter.device, options, async ({ step, state }) => {
      const params = async (): Promise<unknown> => (await state.read(["params"])).params;
      for (let i = 0; i < 6; i++) await step(batchOf(i), { lr: 0.01 / (i + 1) });
      expect(counter.compiled).toBe(1);
      const before = await params();
      await step(batchOf(6), { lr: 0 });
      expect(await params()).toEqual(before);
      await step(batchOf(7), { lr: 1 });
      expect(await params()).not.toEqual(before);
      expect(counter.compiled).toBe(1);
    });
  });

  it("is two programs with accumulation, and one more where statistics are asked for", async () => {
    await using inner = await reference();
    const counter = counting(inner);
    await withStep(counter.device, { accumulate: 3 }, async ({ step }) => {
      await train(step, range(0, 9));
      expect(counter.compiled).toBe(2);
      for (let i = 9; i < 15; i++) await step(batchOf(i), i % 3 === 2 ? { statistics: stepStatistics() } : {});
      expect(counter.compiled).toBe(3);
    });
  });
});

describe("a step's programs", () => {
  it("go back to the device when it is disposed", async () => {
    await using device = await reference();
    await withStep(device, {}, async ({ step }) => {
      const program = await step.program(batchOf(0));
      const { loss } = await step(batchOf(0));
      step[Symbol.dispose]();
      await expect(loss.read()).resolves.toBeDefined();
      await expect(program.run({})).rejects.toThrow(/the program was disposed/);
    });
  });
});

describe("accumulation", () => {
  it("goes on in the middle of a step, to the same bits", async () => {
    await using device = await reference({ precision: "float32" });
    const options = { optimizer: adam({ lr: 0.01 }), accumulate: 3, average: ema({ decay: 0.5 }), clip: clipNorm(0.2) };
    const straight = await withStep(device, options, async ({ step, state }) => {
      await train(step, range(0, 8));
      return state.read();
    });
    for (const stop of [1, 2, 3, 4, 7]) {
      const values = await withStep(device, options, async ({ step, state }) => {
        await train(step, range(0, stop));
        return state.read();
      });
      const resumed = await withStep(device, { ...options, values, startStep: stop }, async ({ step, state }) => {
        await train(step, range(stop, 8));
        expect(step.count).toBe(8);
        return state.read();
      });
      expect(resumed).toEqual(straight);
    }
  });

  it("changes no parameter in between, and has nothing left after a step", async () => {
    await using device = await reference();
    await withStep(device, { accumulate: 2 }, async ({ step, state, model }) => {
      await train(step, [0]);
      const { params, accumulators = {}, buffers } = await state.read();
      expect(params).toEqual(initialValues(model).params);
      expect(buffers?.["1.num_batches_tracked"]?.data[0]).toBe(1);
      expect(Object.values(accumulators).every(({ data }) => data.some((value) => value !== 0))).toBe(true);
      await train(step, [1]);
      const after = await state.read(["accumulators"]);
      expect(Object.values(after.accumulators ?? {}).every(({ data }) => data.every((value) => value === 0))).toBe(
        true,
      );
    });
  });

  it("with a loss scale passes over a step in which one batch is not finite, and over that batch's statistics", async () => {
    await using device = await reference({ precision: "float32" });
    const wild = Number.POSITIVE_INFINITY;
    const options = { accumulate: 3, lossScale: { initial: 64, interval: 2 } };
    for (const bad of [0, 1, 2]) {
      await withStep(device, options, async ({ step, state }) => {
        const before = await state.read(["params"]);
        for (let i = 0; i < 3; i++) {
          const { skipped } = await step(batchOf(i, i === bad ? wild : undefined));
          expect(item(await (skipped as NonNullable<typeof skipped>).read())).toBe(i === bad || i === 2 ? 1 : 0);
          const { accumulators = {} } = await state.read(["accumulators"]);
          expect(Object.values(accumulators).every(({ data }) => data.every(Number.isFinite))).toBe(true);
        }
        const { params, buffers, lossScale } = await state.read();
        expect(params).toEqual(before.params);
        expect(buffers?.["1.num_batches_tracked"]?.data[0]).toBe(2);
        expect(buffers?.["1.running_var"]?.data.every(Number.isFinite)).toBe(true);
        expect([lossScale?.scale, lossScale?.skipped].map((value) => item(value as HostTensor))).toEqual([32, 0]);
        await train(step, range(3, 6));
        expect((await state.read(["params"])).params).not.toEqual(before.params);
      });
    }
  });

  it("takes the steps in the order of the calls, awaited or not", async () => {
    await using device = await reference();
    const run = (together: boolean): Promise<StateDict> =>
      withStep(device, { accumulate: 2 }, async ({ step, state }) => {
        if (together) await Promise.all(range(0, 5).map((i) => step(batchOf(i))));
        else await train(step, range(0, 5));
        return state.read();
      });
    expect(await run(true)).toEqual(await run(false));
  });
});

describe("clipping", () => {
  it.each([clipNorm(0.05), clipValue(0.01)])("bounds the gradients without their scale: $name", async (clip) => {
    await using device = await reference();
    const outcome = (lossScale?: number): Promise<StateDict> =>
      withStep(device, { clip, lossScale }, async ({ step, state }) => {
        await train(step, range(0, 4));
        return state.read(["params", "optimizer"]);
      });
    const plain = await outcome();
    expect(await outcome(2 ** 20)).toEqual(plain);
    const unclipped = await withStep(device, {}, async ({ step, state }) => {
      await train(step, range(0, 4));
      return state.read(["params", "optimizer"]);
    });
    expect(unclipped).not.toEqual(plain);
  });

  it("by norm reports what the norm was", async () => {
    await using device = await reference();
    const norms = (max: number): Promise<number> =>
      withStep(device, { clip: clipNorm({ max }), optimizer: sgd({ lr: 1 }) }, async ({ step, state }) => {
        const before = (await state.read(["params"])).params ?? {};
        const { gradientNorm } = await step(batchOf(0));
        const after = (await state.read(["params"])).params ?? {};
        const moved = Object.entries(before).flatMap(([name, { data }]) =>
          Array.from(data, (value, i) => value - ((after[name] as HostTensor).data[i] as number)),
        );
        const norm = item(await (gradientNorm as NonNullable<typeof gradientNorm>).read());
        // Both ends of the difference are read as float32.
        expect(Math.hypot(...moved)).toBeCloseTo(Math.min(max, norm), 6);
        return norm;
      });
    expect(await norms(1e6)).toBe(await norms(1e-3));
  });
});

describe("averages", () => {
  it("stand in the model's place, beside counts and what was frozen", async () => {
    await using device = await reference();
    const options = { average: ema({ decay: 0.9 }), freeze: ["3.bias"] };
    await withStep(device, options, async ({ step, state }) => {
      await train(step, range(0, 3));
      const values = await state.read();
      const { params = {}, buffers = {}, ...rest } = averagedValues(values);
      expect(rest).toEqual({});
      expect(Object.keys(params)).toEqual(Object.keys(values.params ?? {}));
      expect(params["0.weight"]).toEqual(values.ema?.["0.weight"]);
      expect(params["0.weight"]).not.toEqual(values.params?.["0.weight"]);
      expect(params["3.bias"]).toEqual(values.params?.["3.bias"]);
      expect(buffers["1.running_var"]).toEqual(values.ema?.["1.running_var"]);
      expect(buffers["1.num_batches_tracked"]).toEqual(values.buffers?.["1.num_batches_tracked"]);
      expect(() => averagedValues({ params })).toThrow(/no collection ema; train it with the option average/);
    });
  });

  it("of one step are its parameters, exactly", async () => {
    await using device = await reference({ precision: "float32" });
    await withStep(device, { average: swa({ start: 2, every: 100 }) }, async ({ step, state }) => {
      await train(step, [0]);
      const first = await state.read();
      // Before its start the average follows.
      expect(averagedValues(first).params).toEqual(first.params);
      await train(step, [1]);
      const { params } = await state.read(["params"]);
      await train(step, range(2, 5));
      expect(averagedValues(await state.read()).params).toEqual(params);
    });
  });

  it("warm up", () => {
    const { weight } = ema({ decay: 0.99, warmup: true });
    expect(weight(1)).toBeCloseTo(9 / 11, 12);
    expect(weight(1e6)).toBeCloseTo(0.01, 12);
    expect(range(1, 9).map(swa({ start: 3, every: 2 }).weight)).toEqual([1, 1, 1, 0, 1 / 2, 0, 1 / 3, 0]);
  });
});

describe("soft labels", () => {
  it("are judged by their largest share", async () => {
    await using device = await reference();
    const soft = hostTensor([0.1, 0.7, 0.2, 0.6, 0.3, 0.1, 0.2, 0.2, 0.6, 1, 0, 0, 0, 0, 1, 0, 1, 0], [6, 3]);
    const hard = hostTensor(Int32Array.of(1, 0, 2, 0, 2, 1));
    const accuracy = (labels: HostTensor): Promise<number> =>
      withStep(device, {}, async ({ step }) => {
        const { accuracy } = await step({ ...batchOf(0), labels });
        return item(await (accuracy as NonNullable<typeof accuracy>).read());
      });
    expect(await accuracy(soft)).toBe(await accuracy(hard));
    expect(await accuracy(soft)).toBeGreaterThan(0);
  });
});

describe("bad options", () => {
  it.each<[object, RegExp]>([
    [{ accumulate: 0 }, /trainStep: accumulate is 0; it needs a whole number of batches, 1 or more/],
    [{ accumulate: 1.5 }, /accumulate is 1.5/],
    [{ startStep: Number.NaN }, /trainStep: startStep is NaN; it needs an integer >= 0/],
    [{ startStep: -1 }, /startStep is -1/],
    [{ optimizer: "sgd" }, /trainStep: optimizer needs a value made by a function: sgd\(\{ lr: 0.1 \}\)/],
    [{ loss: undefined }, /trainStep: loss is undefined; it needs a function of output and labels/],
    [{ clip: 5 }, /trainStep: clip needs a value made by a function: clipNorm\(1\)/],
    [{ average: "ema" }, /trainStep: average needs a value made by a function: ema\(\{ decay: 0.999 \}\)/],
    [{ freeze: "0.*" }, /freeze: "0.\*" is no list of patterns/],
    [
      { freeze: ["0.wieght"] },
      /freeze: "0.wieght" fits no name of the model, such as 0.weight; \* stands for anything/,
    ],
    [{ freeze: ["features.*"] }, /"features.\*" fits no name of the model, such as 0.weight/],
    [{ freeze: ["*"] }, /freeze is \["\*"\], which leaves nothing to train/],
  ])("are named: %o", async (options, message) => {
    await using device = await reference();
    await expect(withStep(device, options, async () => undefined)).rejects.toThrow(message);
  });

  it("of a call are named", async () => {
    await using device = await reference();
    await withStep(device, {}, async ({ step, state }) => {
      await expect(step(batchOf(0), { statistics: true as never })).rejects.toThrow(
        /trainStep: statistics needs a value made by a function: stepStatistics\(\)/,
      );
      for (const lr of [Number.NaN, Number.POSITIVE_INFINITY, -1])
        await expect(step(batchOf(0), { lr })).rejects.toThrow(`trainStep: lr is ${lr}; it needs a finite number >= 0`);
      await expect(step({ images: batchOf(0).images } as never)).rejects.toThrow(/the batch lacks images or labels/);
      expect(step.count).toBe(0);
      await step(batchOf(0));
      expect(step.count).toBe(1);
      // Nor is it taken for the program without them, now that there is one.
      await expect(step(batchOf(0), { statistics: true as never })).rejects.toThrow(/stepStatistics\(\)/);
      expect(state.has("optimizer")).toBe(true);
    });
  });

  it("of the parts are named by the functions that make them", () => {
    expect(() => clipNorm(0)).toThrow(/clipNorm: max is 0; it needs a finite number above 0/);
    expect(() => clipValue({ max: Number.NaN })).toThrow(/clipValue: max is NaN/);
    expect(() => ema({ decay: 1 })).toThrow(/ema: decay is 1; it needs a number in 0..1/);
    expect(() => swa({ start: 0 })).toThrow(/swa: start is 0; it needs a whole number of steps/);
    expect(() => stepStatistics({ parameters: false, activations: false })).toThrow(/neither parameters nor/);
  });
});
