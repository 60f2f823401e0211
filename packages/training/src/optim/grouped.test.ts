import { describe, expect, it } from "vitest";
import { adagrad, adam, grouped, lars, layerwise, makeOptimizer, type Optimizer, sgd, withoutDecay } from "./index.js";

const matrix = { shape: [4, 3], dtype: "float32" as const };
const vector = { shape: [4], dtype: "float32" as const };
const names = new Map([
  ["conv1.weight", matrix],
  ["layer1.0.weight", matrix],
  ["layer1.0.bias", vector],
  ["fc.weight", matrix],
]);

/** The rate that each parameter is trained with: the scalar that its update is handed. */
function rates(optimizer: Optimizer): Record<string, number> {
  const scalars = optimizer.scalars(1, optimizer.lr);
  const tensors = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, { value } as never]));
  return Object.fromEntries(
    [...names].map(([name, param]) => {
      let seen = Number.NaN;
      const spy = { ...optimizer, update: optimizer.update };
      const handed = new Proxy(tensors, {});
      try {
        spy.update({ name, param: param as never, grad: param as never, slots: {}, scalars: handed });
      } catch (error) {
        seen = Number((error as Error).message);
      }
      return [name, seen];
    }),
  );
}

/** A rule that tells what it was handed. */
const telling = (options: { lr: number; weightDecay: number }): Optimizer => ({
  name: "telling",
  options,
  lr: options.lr,
  slots: () => ({}),
  scalars: (_, lr) => ({ lr: lr + options.weightDecay }),
  with: (changes) => telling({ ...options, ...changes } as typeof options),
  update: ({ scalars }) => {
    throw new Error(String((scalars.lr as unknown as { value: number }).value));
  },
});

describe("grouped", () => {
  it("gives each parameter to the first group that fits, and the rest to the base", () => {
    const optimizer = grouped(telling({ lr: 1, weightDecay: 0 }), [
      { vectors: true, options: { weightDecay: 100 } },
      { match: ["layer1.*", "conv1.*"], lrFactor: 0.5 },
      { match: "conv1.*", lrFactor: 7 },
    ]);
    expect(rates(optimizer)).toEqual({
      "conv1.weight": 0.5,
      "layer1.0.weight": 0.5,
      "layer1.0.bias": 101,
      "fc.weight": 1,
    });
    const both = grouped(telling({ lr: 1, weightDecay: 0 }), [{ match: "layer1.*", vectors: true, lrFactor: 2 }]);
    expect(rates(both)).toMatchObject({ "layer1.0.weight": 1, "layer1.0.bias": 2 });
  });

  it("has layer-wise rates, also on top of groups", () => {
    const base = grouped(telling({ lr: 1, weightDecay: 0 }), [{ vectors: true, options: { weightDecay: 100 } }]);
    const optimizer = layerwise(base, ["conv1.*", "layer1.*", "fc.*"], 0.5);
    expect(rates(optimizer)).toEqual({
      "conv1.weight": 0.25,
      "layer1.0.weight": 0.5,
      "layer1.0.bias": 100.5,
      "fc.weight": 1,
    });
  });

  it("is data: it comes back from JSON as it was", () => {
    const optimizer = layerwise(
      withoutDecay(sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4 })),
      ["conv1.*", "fc.*"],
      0.5,
    );
    const { name, options } = JSON.parse(JSON.stringify({ name: optimizer.name, options: optimizer.options }));
    const again = makeOptimizer({ name, options });
    expect({ name: again.name, options: again.options, lr: again.lr }).toEqual({ name, options, lr: 0.1 });
    expect(again.scalars(3, 0.2)).toEqual(optimizer.scalars(3, 0.2));
    expect(name).toBe("grouped");
  });

  it("gives slots where the group's options ask for them, with what they start at", () => {
    const optimizer = grouped(sgd({ lr: 0.1 }), [{ match: "fc.*", options: { momentum: 0.5 } }]);
    expect(optimizer.slots(matrix, "fc.weight")).toEqual({ momentum_buffer: matrix });
    expect(optimizer.slots(matrix, "conv1.weight")).toEqual({});
    const start = grouped(adagrad(), [{ vectors: true, options: { initialAccumulatorValue: 2 } }]);
    expect(start.slots(vector, "bias").sum?.initial).toBe(2);
    expect(start.slots(matrix, "weight").sum?.initial).toBe(0);
  });

  it("names what does not fit", () => {
    const base = sgd({ lr: 0.1 });
    expect(() => grouped(base, [{ vectors: true, options: { weight_decay: 0 } }])).toThrow(
      /sgd: there is no option weight_decay. There are lr, momentum, dampening, weightDecay, nesterov/,
    );
    expect(() => grouped(base, [{ vectors: true, options: { weightDecay: -1 } }])).toThrow(/sgd: weightDecay is -1/);
    expect(() => grouped(base, [{ vectors: true, options: { lr: 1 } }])).toThrow(/is given as lrFactor/);
    expect(() => grouped(base, [{ lrFactor: 1 }])).toThrow(/a group needs `match`.* or `vectors: true`/);
    expect(() => grouped(base, [{ vectors: true, lrFactor: -1 }])).toThrow(/lrFactor is -1; it needs a finite number/);
    expect(() => grouped(base, [{ match: 3 as never }])).toThrow(/grouped: 3 is no list of patterns/);
    expect(() => grouped(base, [{ match: "*", lr: 0.01 } as never])).toThrow(
      /a group has no lr; it has match, vectors, lrFactor, options/,
    );
    expect(() => grouped(base, undefined as never)).toThrow(/the groups are no list/);
    expect(() => layerwise(base, ["fc.*"], 0)).toThrow(/layerwise: decay is 0/);
    const check = (match: string): void => grouped(base, [{ match }]).check?.(names);
    expect(() => check("layer1.*")).not.toThrow();
    expect(() => check("*.weight")).not.toThrow();
    expect(() => check("layer1")).toThrow(/grouped: "layer1" fits no name of the model/);
    expect(() => check("layer1.0.wieght")).toThrow(/such as layer1.0.weight; /);
    expect(() => check("layer1.0.weigh?")).toThrow(/fits no name/);
  });
});

describe("options of every optimizer", () => {
  it("are flags and numbers in range", () => {
    expect(() => adam({ amsgrad: 1 as never })).toThrow(/adam: amsgrad is 1; it needs true or false/);
    expect(() => sgd({ lr: 0.1, momentum: 0.9, dampening: 0.5, nesterov: true })).toThrow(/and no dampening/);
    expect(() => lars({ lr: 1, trustCoefficient: 0 })).toThrow(/trustCoefficient is 0/);
    expect(() => lars({ lr: 1, eps: "small" as never })).toThrow(/lars: eps is small/);
  });

  it("make the numbers of late steps as cheaply as those of early ones", () => {
    for (const name of ["sgd", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "nadam", "lars"]) {
      const optimizer = makeOptimizer({ name, options: { lr: 0.1 } });
      const start = performance.now();
      for (let i = 0; i < 20; i++) {
        for (const value of Object.values(optimizer.scalars(1_000_000 + i, 0.1))) expect(value).toBeTypeOf("number");
      }
      expect(performance.now() - start, name).toBeLessThan(100);
      expect(optimizer.scalars(10, 0.1)).toEqual(makeOptimizer({ name, options: { lr: 0.1 } }).scalars(10, 0.1));
    }
  });
});
