import type { HostTensor } from "../../host.js";
import { randomBitsOp, unitFloatOp } from "../../ops/random.js";
import { type GridSampleAttrs, gridSample2dOp } from "../../ops/sample.js";
import type { Shape } from "../../shape.js";
import { applied, exactly, type OpSample, sample, uniform } from "./sample.js";

const key = (a: number, b: number): HostTensor => exactly([a, b], [2], "uint32");

const drawn = (name: string, [a, b]: readonly [number, number], shape: Shape, stream: number): OpSample =>
  sample(name, [key(a, b)], applied(randomBitsOp, { shape, stream }));

/** Grid points given in pixels, a fraction of a pixel away from every pixel's centre and from the border. */
function gridOf(
  n: number,
  points: Shape,
  [height, width]: readonly [number, number],
  alignCorners: boolean,
  reach: number,
): HostTensor {
  const count = n * points[0]! * points[1]!;
  const draws = uniform([count, 2], { low: 0, high: 1, seed: 7 }).data;
  const values = [...draws].map((draw, i) => {
    const size = i % 2 === 0 ? width : height;
    const cell = Math.floor(draw * (size + 2 * reach)) - reach;
    const pixel = cell + 0.15 + 0.7 * ((draw * 97) % 1);
    return alignCorners ? (2 * pixel) / (size - 1) - 1 : (2 * pixel + 1) / size - 1;
  });
  return exactly(values, [n, ...points, 2]);
}

const sampledBy = (name: string, x: Shape, points: Shape, attrs: GridSampleAttrs, reach: number): OpSample =>
  sample(
    name,
    [uniform(x), gridOf(x[0]!, points, [x[2]!, x[3]!], attrs.alignCorners, reach)],
    applied(gridSample2dOp, attrs),
    { tolerance: 1e-4 },
  );

export const random = {
  randomBits: [
    drawn("zero key", [0, 0], [4], 0),
    drawn("odd count", [0xffffffff, 0xffffffff], [7], 3),
    drawn("last stream", [0x13198a2e, 0x03707344], [3, 5, 7], 2 ** 32 - 1),
    drawn("one", [1, 2], [], 9),
    drawn("none", [1, 2], [0, 3], 9),
    drawn("many", [5, 6], [33, 31], 1),
  ],
  unitFloat: [
    sample(
      "edges",
      [exactly([0, 255, 256, 2 ** 31, 2 ** 32 - 256, 2 ** 32 - 1], [6], "uint32")],
      applied(unitFloatOp),
      { tolerance: 0 },
    ),
    sample("rank 0", [exactly([123456789], [], "uint32")], applied(unitFloatOp), { tolerance: 0 }),
    sample("none", [exactly([], [0], "uint32")], applied(unitFloatOp)),
  ],
  gridSample2d: [
    ...(["zeros", "border"] as const).flatMap((paddingMode) =>
      [false, true].flatMap((alignCorners) => [
        sampledBy(`${paddingMode}, corners ${alignCorners}`, [2, 3, 5, 4], [3, 2], { paddingMode, alignCorners }, 0),
        sampledBy(
          `${paddingMode}, corners ${alignCorners}, outside too`,
          [1, 2, 4, 6],
          [5, 4],
          { paddingMode, alignCorners },
          3,
        ),
      ]),
    ),
    sample(
      "corners and centres",
      [uniform([1, 1, 3, 4]), exactly([-1, -1, 1, 1, 0, 0, -1, 1], [1, 2, 2, 2])],
      applied(gridSample2dOp, { paddingMode: "zeros", alignCorners: true }),
      { differentiable: false },
    ),
  ],
};
