import { summary } from "@ocelli/inspect";
import { describe, expect, it } from "vitest";
import { createModel, leastInputSize } from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

/** Calls of the network's own layers, without what is inside them. */
const outline = (calls: ReturnType<typeof callsOf>) => calls.filter(([path]) => path !== "" && !path.includes("."));

describe("nin_cifar10", () => {
  it("halves the map twice and averages what is left", () => {
    expect(outline(callsOf(createModel("nin_cifar10"), [3, 32, 32]))).toEqual([
      ["mlpconv1", [96, 32, 32]],
      ["pool1", [96, 16, 16]],
      ["drop1", [96, 16, 16]],
      ["mlpconv2", [192, 16, 16]],
      ["pool2", [192, 8, 8]],
      ["drop2", [192, 8, 8]],
      ["mlpconv3", [10, 8, 8]],
      ["pool3", [10]],
    ]);
  });

  it("has 222,486,528 multiply-adds", () => {
    const first = 32 ** 2 * (75 * 192 + 192 * 160 + 160 * 96);
    const second = 16 ** 2 * (2400 * 192 + 2 * 192 ** 2);
    const third = 8 ** 2 * (1728 * 192 + 192 ** 2 + 1920);
    expect(first + second + third).toBe(222_486_528);
    expect(summary(createModel("nin_cifar10"), [3, 32, 32]).totals.macs).toBe(first + second + third);
  });
});

describe("nin_imagenet", () => {
  it("has the maps of Caffe's poolings: 54, 27, 13 and 6 pixels", () => {
    expect(outline(callsOf(createModel("nin_imagenet"), [3, 224, 224]))).toEqual([
      ["mlpconv1", [96, 54, 54]],
      ["pool1", [96, 27, 27]],
      ["mlpconv2", [256, 27, 27]],
      ["pool2", [256, 13, 13]],
      ["mlpconv3", [384, 13, 13]],
      ["pool3", [384, 6, 6]],
      ["drop3", [384, 6, 6]],
      ["mlpconv4", [1000, 6, 6]],
      ["pool4", [1000]],
    ]);
  });

  it("has multiply-adds by its layers", () => {
    const macs =
      54 ** 2 * (363 * 96 + 2 * 96 ** 2) +
      27 ** 2 * (2400 * 256 + 2 * 256 ** 2) +
      13 ** 2 * (2304 * 384 + 2 * 384 ** 2) +
      6 ** 2 * (3456 * 1024 + 1024 ** 2 + 1024 * 1000);
    expect(summary(createModel("nin_imagenet"), [3, 224, 224]).totals.macs).toBe(macs);
  });

  it("starts each layer with the deviation of the authors' file", () => {
    const { mlpconv1, mlpconv2, mlpconv3, mlpconv4 } = createModel("nin_imagenet");
    const deviations = [mlpconv1, mlpconv2, mlpconv3, mlpconv4].map(({ conv, cccp1, cccp2 }) =>
      [conv, cccp1, cccp2].map(({ weight }) => Math.round(100 * startOf(weight))),
    );
    expect(deviations).toEqual([
      [1, 5, 5],
      [5, 5, 5],
      [1, 5, 5],
      [5, 5, 1],
    ]);
  });
});

describe("options", () => {
  it.each([
    ["nin_cifar10", 20],
    ["nin_imagenet", 100],
  ] as const)("%s: channels, classes, sizes", (name, inputSize) => {
    expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize })).toEqual([2, 7]);
  });

  it("nin_imagenet refuses images that its first kernel does not fit, cifar's takes any", () => {
    expect(leastInputSize("nin_cifar10")).toBeLessThan(8);
    expect(() => createModel("nin_imagenet", { inputSize: 10 })).toThrow(/too small; the least is .*\n.*11x11 pixels/);
  });
});
