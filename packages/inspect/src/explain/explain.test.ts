import { ArgumentError, type Device, DisposedError, hostTensor, relu } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { Conv2d, Flatten, Linear, MaxPool2d, Sequential } from "@ocelli/layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explaining, four, numbers, pixel, twoMaps, units, valuesOf } from "../../test/explaining.js";
import {
  activationStatistics,
  deconvolution,
  type Explainer,
  explainer,
  featureMaps,
  guidedBackpropagation,
  occlusion,
  predict,
  saliency,
} from "./index.js";

let device: Device;
beforeAll(async () => {
  device = await reference();
});
afterAll(() => device.dispose());

describe("occlusion", () => {
  /** The probability of the second class rises with the right pixel alone. */
  const right = () => {
    const model = new Sequential(new Flatten(), new Linear(6, 2, { bias: false }));
    return { model, values: valuesOf(model, { "1.weight": [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0] }) };
  };
  const images = hostTensor([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2, 1, 2, 3]);
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

  it("watches the probability while the patch moves, and says what each pixel is worth", async () => {
    await explaining(device, right(), async (asked) => {
      const seen: number[] = [];
      const onProgress = ({ done, total }: { done: number; total: number }) => seen.push(done, total);
      const found = await occlusion(asked, images, { classes: 1, size: 2, stride: 1, fill: 0, batch: 1, onProgress });
      expect(found).toMatchObject({ classes: [1, 1], tops: [0], lefts: [0, 1], size: 2 });
      expect(found.whole[0]).toBeCloseTo(logistic(2), 6);
      expect(found.map.shape).toEqual([2, 1, 2]);
      const wanted = [logistic(2), 0.5, 0.5, 0.5];
      for (const [i, value] of numbers(found.map).entries()) expect(value).toBeCloseTo(wanted[i]!, 6);
      const loss = logistic(2) - 0.5;
      const onFirst = [0, loss / 2, loss, 0, loss / 2, loss];
      for (const [i, value] of numbers(found.onImages).slice(0, 6).entries()) expect(value).toBeCloseTo(onFirst[i]!, 6);
      expect(seen).toEqual([1, 4, 2, 4, 3, 4, 4, 4]);
    });
  });

  it("gives the same in batches of any size, takes a colour, and explains what is predicted", async () => {
    await explaining(device, right(), async (asked) => {
      const [one, many] = await Promise.all(
        [2, 16].map((batch) => occlusion(asked, images, { size: 1, batch, fill: [0.75] })),
      );
      expect(one).toEqual(many);
      expect(one?.classes).toEqual([1, 0]);
      expect(one?.map.shape).toEqual([2, 2, 3]);
      expect(numbers(one!.map)[2]).toBeCloseTo(logistic(1.5), 6);
    });
  });

  it("stops when it is told to, and refuses patches that do not fit", async () => {
    await explaining(device, right(), async (asked) => {
      const controller = new AbortController();
      const onProgress = (): void => controller.abort(new Error("enough"));
      await expect(
        occlusion(asked, images, { size: 1, batch: 1, onProgress, signal: controller.signal }),
      ).rejects.toThrow("enough");
      // What comes as a task of its own is heard by those who wait for one after each batch.
      const later = new AbortController();
      setTimeout(() => later.abort(new Error("later")));
      const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
      await expect(
        occlusion(asked, images, { size: 1, batch: 1, onProgress: breathe, signal: later.signal }),
      ).rejects.toThrow("later");
      await expect(occlusion(asked, images, { size: 3 })).rejects.toThrow(
        "occlusion: size is 3; it needs a whole number from 1 to 2",
      );
      await expect(occlusion(asked, images, { fill: [0, 1] })).rejects.toThrow("one for each of 1 channels");
    });
  });
});

