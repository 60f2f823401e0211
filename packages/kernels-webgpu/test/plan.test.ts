import {
  add,
  batchNormInference,
  batchNormTrain,
  broadcastTo,
  conv2d,
  type HostTensor,
  hostTensor,
  matmul,
  mul,
  relu,
  reshape,
  type Shape,
  sizeOf,
  sum,
  type Tensor,
  type Traceable,
  tanh,
  transpose,
} from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { planArena } from "../src/compile/arena.js";
import type { Plan } from "../src/compile/plan.js";
import { training } from "./networks.js";
import { namesOf, planOf } from "./plans.js";

const float = (shape: Shape) => ({ shape, dtype: "float32" as const });

function program(
  inputs: Readonly<Record<string, Shape>>,
  build: (x: Readonly<Record<string, Tensor>>) => Tensor | readonly Tensor[],
): Traceable {
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, float(shape)])),
    build: (given) => {
      const made = build(given);
      const list = Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor];
      return { outputs: Object.fromEntries(list.map((tensor, i) => [`y${i}`, tensor])) };
    },
  };
}

const bytesOf = ({ steps }: Plan): number => steps.reduce((total, { bytes }) => total + bytes, 0);

describe("fusion", () => {
  const x = [2, 3, 8, 8];
  const w = [4, 3, 3, 3];

  it("puts bias, activation and a residual into a convolution", () => {
    const plan = planOf(
      program({ x, w, b: [4], other: [2, 4, 8, 8] }, ({ x, w, b, other }) =>
        relu(add(add(conv2d(x!, w!, { padding: 1 }), reshape(b!, [4, 1, 1])), other!)),
      ),
    );
    expect(namesOf(plan)).toEqual(["conv2d"]);
    expect(plan.steps[0]?.bindings.length).toBe(5);
  });

  it("keeps what others need, and stores both in one dispatch", () => {
    const plan = planOf(
      program({ x, w }, ({ x, w }) => {
        const y = conv2d(x!, w!, { padding: 1 });
        return [y, relu(y)];
      }),
    );
    expect(namesOf(plan)).toEqual(["conv2d"]);
  });

  it("computes chains of arithmetic, views among them, in one pass", () => {
    const plan = planOf(
      program({ a: [4, 6], b: [6] }, ({ a, b }) => tanh(mul(add(transpose(a!, [1, 0]), reshape(b!, [6, 1])), 2))),
    );
    expect(plan.steps.length).toBe(1);
  });

  it("reads sums' operands where they are", () => {
    const plan = planOf(program({ a: [4, 6], b: [4, 6] }, ({ a, b }) => sum(mul(a!, b!), { axes: 1 })));
    expect(plan.steps.length).toBe(1);
  });

  it("does not fuse across what reads other elements", () => {
    const plan = planOf(
      program({ a: [4, 4], b: [4, 4] }, ({ a, b }) => {
        const y = matmul(a!, b!);
        return add(y, transpose(y, [1, 0]));
      }),
    );
    expect(plan.steps.length).toBe(2);
  });

  it("normalises in two passes, ReLU and shortcut included", () => {
    const vectors = { weight: [3], bias: [3] };
    const plan = planOf(
      program({ x: [8, 3, 16, 16], ...vectors, side: [8, 3, 16, 16] }, ({ x, weight, bias, side }) =>
        relu(add(batchNormTrain(x!, weight!, bias!).output, side!)),
      ),
    );
    // A small channel count splits the statistics in two dispatches; only one of them reads the images.
    const images = plan.steps.filter(({ bindings }) => bindings.some(({ value }) => value.label === "x"));
    expect(images.length).toBe(2);
  });

  it("stays within the bindings that a device has", () => {
    const names = Array.from({ length: 20 }, (_, i) => `x${i}`);
    const plan = planOf(
      program(Object.fromEntries(names.map((name) => [name, [16]])), (given) =>
        names.map((name) => given[name] as Tensor).reduce((total, next) => add(total, next)),
      ),
    );
    for (const { bindings } of plan.steps) expect(bindings.length).toBeLessThanOrEqual(8);
    expect(plan.steps.length).toBeLessThanOrEqual(4);
  });

  it("cuts a chain of 100,000 operations without exhausting the stack", () => {
    const plan = planOf(
      program({ x: [4] }, ({ x }) => {
        let y = x as Tensor;
        for (let i = 0; i < 100_000; i++) y = i % 2 === 0 ? tanh(y) : relu(y);
        return y;
      }),
    );
    expect(plan.steps.length).toBeLessThan(5000);
  }, 60_000);
});

