import { hostTensor, type Tensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { type Context, Flatten, Linear, Module, Sequential } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { confusionMatrix, crossEntropyLoss, evaluator, normalize, predictor, scoreProbabilities } from "./index.js";

class Net extends Module {
  readonly layers = new Sequential(new Flatten(), new Linear(4, 7));
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.call(this.layers, x);
  }
}

const transform = normalize({ mean: [0.5], std: [0.5] });
const images = Uint8Array.from({ length: 10 * 4 }, (_, i) => (i * 91) % 256);
const labels = Int32Array.from({ length: 10 }, (_, i) => (i * 3) % 7);

function batches(size: number) {
  const out = [];
  for (let from = 0; from < 10; from += size) {
    const to = Math.min(10, from + size);
    out.push({
      images: hostTensor(images.slice(from * 4, to * 4), [to - from, 1, 2, 2]),
      labels: hostTensor(labels.slice(from, to)),
    });
  }
  return out;
}

describe("evaluator", () => {
  it("gives the same for any batch size: what fills the last batch is not counted", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 1 });
    const whole = await evaluator(device, state, { model, transform })(batches(10));
    for (const size of [1, 3, 4, 9]) {
      const parts = await evaluator(device, state, { model, transform })(batches(size));
      expect(parts.count).toBe(10);
      expect(parts.accuracy).toBeCloseTo(whole.accuracy, 6);
      expect(parts.top5).toBeCloseTo(whole.top5, 6);
      expect(parts.loss).toBeCloseTo(whole.loss, 6);
    }
  });

  it("takes batches that grow, as where pictures at the beginning cannot be read", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 1 });
    const evaluate = evaluator(device, state, { model, transform });
    const whole = await evaluate(batches(10));
    const [first, second, third] = batches(4);
    const grown = await evaluate([third, first, second] as never);
    expect(grown.accuracy).toBe(whole.accuracy);
    expect(grown.loss).toBeCloseTo(whole.loss, 12);
  });

  it("counts class weights as they would without what fills up a batch", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 1 });
    const { perSample } = crossEntropyLoss({ classWeights: [1, 2, 3, 4, 5, 6, 7] });
    const run = evaluator(device, state, { model, transform, lossPerSample: perSample });
    const [first, second] = batches(8);
    const [whole, rest] = [await run([first] as never), await run([second] as never)];
    const both = await run([first, second] as never);
    expect(both.loss).toBeCloseTo((8 * whole.loss + 2 * rest.loss) / 10, 12);
  });

  it("hands back each sample, and the confusion matrix", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 2 });
    using predict = await predictor(device, state, { model, transform });
    const probabilities = toNumbers(await predict(hostTensor(images, [10, 1, 2, 2])));
    const indices = Int32Array.from({ length: 10 }, (_, i) => 9 - i);
    const given = batches(4).map((batch, i) => ({ ...batch, indices: indices.slice(4 * i, 4 * i + 4) }));
    const result = await evaluator(device, state, { model, transform, samples: true })(given);
    const { samples, confusion, classes } = result;
    expect([...(samples?.indices ?? [])]).toEqual([...indices]);
    expect([...(samples?.labels ?? [])]).toEqual([...labels]);
    for (const [i, value] of probabilities.entries()) expect(samples?.probabilities[i]).toBeCloseTo(value, 6);
    for (const [i, label] of labels.entries()) {
      const row = [...probabilities.subarray(7 * i, 7 * i + 7)];
      expect(samples?.predicted[i]).toBe(row.indexOf(Math.max(...row)));
      expect(samples?.losses[i]).toBeCloseTo(-Math.log(row[label] as number), 5);
    }
    expect(classes).toBe(7);
    expect([...confusion]).toEqual([...confusionMatrix(labels, samples?.predicted ?? [], 7)]);
    const plain = await evaluator(device, state, { model, transform })(given);
    expect(plain.samples).toBeUndefined();
    expect(plain.confusion).toEqual(confusion);
    const scored = scoreProbabilities(await predict(hostTensor(images, [10, 1, 2, 2])), labels);
    expect(scored).toMatchObject({ accuracy: plain.accuracy, top5: plain.top5, count: 10, finite: 10, confusion });
    expect(scored.loss).toBeCloseTo(plain.loss, 6);
  });

  it("takes probabilities that float32 cannot hold for no hits", () => {
    const probabilities = Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0);
    const top5 = (label: number): number => scoreProbabilities(hostTensor(probabilities, [1, 9]), [label]).top5;
    expect([0, 1, 2, 4, 5, 8].map(top5)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it("gives its programs back when it is disposed", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 2 });
    const evaluate = evaluator(device, state, { model, transform });
    await evaluate(batches(4));
    evaluate[Symbol.dispose]();
    await expect(evaluate(batches(4))).rejects.toThrow(/the program was disposed/);
  });

  it("agrees with the predictor's logits counted by hand", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 2 });
    using predict = await predictor(device, state, { model, transform, output: "logits" });
    const logits = toNumbers(await predict(hostTensor(images, [10, 1, 2, 2])));
    let right = 0;
    let among = 0;
    for (let n = 0; n < 10; n++) {
      const row = [...logits.subarray(n * 7, n * 7 + 7)];
      const above = row.filter((value) => value > (row[labels[n] as number] as number)).length;
      right += above === 0 ? 1 : 0;
      among += above < 5 ? 1 : 0;
    }
    const { accuracy, top5 } = await evaluator(device, state, { model, transform })(batches(4));
    expect([accuracy, top5]).toEqual([right / 10, among / 10]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "counts no hit among logits with %f, and tells of them",
    async (odd) => {
      await using device = await reference();
      const model = new Net();
      using state = await device.init(model, { seed: 2 });
      const weight = new Float32Array(28);
      // Class 3 alone, whatever the image; every label is class 0, which argmax picks among equals.
      const bias = Float32Array.from({ length: 7 }, (_, i) => (i === 3 ? odd : 0));
      const params = { "layers.1.weight": hostTensor(weight, [7, 4]), "layers.1.bias": hostTensor(bias) };
      await state.write({ params });
      const zeros = batches(4).map((batch) => ({
        ...batch,
        labels: { ...batch.labels, data: batch.labels.data.map(() => 0) },
      }));
      const { accuracy, top5, finite, count, loss } = await evaluator(device, state, { model, transform })(
        zeros as never,
      );
      expect([accuracy, top5, finite, count]).toEqual([0, 0, 0, 10]);
      expect(loss).toBeNaN();
      await state.write({ params: { ...params, "layers.1.bias": hostTensor(new Float32Array(7)) } });
      const plain = await evaluator(device, state, { model, transform })(zeros as never);
      expect(plain).toMatchObject({ accuracy: 1, top5: 1, finite: 10 });
    },
  );

  it("says so when there is nothing to evaluate, or a label is no class", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model);
    const evaluate = evaluator(device, state, { model, transform });
    await expect(evaluate([])).rejects.toThrow("there are no samples");
    const [batch] = batches(2);
    const odd = { ...batch, labels: hostTensor(Int32Array.of(0, 7)) };
    await expect(evaluate([odd as never])).rejects.toThrow("label 7 of sample 1 is outside the 7 classes");
  });
});