describe("layers", () => {
  it("projects activations back through pools by their switches", async () => {
    const model = new Sequential(new MaxPool2d({ kernelSize: 2 }), new Conv2d(1, 1, { kernelSize: 1, bias: false }));
    const image = hostTensor([0, 1, 0, 0, 0, 0, 0.5, 0], [1, 1, 2, 4]);
    await explaining(device, { model, values: valuesOf(model, { "1.weight": [3] }) }, async (asked) => {
      const found = await deconvolution(asked, image, { layer: "1", channel: 0, count: 2 });
      expect(found.map(({ row, column, activation }) => [row, column, activation])).toEqual([
        [0, 0, 3],
        [0, 1, 1.5],
      ]);
      expect(found.map(({ pixels }) => numbers(pixels))).toEqual([
        [0, 9, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 4.5, 0],
      ]);
      expect(found[0]?.pixels.shape).toEqual([1, 2, 4]);
      await expect(deconvolution(asked, image, { layer: "1", channel: 1 })).rejects.toThrow(
        "deconvolution: channel is 1; it needs a whole number from 0 to 0",
      );
    });
  });

  it("gives maps by path, in one program", async () => {
    await explaining(device, twoMaps(), async (asked) => {
      const maps = await featureMaps(asked, four, ["0", "1"]);
      expect(numbers(maps["0"])).toEqual([0, 0.25, 0.5, 1, 0, -0.5, -1, -2]);
      expect(maps["1"].shape).toEqual([1, 2]);
      await expect(featureMaps(asked, four, [])).rejects.toThrow("at least one layer");
      await expect(featureMaps(asked, four, [""])).rejects.toThrow(ArgumentError);
    });
  });

  it("counts what values they give", async () => {
    await explaining(device, twoMaps(), async (asked) => {
      const [maps, means] = await activationStatistics(asked, four, { layers: ["0", "1"], bins: 3 });
      expect(maps).toMatchObject({ path: "0", min: -2, max: 1, zeros: 2 / 8, histogram: [1, 2, 5] });
      expect(maps?.mean).toBeCloseTo(-1.75 / 8, 6);
      expect(maps?.std).toBeCloseTo(Math.sqrt(6.5625 / 8 - (1.75 / 8) ** 2), 6);
      expect(means?.histogram.reduce((sum, count) => sum + count)).toBe(2);
      expect((await activationStatistics(asked, four)).map(({ path }) => path)).toEqual(["0", "1", "2"]);
    });
  });
});

describe("an explainer", () => {
  /** The device, and how often it was asked to compile. */
  function counted(): { readonly device: Device; readonly compiled: () => number } {
    let count = 0;
    const compile: Device["compile"] = (...args) => {
      count++;
      return device.compile(...args);
    };
    const counting = new Proxy(device, {
      get: (target, name) => {
        if (name === "compile") return compile;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    return { device: counting, compiled: () => count };
  }

  it("compiles each kind of question once a shape, whatever the class", async () => {
    const { device: counting, compiled } = counted();
    const use = async (asked: Explainer): Promise<void> => {
      for (const classes of [0, 1, undefined]) await saliency(asked, pixel, { classes });
      expect(compiled()).toBe(1);
      await saliency(asked, hostTensor([0.5, 0.25], [2, 1, 1, 1]));
      await guidedBackpropagation(asked, pixel);
      expect(compiled()).toBe(3);
    };
    await explaining(counting, units(relu), use);
  });

  it("keeps as many programs as it may, and those that run", async () => {
    const { device: counting, compiled } = counted();
    const use = async (asked: Explainer): Promise<void> => {
      const both = (): Promise<unknown> => Promise.all([saliency(asked, pixel), guidedBackpropagation(asked, pixel)]);
      expect(await both()).toEqual(await both());
      const before = compiled();
      await predict(asked, pixel);
      await predict(asked, pixel);
      expect(compiled()).toBe(before + 1);
      await saliency(asked, pixel);
      expect(compiled()).toBe(before + 2);
    };
    await explaining(counting, { ...units(relu), programs: 1 }, use);
    await expect(explainer(device, { ...units(relu), programs: 0 })).rejects.toThrow(ArgumentError);
  });

  it("sees a live state as it is, and leaves it to its owner", async () => {
    const { model, values } = units(relu);
    const state = await device.createState(values);
    const asked = await explainer(device, { model, values: state });
    expect((await saliency(asked, pixel)).scores).toEqual([1]);
    await state.write({ params: { "last.weight": hostTensor([2, 4, -2, 2], [2, 2]) } });
    expect((await saliency(asked, pixel)).scores).toEqual([2]);
    asked[Symbol.dispose]();
    await expect(saliency(asked, pixel)).rejects.toThrow(DisposedError);
    expect((await state.read()).params?.["last.weight"]).toBeDefined();
    state.dispose();
  });
});
