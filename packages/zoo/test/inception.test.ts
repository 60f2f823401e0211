import { hostTensor, input, type Shape, sizeOf, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { type Module, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import {
  type AuxiliaryOutput,
  checkTrainingSize,
  createModel,
  InceptionResNetA,
  InceptionResNetC,
  InceptionV2Reduction,
  leastInputSize,
  type ModelName,
} from "../src/index.js";
import { counts } from "./counts/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

/** Maps after the named layers. */
function maps(name: ModelName, side: number, paths: readonly string[], training = false): (Shape | undefined)[] {
  const calls = new Map(callsOf(createModel(name), [3, side, side], { training }));
  return paths.map((path) => calls.get(path));
}

const map = (channels: number, side: number): Shape => [channels, side, side];

const totals = (name: ModelName, side: number) =>
  summary(createModel(name) as Module<Tensor, unknown>, [3, side, side]);

/**
 * As others print it: in G to two digits, with two operations for each value that batch-norm makes, which tools that count by layer
 * add to the multiply-adds.
 */
function withBatchNorm(name: ModelName): string {
  const { rows, totals: sums } = totals(name, 299);
  // The auxiliary classifier is not called.
  const shapes = rows.flatMap(({ type, outputShape }) =>
    type === "BatchNorm2d" && outputShape !== null ? [outputShape] : [],
  );
  const normalised = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  return ((sums.macs + 2 * normalised) / 1e9).toFixed(2);
}

describe("inception_v2", () => {
  it("has the output sizes of figure 5", () => {
    const rows = ["conv1", "pool1", "conv2", "pool2", "inception3a", "inception3b", "inception3c", "inception4a"];
    const later = ["inception4b", "inception4c", "inception4d", "inception4e", "inception5a", "inception5b"];
    expect(maps("inception_v2", 224, [...rows, ...later, "pool5"])).toEqual([
      ...[map(64, 112), map(64, 56), map(192, 56), map(192, 28)],
      ...[map(256, 28), map(320, 28), map(576, 14)],
      ...[map(576, 14), map(576, 14), map(576, 14), map(576, 14), map(1024, 7)],
      ...[map(1024, 7), map(1024, 7), [1024]],
    ]);
  });

  it("has multiply-adds by figure 5", () => {
    const block = (c: number, a: number, r: number, b: number, s: number, d: number, p: number): number =>
      c * (a + r + s + p) + 9 * (r * b + s * d + d * d);
    // Of stride 2: the last convolution of each branch at a quarter of the pixels.
    const halved = (c: number, r: number, b: number, s: number, d: number): number =>
      4 * (c * (r + s) + 9 * s * d) + 9 * (r * b + d * d);
    const macs =
      112 ** 2 * (24 * 49 + 24 * 64) +
      56 ** 2 * (64 * 64 + 9 * 64 * 192) +
      28 ** 2 * (block(192, 64, 64, 64, 64, 96, 32) + block(256, 64, 64, 96, 64, 96, 64)) +
      14 ** 2 * halved(320, 128, 160, 64, 96) +
      14 ** 2 * (block(576, 224, 64, 96, 96, 128, 128) + block(576, 192, 96, 128, 96, 128, 128)) +
      14 ** 2 * (block(576, 160, 128, 160, 128, 160, 96) + block(576, 96, 128, 192, 160, 192, 96)) +
      7 ** 2 * halved(576, 128, 192, 192, 256) +
      7 ** 2 * (block(1024, 352, 192, 320, 160, 224, 128) + block(1024, 352, 192, 320, 192, 224, 128)) +
      1024 * 1000;
    expect(totals("inception_v2", 224).totals.macs).toBe(macs);
  });

  it("halves odd maps, too: all branches round up", () => {
    const filters = { reduce3x3: 2, conv3x3: 3, reduceDouble3x3: 2, double3x3: 4 };
    const x = input("x", { shape: [1, 5, 7, 8], dtype: "float32" });
    expect((traceModule(new InceptionV2Reduction(5, filters), x).output as Tensor).shape).toEqual([1, 12, 4, 4]);
  });
});

describe("inception_v3", () => {
  it("has the maps of the paper's table 1", () => {
    const stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "maxpool1", "Conv2d_4a_3x3", "maxpool2"];
    expect(maps("inception_v3", 299, stem)).toEqual([
      ...[map(32, 149), map(32, 147), map(64, 147), map(64, 73)],
      ...[map(192, 71), map(192, 35)],
    ]);
    const mixed = ["Mixed_5b", "Mixed_5d", "Mixed_6a", "Mixed_6e", "Mixed_7a", "Mixed_7c", "avgpool"];
    expect(maps("inception_v3", 299, mixed)).toEqual([
      ...[map(256, 35), map(288, 35), map(768, 17), map(768, 17)],
      ...[map(1280, 8), map(2048, 8), [2048]],
    ]);
  });

  it("has 27,161,264 parameters, 23.83 M without the auxiliary classifier, and 5.73 G operations", () => {
    expect(counts.inception_v3).toBe(27_161_264);
    const main = [...createModel("inception_v3").parameters()].filter(([name]) => !name.startsWith("AuxLogits."));
    const parameters = main.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
    expect((parameters / 1e6).toFixed(2)).toBe("23.83");
    expect(withBatchNorm("inception_v3")).toBe("5.73");
  });

  it("has multiply-adds by its layers", () => {
    const a = (c: number, p: number): number => c * (176 + p) + 25 * 48 * 64 + 9 * 96 * (64 + 96);
    const c = (w: number): number => 768 * (2 * w + 384) + 28 * w * w + 14 * w * 192;
    const e = (x: number): number => x * 1344 + 9 * 448 * 384 + 4 * 3 * 384 * 384;
    const macs =
      149 ** 2 * 27 * 32 +
      147 ** 2 * 9 * 32 * (32 + 64) +
      73 ** 2 * 64 * 80 +
      71 ** 2 * 9 * 80 * 192 +
      35 ** 2 * (a(192, 32) + a(256, 64) + a(288, 64) + 288 * 64 + 9 * 64 * 96) +
      17 ** 2 * 9 * (288 * 384 + 96 * 96) +
      17 ** 2 * (c(128) + 2 * c(160) + c(192) + 768 * 384 + 14 * 192 * 192) +
      8 ** 2 * 9 * 192 * (320 + 192) +
      8 ** 2 * (e(1280) + e(2048)) +
      2048 * 1000;
    expect(totals("inception_v3", 299).totals.macs).toBe(macs);
  });

  it("trains with an auxiliary classifier of its own on images of 299, evaluates from 75 on", () => {
    expect(maps("inception_v3", 299, ["AuxLogits.conv0", "AuxLogits.conv1", "AuxLogits"], true)).toEqual([
      map(128, 5),
      map(768, 1),
      [1000],
    ]);
    expect(leastInputSize("inception_v3")).toBe(75);
    expect(() => checkTrainingSize("inception_v3", { inputSize: 298 })).toThrow(
      /inception_v3: 298x298 images are too small to train on; the least is 299x299[\s\S]*AuxLogits.conv1/,
    );
  });

  it("starts from torchvision's truncated normal distributions", () => {
    const { Conv2d_1a_3x3, AuxLogits, fc } = createModel("inception_v3");
    const layers = [Conv2d_1a_3x3.conv, AuxLogits.conv0.conv, AuxLogits.conv1.conv, AuxLogits.fc, fc];
    expect(layers.map(({ weight }) => startOf(weight))).toEqual([0.1, 0.1, 0.01, 0.001, 0.1].map(Math.fround));
  });
});

describe("inception_v4", () => {
  const modules = ["stem", "inceptionA", "reductionA", "inceptionB", "reductionB", "inceptionC", "pool"];

  it("has the maps of figures 3 and 9", () => {
    expect(maps("inception_v4", 299, modules)).toEqual([
      ...[map(384, 35), map(384, 35), map(1024, 17), map(1024, 17)],
      ...[map(1536, 8), map(1536, 8), [1536]],
    ]);
    expect(maps("inception_v4", 299, ["stem.0", "stem.1", "stem.2"])).toEqual([
      ...[map(64, 147), map(160, 73), map(192, 71)],
    ]);
    const { inceptionA, inceptionB, inceptionC } = createModel("inception_v4");
    expect([inceptionA, inceptionB, inceptionC].map(({ layers }) => layers.length)).toEqual([4, 7, 3]);
  });

  it("has 42.68 M parameters and 12.28 G operations", () => {
    expect(counts.inception_v4).toBe(42_679_816);
    expect(withBatchNorm("inception_v4")).toBe("12.28");
  });

  it("has multiply-adds by figures 3 to 8", () => {
    const a = 384 * 320 + 9 * 96 * (64 + 64 + 96);
    const b = 1024 * 896 + 7 * 192 * (224 + 192 + 224) + 7 * 224 * (256 + 224 + 256);
    const c = 1536 * 1280 + 3 * 384 * (512 + 448) + 3 * 448 * 512 + 3 * 512 * 512;
    const macs =
      149 ** 2 * 27 * 32 +
      147 ** 2 * 9 * 32 * (32 + 64) +
      73 ** 2 * (9 * 64 * 96 + 160 * 128 + 14 * 64 * 64) +
      71 ** 2 * 2 * 9 * 64 * 96 +
      35 ** 2 * (9 * 192 * 192 + 4 * a + 384 * 192 + 9 * 192 * 224) +
      17 ** 2 * 9 * (384 * 384 + 224 * 256) +
      17 ** 2 * (7 * b + 1024 * 448 + 7 * 256 * (256 + 320)) +
      8 ** 2 * 9 * (192 * 192 + 320 * 320) +
      8 ** 2 * 3 * c +
      1536 * 1000;
    expect(totals("inception_v4", 299).totals.macs).toBe(macs);
  });
});

describe("inception_resnet", () => {
  const modules = ["stem", "inceptionA", "reductionA", "inceptionB", "reductionB", "inceptionC", "pool"];

  it("v1 has the maps of figures 14 and 15", () => {
    expect(maps("inception_resnet_v1", 299, modules)).toEqual([
      ...[map(256, 35), map(256, 35), map(896, 17), map(896, 17)],
      ...[map(1792, 8), map(1792, 8), [1792]],
    ]);
    const { inceptionA, inceptionB, inceptionC } = createModel("inception_resnet_v1");
    expect([inceptionA, inceptionB, inceptionC].map(({ layers }) => layers.length)).toEqual([5, 10, 5]);
  });

  it("v2 has the maps of the authors' code, 55.84 M parameters and 13.18 G operations", () => {
    expect(maps("inception_resnet_v2", 299, [...modules.slice(0, 6), "conv"])).toEqual([
      ...[map(320, 35), map(320, 35), map(1088, 17), map(1088, 17)],
      ...[map(2080, 8), map(2080, 8), map(1536, 8)],
    ]);
    expect(counts.inception_resnet_v2).toBe(55_843_464);
    expect(withBatchNorm("inception_resnet_v2")).toBe("13.18");
  });

  it("v1 and v2 have multiply-adds by their layers", () => {
    const stem = 149 ** 2 * 27 * 32 + 147 ** 2 * 9 * 32 * (32 + 64) + 73 ** 2 * 64 * 80 + 71 ** 2 * 9 * 80 * 192;
    const first =
      stem +
      35 ** 2 * (9 * 192 * 256 + 5 * (256 * 96 + 27 * 32 * 32 + 96 * 256) + 256 * 192 + 9 * 192 * 192) +
      17 ** 2 * 9 * (256 * 384 + 192 * 256) +
      17 ** 2 * (10 * (896 * 256 + 14 * 128 * 128 + 256 * 896) + 896 * 768 + 9 * 256 * 256) +
      8 ** 2 * 9 * 256 * (384 + 256 + 256) +
      8 ** 2 * 5 * (1792 * 384 + 6 * 192 * 192 + 384 * 1792) +
      1792 * 1000;
    expect(totals("inception_resnet_v1", 299).totals.macs).toBe(first);
    const mixed = 192 * 272 + 25 * 48 * 64 + 9 * 96 * (64 + 96);
    const a = 320 * 96 + 9 * (32 * 32 + 32 * 48 + 48 * 64) + 128 * 320;
    const b = 1088 * 320 + 7 * 160 * (128 + 192) + 384 * 1088;
    const c = 2080 * 384 + 3 * 224 * (192 + 256) + 448 * 2080;
    const second =
      stem +
      35 ** 2 * (mixed + 10 * a + 320 * 256 + 9 * 256 * 256) +
      17 ** 2 * 9 * 384 * (320 + 256) +
      17 ** 2 * (20 * b + 1088 * 768 + 9 * 256 * 288) +
      8 ** 2 * 9 * (256 * 384 + 256 * 288 + 288 * 320) +
      8 ** 2 * (10 * c + 2080 * 1536) +
      1536 * 1000;
    expect(totals("inception_resnet_v2", 299).totals.macs).toBe(second);
  });

  it("scales its residuals by 0.17, 0.1 and 0.2; the last of v2 neither scales nor rectifies", () => {
    const blocks = (name: "inception_resnet_v1" | "inception_resnet_v2") =>
      [...createModel(name).modules().values()].flatMap((module) =>
        "scale" in module && "activation" in module ? [`${module.scale} ${module.activation}`] : [],
      );
    const times = (count: number, what: string): string[] => Array.from({ length: count }, () => what);
    expect(blocks("inception_resnet_v1")).toEqual([
      ...[...times(5, "0.17 true"), ...times(10, "0.1 true"), ...times(5, "0.2 true")],
    ]);
    expect(blocks("inception_resnet_v2")).toEqual([
      ...[...times(10, "0.17 true"), ...times(20, "0.1 true"), ...times(9, "0.2 true"), "1 false"],
    ]);
  });
});

describe("a residual block", () => {
  /** The output for an image of -1 and 2, the branches silenced, so that the expansion gives its bias, 5, alone. */
  function outputOf(block: Module): number[] {
    const x = input("x", { shape: [1, 1, 1, 2], dtype: "float32" });
    const { output } = traceModule(block, x);
    const feeds = new Map([["x", hostTensor(Float32Array.of(-1, 2), [1, 1, 1, 2])]]);
    for (const [name, { shape, dtype }] of Object.entries(block.stateSpecs())) {
      const value = name === "params/expand.bias" ? 5 : 0;
      const values = dtype === "int32" ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)).fill(value);
      feeds.set(`state:${name}`, hostTensor(values, shape));
    }
    return Array.from(evaluate([output as Tensor], feeds)[0] as unknown as ArrayLike<number>);
  }

  it("is relu(x + scale * branches), or without the ReLU", () => {
    const a = outputOf(new InceptionResNetA(1, { filters: [[1], [1, 1], [1, 1, 1]], scale: 0.1 }));
    expect(a[0]).toBe(0);
    expect(a[1]).toBeCloseTo(2.5, 6);
    const c = outputOf(new InceptionResNetC(1, { filters: [[1], [1, 1, 1]], scale: 0.1, activation: false }));
    expect(c[0]).toBeCloseTo(-0.5, 6);
    expect(c[1]).toBeCloseTo(2.5, 6);
  });

  it("refuses filters that lack a convolution", () => {
    expect(() => new InceptionResNetA(8, { filters: [[4], [4, 4]], scale: 0.1 })).toThrow(
      "Conv2d: outChannels is undefined; it needs an integer >= 1",
    );
  });
});

