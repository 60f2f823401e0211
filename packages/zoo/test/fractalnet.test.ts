import { add, gradients, input, mul, sizeOf, sum, type Tensor } from "@ocelli/core";
import { prepare } from "@ocelli/core/reference";
import { type Context, Module, type TapRecord, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, FractalBlock, type FractalLayer, FractalNet, type FractalNetOptions } from "../src/index.js";
import { fractalCifar } from "./counts/fractalnet.js";

const small: FractalNetOptions = { channels: [3, 4], columns: 3, dropRates: [], numClasses: 5 };
const image = (shape: readonly number[]): Tensor => input("x", { shape, dtype: "float32" });

const noise = (shape: readonly number[], seed: number): Float64Array =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + (i + 1) * (seed + 1.37) * 12.9898));

/** Values for every entry of a state, positive for variances, and for `x`. */
function feedsFor(model: FractalNet | FractalBlock, x: Tensor): Map<string, Float64Array> {
  const feeds = new Map([["x", noise(x.shape, 0.5)]]);
  for (const [i, [name, { shape }]] of Object.entries(model.stateSpecs()).entries()) {
    const values = noise(shape, i);
    feeds.set(`state:${name}`, /running_var|bn\.weight/.test(name) ? values.map((v) => 1 + v / 2) : values);
  }
  return feeds;
}

const keyed = (feeds: Map<string, Float64Array>, key: number): Map<string, Float64Array> =>
  new Map([...feeds, ["key", Float64Array.of(key, 99)]]);

/** The block by the paper's recursion, on a block's own layers. */
class Recursive extends Module {
  readonly columns: FractalBlock["columns"];
  readonly pool: FractalBlock["pool"];

  constructor(block: FractalBlock) {
    super();
    this.columns = block.columns;
    this.pool = block.pool;
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const layers = this.columns.map((column) => [...column]);
    const conv = (column: number, z: Tensor): Tensor => ctx.call(layers[column]?.shift() as FractalLayer, z);
    const mean = (values: readonly Tensor[]): Tensor => mul(values.reduce(add), 1 / values.length);
    // The inputs of f_c's last join, the longest path first.
    const f = (c: number, z: Tensor): Tensor[] => {
      const column = this.columns.length - c;
      return c === 1 ? [conv(column, z)] : [...f(c - 1, mean(f(c - 1, z))), conv(column, z)];
    };
    return mean(f(this.columns.length, x).map((y) => (this.pool === null ? y : ctx.call(this.pool, y))));
  }
}

