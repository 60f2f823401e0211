import {
  conv2d as convolve,
  type HostTensor,
  hostTensor,
  input,
  type Node,
  type Op,
  type Shape,
  sizeOf,
} from "@ocelli/core";
import { type ConvAttrs, primitives } from "@ocelli/core/backend";
import { expect } from "vitest";
import type { Kernel, Limits } from "../src/kernel.js";
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "../src/kernels/conv.js";
import { matmul } from "../src/kernels/matmul.js";
import type { Tile } from "../src/kernels/tiles.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { dealt } from "./dealt.js";
import { distance, prepare, siteOf } from "./harness.js";
import { type Case, nodeOf, random, sampleCases } from "./kernels-cases.js";

const kernels: Readonly<Record<Name, Kernel<Tile>>> = { conv2d, conv2dInputGrad, conv2dWeightGrad, matmul };
const names = ["conv2d", "conv2dInputGrad", "conv2dWeightGrad", "matmul"] as const;
type Name = (typeof names)[number];
type ConvName = Exclude<Name, "matmul">;

interface ConvCase {
  readonly name: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs: ConvAttrs;
}

const same = (padding: number): Partial<ConvAttrs> => ({ padding: [padding, padding, padding, padding] });

const convCase = (x: Shape, w: Shape, attrs: Partial<ConvAttrs> = {}): ConvCase => ({
  name: `${x.join("x")} by ${w.join("x")} ${JSON.stringify(attrs)}`,
  x,
  w,
  attrs: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1, ...attrs },
});

/** Beyond core's samples: shapes that fill tiles and leave remainders. */
const convs: readonly ConvCase[] = [
  convCase([2, 16, 12, 20], [32, 16, 3, 3], same(1)),
  convCase([1, 33, 9, 7], [35, 33, 3, 3], same(1)),
  convCase([2, 8, 14, 13], [12, 8, 3, 3], { ...same(1), stride: [2, 2] }),
  convCase([2, 12, 15, 16], [20, 12, 1, 1], { stride: [2, 2] }),
  convCase([3, 24, 6, 10], [40, 24, 1, 1]),
  convCase([3, 5, 5, 7], [9, 5, 1, 1]),
  // As many columns out as in, which are not the same columns.
  convCase([2, 4, 1, 4], [8, 4, 1, 1], { stride: [1, 2], padding: [0, 0, 2, 1] }),
  convCase([2, 3, 23, 18], [16, 3, 7, 7], { ...same(3), stride: [2, 2] }),
  convCase([4, 1, 14, 12], [6, 1, 5, 5], same(2)),
  convCase([9, 4, 5, 4], [10, 4, 5, 4]),
  convCase([2, 32, 9, 11], [32, 1, 3, 3], { ...same(1), groups: 32 }),
  convCase([2, 16, 8, 9], [32, 1, 5, 5], { ...same(2), groups: 16, stride: [2, 2] }),
  convCase([2, 12, 9, 8], [20, 3, 3, 3], { padding: [0, 1, 2, 0], groups: 4, stride: [3, 2], dilation: [2, 3] }),
  convCase([1, 6, 17, 13], [8, 6, 3, 3], { ...same(2), dilation: [2, 2], stride: [4, 3] }),
  convCase([1, 4, 40, 3], [8, 4, 11, 1], { padding: [5, 5, 0, 0], stride: [4, 1] }),
];

function convNode(name: ConvName, { x, w, attrs }: ConvCase, empty = false): Case {
  const shapes = { x: empty ? [0, ...x.slice(1)] : x, w };
  const y = convolve(input("x", { shape: x, dtype: "float32" }), input("w", { shape: w, dtype: "float32" }), {
    ...attrs,
    padding: attrs.padding as unknown as [number, number, number, number],
  }).shape;
  const dy = [shapes.x[0]!, ...y.slice(1)];
  const [first, second] = { conv2d: [shapes.x, w], conv2dInputGrad: [dy, w], conv2dWeightGrad: [shapes.x, dy] }[name];
  const inputs = [random(first!, { seed: 1 }), random(second!, { seed: 2 })];
  const all = { ...attrs, inputShape: shapes.x, weightShape: w };
  return { name, node: nodeOf(primitives[name] as Op<never>, inputs, all as never), inputs, tolerance: 1e-5 };
}

const products: readonly (readonly [Shape, Shape, boolean, boolean])[] = [
  [[17, 33], [33, 19], false, false],
  [[64, 64], [64, 128], false, false],
  [[40, 84], [10, 84], false, true],
  [[84, 40], [84, 12], true, false],
  [[31, 18], [7, 31], true, true],
  [[1, 100], [100, 1], false, false],
  [[3, 2, 20, 9], [3, 2, 9, 30], false, false],
  [[2, 3, 8, 16], [2, 3, 12, 16], false, true],
  [[4, 5, 70], [4, 5, 66], true, false],
];

