import {
  ArgumentError,
  apply,
  broadcastTo,
  type Device,
  defineOp,
  hostTensor,
  narrow,
  recompute,
  relu,
  reshape,
} from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { Conv2d, Flatten, type Layer, LeakyReLU, Linear, ReLU, Sequential } from "@ocelli/layers";
import { normalize } from "@ocelli/training";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explaining, four, numbers, pixel, twoMaps, units } from "../../test/explaining.js";
import {
  deconvolution,
  featureMaps,
  type GradCam,
  gradCam,
  guidedBackpropagation,
  guidedGradCam,
  type ImageTransform,
  predict,
  saliency,
} from "./index.js";

let device: Device;
beforeAll(async () => {
  device = await reference();
});
afterAll(() => device.dispose());

describe("what a ReLU passes back", () => {
  it("is each method's own: active units, positive gradients of active units, positive gradients", async () => {
    await explaining(device, units(relu), async (asked) => {
      const plain = await saliency(asked, pixel, { classes: 0, signed: true });
      expect(numbers(plain.map)).toEqual([2 * 2 - 0.5 * 4]);
      expect(plain.scores).toEqual([1]);
      const guided = await guidedBackpropagation(asked, pixel, { classes: 0 });
      expect(numbers(guided.map)).toEqual([2 * 2]);
      const [projection] = await deconvolution(asked, pixel, { layer: "second", channel: 0 });
      expect(projection).toMatchObject({ image: 0, row: 0, column: 0, activation: 1 });
      expect(numbers(projection!.pixels)).toEqual([2 * 2 - 0.5 * 1]);
    });
  });

  it("is changed for modules, and inside the definition of a user's op; an op with a rule of its own keeps it", async () => {
    const guided = (between: Layer): Promise<number[]> =>
      explaining(device, units(between), async (asked) =>
        numbers((await guidedBackpropagation(asked, pixel, { classes: 0 })).map),
      );
    expect(await guided(new ReLU())).toEqual([4]);
    const hidden = defineOp({
      name: "hidden",
      infer: ([x]) => x!,
      vjp: "decompose",
      decompose: ([x]) => relu(x!),
    });
    expect(await guided((x) => apply(hidden, [x]))).toEqual([4]);
    const through = defineOp({
      name: "through",
      infer: ([x]) => x!,
      vjp: ({ dy }) => [dy],
      decompose: ([x]) => relu(x!),
    });
    // 1 and 2 meet weights 2 + 2 * 1, -0.5 - 2 * 1 and 0.5, and those the pixel's.
    expect(await guided((x) => apply(through, [x]))).toEqual([4 * 2 - 2.5 * 4 - 0.5]);
  });

  it("is changed where results are computed again, too", async () => {
    await explaining(
      device,
      units((x) => recompute(() => relu(x))),
      async (asked) => {
        expect(numbers((await guidedBackpropagation(asked, pixel, { classes: 0 })).map)).toEqual([4]);
      },
    );
  });

  it("stays as it is for activations that are no ReLU", async () => {
    await explaining(device, units(new LeakyReLU(0.1)), async (asked) => {
      const plain = await saliency(asked, pixel, { classes: 1, signed: true });
      expect(numbers((await guidedBackpropagation(asked, pixel, { classes: 1 })).map)).toEqual(numbers(plain.map));
      expect(numbers(plain.map)[0]).toBeLessThan(0);
    });
  });
});

