import { ArgumentError, type Shape, sizeOf } from "@ocelli/core";
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  calculateGain,
  fans,
  filled,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  Linear,
  type Module,
  type Nonlinearity,
  normal,
  ones,
  orthogonal,
  Parameter,
  PReLU,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { initFixture } from "./fixtures.js";

/** A parameter's values, made through a module's initialState as for a device. */
function data(init: Initializer, shape: Shape, seed = 0): Float32Array {
  const layer = new Linear(1, 1);
  Object.assign(layer, { weight: new Parameter(shape, init) });
  return layer.initialState({ seed }).params!.weight!.data as Float32Array;
}

interface Statistics {
  readonly mean: number;
  readonly std: number;
  readonly max: number;
}

function statistics(values: ArrayLike<number>): Statistics {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const variance = list.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, list.length - 1);
  return { mean, std: Math.sqrt(variance), max: list.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
}

describe("formulae", () => {
  it("gains are PyTorch's", () => {
    for (const [name, a, gain] of initFixture.gains) {
      expect(calculateGain(name as Nonlinearity, a ?? undefined)).toBeCloseTo(gain, 14);
    }
    expect(() => calculateGain("swish" as Nonlinearity)).toThrow(ArgumentError);
  });

  it("fans are PyTorch's", () => {
    for (const [shape, fanIn, fanOut] of initFixture.fans) expect(fans(shape)).toEqual({ fanIn, fanOut });
    expect(() => fans([3])).toThrow("fans: shape [3] has fewer than 2 dimensions");
  });
});

describe("distributions are PyTorch's", () => {
  const ours: Readonly<Record<string, Initializer>> = {
    xavierUniform: xavierUniform({ gain: 2 }),
    xavierNormal: xavierNormal(),
    kaimingUniform: kaimingUniform({ mode: "fanOut" }),
    kaimingNormal: kaimingNormal({ nonlinearity: "relu" }),
    truncatedNormal: truncatedNormal({ mean: 0.5, std: 1.5, low: -1, high: 2 }),
    orthogonal: orthogonal({ gain: 3 }),
  };
  for (const [name, { shape, max, std }] of Object.entries(initFixture.methods)) {
    it(name, () => {
      const found = statistics(data(ours[name]!, shape));
      expect(found.std / std).toBeCloseTo(1, 2);
      // The largest of 200,000 normal numbers is no fixed bound.
      if (!/normal$/i.test(name) || name === "truncatedNormal")
        expect(found.max / max).toBeCloseTo(1, name === "orthogonal" ? 0 : 2);
    });
  }

  const layers: Readonly<Record<string, Module>> = {
    Linear: new Linear(100, 4000),
    Conv2d: new Conv2d(6, 4000, { kernelSize: [3, 5], groups: 2 }),
    ConvTranspose2d: new ConvTranspose2d(20, 4000, { kernelSize: 3, groups: 2 }),
    BatchNorm2d: new BatchNorm2d(5),
    PReLU: new PReLU(3),
  };
  for (const [name, entries] of Object.entries(initFixture.layers)) {
    it(`${name} by default`, () => {
      const { params = {} } = layers[name]!.initialState({ seed: 5 });
      expect(Object.keys(params)).toEqual(Object.keys(entries));
      for (const [key, { shape, max, std }] of Object.entries(entries)) {
        const found = statistics(params[key]!.data);
        expect(params[key]!.shape).toEqual(shape);
        expect(Math.abs(found.max - max), `${key} max`).toBeLessThanOrEqual(0.01 * max);
        expect(Math.abs(found.std - std), `${key} std`).toBeLessThanOrEqual(0.03 * std);
      }
    });
  }
});

describe("plain initialisers", () => {
  it("zeros, ones, filled", () => {
    expect(data(zeros, [2])).toEqual(Float32Array.of(0, 0));
    expect(data(ones, [2])).toEqual(Float32Array.of(1, 1));
    expect(data(filled(0.5), [2])).toEqual(Float32Array.of(0.5, 0.5));
  });

  it("uniform and normal have their mean and spread", () => {
    const flat = statistics(data(uniform(-1, 3), [40000]));
    expect(flat.mean).toBeCloseTo(1, 1);
    expect(flat.std).toBeCloseTo(4 / Math.sqrt(12), 1);
    const bell = statistics(data(normal(2, 0.5), [40001]));
    expect(bell.mean).toBeCloseTo(2, 1);
    expect(bell.std).toBeCloseTo(0.5, 2);
  });

  it("normal has the normal distribution's tails, and neighbours do not correlate", () => {
    const values = data(normal(), [100000]);
    const beyond = (limit: number): number => values.filter((v) => Math.abs(v) > limit).length / values.length;
    expect(beyond(1)).toBeCloseTo(0.3173, 2);
    expect(beyond(2)).toBeCloseTo(0.0455, 2);
    expect(beyond(3)).toBeCloseTo(0.0027, 3);
    const product = values.reduce((total, v, i) => total + v * (values[i + 1] ?? 0), 0) / values.length;
    expect(product).toBeCloseTo(0, 1);
  });

  it("a larger value starts as a smaller one of the same name: the stream is one", () => {
    expect(data(uniform(), [3000]).slice(0, 10)).toEqual(data(uniform(), [10]));
  });

  it("check their arguments", () => {
    expect(() => uniform(1, 0)).toThrow("uniform: low is 1 and high is 0");
    expect(() => normal(0, -1)).toThrow("normal: std is -1");
    expect(() => truncatedNormal({ mean: 9 })).toThrow("bounds that reach into mean +- 3 std");
    expect(() => truncatedNormal({ std: 0 })).toThrow(ArgumentError);
    expect(() => data(kaimingNormal(), [3])).toThrow("fans: shape [3]");
    expect(() => data(orthogonal(), [3])).toThrow("orthogonal: shape [3]");
  });
});

describe("orthogonal", () => {
  for (const shape of [
    [5, 8],
    [8, 5],
    [4, 4],
    [3, 2, 2, 2],
  ]) {
    it(`makes an orthonormal frame of [${shape.join(", ")}]`, () => {
      const rows = shape[0]!;
      const columns = sizeOf(shape.slice(1));
      const values = data(orthogonal({ gain: 2 }), shape);
      const at = (vector: number, i: number): number =>
        rows <= columns ? values[vector * columns + i]! : values[i * columns + vector]!;
      const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
      for (let a = 0; a < count; a++) {
        for (let b = 0; b < count; b++) {
          let product = 0;
          for (let i = 0; i < length; i++) product += at(a, i) * at(b, i);
          expect(product).toBeCloseTo(a === b ? 4 : 0, 5);
        }
      }
    });
  }
});
