import type { Tensor } from "@ocelli/core";
import { type Context, Conv2d, Module, ReLU, Sequential } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { vgg } from "../test/nets.js";
import { formatTorchSummary, torchSummary } from "./index.js";

describe("torchSummary", () => {
  // What the tool prints for torchvision's vgg19 and (3, 227, 227); torchvision pools to 7x7 once more, as a layer.
  it("has the tool's totals for VGG-19 at 227x227", () => {
    const { parameters, megabytes } = torchSummary(vgg([2, 2, 4, 4, 4]), [3, 227, 227]);
    expect(parameters).toBe(143_667_240);
    const pooled = (2 * 4 * 512 * 49) / 1024 ** 2;
    expect(megabytes.input.toFixed(2)).toBe("0.59");
    expect((megabytes.forwardBackward + pooled).toFixed(2)).toBe("242.32");
    expect(megabytes.parameters.toFixed(2)).toBe("548.05");
  });

  it("prints the tool's columns", () => {
    const model = new Sequential(new Conv2d(3, 64, { kernelSize: 3, padding: 1 }), new ReLU());
    const lines = formatTorchSummary(torchSummary(model, [3, 224, 224])).split("\n");
    expect(lines).toEqual([
      "-".repeat(64),
      "        Layer (type)               Output Shape         Param #",
      "=".repeat(64),
      "            Conv2d-1         [-1, 64, 224, 224]           1,792",
      "              ReLU-2         [-1, 64, 224, 224]               0",
      "=".repeat(64),
      "Total params: 1,792",
      "Trainable params: 1,792",
      "Non-trainable params: 0",
      "-".repeat(64),
      "Input size (MB): 0.57",
      // 2 x 2 x 64 x 224 x 224 x 4 / 1024^2
      "Forward/backward pass size (MB): 49.00",
      "Params size (MB): 0.01",
      "Estimated Total Size (MB): 49.58",
      "-".repeat(64),
      "Functions that a block calls (relu, add ...) are no modules and have no row, as in the tool.",
    ]);
  });

  it("lists blocks, but neither containers nor the model, and a batch where one is given", () => {
    class Block extends Module {
      readonly body = new Sequential(new Conv2d(2, 2, { kernelSize: 1 }), new ReLU());
      override forward(x: Tensor, ctx: Context): Tensor {
        return ctx.call(this.body, ctx.call(this.body, x));
      }
    }
    const summary = torchSummary(new Sequential(new Block()), [2, 4, 4], { batch: 3 });
    expect(summary.layers.map(({ name, parameters }) => [name, parameters])).toEqual([
      ["Conv2d-1", 6],
      ["ReLU-2", 0],
      ["Conv2d-3", 0],
      ["ReLU-4", 0],
      ["Block-5", 0],
    ]);
    expect(summary.megabytes.forwardBackward).toBe((2 * 5 * 3 * 32 * 4) / 1024 ** 2);
    expect(formatTorchSummary(summary, 3)).toMatch(/Block-5 +\[3, 2, 4, 4\] +0\n/);
  });
});
