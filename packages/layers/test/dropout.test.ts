import { gradients, input, type Spec } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { Dropout, Dropout2d, type Module, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const shape = [8, 32, 8, 8];
const count = 8 * 32 * 64;
const x = input("x", { shape, dtype: "float32" } satisfies Spec);

function run(layer: Module, fill: (i: number) => number, training = true): { y: Float64Array; dx: Float64Array } {
  const { output } = traceModule(layer, x, { training });
  const dy = input("dy", x);
  const feeds = new Map([
    ["x", Float64Array.from({ length: count }, (_, i) => fill(i))],
    ["dy", new Float64Array(count).fill(3)],
    ["key", Float64Array.of(11, 22)],
  ]);
  const [y, dx] = evaluate([output, ...gradients(output, [x], dy)], feeds);
  return { y: y!, dx: dx! };
}

describe("Dropout", () => {
  for (const p of [0.1, 0.5, 0.9]) {
    it(`drops a share of ${p}, scales the rest, and passes gradients alike`, () => {
      const { y, dx } = run(new Dropout(p), () => 2);
      const dropped = y.filter((value) => value === 0).length / count;
      // Four standard deviations.
      expect(Math.abs(dropped - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / count));
      for (const [i, value] of y.entries()) {
        if (value !== 0) expect(value).toBeCloseTo(2 / (1 - p), 12);
        expect(dx[i]).toBeCloseTo(value * 1.5, 12);
      }
    });
  }

  it("never lets a dropped NaN through", () => {
    const { y } = run(new Dropout(0.5), () => Number.NaN);
    expect(y.filter((value) => value === 0).length).toBeGreaterThan(count / 3);
  });

  it("with p = 1 gives zeros, gradients included; with p = 0, and in evaluation, x itself", () => {
    expect(run(new Dropout(1), () => 2)).toEqual({ y: new Float64Array(count), dx: new Float64Array(count) });
    expect(traceModule(new Dropout(0), x, { training: true }).output).toBe(x);
    expect(traceModule(new Dropout(0.5), x).output).toBe(x);
    expect(traceModule(new Dropout2d(0.5), x).output).toBe(x);
  });
});

describe("Dropout2d", () => {
  it("drops whole channels, each sample its own", () => {
    const { y } = run(new Dropout2d(0.25), () => 3);
    const planes = Array.from({ length: 256 }, (_, plane) => new Set(y.slice(plane * 64, (plane + 1) * 64)));
    expect(planes.every((values) => values.size === 1)).toBe(true);
    const dropped = planes.map((values) => values.has(0));
    const share = dropped.filter(Boolean).length / 256;
    expect(Math.abs(share - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 256));
    expect(dropped.slice(0, 32)).not.toEqual(dropped.slice(32, 64));
    expect([...planes.find((values) => !values.has(0))!][0]).toBeCloseTo(4, 12);
  });
});
