/** Every layer against PyTorch in float64: outputs, gradients of input and parameters, new values of buffers. */
import { add, gradients, input, mul, relu, type Tensor, type Tensors, tanh } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import * as layers from "@ocelli/layers";
import {
  BatchNorm2d,
  Concat,
  type Context,
  Conv2d,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Residual,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { decode, type LayerCase, layerCases, type Pass, type Values } from "./fixtures.js";

class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | null;

  constructor(inC: number, outC: number, { stride = 1 }: { stride?: number } = {}) {
    super();
    this.conv1 = new Conv2d(inC, outC, { kernelSize: 3, stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(outC);
    this.conv2 = new Conv2d(outC, outC, { kernelSize: 3, padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(outC);
    this.downsample =
      stride === 1 && inC === outC
        ? null
        : new Sequential(new Conv2d(inC, outC, { kernelSize: 1, stride, bias: false }), new BatchNorm2d(outC));
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(add(y, this.downsample ? ctx.call(this.downsample, x) : x));
  }
}

class Twice extends Module {
  readonly bn: BatchNorm2d;

  constructor(features: number, options?: layers.BatchNormOptions) {
    super();
    this.bn = new BatchNorm2d(features, options);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.bn, tanh, this.bn);
  }
}

const padded = (inC: number, outC: number): Conv2d => new Conv2d(inC, outC, { kernelSize: 3, padding: 1 });

const composites: Readonly<Record<string, () => Module>> = {
  net: () =>
    new Sequential(
      new Conv2d(2, 3, { kernelSize: 3 }),
      new BatchNorm2d(3),
      new ReLU(),
      new MaxPool2d({ kernelSize: 2 }),
      new Flatten(),
      new Linear(18, 4),
    ),
  residual: () => new Residual(padded(2, 2)),
  shortcut: () => new Residual(padded(2, 3), new Conv2d(2, 3, { kernelSize: 1 })),
  branches: () => new Concat([new Conv2d(2, 3, { kernelSize: 1 }), new Sequential(padded(2, 1), relu)]),
  ReLU6: () => new Sequential((x) => mul(x, 5), new layers.ReLU6()),
};

type AnyClass = new (...args: readonly unknown[]) => Module;
const classes = { ...layers, BasicBlock, Twice } as unknown as Readonly<Record<string, AnyClass>>;

function build({ layer, args }: LayerCase): Module {
  const composite = composites[layer];
  if (composite !== undefined) return composite();
  return new (classes[layer] as AnyClass)(...args);
}

/** Largest difference, relative to the largest expected value. */
function expectClose(name: string, got: Float64Array, { data }: Values): void {
  expect(got.length, name).toBe(data.length);
  const scale = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
  const error = data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[i]!)), 0) / scale;
  expect(error, `${name}: relative error`).toBeLessThan(1e-9);
}

function check(fixture: LayerCase, pass: Pass, training: boolean): void {
  const model = build(fixture);
  const feeds = new Map<string, Float64Array>();
  const specs = model.stateSpecs();
  const entries = Object.entries(fixture.state).map(([name, value]) => {
    const qualified = `params/${name}` in specs ? `params/${name}` : `buffers/${name}`;
    const { shape, data } = decode(value);
    expect(specs[qualified]?.shape, name).toEqual(shape);
    feeds.set(qualified, data);
    return [qualified, input(qualified, specs[qualified]!)] as const;
  });
  expect(entries.map(([name]) => name).sort(), "names of the state").toEqual(Object.keys(specs).sort());
  const state: Tensors = Object.fromEntries(entries);
  const x = input("x", { shape: fixture.x.shape, dtype: "float32" });
  const dy = input("dy", { shape: fixture.dy.shape, dtype: "float32" });
  feeds.set("x", decode(fixture.x).data).set("dy", decode(fixture.dy).data);

  const { output, updates } = layers.traceModule(model, x, { state, training });
  expect(output.shape).toEqual(pass.y.shape);
  expect(Object.keys(updates).sort()).toEqual(
    Object.keys(pass.buffers)
      .map((name) => `buffers/${name}`)
      .sort(),
  );
  const parameters = Object.keys(pass.grads);
  const grads = gradients(output, [x, ...parameters.map((name) => state[`params/${name}`]!)], dy);
  const expected = [pass.y, pass.dx, ...Object.values(pass.grads), ...Object.values(pass.buffers)].map(decode);
  const buffers = Object.keys(pass.buffers);
  const values = evaluate([output, ...grads, ...buffers.map((name) => updates[`buffers/${name}`]!)], feeds);
  const names = ["output", "input gradient", ...parameters.map((name) => `gradient of ${name}`), ...buffers];
  for (const [i, name] of names.entries()) expectClose(name, values[i]!, expected[i]!);
}

describe("as PyTorch", () => {
  for (const fixture of layerCases) {
    const args = fixture.args.map((arg) => JSON.stringify(arg)).join(", ");
    const title = `${fixture.layer}(${args}) of [${fixture.x.shape.join(", ")}]${fixture.note === "" ? "" : `: ${fixture.note}`}`;
    it(title, () => {
      for (const pass of fixture.passes) {
        for (const training of pass.training === null ? [true, false] : [pass.training]) check(fixture, pass, training);
      }
    });
  }

  it("covers every layer", () => {
    const random = ["Dropout", "Dropout2d", "StochasticDepth"];
    const bases = ["Module", "Context", "Parameter", "Buffer"];
    const covered = new Set([
      ...layerCases.map(({ layer }) => layer),
      ...random,
      ...bases,
      "Sequential",
      "Residual",
      "Concat",
      "Recompute",
    ]);
    const open = Object.entries(layers).filter(
      ([name, value]) => typeof value === "function" && /^[A-Z]/.test(name) && !covered.has(name),
    );
    expect(open.map(([name]) => name)).toEqual([]);
  });
});