describe("all of them", () => {
  const names = ["inception_v2", "inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2"] as const;

  it.each(names)("%s: channels, classes, sizes", (name) => {
    expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 80 })).toEqual([2, 7]);
  });

  it("inception_v3's auxiliary classifier knows the classes, too", () => {
    const x = input("x", { shape: [2, 1, 299, 299], dtype: "float32" });
    const model = createModel("inception_v3", { inChannels: 1, numClasses: 7 });
    const { logits, aux } = traceModule(model, x, { training: true }).output as AuxiliaryOutput;
    expect([logits.shape, aux?.shape]).toEqual([
      [2, 7],
      [2, 7],
    ]);
  });

  it.each(["inception_v4", "inception_resnet_v1", "inception_resnet_v2"] as const)(
    "%s says that 74x74 is too small",
    (name) => {
      expect(() => createModel(name, { inputSize: 74 })).toThrow(
        /^inception_\w+: 74x74 images are too small; the least is 75x75\n[\s\S]*reductionB/,
      );
    },
  );

  it.each(["inception_v2", "inception_v4", "inception_resnet_v2"] as const)(
    "%s starts from He's distribution",
    (name) => {
      const { fc } = createModel(name);
      expect(startOf(fc.weight)).toBeCloseTo(Math.sqrt(2 / fc.inFeatures), 6);
      expect(startOf(fc.bias)).toBe(0);
    },
  );
});
