import { describe, expect, it } from "vitest";
import type { ModelSpec } from "../../model/spec.js";
import { analyse, check } from "../../workers/analysis/analyse.js";
import { boxOf, depthOf, factsOf, rowsAt, usualDepth } from "./selection.js";

const zoo = (name: string): ModelSpec => ({ kind: "zoo", name });

describe("layers of ResNet-18", () => {
  const analysis = analyse(zoo("resnet18"));
  const { boxes, rows, totals } = analysis;

  it("layer3 sees 211 pixels, one every 16", () => {
    expect(factsOf(analysis, { path: "layer3" })).toMatchObject({
      type: "Sequential",
      inputShapes: [[128, 28, 28]],
      outputShape: [256, 14, 14],
      field: { size: [211, 211], stride: [16, 16] },
      weights: 2_098_432,
      biases: 1_280,
    });
  });

  it("add up at every depth", () => {
    for (let depth = 1; depth <= depthOf(rows); depth++) {
      const shown = rowsAt(analysis, depth);
      expect(shown.reduce((sum, row) => sum + row.parameters, 0)).toBe(11_689_512);
      expect(shown.reduce((sum, row) => sum + row.macs, 0)).toBe(totals.macs);
    }
    expect(rowsAt(analysis, 1).map(({ path }) => path)).toEqual(
      expect.arrayContaining(["conv1", "layer1", "layer4", "fc"]),
    );
    expect(usualDepth(rows)).toBe(1);
  });

  it("know what a function within a block sees: less than the block", () => {
    const inner = boxes.findIndex(
      ({ kind, path, type }) => kind === "function" && path === "layer2.0" && type === "relu",
    );
    const block = factsOf(analysis, { path: "layer2.0" });
    const relu = factsOf(analysis, { path: "layer2.0", box: inner });
    expect(relu?.storedValues).toBeNull();
    expect(relu?.field?.size[0]).toBeLessThan(block?.field?.size[0] as number);
  });

  it("have no field behind the last map", () => {
    expect(factsOf(analysis, { path: "fc" })).toMatchObject({ field: null, outputShape: [1000], biases: 1000 });
    expect(factsOf(analysis, { path: "nowhere" })).toBeUndefined();
  });
});

describe("blocks that are drawn once", () => {
  const analysis = analyse(zoo("resnet50"));

  it("stand for all of them", () => {
    const at = (path: string): string | undefined => analysis.boxes[boxOf(analysis.boxes, path) ?? -1]?.path;
    expect(at("layer3.1")).toBe("layer3.1");
    expect(at("layer3.4")).toBe("layer3.1");
    expect(at("layer3.4.conv2")).toBe("layer3.1.conv2");
    expect(at("layer3.0.conv2")).toBe("layer3.0.conv2");
    expect(at("layer3.9")).toBeUndefined();
  });

  it("but each has a field of its own", () => {
    const size = (path: string): number => factsOf(analysis, { path })?.field?.size[0] as number;
    expect(size("layer3.4")).toBeGreaterThan(size("layer3.1"));
  });
});

describe("the deepest", () => {
  it.each(["resnet1202_cifar", "densenet264"])("%s is drawn with few boxes at first", (name) => {
    const { arrangement, rows } = analyse(zoo(name));
    expect(arrangement.boxes.length).toBeLessThan(60);
    expect(rows.length).toBeGreaterThan(200);
  });
});

describe("a network that cannot be", () => {
  it("says the least size", () => {
    expect(check({ kind: "zoo", name: "inception_v3", inputSize: 40 })).toMatchObject({
      ok: false,
      field: "inputSize",
      message: expect.stringMatching(/40x40 images are too small; the least is 75x75/) as string,
    });
    expect(check({ kind: "family", family: "vgg", values: {}, inputSize: 20 })).toMatchObject({
      ok: false,
      field: "inputSize",
      message: expect.stringMatching(/20x20 images are too small; the least is 32x32/) as string,
    });
  });

  it("or which name is wrong, or which layer", () => {
    expect(check({ kind: "zoo", name: "resnet19" })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/resnet1/) as string,
    });
    const layers = [
      { of: "flatten", options: {} },
      { of: "max-pool", options: {} },
    ];
    expect(check({ kind: "layers", name: "mine", input: [1, 8, 8], numClasses: 2, layers })).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^layer 2 \(max-pool\): /) as string,
    });
    expect(check(zoo("vgg16"))).toEqual({ ok: true });
  });
});