const productCase = (a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Case => {
  const inputs = [random(a, { seed: 1 }), random(b, { seed: 2 })];
  return {
    name: "matmul",
    node: nodeOf(primitives.matmul, inputs, { transposeA, transposeB }),
    inputs,
    tolerance: 1e-5,
  };
};

async function check(
  name: Name,
  { node, inputs, tolerance }: Case,
  variants: readonly Tile[],
  given: Partial<Limits>,
): Promise<void> {
  for (const variant of dealt(variants, node)) {
    const error = await distance(node, kernels[name], variant, inputs, given);
    expect(error, JSON.stringify(variant)).toBeLessThan(tolerance);
  }
}

/** A GPU's variants, as far as they stay in registers, and in place of the others a tile so small that SwiftShader compiles it fast. */
function forGpu(name: Name, { node }: Case): Tile[] {
  const all = kernels[name].variants!(siteOf(node, gpu));
  const small = { kind: "tiled", tile: [8, 16, 4], thread: [4, 4] } as const;
  const splits = all.some(({ kind, split }) => kind === "tiled" && split > 1) ? [1, 3] : [1];
  return [...all.filter(({ kind }) => kind === "direct"), ...splits.map((split): Tile => ({ ...small, split }))];
}

const gpu: Partial<Limits> = { subgroups: undefined };

function suite(run: (name: Name, c: Case) => Promise<void>): void {
  describe.each(names)("%s", (name) => {
    it.each(sampleCases(name).map((c) => [c.name, c] as const))("sample: %s", (_name, c) => run(name, c));
  });
  describe.each(["conv2d", "conv2dInputGrad", "conv2dWeightGrad"] as const)("%s", (name) => {
    it.each(convs.map((c) => [c.name, c] as const))("%s", (_name, c) => run(name, convNode(name, c)));
  });
  describe("matmul", () => {
    it.each(products)("%j by %j, transposed: %s, %s", (...args) => run("matmul", productCase(...args)));
  });
}

describe("a CPU's variants", () => suite((name, c) => check(name, c, kernels[name].variants!(siteOf(c.node)), {})));
describe("a GPU's variants", () => suite((name, c) => check(name, c, forGpu(name, c), gpu)));

// Few of these: SwiftShader takes seconds to compile a shader with much workgroup memory.
describe("large tiles", () => {
  it.each(["conv2d", "conv2dInputGrad", "conv2dWeightGrad"] as const)("%s", (name) => {
    const c = convNode(name, convCase([2, 18, 11, 9], [70, 18, 3, 3], same(1)));
    return check(name, c, kernels[name].variants!(siteOf(c.node, gpu)), gpu);
  });
  it("matmul", () => {
    const c = productCase([132, 20], [20, 136], false, false);
    return check("matmul", c, [{ kind: "tiled", tile: [128, 128, 8], thread: [8, 8], split: 1 }], gpu);
  });
});

describe("variants", () => {
  it.each(names)("of %s are few, different, and plain", (name) => {
    const cases = name === "matmul" ? products.map((p) => productCase(...p)) : convs.map((c) => convNode(name, c));
    for (const { node } of cases) {
      for (const given of [{}, gpu]) {
        const variants = kernels[name].variants!(siteOf(node, given));
        const texts = variants.map((variant) => JSON.stringify(variant));
        expect(texts.map((text) => JSON.parse(text))).toEqual(variants);
        expect(new Set(texts).size).toBe(texts.length);
        expect(variants.length).toBeGreaterThan(0);
        expect(variants.length).toBeLessThanOrEqual(6);
      }
    }
  });
});

describe("nothing to sum", () => {
  /** Runs over memory that is not zero beforehand. */
  const zeros = async (name: Name, node: Node, inputs: readonly HostTensor[]): Promise<void> => {
    for (const variant of kernels[name].variants!(siteOf(node))) {
      const prepared = await prepare(node, kernels[name], variant, inputs);
      await prepared.run();
      const [out] = await prepared.read();
      expect([...out!.data].every((v) => v === 0)).toBe(true);
      prepared.destroy();
    }
  };
  it("a product over an inner size of 0 is 0", async () => {
    const inputs = [hostTensor([], [3, 0]), hostTensor([], [0, 5])];
    await zeros("matmul", nodeOf(primitives.matmul, inputs, { transposeA: false, transposeB: false }), inputs);
  });
  it("the weight gradient of no images is 0", async () => {
    const c = convNode("conv2dWeightGrad", convs[0]!, true);
    expect(sizeOf(c.node.outputs[0]!.shape)).toBeGreaterThan(0);
    await zeros("conv2dWeightGrad", c.node, c.inputs);
  });
  it("no images need no dispatch", () => {
    const { node } = convNode("conv2d", convs[0]!, true);
    const site = siteOf(node);
    expect(conv2d.dispatches(site, conv2d.variants!(site)[0]!)).toEqual([]);
  });
});
