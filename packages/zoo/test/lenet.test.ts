import { createHash } from "node:crypto";
import { hostTensor, input, type Shape, sizeOf, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, type ModelName } from "../src/index.js";
import { digitBitmaps } from "../src/models/lenet-bitmaps.js";

/** Values for every entry of the state from a fixed formula. */
function feedsOf(name: ModelName, image: Shape): Map<string, ReturnType<typeof hostTensor>> {
  const model = createModel(name);
  const { params, buffers } = model.initialState({ seed: 1 });
  const flat = [
    ...Object.entries(params ?? {}).map(([k, v]) => [`state:params/${k}`, v]),
    ...Object.entries(buffers ?? {}).map(([k, v]) => [`state:buffers/${k}`, v]),
  ];
  const pixels = Float32Array.from({ length: sizeOf(image) }, (_, i) => ((i * 37) % 101) / 101 - 0.3);
  return new Map([...flat, ["x", hostTensor(pixels, image)]] as [string, ReturnType<typeof hostTensor>][]);
}

describe("lenet5, as published", () => {
  it("connects C3 by Table I: a change in one map of S2 reaches exactly the units that list it", () => {
    const model = createModel("lenet5") as unknown as { c3: Parameters<typeof traceModule>[0] };
    const x = input("x", { shape: [1, 6, 14, 14], dtype: "float32" });
    const { output } = traceModule(model.c3 as never, x as never);
    const specs = (model.c3 as unknown as { stateSpecs(): Record<string, { shape: Shape }> }).stateSpecs();
    const ones = Object.entries(specs).map(([key, { shape }]) => {
      const value = key.endsWith("weight") ? 1 : 0;
      return [`state:${key}`, hostTensor(new Float32Array(sizeOf(shape)).fill(value), shape)] as const;
    });
    const reached = Array.from({ length: 6 }, (_, map) => {
      const pixels = new Float32Array(6 * 196);
      pixels.fill(1, map * 196, (map + 1) * 196);
      const [y] = evaluate([output as Tensor], new Map([...ones, ["x", hostTensor(pixels, [1, 6, 14, 14])]]));
      const values = toNumbersOf(y);
      return Array.from({ length: 16 }, (_, unit) => (values[unit * 100] === 25 ? unit : -1)).filter(
        (unit) => unit >= 0,
      );
    });
    expect(reached.map((units) => units.length)).toEqual([10, 10, 10, 10, 10, 10]);
    expect(reached[0]).toEqual([0, 4, 5, 6, 9, 10, 11, 12, 14, 15]);
  });

  it("answers with minus the squared distance to each bitmap", () => {
    const image = [1, 1, 32, 32];
    const model = createModel("lenet5");
    const x = input("x", { shape: image, dtype: "float32" });
    const { output } = traceModule(model, x);
    const [y] = evaluate([output], feedsOf("lenet5", image));
    const values = toNumbersOf(y);
    expect(values).toHaveLength(10);
    for (const value of values) expect(value).toBeLessThan(0);
  });

  it("has ten different bitmaps of 7x12", () => {
    expect(new Set(digitBitmaps.map((bitmap) => bitmap.join(""))).size).toBe(10);
    for (const bitmap of digitBitmaps) expect(bitmap).toHaveLength(84);
    expect(createHash("md5").update(digitBitmaps.flat().join()).digest("hex")).toMatchSnapshot();
  });

  it("refuses more classes than it has bitmaps", () => {
    expect(() => createModel("lenet5", { numClasses: 11 })).toThrow(
      /bitmaps for 10 digits. lenet5_modern can be built for any/,
    );
  });
});

function toNumbersOf(value: unknown): Float64Array {
  return value instanceof Float64Array ? value : toNumbers(value as never);
}
