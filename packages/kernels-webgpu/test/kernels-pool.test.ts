import { type Shape, toNumbers } from "@ocelli/core";
import { type PoolAttrs, primitives } from "@ocelli/core/backend";
import { expect } from "vitest";
import * as kernels from "../src/kernels/pool.js";
import { describeOnAdapter as describe, itOnAdapter as it } from "./adapter.js";
import { prepare, siteOf } from "./harness.js";
import { check, nodeOf, random, sampleCases } from "./kernels-cases.js";

const { avgPool2d, avgPool2dGrad, maxPool2d, maxPool2dArgmax, maxPool2dGrad } = kernels;

for (const [name, kernel] of Object.entries(kernels)) {
  describe(name, () => {
    for (const c of sampleCases(name as keyof typeof kernels)) it(c.name, () => check(c, kernel));
  });
}

const attrsOf = (kernel: number, stride: number, pad = 0, rest: Partial<PoolAttrs> = {}): PoolAttrs => ({
  kernel: [kernel, kernel],
  stride: [stride, stride],
  padding: [pad, pad, pad, pad],
  dilation: [1, 1],
  ceilMode: false,
  ...rest,
});

const larger: readonly (readonly [string, Shape, PoolAttrs])[] = [
  ["2x2", [3, 5, 32, 28], attrsOf(2, 2)],
  ["3x3, stride 2, padded", [2, 7, 35, 41], attrsOf(3, 2, 1)],
  ["3x3, stride 1, padded", [2, 3, 17, 19], attrsOf(3, 1, 1)],
  ["2x2 padded", [2, 3, 21, 25], attrsOf(2, 2, 1)],
  ["5x5, stride 3, ceil mode", [2, 3, 25, 27], attrsOf(5, 3, 2, { ceilMode: true })],
  ["the whole image", [3, 40, 7, 9], { ...attrsOf(7, 1), kernel: [7, 9] }],
  ["a large image", [1, 2, 150, 131], { ...attrsOf(150, 1), kernel: [150, 131] }],
];

describe("larger shapes", () => {
  for (const [name, shape, attrs] of larger) {
    const x = random(shape);
    const y = nodeOf(primitives.maxPool2d, [x], attrs).outputs[0]!;
    const dy = random(y.shape, { seed: 2 });
    it(`maxPool2d: ${name}`, async () => {
      await check({ node: nodeOf(primitives.maxPool2d, [x], attrs), inputs: [x], tolerance: 0 }, maxPool2d);
      await check({ node: nodeOf(primitives.maxPool2dArgmax, [x], attrs), inputs: [x], tolerance: 0 }, maxPool2dArgmax);
    });
    it(`maxPool2dGrad: ${name}`, async () => {
      const inputs = [dy, x, random(y.shape)];
      const node = nodeOf(primitives.maxPool2dGrad, inputs, attrs);
      await check({ node, inputs, tolerance: 1e-6 }, maxPool2dGrad);
    });
    for (const countIncludePad of [true, false]) {
      const means = { ...attrs, countIncludePad };
      it(`avgPool2d: ${name}, ${countIncludePad}`, async () => {
        const node = nodeOf(primitives.avgPool2d, [x], means);
        await check({ node, inputs: [x], tolerance: 3e-6 }, avgPool2d);
        const grad = nodeOf(primitives.avgPool2dGrad, [dy], { ...means, inputShape: shape });
        await check({ node: grad, inputs: [dy], tolerance: 1e-6 }, avgPool2dGrad);
      });
    }
  }
});

it("takes the gradient of disjoint windows in one dispatch, of overlapping ones in two", () => {
  const count = (attrs: PoolAttrs): number => {
    const x = random([1, 1, 8, 8]);
    const { shape } = nodeOf(primitives.maxPool2d, [x], attrs).outputs[0]!;
    const node = nodeOf(primitives.maxPool2dGrad, [random(shape), x, random(shape)], attrs);
    return maxPool2dGrad.dispatches(siteOf(node), undefined).length;
  };
  expect([attrsOf(2, 2), attrsOf(3, 2), attrsOf(2, 2, 0, { dilation: [2, 2] })].map(count)).toEqual([1, 2, 2]);
});

it("gives windows that dilation keeps off the image -infinity, place 0 and no gradient", async () => {
  const attrs = attrsOf(2, 1, 1, { dilation: [7, 7] });
  const x = random([1, 1, 6, 6]);
  const dy = random([1, 1, 1, 1]);
  const cases = [
    { op: primitives.maxPool2d, kernel: maxPool2d, inputs: [x], result: [Number.NEGATIVE_INFINITY] },
    { op: primitives.maxPool2dArgmax, kernel: maxPool2dArgmax, inputs: [x], result: [0] },
    { op: primitives.maxPool2dGrad, kernel: maxPool2dGrad, inputs: [dy, x, dy], result: new Array(36).fill(0) },
  ];
  for (const { op, kernel, inputs, result } of cases) {
    const prepared = await prepare(nodeOf(op, inputs, attrs), kernel, undefined, inputs);
    await prepared.run();
    expect([...toNumbers((await prepared.read())[0]!)]).toEqual(result);
  }
});
