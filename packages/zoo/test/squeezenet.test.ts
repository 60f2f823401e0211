import { hostTensor, input, type Shape, sizeOf, sub, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { inventory, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, Fire, leastInputSize } from "../src/index.js";
import { callsOf, logitsShape, startOf } from "./trace.js";

/** Multiply-adds of a fire module for one pixel. */
const fire = (into: number, s: number, e: number): number => into * s + 10 * s * e;

const maps = (name: "squeezenet1_0" | "squeezenet1_1", size: number) =>
  callsOf(createModel(name), [3, size, size])
    .filter(([path]) => /^features\.\d+$/.test(path))
    .map(([, shape]) => shape);

const size = (count: number, side: number): Shape => [count, side, side];

describe("squeezenet1_0", () => {
  it("has the maps of table 1 for an input of 227", () => {
    const expected = [
      ...[size(96, 111), size(96, 111), size(96, 55)],
      ...[size(128, 55), size(128, 55), size(256, 55), size(256, 27)],
      ...[size(256, 27), size(384, 27), size(384, 27), size(512, 27), size(512, 13)],
      size(512, 13),
    ];
    expect(maps("squeezenet1_0", 227)).toEqual(expected);
  });

  it("has multiply-adds by table 1, at 224 pixels", () => {
    const macs =
      109 ** 2 * 96 * 147 +
      54 ** 2 * (fire(96, 16, 64) + fire(128, 16, 64) + fire(128, 32, 128)) +
      27 ** 2 * (fire(256, 32, 128) + fire(256, 48, 192) + fire(384, 48, 192) + fire(384, 64, 256)) +
      13 ** 2 * (fire(512, 64, 256) + 512 * 1000);
    expect(summary(createModel("squeezenet1_0"), [3, 224, 224]).totals.macs).toBe(macs);
    // A simple bypass multiplies nothing.
    expect(summary(createModel("squeezenet1_0_simple_bypass"), [3, 224, 224]).totals.macs).toBe(macs);
    const complex = 54 ** 2 * (96 * 128 + 128 * 256) + 27 ** 2 * (256 * 384 + 384 * 512);
    expect(summary(createModel("squeezenet1_0_complex_bypass"), [3, 224, 224]).totals.macs).toBe(macs + complex);
  });
});

describe("squeezenet1_1", () => {
  it("pools earlier", () => {
    const pooled = [2, 5, 8].map((position) => maps("squeezenet1_1", 224)[position]);
    expect(pooled).toEqual([size(64, 55), size(128, 27), size(256, 13)]);
  });

  it("has multiply-adds by its layers, 2.4 times fewer", () => {
    const macs =
      111 ** 2 * 64 * 27 +
      55 ** 2 * (fire(64, 16, 64) + fire(128, 16, 64)) +
      27 ** 2 * (fire(128, 32, 128) + fire(256, 32, 128)) +
      13 ** 2 * (fire(256, 48, 192) + fire(384, 48, 192) + fire(384, 64, 256) + fire(512, 64, 256) + 512 * 1000);
    const own = summary(createModel("squeezenet1_1"), [3, 224, 224]).totals.macs;
    expect(own).toBe(macs);
    expect(summary(createModel("squeezenet1_0"), [3, 224, 224]).totals.macs / own).toBeCloseTo(2.4, 0);
  });
});

describe("bypasses", () => {
  const bypasses = (name: "squeezenet1_0" | "squeezenet1_0_simple_bypass" | "squeezenet1_0_complex_bypass") =>
    [...inventory(createModel(name)).modules].flatMap(([path, module]) =>
      module instanceof Fire ? [`${path} ${module.bypass?.constructor.name ?? "none"}`] : [],
    );

  it("stand where figure 2 has them: fire3, 5, 7, 9 simple, the others complex", () => {
    const [positions, simple] = [
      [3, 4, 5, 7, 8, 9, 10, 12],
      [4, 7, 9, 12],
    ];
    const all = (kind: (position: number) => string) => positions.map((p) => `features.${p} ${kind(p)}`);
    expect(bypasses("squeezenet1_0")).toEqual(all(() => "none"));
    expect(bypasses("squeezenet1_0_simple_bypass")).toEqual(all((p) => (simple.includes(p) ? "Identity" : "none")));
    expect(bypasses("squeezenet1_0_complex_bypass")).toEqual(all((p) => (simple.includes(p) ? "Identity" : "Conv2d")));
  });

  it("leave the state's names as they are without, so that published values load", () => {
    const plain = createModel("squeezenet1_0").stateSpecs();
    expect(createModel("squeezenet1_0_simple_bypass").stateSpecs()).toEqual(plain);
    expect(createModel("squeezenet1_0_complex_bypass").stateSpecs()).toMatchObject(plain);
  });

  it("add the input, or a 1x1 convolution of it, to the module's output", () => {
    const x = input("x", { shape: [1, 4, 3, 2], dtype: "float32" });
    const options = { squeeze: 2, expand1x1: 2, expand3x3: 2 };
    const output = (bypass: "none" | "simple" | "complex"): Tensor =>
      traceModule(new Fire(4, { ...options, bypass }), x).output;
    const specs = new Fire(4, { ...options, bypass: "complex" }).stateSpecs();
    const value = (name: string, shape: Shape) =>
      hostTensor(
        Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(name.length + 3 * i)),
        shape,
      );
    const feeds = new Map(Object.entries(specs).map(([name, { shape }]) => [`state:${name}`, value(name, shape)]));
    // Doubles the first two maps and passes on the others.
    const doubled = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    feeds.set("state:params/bypass.weight", hostTensor(Float32Array.from(doubled), [4, 4, 1, 1]));
    feeds.set("state:params/bypass.bias", hostTensor(new Float32Array(4), [4]));
    feeds.set("x", value("x", [1, 4, 3, 2]));
    const plain = output("none");
    const differences = [sub(output("simple"), plain), sub(output("complex"), plain), x];
    const [simple, complex, pixels] = evaluate(differences, feeds).map((y) =>
      y instanceof Float64Array ? y : toNumbers(y as never),
    ) as [Float64Array, Float64Array, Float64Array];
    for (const [i, pixel] of pixels.entries()) {
      expect(simple[i]).toBeCloseTo(pixel, 6);
      expect(complex[i]).toBeCloseTo(i < 12 ? 2 * pixel : pixel, 6);
    }
  });

  it("refuse to add what differs in channels", () => {
    const options = { squeeze: 2, expand1x1: 2, expand3x3: 2, bypass: "simple" } as const;
    expect(() => new Fire(3, options)).toThrow(
      "Fire: a simple bypass adds 3 input channels to 4 output channels; they need to be as many. A complex one takes any.",
    );
  });
});

describe("initialisation and options", () => {
  it("is torchvision's: He et al. uniform, N(0, 0.01) for the last convolution", () => {
    const parameters = createModel("squeezenet1_0").parameters();
    expect(startOf(parameters.get("features.0.weight") ?? null)).toBeCloseTo(Math.sqrt(6 / 147), 6);
    expect(startOf(parameters.get("classifier.1.weight") ?? null)).toBeCloseTo(0.01, 9);
    expect(startOf(parameters.get("features.3.squeeze.bias") ?? null)).toBe(0);
  });

  it.each(["squeezenet1_0", "squeezenet1_0_simple_bypass", "squeezenet1_0_complex_bypass", "squeezenet1_1"] as const)(
    "%s: channels, classes, sizes",
    (name) => {
      expect(logitsShape(name, { inChannels: 1, numClasses: 7, inputSize: 40 })).toEqual([2, 7]);
    },
  );

  it("takes images from torchvision's least sizes on", () => {
    expect(leastInputSize("squeezenet1_0")).toBe(21);
    expect(leastInputSize("squeezenet1_1")).toBe(17);
    expect(() => createModel("squeezenet1_0", { inputSize: 20 })).toThrow(/20x20 images are too small/);
  });
});