describe("FractalNet", () => {
  it("has the parameters of table 3, at every depth", () => {
    const printed = [0.3, 0.8, 2.1, 4.8, 10.2, 21.1];
    const channels = [16, 32, 64, 128, 128];
    for (const [i, millions] of printed.entries()) {
      const model = new FractalNet({ channels, columns: i + 1, numClasses: 100 });
      const count = [...model.parameters().values()].reduce((total, { shape }) => total + sizeOf(shape), 0);
      expect(count).toBe(fractalCifar(channels, i + 1, 100));
      expect(Math.round(count / 1e5) / 10).toBe(millions);
    }
  });

  it("is as deep as its name says, and each column half as deep as the next", () => {
    const depths = (model: FractalNet): number[] =>
      (model.blocks[0] as FractalBlock).columns.map((_, c) =>
        model.blocks.reduce((sum, { columns }) => sum + (columns[c]?.length ?? 0), 0),
      );
    expect(depths(createModel("fractalnet20_cifar"))).toEqual([5, 10, 20]);
    expect(depths(createModel("fractalnet40_cifar"))).toEqual([5, 10, 20, 40]);
    // With the first and the last layer 34.
    expect(depths(createModel("fractalnet34"))).toEqual([4, 8, 16, 32]);
  });

  it("has the feature maps of the paper", () => {
    const shapes = (model: FractalNet, side: number): string[] => {
      const maps: string[] = [];
      const taps = ({ path, output }: TapRecord): void => {
        if (/^(stem|blocks\.\d+)$/.test(path)) maps.push((output as Tensor).shape.slice(1).join("x"));
      };
      traceModule(model, image([1, 3, side, side]), { taps });
      return maps;
    };
    const cifar = ["64x16x16", "128x8x8", "256x4x4", "512x2x2", "512x1x1"];
    expect(shapes(createModel("fractalnet20_cifar"), 32)).toEqual(cifar);
    const large = ["64x56x56", "128x28x28", "256x14x14", "512x7x7", "1024x7x7"];
    expect(shapes(createModel("fractalnet34"), 224)).toEqual(large);
  });

  it.each([1, 2, 3, 4])("of %i columns is the paper's recursion", (columns) => {
    const x = image([2, 2, 6, 4]);
    for (const pool of [false, true]) {
      const block = new FractalBlock(2, 3, { columns, pool });
      const feeds = feedsFor(block, x);
      const [a, b] = [block, new Recursive(block)].map((module) => traceModule(module as Module, x).output);
      const [got, wanted] = prepare([a as Tensor, b as Tensor]).run(feeds);
      for (const [i, value] of (wanted as Float64Array).entries()) expect(got?.[i]).toBeCloseTo(value, 10);
    }
  });

  it("keeps one column of the whole network where drop-path is global: that column alone, statistics included", () => {
    const model = new FractalNet({ ...small, dropPath: { global: 1 } });
    const x = image([2, 3, 8, 8]);
    const feeds = feedsFor(model, x);
    const traced = [model, model.column(0), model.column(1), model.column(2)].map((part) =>
      traceModule(part as Module, x, { training: true }),
    );
    const names = Object.keys(model.stateSpecs()).filter((name) => name.startsWith("buffers/"));
    const buffers = traced.map(({ updates }) =>
      names.map((name) => updates[name] ?? input(`state:${name}`, model.stateSpecs()[name]!)),
    );
    const program = prepare(traced.flatMap(({ output }, i) => [output, ...(buffers[i] as Tensor[])]));
    const seen = new Set<number>();
    for (let key = 0; key < 16; key++) {
      const values = program.run(keyed(feeds, key)).map((v) => Array.from(v));
      const [whole, ...alone] = [0, 1, 2, 3].map((i) =>
        values.slice(i * (names.length + 1), (i + 1) * (names.length + 1)),
      );
      const near = (a: number[][], b: number[][]): boolean =>
        a.every((list, i) => list.every((v, j) => Math.abs(v - (b[i]?.[j] as number)) < 1e-9));
      const which = alone.findIndex((column) => near(whole as number[][], column));
      expect(which).not.toBe(-1);
      seen.add(which);
    }
    expect([...seen].sort()).toEqual([0, 1, 2]);
  });

  it("averages what a join keeps, and keeps at least one", () => {
    const x = image([2, 2, 3, 3]);
    const block = new FractalBlock(2, 2, { columns: 2, dropPath: 0.3 });
    const feeds = feedsFor(block, x);
    const taps: Tensor[] = [];
    const { output } = traceModule(block as Module, x, {
      training: true,
      taps: ({ path, output: y }) => {
        if (/^columns\.(0\.0|1\.1)$/.test(path)) taps.push(y as Tensor);
      },
    });
    const program = prepare([output, ...taps]);
    const counts = { first: 0, second: 0, both: 0 };
    const runs = 400;
    for (let key = 0; key < runs; key++) {
      const [y, a, b] = program.run(keyed(feeds, key)).map((v) => Array.from(v)) as [number[], number[], number[]];
      const is = (wanted: number[]): boolean => wanted.every((v, i) => Math.abs(v - (y[i] as number)) < 1e-12);
      if (is(a)) counts.first++;
      else if (is(b)) counts.second++;
      else if (is(a.map((v, i) => (v + (b[i] as number)) / 2))) counts.both++;
    }
    expect(counts.first + counts.second + counts.both).toBe(runs);
    // 0.7 * 0.7 keeps both; four standard deviations.
    expect(Math.abs(counts.both / runs - 0.49)).toBeLessThan(4 * Math.sqrt((0.49 * 0.51) / runs));
    expect(Math.abs(counts.first / runs - 0.255)).toBeLessThan(4 * Math.sqrt((0.255 * 0.745) / runs));
  });

  it("lets no NaN out of what it drops, forward or backward, and leaves its statistics alone", () => {
    const model = new FractalNet({ ...small, dropPath: { global: 1 } });
    const x = image([2, 3, 8, 8]);
    const feeds = feedsFor(model, x);
    // The longest column is broken; steps that keep another one must not notice.
    for (const [name, values] of feeds) if (/blocks\.\d\.columns\.2\..*conv/.test(name)) values.fill(Number.NaN);
    const state = Object.fromEntries(
      Object.entries(model.stateSpecs()).map(([name, spec]) => [name, input(`state:${name}`, spec)]),
    );
    const { output, updates } = traceModule(model, x, { training: true, state });
    const healthy = Object.keys(state).filter((name) => /^params.*columns\.[01]\./.test(name));
    const targets = healthy.map((name) => state[name] as Tensor);
    const program = prepare([output, ...gradients(sum(mul(output, output)), targets), ...Object.values(updates)]);
    const finite: boolean[] = [];
    for (let key = 0; key < 8; key++) {
      const values = program.run(keyed(feeds, key));
      const whole = values.every((list) => list.every(Number.isFinite));
      expect(whole).toBe((values[0] as Float64Array).every(Number.isFinite));
      finite.push(whole);
    }
    expect(new Set(finite)).toEqual(new Set([true, false]));
  });

  it("draws nothing in evaluation, and has no randomness to draw without drops", () => {
    const ops = (options: FractalNetOptions, training: boolean): string[] => {
      const names: string[] = [];
      const { output } = traceModule(new FractalNet({ ...small, ...options }), image([2, 3, 8, 8]), { training });
      prepare([output]);
      const seen = new Set([output.node]);
      for (const node of seen) {
        names.push(node.op.name);
        for (const { node: before } of node.inputs) seen.add(before);
      }
      return names;
    };
    expect(ops({}, false)).not.toContain("randomBits");
    expect(ops({ dropPath: { local: 0, global: 0 } }, true)).not.toContain("randomBits");
    expect(ops({}, true)).toContain("randomBits");
    expect(ops({ dropPath: { local: 0, global: 0 }, dropRates: [0.1] }, true)).toContain("randomBits");
  });

  it("takes other channels, classes and sizes, and says what it cannot be", () => {
    const model = createModel("fractalnet20_cifar", { inChannels: 1, numClasses: 7 });
    expect(traceModule(model, image([2, 1, 64, 48])).output.shape).toEqual([2, 7]);
    expect(() => model.column(3)).toThrow("column: there is none of number 3; the network has 3, from 0");
    expect(() => new FractalBlock(3, 4, { columns: 0 })).toThrow(/columns is 0 and dropPath 0.15/);
    expect(() => new FractalBlock(3, 4, { dropPath: 1.5 })).toThrow(/dropPath 1.5/);
  });
});