describe("frozen networks", () => {
  const values = (shape: Shape): HostTensor =>
    hostTensor(
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => 0.5 + (i % 7) / 10),
      shape,
    );
  const shapes: Record<string, Shape> = {
    "params/w": [4, 3, 3, 3],
    "params/b": [4],
    "params/weight": [4],
    "params/bias": [4],
    "buffers/mean": [4],
    "buffers/variance": [4],
  };
  const frozen = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, values(shape)]));
  const network = (withBias: boolean): Traceable => ({
    inputs: { x: float([2, 3, 8, 8]) },
    state: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, float(shape)])),
    build: ({ x }, s) => {
      const y = conv2d(x!, s["params/w"]!, { padding: 1 });
      const biased = withBias ? add(y, broadcastTo(reshape(s["params/b"]!, [4, 1, 1]), y.shape)) : y;
      const [mean, variance] = [s["buffers/mean"]!, s["buffers/variance"]!];
      return {
        outputs: { y: relu(batchNormInference(biased, s["params/weight"]!, s["params/bias"]!, mean, variance)) },
      };
    },
  });

  it.each([false, true])("fold batch-norm into the weights, which are computed once (bias: %s)", (withBias) => {
    const plan = planOf(network(withBias), { frozen });
    expect(namesOf(plan)).toEqual(["conv2d"]);
    // Input, weights, a vector to add (two with a bias), output.
    expect(plan.steps[0]?.bindings.length).toBe(withBias ? 5 : 4);
    expect(plan.prelude.length).toBeGreaterThan(0);
    expect(plan.steps[0]?.code).not.toMatch(/sqrt/);
  });

  it("leave live weights alone", () => {
    const plan = planOf(network(true));
    // 1 / sqrt(variance + eps) is needed twice, and made once.
    expect(namesOf(plan)).toEqual(["add+sqrt+div", "conv2d"]);
    expect(plan.prelude).toEqual([]);
  });
});

describe("a training step", () => {
  it("of LeNet-5 is few dispatches, updates included", () => {
    const plan = planOf(training("lenet5_modern", [32, 1, 28, 28]));
    // Work that is cut to fill the device is added up by a second dispatch, `*.reduce` or `*.merge`.
    const kinds = namesOf(plan).flatMap((name) =>
      /\.(reduce|merge)$/.test(name) ? [] : [name.split(".")[0] as string],
    );
    const count = (name: string): number => kinds.filter((kind) => kind === name).length;
    expect([count("conv2d"), count("conv2dInputGrad"), count("maxPool2d"), count("maxPool2dGrad")]).toEqual([
      3, 2, 2, 2,
    ]);
    expect(count("matmul")).toBeGreaterThanOrEqual(6);
    // What is left are sums for biases and the loss: no dispatch for activations, updates or momentum.
    expect(new Set(kinds)).toEqual(
      new Set([
        "conv2d",
        "conv2dInputGrad",
        "conv2dWeightGrad",
        "maxPool2d",
        "maxPool2dGrad",
        "matmul",
        "sum",
        "logSoftmax",
      ]),
    );
    expect(plan.copies).toEqual([]);
  });

  it("of ResNet-20 has as many dispatches and bytes as before", () => {
    const plan = planOf(training("resnet20_cifar", [16, 3, 32, 32]));
    expect(plan.copies).toEqual([]);
    expect({ dispatches: plan.steps.length, megabytes: Math.round(bytesOf(plan) / 2 ** 20) }).toMatchSnapshot();
  });

  it("of ResNet-20 has an arena near the least that its order allows", () => {
    const plan = planOf(training("resnet20_cifar", [16, 3, 32, 32]));
    const { chunks, lowerBound } = planArena([...plan.prelude, ...plan.steps], plan.outputs, 2 ** 30);
    const total = chunks.reduce((sum, bytes) => sum + bytes, 0);
    expect(total / lowerBound).toBeLessThanOrEqual(1.15);
  });

  it("keeps a program's structure in mind when a chunk is small", () => {
    const plan = planOf(training("resnet20_cifar", [16, 3, 32, 32]));
    const { chunks, places } = planArena(plan.steps, plan.outputs, 4 * 2 ** 20);
    expect(Math.max(...chunks)).toBeLessThanOrEqual(4 * 2 ** 20);
    for (const [value, { chunk, offset }] of places) {
      expect(offset % 256).toBe(0);
      expect(offset + value.bytes).toBeLessThanOrEqual(chunks[chunk] as number);
    }
  });
});
