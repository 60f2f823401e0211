import { createHash } from "node:crypto";
import { gradients, hostTensor, input, type Shape, sizeOf, sum, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, type ModelName, modelEntry, modelNames, models } from "./index.js";
import { digitBitmaps } from "./models/lenet-bitmaps.js";

/** Parameter counts by a closed form of each paper, written without looking at the code. */
const closedForms: Readonly<Record<ModelName, number>> = {
  // C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164: the paper's own numbers.
  lenet5: 156 + 12 + 1516 + 32 + 48120 + 10164,
  lenet5_modern: 6 * 26 + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1) + 84 * 121 + 10 * 85,
  // 6n + 1 convolutions with 2 values of batch-norm a channel, then the classifier; n = 3.
  resnet20_cifar:
    27 * 16 +
    2 * 16 +
    6 * (144 * 16 + 2 * 16) +
    (144 * 32 + 2 * 32) +
    5 * (288 * 32 + 2 * 32) +
    (288 * 64 + 2 * 64) +
    5 * (576 * 64 + 2 * 64) +
    65 * 10,
};

const parameterCount = (name: ModelName): number =>
  [...createModel(name).parameters().values()].reduce((total, { shape }) => total + sizeOf(shape), 0);

describe("every model", () => {
  it.each(modelNames)("%s: counts, keys and output shape", (name) => {
    expect(parameterCount(name)).toBe(closedForms[name]);
    const { input: image, numClasses } = modelEntry(name);
    const model = createModel(name);
    const x = input("x", { shape: [2, ...image], dtype: "float32" });
    expect((traceModule(model, x).output as Tensor).shape).toEqual([2, numClasses]);
    const keys = [...model.parameters(), ...model.buffers()].map(([key, { shape }]) => `${key}[${shape.join()}]`);
    expect(keys).toMatchSnapshot();
  });

  it("known counts are the published ones", () => {
    expect(closedForms.lenet5).toBe(60_000);
    expect(closedForms.lenet5_modern).toBe(61_706);
    expect(closedForms.resnet20_cifar).toBe(269_722);
  });

  it("has a working gradient for every parameter", () => {
    for (const name of modelNames) {
      const { input: image } = modelEntry(name);
      const model = createModel(name);
      const state = Object.fromEntries(
        Object.entries(model.stateSpecs()).map(([key, spec]) => [key, input(`state:${key}`, spec)]),
      );
      const x = input("x", { shape: [2, ...image], dtype: "float32" });
      const { output } = traceModule(model, x, {
        state,
        training: true,
        key: input("key", { shape: [2], dtype: "uint32" }),
      });
      const params = [...model.parameters().keys()].map((key) => state[`params/${key}`] as Tensor);
      const grads = gradients(sum(output as Tensor), params);
      for (const [i, grad] of grads.entries()) {
        expect(grad.shape).toEqual((params[i] as Tensor).shape);
        expect(grad.node.op.name, `${name}: parameter ${i} has no gradient`).not.toBe("full");
      }
    }
  });

  it("is unknown by a wrong name, with near matches", () => {
    expect(() => modelEntry("lenet_5")).toThrow(/model: "lenet_5" is unknown. Did you mean lenet5\?/);
    expect(() => modelEntry("toString")).toThrow(/There are lenet5, lenet5_modern, resnet20_cifar/);
  });

  it("is a literal table whose recipes name optimizers", () => {
    for (const entry of Object.values(models)) expect(["sgd", "adam"]).toContain(entry.recipe.optimizer);
  });
});

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
