import { add, relu, type Tensor, type Traceable, tanh } from "@ocelli/core";
import {
  type Context,
  Conv2d,
  Dropout,
  GlobalAvgPool,
  Linear,
  Module,
  modelProgram,
  ReLU,
  Sequential,
} from "@ocelli/layers";
import { createModel } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { planArena } from "../../kernels-webgpu/src/compile/arena.js";
import { training } from "../../kernels-webgpu/test/networks.js";
import { planOf } from "../../kernels-webgpu/test/plans.js";
import { peakMemory } from "./index.js";

const conv = (from: number, to: number, kernelSize: number): Conv2d =>
  new Conv2d(from, to, { kernelSize, padding: (kernelSize - 1) / 2, bias: false });

describe("peak memory of inference", () => {
  it("is what two neighbouring maps take, and what stays", () => {
    const model = new Sequential(conv(1, 2, 3), new ReLU(), conv(2, 1, 1), new ReLU());
    expect(peakMemory(model, [1, 4, 4])).toEqual({
      parameters: 4 * (2 * 9 + 2),
      buffers: 0,
      optimizerState: 0,
      input: 4 * 16,
      activations: 4 * (32 + 16),
      gradients: 0,
      total: 4 * (20 + 16 + 48),
      at: "2/conv2d",
    });
    expect(peakMemory(model, [1, 4, 4], { batch: 10 })).toMatchObject({ input: 640, activations: 1920, total: 2640 });
  });

  it("holds a shortcut until it is added, in place", () => {
    class Block extends Module {
      readonly first = conv(4, 4, 3);
      readonly second = conv(4, 4, 3);
      readonly third = conv(4, 4, 3);
      override forward(x: Tensor, ctx: Context): Tensor {
        const carried = ctx.call(this.first, x);
        return relu(add(ctx.chain(carried, this.second, relu, this.third), carried));
      }
    }
    // While the third runs: the shortcut, its input and its output.
    expect(peakMemory(new Block(), [4, 8, 8])).toMatchObject({ activations: 3 * 1024, at: "third/conv2d" });
  });

  it("counts what a network does without: no gradients, no optimizer, no dropout", () => {
    const net = (dropout: number): Module => new Sequential(new Linear(100, 50), new Dropout(dropout));
    expect(peakMemory(net(0.5), [1, 1, 100])).toEqual(peakMemory(net(0), [1, 1, 100]));
  });

  it("does not recurse", () => {
    class Deep extends Module {
      override forward(x: Tensor): Tensor {
        let y = x;
        for (let i = 0; i < 100_000; i++) y = i % 2 === 0 ? tanh(y) : relu(y);
        return y;
      }
    }
    expect(peakMemory(new Deep(), [1, 2, 2])).toMatchObject({ input: 16, activations: 16 });
  }, 30_000);

  it("names options that are no counts", () => {
    expect(() => peakMemory(conv(1, 1, 1), [1, 2, 2], { batch: 0 })).toThrow(/batch is 0; it needs a whole number/);
    expect(() => peakMemory(conv(1, 1, 1), [1, 2, 2], { optimizerSlots: 0.5 })).toThrow(/optimizerSlots is 0.5/);
  });
});

describe("peak memory of a training step", () => {
  const model = new Sequential(
    ...[conv(4, 4, 3), new ReLU(), conv(4, 4, 3), new ReLU(), conv(4, 4, 3), new ReLU()],
    new GlobalAvgPool(),
  );
  const map = 2 * 4 * 256 * 4;

  it("is all activations and two gradients, of which one lies where its activation was", () => {
    expect(peakMemory(model, [4, 16, 16], { batch: 2, training: true })).toEqual({
      parameters: 3 * 576,
      // The loss compares labels with 0, 1, 2, 3: a constant of the graph.
      buffers: 16,
      optimizerState: 3 * 576,
      // Images, labels (int32), random key.
      input: map + 8 + 8,
      // The loss, too.
      activations: 3 * map + 4,
      gradients: map,
      total: 5 * map + 6 * 576 + 36,
      at: "4/conv2dInputGrad",
    });
  });

  it("follows the optimizer", () => {
    const state = (optimizerSlots: number): number =>
      peakMemory(model, [4, 16, 16], { training: true, optimizerSlots }).optimizerState;
    expect([0, 1, 2].map(state)).toEqual([0, 3 * 576, 6 * 576]);
  });

  it("takes a network that returns several", () => {
    class Auxiliary extends Module<Tensor, Tensor | { logits: Tensor; aux: Tensor }> {
      readonly body = conv(1, 8, 3);
      readonly pool = new GlobalAvgPool();
      readonly fc = new Linear(8, 3);
      readonly aux = new Linear(8, 1000);
      override forward(x: Tensor, ctx: Context) {
        const features = ctx.chain(x, this.body, this.pool);
        const logits = ctx.call(this.fc, features);
        return ctx.training ? { logits, aux: ctx.call(this.aux, features) } : logits;
      }
    }
    const { at, parameters, gradients } = peakMemory(new Auxiliary(), [1, 8, 8], { training: true });
    expect(parameters).toBe(4 * (72 + 27 + 9000));
    // The gradient of its weight is the largest of all.
    expect(at).toMatch(/^aux\//);
    expect(gradients).toBeGreaterThanOrEqual(4 * 8000);
    expect(peakMemory(new Auxiliary(), [1, 8, 8]).at).toBe("pool/sum");
  });
});

// Another implementation: the WebGPU device's own fusion, order and arena (no adapter is needed for planning).
describe("against the WebGPU device's plan", () => {
  const arena = (program: Traceable): number => {
    const plan = planOf(program);
    return planArena([...plan.prelude, ...plan.steps], plan.outputs, 2 ** 40).chunks.reduce((a, b) => a + b, 0);
  };

  it("a step of ResNet-20 is within 3 %", () => {
    const { activations, gradients } = peakMemory(createModel("resnet20_cifar"), [3, 32, 32], {
      batch: 128,
      training: true,
    });
    const planned = arena(training("resnet20_cifar", [128, 3, 32, 32]));
    expect(Math.abs((activations + gradients) / planned - 1)).toBeLessThan(0.03);
  }, 30_000);

  it("its inference is within 1 %", () => {
    const model = createModel("resnet20_cifar");
    const { activations } = peakMemory(model, [3, 32, 32], { batch: 128 });
    const planned = arena(modelProgram(model, { shape: [128, 3, 32, 32], dtype: "float32" }));
    expect(Math.abs(activations / planned - 1)).toBeLessThan(0.01);
  }, 30_000);
});
