import { crossEntropyPerSample, type StateDict, type Tensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { compose, randomHorizontalFlip } from "./augment/index.js";
import { digits } from "./data/index.js";
import { fit } from "./fit.js";
import { sgd } from "./optim/index.js";
import { cachedFeatures, layerPatterns, whyNotCached } from "./transfer.js";
import { normalize } from "./transform.js";

const train = digits({ split: "train", count: 60 });
const test = digits({ split: "test", count: 25 });
const transform = normalize({ mean: [0.2], std: [0.4] });

const network = (...before: readonly Dropout[]) =>
  new Sequential(
    new Conv2d(1, 4, { kernelSize: 5, stride: 3 }),
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Flatten(),
    ...before,
    new Linear(64, 10),
  );
const freeze = ["0.*", "1.*"];

describe("features kept of a frozen network", () => {
  it("train the head as the whole network does, in a whole checkpoint", async () => {
    await using device = await reference();
    const model = network();
    const values = model.initialState({ seed: 1 });
    const options = { model, freeze, transform, train, test };
    const run = async (changes: object): Promise<{ saved: StateDict; accuracy: number | null }> => {
      using state = await device.createState(values);
      const { testAccuracy } = await fit<Tensor>({
        ...options,
        device,
        state,
        epochs: 3,
        batchSize: 20,
        optimizer: sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-3 }),
        lossPerSample: crossEntropyPerSample,
        seed: 4,
        ...changes,
      });
      return { saved: await state.read(), accuracy: testAccuracy };
    };
    const seen: number[] = [];
    const cached = await cachedFeatures({
      ...options,
      device,
      values,
      batchSize: 16,
      onProgress: ({ done, images }) => seen.push(done / images),
    });
    expect(seen).toHaveLength(6);
    expect(seen.at(-1)).toBe(1);
    const [whole, alone] = [await run({}), await run(cached)];
    expect(alone.accuracy).toBe(whole.accuracy);
    for (const collection of ["params", "buffers", "optimizer"]) {
      const [expected, got] = [whole.saved[collection] ?? {}, alone.saved[collection] ?? {}];
      expect(Object.keys(got)).toEqual(Object.keys(expected));
      for (const [name, value] of Object.entries(expected)) {
        const numbers = toNumbers(got[name] as typeof value);
        // Features are kept in float32, the network of the reference runs in float64.
        for (const [i, x] of toNumbers(value).entries())
          expect(Math.abs((numbers[i] as number) - x)).toBeLessThan(1e-5);
      }
    }
    const start = toNumbers((values.params as StateDict[string])["5.weight"] as never);
    expect(toNumbers((alone.saved.params as StateDict[string])["5.weight"] as never)).not.toEqual(start);
  });

  it("are cut further out where something stands behind what is trained", () => {
    // As in SqueezeNet: the last convolution is followed by pooling.
    const first = new Sequential(new Conv2d(1, 2, { kernelSize: 5, stride: 4 }), new ReLU());
    const last = new Sequential(new Dropout(), new Conv2d(2, 10, { kernelSize: 1 }), new GlobalAvgPool());
    const model = new Sequential(first, last);
    expect(whyNotCached({ model, freeze: ["0.*"], transform, train })).toBeUndefined();
  });

  it("draw the same dropout in what is trained, and keep maps", async () => {
    await using device = await reference();
    const first = new Sequential(new Conv2d(1, 2, { kernelSize: 5, stride: 4 }), new ReLU());
    const last = new Sequential(new Conv2d(2, 3, { kernelSize: 3 }), new Dropout(), new Flatten(), new Linear(48, 10));
    const model = new Sequential(first, last);
    const values = model.initialState({ seed: 1 });
    const options = { model, freeze: ["0.*"], transform, train, device };
    const losses = async (changes: object): Promise<number[]> => {
      using state = await device.createState(values);
      const { progress } = await fit<Tensor>({
        ...options,
        state,
        epochs: 2,
        batchSize: 20,
        optimizer: sgd({ lr: 0.1 }),
        lossPerSample: crossEntropyPerSample,
        ...changes,
      });
      return progress.history.map(({ trainLoss }) => trainLoss);
    };
    const alone = await losses(await cachedFeatures({ ...options, values }));
    for (const [i, loss] of (await losses({})).entries()) expect(alone[i]).toBeCloseTo(loss, 5);
  });

  it("stops when told to", async () => {
    await using device = await reference();
    const model = network();
    const stop = new AbortController();
    const asked = cachedFeatures({
      model,
      freeze,
      transform,
      train,
      device,
      values: model.initialState({ seed: 0 }),
      batchSize: 10,
      onProgress: () => stop.abort(new Error("enough")),
      signal: stop.signal,
    });
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("features are not kept", () => {
  const why = (changes: Partial<Parameters<typeof whyNotCached>[0]>) =>
    whyNotCached({ model: network(), freeze, transform, train, ...changes });

  it("where they would not stay the same", () => {
    expect(why({})).toBeUndefined();
    expect(why({ freeze: ["0.*"] })).toBe("no one module holds all that is trained (1.weight ...)");
    expect(why({ freeze: [...freeze, "5.bias"] })).toBeUndefined();
    expect(why({ model: network(new Dropout()) })).toBe("chance has a part in what 6 is given");
    expect(why({ transform: compose(randomHorizontalFlip(), transform) })).toMatch(/^chance/);
  });

  it("where a batch-norm goes by each batch for want of running statistics", () => {
    const norm = new BatchNorm2d(1, { trackRunningStats: false });
    const model = new Sequential(norm, new Flatten(), new Linear(784, 10));
    expect(why({ model, freeze: ["0.*"] })).toBe("0 keeps no running statistics: what it gives depends on the batch");
  });

  it("while statistics run that no parameter freezes", () => {
    const model = new Sequential(new BatchNorm2d(1, { affine: false }), new Flatten(), new Linear(784, 10));
    expect(why({ model, freeze: [] })).toBe("buffers/0.running_mean changes with every batch");
    expect(why({ model, freeze: ["0.*"] })).toBeUndefined();
  });

  it("where the trained part is not the end, or there are too many", () => {
    const maps = new Sequential(new Conv2d(1, 10, { kernelSize: 3 }), new GlobalAvgPool(), new Flatten());
    expect(why({ model: maps, freeze: [] })).toBe("the model's output is not that of 0 alone");
    expect(why({ train: { ...train, count: 1e7 } })).toBe("10000000 times 64 features are too much to keep");
  });
});

describe("layers by name", () => {
  it("are what Sequentials hold; norms belong to what they follow", () => {
    expect(layerPatterns(network())).toEqual([["0.*", "1.*"], ["5.*"]]);
    const nested = new Sequential(network(), new BatchNorm2d(3), new Linear(10, 2));
    expect(layerPatterns(nested)).toEqual([["0.0.*", "0.1.*"], ["0.5.*", "1.*"], ["2.*"]]);
    expect(layerPatterns(new Linear(3, 2))).toEqual([["weight", "bias"]]);
  });
});