describe("predictor", () => {
  it("keeps the copy it was made of, and adds up to 1", async () => {
    await using device = await reference();
    const model = new Net();
    using state = await device.init(model, { seed: 2 });
    using predict = await predictor(device, state, { model, transform });
    const one = hostTensor(images.slice(0, 4), [1, 1, 2, 2]);
    const before = toNumbers(await predict(one));
    await state.write({ params: { "layers.1.weight": hostTensor(new Float32Array(28), [7, 4]) } });
    expect([...toNumbers(await predict(one))]).toEqual([...before]);
    expect(before.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
  });

  it("says what is wrong with images that are no host tensor", async () => {
    await using device = await reference();
    const model = new Net();
    using predict = await predictor(device, model.initialState({ seed: 1 }), { model, transform });
    await expect(predict(new Float32Array(4) as never)).rejects.toThrow(
      "predictor: the images are a Float32Array; it needs a host tensor, hostTensor(data, [N, C, H, W])",
    );
    await expect(predict(undefined as never)).rejects.toThrow("the images are undefined; it needs a host tensor");
  });

  it("names the outputs of a model without logits, and how such a model runs", async () => {
    class Maps extends Module<Tensor, { readonly low: Tensor; readonly high: Tensor }> {
      override forward(x: Tensor) {
        return { low: x, high: x };
      }
    }
    await using device = await reference();
    const model = new Maps();
    // @ts-expect-error: it returns no logits
    using predict = await predictor(device, model.initialState({ seed: 1 }), { model });
    await expect(predict(hostTensor(new Float32Array(4), [1, 1, 2, 2]))).rejects.toThrow(
      /^predictor: the model returned a record of low, high; it needs logits.*device\.compile\(modelProgram\(/,
    );
  });
});
