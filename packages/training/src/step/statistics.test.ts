import { crossEntropy, type Device, gradients, hostTensor, type Tensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { type Context, Linear, Module, ReLU, Sequential, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { batchOf, initialValues, withStep } from "../../test/steps.js";
import { clipNorm, sgd, stepStatistics, trainStep } from "../index.js";

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** Gradients, and what the modules return, for the first batch. */
async function passes(device: Device, model: Module): Promise<{ grads: Float64Array[]; outputs: Float64Array[] }> {
  const { images, labels } = batchOf(0);
  const names = [...model.parameters().keys()];
  using state = await device.createState(initialValues(model));
  const program = await device.compile({
    inputs: { images: { shape: images.shape, dtype: "float32" }, labels: { shape: labels.shape, dtype: "int32" } },
    state: model.stateSpecs(),
    build: ({ images, labels }, state) => {
      const taps: Tensor[] = [];
      const { output } = traceModule(model, images as Tensor, {
        state,
        training: true,
        taps: ({ output }) => void taps.push(output as Tensor),
      });
      const params = names.map((name) => state[`params/${name}`] as Tensor);
      const grads = gradients(crossEntropy(output, labels as Tensor), params);
      return { outputs: Object.fromEntries([...grads, ...taps].map((tensor, i) => [i, tensor])) };
    },
  });
  const handles = await program.run({ images, labels }, state);
  const values = await Promise.all(Object.values(handles).map(async (handle) => toNumbers(await handle.read())));
  return { grads: values.slice(0, names.length), outputs: values.slice(names.length) };
}

describe("statistics", () => {
  it("are the norms of gradients, parameters and updates, and figures of what modules return", async () => {
    await using device = await reference();
    await withStep(device, { clip: clipNorm(0.1) }, async ({ step, state, model }) => {
      const initial = initialValues(model);
      const { statistics } = await step(batchOf(0), { statistics: stepStatistics() });
      const { parameters, activations } = await (statistics as NonNullable<typeof statistics>).rows();
      expect(statistics?.spec).toEqual({ shape: [10, 3], dtype: "float32" });
      const after = await state.read(["params"]);
      expect(parameters.map(({ name }) => name)).toEqual([...model.parameters().keys()]);
      const wanted = await passes(device, model);
      for (const [i, { name, gradient, norm: size, update }] of parameters.entries()) {
        const before = initial.params?.[name]?.data as Float32Array;
        const moved = before.map((value, k) => (after.params?.[name]?.data[k] as number) - value);
        expect(gradient).toBeCloseTo(norm(wanted.grads[i] as Float64Array), 6);
        expect(size).toBeCloseTo(norm(before), 6);
        expect(update).toBeCloseTo(norm(moved) / norm(before), 6);
      }
      expect(activations.map(({ path }) => path)).toEqual(["0", "1", "2", "3"]);
      for (const [i, { mean, std, zeros }] of activations.entries()) {
        const values = Array.from(wanted.outputs[i] as Float64Array);
        const average = values.reduce((a, b) => a + b, 0) / values.length;
        expect(mean).toBeCloseTo(average, 5);
        expect(std).toBeCloseTo(Math.sqrt(values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length), 5);
        expect(zeros).toBeCloseTo(values.filter((x) => x === 0).length / values.length, 6);
      }
      expect(activations[2]?.zeros).toBeGreaterThan(0.2);
    });
  });

  it("change nothing, and cost nothing where they are not asked for", async () => {
    await using device = await reference({ precision: "float32" });
    const run = (every: number) =>
      withStep(device, {}, async ({ step, state }) => {
        const plain = (await step.program(batchOf(0))).stats;
        for (let i = 0; i < 4; i++) {
          const result = await step(batchOf(i), i % every === 0 ? { statistics: stepStatistics() } : {});
          expect("statistics" in result).toBe(i % every === 0);
        }
        expect((await step.program(batchOf(0))).stats).toBe(plain);
        return state.read();
      });
    expect(await run(2)).toEqual(await run(100));
  });

  it("of a batch that is only added up report no change; of the step's last, the mean gradient", async () => {
    await using device = await reference();
    const measured = await withStep(device, { accumulate: 2 }, async ({ step }) => {
      const rows = async (i: number) => {
        const { statistics } = await step(batchOf(i), { statistics: stepStatistics({ activations: false }) });
        return (await (statistics as NonNullable<typeof statistics>).rows()).parameters;
      };
      return [await rows(0), await rows(0)];
    });
    const [first = [], second = []] = measured;
    expect(first.every(({ update }) => update === 0)).toBe(true);
    // Batch-norm takes away what the first bias adds.
    for (const { name, update } of second) if (name !== "0.bias") expect(update, name).toBeGreaterThan(1e-4);
    // The same batch twice.
    for (const [i, { gradient }] of first.entries()) expect(second[i]?.gradient).toBeCloseTo(gradient, 6);
  });

  it("survive parameters of zeros", async () => {
    await using device = await reference();
    await withStep(device, {}, async ({ step, state }) => {
      await state.write({ params: { "3.bias": hostTensor(new Float32Array(3)) } });
      const { statistics } = await step(batchOf(0), { statistics: stepStatistics() });
      const { parameters } = await (statistics as NonNullable<typeof statistics>).rows();
      expect(parameters.at(-1)).toMatchObject({ name: "3.bias", norm: 0, update: 0 });
    });
  });

  it("number the calls of a module that is called twice, and list once what a container hands on", async () => {
    class Twice extends Module {
      readonly inner = new Sequential(new Linear(5, 5), new ReLU());
      readonly head = new Linear(5, 3);
      override forward(x: Tensor, ctx: Context): Tensor {
        return ctx.chain(x, this.inner, this.inner, this.head);
      }
    }
    await using device = await reference();
    const model = new Twice();
    using state = await device.init(model, { seed: 1 });
    const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.1 }) });
    const { statistics } = await step(batchOf(0), { statistics: stepStatistics({ parameters: false }) });
    const { parameters, activations } = await (statistics as NonNullable<typeof statistics>).rows();
    expect(parameters).toEqual([]);
    expect(activations.map(({ path }) => path)).toEqual(["inner.0", "inner.1", "inner.0#2", "inner.1#2", "head"]);
  });
});
