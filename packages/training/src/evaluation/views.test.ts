import { readFileSync } from "node:fs";
import { constant, hostTensor, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate, reference } from "@ocelli/core/reference";
import { AdaptiveAvgPool2d, type Context, Conv2d, Flatten, Linear, Module, Sequential } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import {
  centerView,
  compose,
  evaluator,
  fiveCropViews,
  makeViews,
  multiScaleViews,
  normalize,
  predictor,
  randomCrop,
  randomHorizontalFlip,
  type Transform,
  tenCropViews,
  type Views,
  views,
} from "../index.js";
import { resized } from "./resize.js";

// Made by fixtures/views.py with PyTorch.
const fixture = JSON.parse(readFileSync(new URL("../../fixtures/views.json", import.meta.url), "utf8")) as {
  shape: number[];
  images: number[];
  cases: { size: [number, number]; values: number[] }[];
};

const valuesOf = (tensor: Tensor): number[] => [...(evaluate([tensor], new Map())[0] as Float64Array)];

const shape = [2, 1, 4, 5];
const pixels = Uint8Array.from({ length: 40 }, (_, i) => i * 6);
const images = constant(hostTensor(pixels, shape));

/** One crop of both images, by hand. */
function crop(top: number, left: number, [h, w]: [number, number], mirrored = false): number[] {
  const columns = Array.from({ length: w }, (_, x) => left + (mirrored ? w - 1 - x : x));
  const rows = Array.from({ length: h }, (_, y) => top + y);
  return [0, 1].flatMap((n) => rows.flatMap((y) => columns.map((x) => pixels[n * 20 + y * 5 + x] as number)));
}

describe("views", () => {
  it("center is the middle, halves to the even side", () => {
    const [view] = centerView({ size: [2, 3] }).apply(images) as [Tensor];
    expect(view.shape).toEqual([2, 1, 2, 3]);
    expect(view.dtype).toBe("uint8");
    expect(valuesOf(view)).toEqual(crop(1, 1, [2, 3]));
  });

  it("fiveCrop is the corners and the middle", () => {
    const [view] = fiveCropViews({ size: [2, 3] }).apply(images) as [Tensor];
    expect(view.shape).toEqual([10, 1, 2, 3]);
    const corners: [number, number][] = [
      [0, 0],
      [0, 2],
      [2, 0],
      [2, 2],
      [1, 1],
    ];
    expect(valuesOf(view)).toEqual(corners.flatMap(([top, left]) => crop(top, left, [2, 3])));
    const [ten] = tenCropViews({ size: [2, 3] }).apply(images) as [Tensor];
    expect(valuesOf(ten).slice(0, 60)).toEqual(valuesOf(view));
    expect(valuesOf(ten).slice(60)).toEqual(corners.flatMap(([top, left]) => crop(top, left, [2, 3], true)));
  });

  it("multiScale is the whole image at each size, and mirrored", () => {
    const stacks = multiScaleViews({ sizes: [4, 8] }).apply(images);
    expect(stacks.map((stack) => stack.shape)).toEqual([
      [4, 1, 4, 5],
      [4, 1, 8, 10],
    ]);
    const large = resized(
      constant(
        hostTensor(
          Array.from(pixels, (pixel) => pixel / 255),
          shape,
        ),
      ),
      [8, 10],
    );
    for (const [i, value] of valuesOf(large).entries()) expect(valuesOf(stacks[1] as Tensor)[i]).toBeCloseTo(value, 6);
    expect(multiScaleViews({ sizes: [8], flip: false }).apply(images)[0]?.shape).toEqual([2, 1, 8, 10]);
  });

  it.each(fixture.cases)("resizes to $size as PyTorch does", ({ size, values }) => {
    const result = valuesOf(resized(constant(hostTensor(fixture.images, fixture.shape)), size));
    expect(result).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs((result[i] as number) - value)).toBeLessThan(1e-6);
  });

  it.each([
    centerView({ size: 3 }),
    fiveCropViews({ size: [2, 4] }),
    tenCropViews({ size: 2 }),
    multiScaleViews({ sizes: [4, 6], flip: false }),
  ])("$name comes back from its name and options", (given) => {
    const again = makeViews(JSON.parse(JSON.stringify(given)));
    expect([again.name, again.options]).toEqual([given.name, given.options]);
    expect(again.apply(images).map(valuesOf)).toEqual(given.apply(images).map(valuesOf));
    expect(Object.keys(views)).toContain(given.name);
  });

  it.each([
    [() => tenCropViews({ size: 0 }), "tenCropViews: size is 0; it needs a whole number"],
    [() => centerView({} as never), "centerView: size is undefined"],
    [() => multiScaleViews({ sizes: [] }), "multiScaleViews: sizes are []"],
    [() => multiScaleViews({ sizes: [224, -1] }), "multiScaleViews: size 1 is -1"],
    [() => multiScaleViews({ sizes: [3], flip: 1 as never }), "flip is 1"],
    [() => makeViews({ name: "tencrop", options: {} }), 'views: "tencrop" is unknown; did you mean tenCrop?'],
    [() => tenCropViews({ size: 5 }).apply(images), "tenCropViews: images of 4x5 hold no crop of 5x5"],
  ])("%#: %s", (make, message) => {
    expect(make).toThrow(message);
  });
});

