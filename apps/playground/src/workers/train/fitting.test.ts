import { imageDataset } from "@ocelli/training";
import { describe, expect, it } from "vitest";
import { cleanName, freeName } from "../../store/data.js";
import { fitted, leastSide } from "./fitting.js";
import { pictureOf, scaledPicture } from "./pictures.js";
import { resized } from "./resize.js";

describe("a network for some data", () => {
  it("stays as it is where it fits, its border counted", () => {
    const spec = { kind: "zoo", name: "lenet5" } as const;
    expect(fitted(spec, [1, 28, 28], 10)).toMatchObject({ spec, adaptations: [] });
  });

  it("is adapted, and says how", () => {
    const { spec, built, adaptations } = fitted({ kind: "zoo", name: "resnet18" }, [1, 28, 28], 10);
    expect(spec).toEqual({ kind: "zoo", name: "resnet18", numClasses: 10, inChannels: 1, inputSize: 28 });
    expect(built.input).toEqual([1, 28, 28]);
    expect(adaptations).toEqual([
      "10 classes instead of 1000",
      "grey images instead of 3 channels",
      "images of 28 x 28 pixels instead of 224 x 224",
    ]);
  });

  it("says what it would take when images are too small", () => {
    const spec = { kind: "zoo", name: "alexnet" } as const;
    expect(() => fitted(spec, [1, 28, 28], 10)).toThrow(/these are 1 x 28 x 28 in 10 classes.*the least is 63x63/s);
    expect(leastSide(spec, 1)).toBe(63);
    expect(fitted(spec, [1, 63, 63], 10).built.input).toEqual([1, 63, 63]);
  });
});

it("scales images: constant ones stay, ramps stay ramps", () => {
  const images = Uint8Array.from([10, 10, 10, 10, 0, 100, 0, 100]);
  const data = imageDataset({
    name: "two",
    images,
    labels: Uint8Array.of(0, 1),
    shape: [1, 2, 2],
    classes: ["a", "b"],
  });
  const { images: large, shape, count } = resized(data, 4);
  expect([shape, count]).toEqual([[1, 4, 4], 2]);
  expect([...large.subarray(0, 16)]).toEqual(Array<number>(16).fill(10));
  expect([...large.subarray(16, 20)]).toEqual([0, 25, 75, 100]);
  expect(resized(data, 2)).toBe(data);
});

it("makes pictures of planes and of numbers", () => {
  const planes = [1, 2, 3, 4, 5, 6];
  expect([...pictureOf(planes, [3, 1, 2]).rgba]).toEqual([1, 3, 5, 255, 2, 4, 6, 255]);
  expect([...pictureOf(planes, [1, 1, 2]).rgba]).toEqual([1, 1, 1, 255, 2, 2, 2, 255]);
  expect([...scaledPicture(Float32Array.of(-1, 0, 1), [1, 1, 3], [-1, 1]).rgba].filter((_, i) => i % 4 === 0)).toEqual([
    0, 128, 255,
  ]);
});

it("names sets so that any system takes them, and no two alike", () => {
  expect(cleanName(" my/pets:*  2024. ")).toBe("my pets 2024");
  expect(cleanName("///")).toBe("pictures");
  expect(freeName("pets", ["pets", "pets 2"])).toBe("pets 3");
});
