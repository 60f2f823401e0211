import { add, mul, relu, sigmoid, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  GlobalAvgPool,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
  zeros,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { lenet, vgg } from "../test/nets.js";
import {
  formatBinaryBytes,
  formatBytes,
  formatCount,
  formatSummary,
  type LayerRow,
  type Summary,
  summary,
  summaryCsv,
} from "./index.js";

const conv = (from: number, to: number): Conv2d => new Conv2d(from, to, { kernelSize: 3, padding: 1, bias: false });
const column = <Key extends keyof LayerRow>({ rows }: Summary, key: Key): LayerRow[Key][] =>
  rows.map((row) => row[key]);

describe("summary", () => {
  const result = summary(lenet(), [1, 28, 28]);

  it("has a row a layer, with its shape and parameters", () => {
    expect(result.rows.map(({ path, type }) => `${path} ${type}`)).toEqual([
      "0 Conv2d",
      "1 ReLU",
      "2 MaxPool2d",
      "3 Conv2d",
      "4 ReLU",
      "5 MaxPool2d",
      "6 Conv2d",
      "7 ReLU",
    ]);
    expect(column(result, "outputShape")).toEqual([
      [6, 28, 28],
      [6, 28, 28],
      [6, 14, 14],
      [16, 10, 10],
      [16, 10, 10],
      [16, 5, 5],
      [120, 1, 1],
      [120, 1, 1],
    ]);
    expect(column(result, "parameters")).toEqual([156, 0, 0, 2416, 0, 0, 48120, 0]);
    expect(column(result, "biases")).toEqual([6, 0, 0, 16, 0, 0, 120, 0]);
    expect(column(result, "used")).toEqual(Array(8).fill(true));
  });

  it("counts multiply-adds, and FLOPs with biases, comparisons and all", () => {
    expect(column(result, "macs")).toEqual([6 * 25 * 784, 0, 0, 16 * 150 * 100, 0, 0, 120 * 400, 0]);
    const pooled = (values: number): number => 3 * values;
    expect(column(result, "flops")).toEqual([
      2 * 117_600 + 4704,
      4704,
      pooled(1176),
      2 * 240_000 + 1600,
      1600,
      pooled(400),
      2 * 48_000 + 120,
      120,
    ]);
  });

  it("counts as stored what is not computed in place", () => {
    expect(column(result, "storedValues")).toEqual([4704, 0, 1176, 1600, 0, 400, 120, 0]);
    expect(column(result, "storedBytes")).toEqual([18816, 0, 4704, 6400, 0, 1600, 480, 0]);
  });

  it("relates FLOPs to bytes read and written", () => {
    expect(column(result, "bytesMoved").slice(0, 3)).toEqual([
      4 * (784 + 156 + 4704),
      4 * (4704 + 4704),
      4 * (4704 + 1176),
    ]);
    expect(result.rows[0]?.intensity).toBeCloseTo(239_904 / 22_576, 12);
    expect(result.totals.intensity).toBeCloseTo(result.totals.flops / result.totals.bytesMoved, 12);
  });

  it("follows size, stride and centre of the receptive field", () => {
    expect(column(result, "receptiveField").map((field) => field?.[0])).toEqual([5, 5, 6, 14, 14, 16, 32, 32]);
    expect(column(result, "stride").map((stride) => stride?.[1])).toEqual([1, 1, 2, 2, 2, 4, 4, 4]);
    expect(column(result, "centre").map((centre) => centre?.[1])).toEqual([0, 0, 0.5, 4.5, 4.5, 5.5, 13.5, 13.5]);
  });

  it("adds up", () => {
    expect(result.totals).toMatchObject({
      parameters: 156 + 2416 + 48120,
      weights: 150 + 2400 + 48000,
      biases: 142,
      macs: 117600 + 240000 + 48000,
      activationBytes: 4 * (2 * 4704 + 1176 + 2 * 1600 + 400 + 240),
      storedValues: 784 + 4704 + 1176 + 1600 + 400 + 120,
      storedBytes: 4 * 8784,
    });
  });

  it("prints a table and CSV", () => {
    expect(formatSummary(result)).toMatchSnapshot();
    const lines = summaryCsv(result).trimEnd().split("\n");
    expect(lines[0]).toBe(
      "layer,type,output,parameters,multiply_adds,activation_bytes,receptive_field,stride,centre,weights,biases,flops,stored_values,stored_bytes,bytes_moved,flops_per_byte,used",
    );
    expect(lines[1]).toBe(
      `0,Conv2d,6x28x28,156,117600,18816,5x5,1x1,0x0,150,6,239904,4704,18816,22576,${239_904 / 22_576},true`,
    );
    expect(lines).toHaveLength(9);
  });

  it("takes a batch: costs are for all of it, weights are read once", () => {
    const { rows, totals } = summary(lenet(), [1, 28, 28], { batch: 8 });
    expect(totals).toMatchObject({ parameters: 50_692, macs: 8 * 405_600, storedValues: 8 * 8784 });
    expect(rows[0]).toMatchObject({ outputShape: [6, 28, 28], bytesMoved: 4 * (8 * 784 + 156 + 8 * 4704) });
  });

  it("sees everything after global pooling, and nothing as a map after a linear layer", () => {
    const model = new Sequential(new Conv2d(3, 8, { kernelSize: 3, stride: 2 }), new GlobalAvgPool({ keepDims: true }));
    expect(summary(model, [3, 17, 9]).rows[1]?.receptiveField?.[0]).toBe(17);
    expect(summary(new Sequential(new Linear(9, 2)), [3, 17, 9]).rows[0]?.outputShape).toEqual([3, 17, 2]);
  });

  it("names an input that does not fit, with the layer", () => {
    expect(() => summary(lenet(), [3, 28, 28])).toThrow(/conv2d: input has 3 channels; .* needs 1[\s\S]*at 0/);
    expect(() => summary(lenet(), [28, 28])).toThrow(/needs \[C, H, W\]/);
    expect(() => summary(lenet(), [1, 28, 28], { batch: 1.5 })).toThrow(/batch is 1.5/);
    expect(() => summary(lenet(), [1, 28, 28], { depth: -1 })).toThrow(/depth is -1/);
  });

  it("names the layer that ran out of pixels", () => {
    expect(() => summary(lenet(), [1, 14, 14])).toThrow(/^conv2d: [\s\S]*at 6 /);
    expect(() => summary(vgg([1, 1, 1, 1, 1]), [3, 8, 8])).toThrow(
      /^maxPool2d: the window .*\[1, 512, 1, 1\][\s\S]*at 11 /,
    );
  });
});

describe("rows", () => {
  class Twice extends Module {
    readonly conv = new Conv2d(4, 4, { kernelSize: 3, padding: 1 });
    readonly bn = new BatchNorm2d(4);
    override forward(x: Tensor, ctx: Context): Tensor {
      return relu(ctx.call(this.bn, ctx.call(this.conv, ctx.call(this.conv, x))));
    }
  }

  it("count parameters of a shared module once, operations at each call, a module's own in a row of its own", () => {
    const result = summary(new Twice(), [4, 8, 8]);
    expect(column(result, "path")).toEqual(["conv", "conv", "bn", ""]);
    expect(column(result, "parameters")).toEqual([148, 0, 8, 0]);
    expect(column(result, "macs")).toEqual([9216, 9216, 0, 0]);
    expect(column(result, "flops")).toEqual([2 * 9216 + 256, 2 * 9216 + 256, 2 * 256 + 20, 256]);
    expect(column(result, "storedValues")).toEqual([256, 256, 0, 0]);
    expect(column(result, "receptiveField").map((field) => field?.[1])).toEqual([3, 5, 5, 5]);
    expect(result.totals).toMatchObject({ parameters: 156, macs: 2 * 9216, bufferValues: 9 });
  });

  it("store an element-wise result only where its input is still needed", () => {
    class Net extends Module {
      readonly first = conv(2, 2);
      readonly second = conv(2, 2);
      constructor(readonly body: (net: Net, x: Tensor, ctx: Context) => Tensor) {
        super();
      }
      override forward(x: Tensor, ctx: Context): Tensor {
        return this.body(this, ctx.call(this.first, x), ctx);
      }
    }
    const stored = (body: Net["body"]): number[] => column(summary(new Net(body), [2, 4, 4]), "storedValues");
    const gated = (x: Tensor): Tensor => mul(x, sigmoid(x));
    expect(stored((_, x) => gated(x))).toEqual([32, 0, 0]);
    expect(stored(({ second }, x, ctx) => add(ctx.call(second, x), x))).toEqual([32, 32, 0]);
    // Pre-activation: the shortcut needs x, so that relu(x) is new.
    expect(stored(({ second }, x, ctx) => add(ctx.call(second, relu(x)), x))).toEqual([32, 32, 32]);
  });

  it("list modules that evaluation does not call, so that parameters add up", () => {
    class Auxiliary extends Module<Tensor, Tensor | { logits: Tensor; aux: Tensor }> {
      readonly body = conv(1, 2);
      readonly aux = new Sequential(new GlobalAvgPool(), new Linear(2, 3));
      readonly spare = [new Parameter([5], zeros)];
      override forward(x: Tensor, ctx: Context) {
        const logits = ctx.call(this.body, x);
        return ctx.training ? { logits, aux: ctx.call(this.aux, logits) } : logits;
      }
    }
    const all = summary(new Auxiliary(), [1, 4, 4]);
    const brief = ({ path, used, parameters, weights }: LayerRow) => [path, used, parameters, weights];
    expect(all.rows.map(brief)).toEqual([
      ["body", true, 18, 18],
      ["", true, 5, 5],
      ["aux.1", false, 9, 6],
    ]);
    expect(all.totals).toMatchObject({ parameters: 32, weights: 29, biases: 3 });
    expect(formatSummary(all)).toMatch(/^aux\.1 +Linear +unused +9 +- /m);
    expect(formatSummary(all)).toMatch(/^ +9 of them in layers that evaluation does not use$/m);
    expect(summary(new Auxiliary(), [1, 4, 4], { depth: 1 }).rows.map(brief)).toEqual([
      ["body", true, 18, 18],
      ["", true, 5, 5],
      ["aux", false, 9, 6],
    ]);
    expect(summary(new Auxiliary(), [1, 4, 4], { depth: 0 }).rows.map(brief)).toEqual([["", true, 32, 29]]);
  });

  it("are added up below a depth", () => {
    const block = (from: number, to: number): Sequential => new Sequential(conv(from, to), new ReLU());
    const model = new Sequential(block(1, 2), new Sequential(block(2, 2), block(2, 3)), new GlobalAvgPool());
    const depth = (n?: number): Summary => summary(model, [1, 4, 4], n === undefined ? {} : { depth: n });
    const all = depth();
    expect(column(all, "path")).toEqual(["0.0", "0.1", "1.0.0", "1.0.1", "1.1.0", "1.1.1", "2"]);
    expect(column(depth(2), "path")).toEqual(["0.0", "0.1", "1.0", "1.1", "2"]);
    const one = depth(1);
    expect(one.rows.map(({ path, type }) => `${path} ${type}`)).toEqual([
      "0 Sequential",
      "1 Sequential",
      "2 GlobalAvgPool",
    ]);
    expect(column(one, "outputShape")).toEqual([[2, 4, 4], [3, 4, 4], [3]]);
    expect(column(one, "parameters")).toEqual([18, 36 + 54, 0]);
    expect(column(one, "macs")).toEqual([16 * 18, 16 * 90, 0]);
    expect(column(one, "storedValues")).toEqual([32, 32 + 48, 3]);
    expect(column(one, "receptiveField").map((field) => field?.[0])).toEqual([3, 7, undefined]);
    for (const n of [0, 1, 2]) expect(depth(n).totals).toEqual(all.totals);
    expect(depth(0).rows).toHaveLength(1);
  });

  it("need no recursion", () => {
    class Deep extends Module {
      override forward(x: Tensor): Tensor {
        let y = x;
        for (let i = 0; i < 100_000; i++) y = relu(y);
        return y;
      }
    }
    expect(summary(new Deep(), [1, 2, 2]).rows).toMatchObject([{ path: "", flops: 400_000, storedValues: 4 }]);
  }, 30_000);

  it("say nothing of what a module computes and nobody reads", () => {
    class Idle extends Module {
      readonly used = conv(1, 1);
      readonly idle = conv(1, 1);
      override forward(x: Tensor, ctx: Context): Tensor {
        ctx.call(this.idle, x);
        return ctx.call(this.used, x);
      }
    }
    expect(column(summary(new Idle(), [1, 4, 4]), "macs")).toEqual([0, 144]);
  });
});

// Stanford's CS231n, lecture 9 (2017): VGG-16, "memory" and "params" by layer, not counting biases.
describe("the course's table of VGG-16", () => {
  const result = summary(vgg([2, 2, 3, 3, 3]), [3, 224, 224]);

  it("is these rows", () => {
    const maps = (channels: number, size: number): number => channels * size * size;
    expect(column(result, "storedValues").filter((values) => values > 0)).toEqual([
      ...[maps(64, 224), maps(64, 224), maps(64, 112)],
      ...[maps(128, 112), maps(128, 112), maps(128, 56)],
      ...[maps(256, 56), maps(256, 56), maps(256, 56), maps(256, 28)],
      ...[maps(512, 28), maps(512, 28), maps(512, 28), maps(512, 14)],
      ...[maps(512, 14), maps(512, 14), maps(512, 14), maps(512, 7)],
      ...[4096, 4096, 1000],
    ]);
    expect(column(result, "weights").filter((count) => count > 0)).toEqual([
      ...[1_728, 36_864, 73_728, 147_456, 294_912, 589_824, 589_824, 1_179_648],
      ...[2_359_296, 2_359_296, 2_359_296, 2_359_296, 2_359_296, 102_760_448, 16_777_216, 4_096_000],
    ]);
  });

  it("has these totals", () => {
    expect(result.totals).toMatchObject({ weights: 138_344_128, biases: 13_416, parameters: 138_357_544 });
    expect(result.totals).toMatchObject({ storedValues: 15_237_608, storedBytes: 60_950_432, macs: 15_470_264_320 });
    expect(formatSummary(result)).toMatch(/^activations +15,237,608 values, 61\.0 MB/m);
  });
});

describe("a terminal's width", () => {
  const result = summary(vgg([2, 2, 3, 3, 3]), [3, 224, 224]);
  const tableOf = (width: number): string[] => {
    const lines = formatSummary(result, { width }).split("\n");
    return lines.slice(0, lines.findIndex((line) => line.startsWith("parameters ")) - 2);
  };

  it.each([200, 120, 100, 80, 60])("of %i holds the table", (width) => {
    expect(Math.max(...tableOf(width).map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it("costs columns and digits first, and beginnings of names last", () => {
    expect(tableOf(200)[0]).toMatch(/FLOPs\/byte/);
    expect(tableOf(100)[0]).toMatch(/^layer +type +output +parameters +mult-adds +values +sees$/);
    expect(tableOf(66)[0]).toMatch(/^layer +output/);
    const deep = summary(
      new Sequential({ a_long_name_of_a_block: new Sequential({ a_long_name: lenet() }) }),
      [1, 28, 28],
    );
    const lines = formatSummary(deep, { width: 62 }).split("\n");
    expect(lines.find((line) => line.includes("156"))).toMatch(
      /^\.\.[a-z_.]*a_long_name\.0 +6x28x28 +156 +118K +4\.70K$/,
    );
  });
});

describe("units", () => {
  it("round to three digits", () => {
    expect([0, 999, 1000, 61706, 999_999, 25_557_032, 4_111_514_624].map(formatCount)).toEqual([
      "0",
      "999",
      "1.00 K",
      "61.7 K",
      "1.00 M",
      "25.6 M",
      "4.11 G",
    ]);
    expect([0, 999, 1000, 18816, 60_950_432].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.00 kB",
      "18.8 kB",
      "61.0 MB",
    ]);
    expect([0, 1023, 1024, 18816, 102_228_128].map(formatBinaryBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.00 KiB",
      "18.4 KiB",
      "97.5 MiB",
    ]);
  });
});