class Net extends Module {
  readonly layers: Sequential;
  constructor(pooled: boolean) {
    super();
    const head = pooled
      ? [new AdaptiveAvgPool2d(1), new Flatten(), new Linear(3, 4)]
      : [new Flatten(), new Linear(36, 4)];
    this.layers = new Sequential(new Conv2d(1, 3, { kernelSize: 2 }), ...head);
  }
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.call(this.layers, x);
  }
}

describe("prediction with views", () => {
  const transform = normalize({ mean: [0.4], std: [0.2] });
  const host = hostTensor(pixels, shape);

  /** Mean of the probabilities of each view, one after another. */
  async function byHand(given: Views, model: Net): Promise<number[]> {
    await using device = await reference();
    using predict = await predictor(device, model.initialState({ seed: 3 }), { model, transform });
    const means = new Array<number>(8).fill(0);
    let count = 0;
    for (const stack of given.apply(images)) {
      const dtype = stack.dtype === "uint8" ? "uint8" : "float32";
      const all = toNumbers(await predict(hostTensor(valuesOf(stack), stack.shape, dtype)));
      for (const [i, value] of all.entries()) means[i % 8] = (means[i % 8] as number) + value;
      count += all.length / 8;
    }
    return means.map((sum) => sum / count);
  }

  it.each([tenCropViews({ size: [3, 4] }), multiScaleViews({ sizes: [4, 6] }), centerView({ size: 3 })])(
    "$name is the mean of the views' probabilities",
    async (given) => {
      const model = new Net(true);
      const expected = await byHand(given, model);
      await using device = await reference();
      const values = model.initialState({ seed: 3 });
      using predict = await predictor(device, values, { model, transform, views: given });
      const got = toNumbers(await predict(host));
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 6);
      using state = await device.createState(values);
      const labels = hostTensor(Int32Array.of(2, 1));
      const run = evaluator(device, state, { model, transform, views: given });
      const { loss, count } = await run([{ images: host, labels }]);
      const [first, second] = [expected[2] as number, expected[4 + 1] as number];
      expect(loss).toBeCloseTo(-(Math.log(first) + Math.log(second)) / 2, 5);
      expect(count).toBe(2);
    },
  );

  it.each([tenCropViews({ size: [3, 4] }), multiScaleViews({ sizes: [6] })])(
    "$name goes through a training's transform without its crops",
    async (given) => {
      await using device = await reference();
      const model = new Net(true);
      const values = model.initialState({ seed: 3 });
      const probabilities = async (made: Transform): Promise<number[]> => {
        using predict = await predictor(device, values, { model, transform: made, views: given });
        return [...toNumbers(await predict(host))];
      };
      const trained = compose(randomCrop({ size: [4, 5], padding: 1 }), randomHorizontalFlip(), transform);
      expect(await probabilities(trained)).toEqual(await probabilities(transform));
    },
  );

  it("says which models take any size", async () => {
    await using device = await reference();
    const model = new Net(false);
    const given = multiScaleViews({ sizes: [6] });
    using predict = await predictor(device, model.initialState({ seed: 1 }), { model, transform, views: given });
    await expect(predict(host)).rejects.toThrow(
      /^views: the model does not take images of 6x8, which the views multiScale show it\. Only networks that end in global pooling/,
    );
  });
});
