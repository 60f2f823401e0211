import { gradients, input, mul, type Spec, sum, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  Conv2d,
  linearDecay,
  Residual,
  Sequential,
  StochasticDepth,
  type StochasticDepthOptions,
  traceModule,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const spec: Spec = { shape: [3, 2, 4, 5], dtype: "float32" };
const count = 3 * 2 * 4 * 5;
const pixels = Float64Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) + (i % 3));

const branch = (): Sequential =>
  new Sequential(new Conv2d(2, 2, { kernelSize: 3, padding: 1, bias: false }), new BatchNorm2d(2));

interface Pass {
  readonly y: number[];
  readonly updates: Record<string, number[]>;
  /** Of the sum of squares of the output. */
  readonly dx: number[];
  readonly dw: number[];
}

/** One pass of `x + branch(x)` behind stochastic depth (or bare), on fixed weights. */
function pass(options: StochasticDepthOptions | null, training: boolean, seed = 0): Pass {
  const inner = branch();
  const model = new Residual(options === null ? inner : new StochasticDepth(inner, options));
  const path = options === null ? "body" : "body.branch";
  const x = input("x", spec);
  const weight = input("w", { shape: [2, 2, 3, 3], dtype: "float32" });
  const values: Record<string, Tensor> = { [`params/${path}.0.weight`]: weight };
  const feeds = new Map<string, Float64Array>([
    ["x", pixels],
    ["w", Float64Array.from({ length: 36 }, (_, i) => Math.cos(i * 2.3))],
    ["key", Float64Array.of(seed, 7)],
  ]);
  for (const [name, entry] of Object.entries(model.stateSpecs())) {
    if (values[name] !== undefined) continue;
    values[name] = input(name, entry);
    const size = entry.shape.reduce((a, b) => a * b, 1);
    feeds.set(name, new Float64Array(size).fill(/weight|var/.test(name) ? 1.5 : 0.25));
  }
  const { output, updates } = traceModule(model, x, { state: values, training });
  const names = Object.keys(updates);
  const grads = gradients(sum(mul(output, output)), [x, weight]);
  const results = evaluate([output, ...grads, ...Object.values(updates)], feeds).map((value) => [...value]);
  const [y, dx, dw, ...rest] = results as [number[], number[], number[], ...number[][]];
  return {
    y,
    dx,
    dw,
    updates: Object.fromEntries(names.map((name, i) => [name.replace(`${path}.`, ""), rest[i] as number[]])),
  };
}

const seeds = Array.from({ length: 400 }, (_, i) => i);
const isDropped = ({ y }: Pass): boolean => y.every((value, i) => value === pixels[i]);

describe("StochasticDepth", () => {
  const plain = pass(null, true);
  const passes = seeds.map((seed) => pass({ survival: 0.7 }, true, seed));

  it("in training either leaves the shortcut alone or keeps the branch as it is, the second with its probability", () => {
    const kept = passes.filter((p) => !isDropped(p));
    for (const { y } of kept) expect(y).toEqual(plain.y);
    // Four standard deviations.
    expect(Math.abs(kept.length / seeds.length - 0.7)).toBeLessThan(4 * Math.sqrt((0.7 * 0.3) / seeds.length));
  });

  it("leaves the running statistics of a dropped branch as they were", () => {
    for (const p of passes) {
      if (isDropped(p)) {
        expect(p.updates).toEqual({
          "buffers/1.running_mean": [0.25, 0.25],
          "buffers/1.running_var": [1.5, 1.5],
          "buffers/1.num_batches_tracked": [0.25],
        });
      } else {
        expect(p.updates).toEqual(plain.updates);
      }
    }
    expect(plain.updates["buffers/1.running_mean"]).not.toEqual([0.25, 0.25]);
  });

  it("passes no gradient to a dropped branch, and the whole to a kept one", () => {
    for (const p of passes) {
      expect(p.dw).toEqual(isDropped(p) ? new Array(36).fill(0) : plain.dw);
      expect(p.dx).toEqual(isDropped(p) ? [...pixels].map((value) => 2 * value) : plain.dx);
    }
    expect(plain.dw.some((value) => Math.abs(value) > 1e-12)).toBe(true);
  });

  it("in evaluation scales the branch by its survival", () => {
    const whole = pass(null, false);
    const scaled = pass({ survival: 0.7 }, false);
    for (const [i, value] of scaled.y.entries()) {
      const x = pixels[i] as number;
      expect(value).toBeCloseTo(x + 0.7 * ((whole.y[i] as number) - x), 12);
    }
    expect(scaled.updates).toEqual({});
  });

  it("in mode row draws for each sample; the statistics see all of them", () => {
    const patterns = new Set<string>();
    for (const seed of seeds) {
      const p = pass({ survival: 0.5, mode: "row" }, true, seed);
      const rows = [0, 1, 2].map((n) => {
        const part = p.y.slice(n * 40, (n + 1) * 40);
        if (part.every((value, i) => value === pixels[n * 40 + i])) return "-";
        expect(part).toEqual(plain.y.slice(n * 40, (n + 1) * 40));
        return "+";
      });
      patterns.add(rows.join(""));
      expect(p.updates).toEqual(plain.updates);
    }
    expect(patterns.size).toBe(8);
  });

  it("is the branch itself with survival 1, and nothing with 0", () => {
    expect(pass({ survival: 1 }, true).y).toEqual(plain.y);
    expect(pass({ survival: 1 }, false).y).toEqual(pass(null, false).y);
    expect(seeds.slice(0, 50).every((seed) => isDropped(pass({ survival: 0 }, true, seed)))).toBe(true);
  });

  it("never lets a dropped branch's overflow through", () => {
    const model = new StochasticDepth((x) => sum(x, { axes: [1], keepDims: true }), { survival: 0 });
    const x = input("x", spec);
    const { output } = traceModule(model, x, { training: true });
    const feeds = new Map([
      ["x", new Float64Array(count).fill(Number.NaN)],
      ["key", Float64Array.of(1, 2)],
    ]);
    expect([...(evaluate([output], feeds)[0] as Float64Array)]).toEqual(new Array(60).fill(0));
  });

  it("refuses what is no probability, and other modes", () => {
    const make = (options: { survival: number; mode?: string }) => () =>
      new StochasticDepth(branch(), options as StochasticDepthOptions);
    expect(make({ survival: 1.5 })).toThrow("StochasticDepth: survival is 1.5; it needs a number in 0..1");
    expect(make({ survival: 0.5, mode: "sample" })).toThrow(
      'StochasticDepth: mode is "sample"; it needs to be "batch" or "row"',
    );
  });
});

describe("linearDecay", () => {
  it("falls from just below 1 to the last block's", () => {
    expect(linearDecay(4, 0.5)).toEqual([0.875, 0.75, 0.625, 0.5]);
    expect(linearDecay(2, 1)).toEqual([1, 1]);
    // The paper: with 54 blocks and 0.5, three quarters of all blocks are kept on average ((3L - 1) / 4 = 40.25).
    expect(linearDecay(54).reduce((total, p) => total + p, 0)).toBeCloseTo((3 * 54 - 1) / 4, 10);
  });

  it("refuses a wrong count or probability", () => {
    expect(() => linearDecay(0)).toThrow("linearDecay: blocks is 0; it needs an integer >= 1");
    expect(() => linearDecay(3, 2)).toThrow("linearDecay: last is 2; it needs a number in 0..1");
  });
});
