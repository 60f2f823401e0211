import { hostTensor, type Tensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  Flatten,
  GlobalAvgPool,
  Linear,
  Module,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { digits, ensemble, evaluateProbe, featuresOf, linearProbe, loader, normalize, predictor } from "../index.js";

class Net extends Module {
  readonly features = new Sequential(new Conv2d(1, 5, { kernelSize: 5, stride: 3 }), new BatchNorm2d(5), new ReLU());
  readonly pool = new GlobalAvgPool();
  readonly unused = new Flatten();
  readonly fc = new Linear(5, 10);
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.features, this.pool, this.fc);
  }
}

const transform = normalize({ mean: [0.13], std: [0.3] });
const data = digits({ split: "test", count: 21 });
const batches = () => loader(data, { batchSize: 8 }).epoch(0);

describe("featuresOf", () => {
  it("gives what a layer gives or is given, a row for each image", async () => {
    await using device = await reference();
    const model = new Net();
    const values = model.initialState({ seed: 1 });
    const given = { model, transform };
    const logits = await featuresOf(device, values, batches(), given);
    using predict = await predictor(device, values, { model, transform, output: "logits" });
    expect([...logits.labels]).toEqual([...data.labels]);
    expect(logits.features.shape).toEqual([21, 10]);
    const expected = toNumbers(await predict(hostTensor(data.images, [21, 1, 28, 28])));
    for (const [i, value] of expected.entries()) expect(logits.features.data[i]).toBeCloseTo(value, 5);

    const pooled = await featuresOf(device, values, batches(), { ...given, layer: "fc", take: "input" });
    expect(pooled.features.shape).toEqual([21, 5]);
    // Maps are averaged over their positions, which is what this network's pooling does.
    const maps = await featuresOf(device, values, batches(), { ...given, layer: "features.2" });
    expect(maps.features.shape).toEqual([21, 5]);
    for (const [i, value] of pooled.features.data.entries())
      expect(maps.features.data[i]).toBeCloseTo(value as number, 5);
  });

  it("says what is wrong", async () => {
    await using device = await reference();
    const model = new Net();
    const values = model.initialState({ seed: 1 });
    const from = (layer: string) => featuresOf(device, values, batches(), { model, transform, layer });
    await expect(from("feature.2")).rejects.toThrow('the model has no layer "feature.2"; did you mean features.2');
    await expect(from("unused")).rejects.toThrow("unused is not used in evaluation");
    await expect(featuresOf(device, values, [], { model })).rejects.toThrow("there are no images");
    const odd = { model, layer: "fc", take: "both" as never };
    await expect(featuresOf(device, values, batches(), odd)).rejects.toThrow("take is both");
  });
});

describe("linearProbe", () => {
  it("finds classes that a line tells apart, on features of any scale", async () => {
    await using device = await reference({ precision: "float32" });
    const count = 90;
    const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
    // Two features of very different sizes, and one that never changes.
    const rows = [...labels].flatMap((label, i) => [
      1000 + 50 * label + (i % 7),
      0.001 * (label === 1 ? 1 : -1) + 0.0001 * (i % 5),
      7,
    ]);
    const features = hostTensor(rows, [count, 3]);
    const probe = await linearProbe(device, { features, labels }, { classes: 3, epochs: 60, batchSize: 30, lr: 0.05 });
    const result = await evaluateProbe(device, probe, { features, labels });
    expect(result.accuracy).toBe(1);
    expect(result.loss).toBeLessThan(0.2);
    const again = await linearProbe(device, { features, labels }, { classes: 3, epochs: 60, batchSize: 30, lr: 0.05 });
    expect(again.values).toEqual(probe.values);
  });

  it("takes pixels", async () => {
    await using device = await reference({ precision: "float32" });
    const train = digits({ split: "train", count: 100 });
    const features = hostTensor(train.images, [100, 1, 28, 28]);
    const epochs: number[] = [];
    const probe = await linearProbe(
      device,
      { features, labels: train.labels },
      { classes: 10, epochs: 8, batchSize: 50, lr: 0.01, onProgress: (epoch) => epochs.push(epoch) },
    );
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const { accuracy } = await evaluateProbe(device, probe, { features, labels: train.labels });
    expect(accuracy).toBeGreaterThan(0.8);
  });

  it("says what is wrong", async () => {
    await using device = await reference();
    const features = hostTensor([1, 2, 3, 4], [2, 2]);
    const probe = (labels: number[], options: object) =>
      linearProbe(device, { features, labels }, { classes: 2, ...options });
    await expect(probe([1], {})).rejects.toThrow("features are [2, 2], and there are 1 labels");
    await expect(probe([0, 1], { epochs: 0 })).rejects.toThrow("epochs is 0; it needs a whole number, 1 or more");
    await expect(probe([0, 2], {})).rejects.toThrow("label 2 of row 1 is outside the 2 classes");
    await expect(probe([0, 1], { classes: 2.5 })).rejects.toThrow("classes is 2.5");
    await expect(probe([0, 1], { lr: 1e38, epochs: 30 })).rejects.toThrow("is not finite");
    await expect(probe([0, 1], { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

describe("ensemble", () => {
  it("predicts the mean of its members' probabilities", async () => {
    await using device = await reference();
    const model = new Net();
    const members = [1, 2, 3].map((seed) => ({ model, transform, values: model.initialState({ seed }) }));
    const images = hostTensor(data.images, [21, 1, 28, 28]);
    const sums = new Float64Array(210);
    for (const { values } of members) {
      using predict = await predictor(device, values, { model, transform });
      for (const [i, value] of toNumbers(await predict(images)).entries()) sums[i] = (sums[i] as number) + value / 3;
    }
    using together = await ensemble(device, members);
    const mean = await together(images);
    expect(mean.shape).toEqual([21, 10]);
    for (const [i, value] of sums.entries()) expect(mean.data[i]).toBeCloseTo(value, 6);
  });

  it("needs members of the same classes", async () => {
    await using device = await reference();
    await expect(ensemble(device, [])).rejects.toThrow("there are no members");
    const model = new Net();
    class Other extends Net {
      override readonly fc = new Linear(5, 3);
    }
    const other = new Other();
    const odd = [model, other].map((one) => ({ model: one, transform, values: one.initialState({ seed: 1 }) }));
    using together = await ensemble(device, odd);
    await expect(together(hostTensor(data.images, [21, 1, 28, 28]))).rejects.toThrow(
      "the members give probabilities of [21, 10] and [21, 3]; they need the same classes",
    );
  });
});