describe("Grad-CAM", () => {
  it("weighs each channel by the mean slope, and keeps what is positive", async () => {
    await explaining(device, twoMaps(), async (asked) => {
      const first = await gradCam(asked, four, { layer: "0", classes: 0 });
      // Slopes are 4 / 4 and 1 / 4 everywhere: x - 2x / 4.
      expect(numbers(first.map)).toEqual([0, 0.125, 0.25, 0.5]);
      expect(first.onImages).toEqual(first.map);
      expect(first.layer).toBe("0");
      const second = await gradCam(asked, four, { classes: 1 });
      expect(numbers(second.map)).toEqual([0, 0, 0, 0]);
      const product = await guidedGradCam(asked, four, { classes: 0 });
      // (4 - 2) / 4 for each pixel: there is no ReLU.
      expect(numbers(product.map)).toEqual([0, 0.0625, 0.125, 0.25]);
      expect(product.map.shape).toEqual([1, 1, 2, 2]);
    });
  });

  it("lies on the images, whatever border the transform adds, cuts off, or how it resizes", async () => {
    const onImages = (transform: ImageTransform): Promise<GradCam> =>
      explaining(device, { ...twoMaps(), transform }, (asked) => gradCam(asked, four, { classes: 0 }));
    const padded = await onImages(normalize({ mean: [0], std: [0.5], pad: 1 }));
    expect(padded.map.shape).toEqual([1, 4, 4]);
    expect(padded.onImages.shape).toEqual([1, 2, 2]);
    expect(numbers(padded.onImages)).toEqual([5, 6, 9, 10].map((i) => numbers(padded.map)[i]));
    const cut = await onImages({ apply: ({ images }) => ({ images: narrow(images, 3, 1, 2) }) });
    expect(numbers(cut.onImages)).toEqual([0, 0.25, 0, 1]);
    const doubled = await onImages({
      apply: ({ images }) => ({ images: reshape(broadcastTo(images, [2, 1, 1, 2, 2]), [1, 1, 4, 2]) }),
    });
    // Each pixel is shown twice, two rows apart.
    expect(numbers(doubled.onImages)).toEqual([0, 0.0625, 0.125, 0.25]);
  });

  it("says which layers it can look at", async () => {
    await explaining(device, twoMaps(), async (asked) => {
      await expect(gradCam(asked, four, { layer: "2" })).rejects.toThrow(
        "explain: layer 2 gives float32[1, 2]; it needs a map [N, C, H, W]",
      );
      await expect(gradCam(asked, four, { layer: "3" })).rejects.toThrow('the model has no layer "3"; did you mean 0');
    });
    const flat = new Sequential(new Flatten(), new Linear(4, 2));
    await explaining(device, { model: flat, values: flat.initialState({ seed: 0 }) }, async (asked) => {
      await expect(gradCam(asked, four)).rejects.toThrow("gradCam: no layer of the model has a map");
    });
  });
});

describe("pixels and classes", () => {
  it("explains pixels from 0 to 1 before the transform, bytes and floats alike", async () => {
    const options = { ...units(relu), transform: normalize({ mean: [0.25], std: [0.5] }) };
    await explaining(device, options, async (asked) => {
      const bytes = await saliency(asked, hostTensor(Uint8Array.of(128), [1, 1, 1, 1]), { classes: 0, signed: true });
      const floats = await saliency(asked, hostTensor([128 / 255], [1, 1, 1, 1]), { classes: 0, signed: true });
      expect(numbers(bytes.map)).toEqual([2 / 0.5]);
      expect(numbers(floats.map)).toEqual(numbers(bytes.map));
      expect(bytes.scores[0]).toBeCloseTo(floats.scores[0]!, 6);
    });
  });

  it("explains the predicted class unless told otherwise, or one for each image", async () => {
    const images = hostTensor([0.5, -0.5], [2, 1, 1, 1]);
    await explaining(device, units(relu), async (asked) => {
      const best = await saliency(asked, images);
      // Of -0.5: 0, 0 and 0.5; then 0.25 and 0; then 0.25 and -0.25.
      expect(best).toMatchObject({ classes: [0, 0], scores: [1, 0.25] });
      expect(numbers(best.map)).toEqual([2, 0.5]);
      const both = await saliency(asked, images, { classes: [1, 0] });
      expect(both).toMatchObject({ classes: [1, 0], scores: [-1, 0.25] });
      const { probabilities, top } = await predict(asked, images, { top: 1 });
      expect(probabilities.shape).toEqual([2, 2]);
      expect(top.map((ranked) => ranked.map(({ index }) => index))).toEqual([[0], [0]]);
      expect(top[0]?.[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    });
  });

  it("refuses what is no class and no image", async () => {
    await explaining(device, units(relu), async (asked) => {
      await expect(saliency(asked, pixel, { classes: 2 })).rejects.toThrow(
        "class 2 is none of the model's; it has 0 to 1",
      );
      await expect(saliency(asked, pixel, { classes: -1 })).rejects.toThrow(ArgumentError);
      await expect(saliency(asked, pixel, { classes: [0, 1] })).rejects.toThrow("there are 2 classes for 1 images");
      await expect(saliency(asked, hostTensor([0.5], [1, 1, 1]))).rejects.toThrow(
        "the images are float32[1, 1, 1]; it needs uint8 or float32 [N, C, H, W]",
      );
    });
    const maps = new Sequential(new Conv2d(1, 1, { kernelSize: 1 }));
    await explaining(device, { model: maps, values: maps.initialState({ seed: 0 }) }, async (asked) => {
      await expect(saliency(asked, pixel)).rejects.toThrow("a class needs logits [N, classes] to be explained");
      expect((await featureMaps(asked, pixel, ["0"]))["0"].shape).toEqual([1, 1, 1, 1]);
    });
  });
});
