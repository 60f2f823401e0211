import {
  ArgumentError,
  add,
  greater,
  input,
  mul,
  relu,
  ShapeError,
  type Spec,
  StateError,
  type Tensor,
  type Tensors,
} from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import {
  Buffer,
  Context,
  Dropout,
  Linear,
  Module,
  Parameter,
  Residual,
  Sequential,
  type TapRecord,
  traceModule,
  zeros,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const spec = (...shape: number[]): Spec => ({ shape, dtype: "float32" });
const x = input("x", spec(2, 3));
const key = input("key", { shape: [2], dtype: "uint32" });

/** Runs a model that was traced without state of its own. */
function values(tensors: readonly Tensor[], feeds: Readonly<Record<string, readonly number[]>>): number[][] {
  const fed = new Map(Object.entries(feeds).map(([name, list]) => [name, Float64Array.from(list)]));
  return evaluate(tensors, fed).map((value) => [...value]);
}

describe("call", () => {
  it("tags what is made inside with the module's path", () => {
    const net = new Sequential({ body: new Sequential(new Linear(3, 4)), head: new Linear(4, 1) });
    const paths: string[] = [];
    for (let node = traceModule(net, x).output.node; ; node = node.inputs[0]!.node) {
      if (node.op.name === "matmul") paths.push(node.scope);
      if (node.inputs.length === 0) break;
    }
    expect(paths).toEqual(["head", "body.0"]);
  });

  it("gives a module that stands in two places its first path, and one value", () => {
    const shared = new Linear(3, 3);
    const seen: string[] = [];
    traceModule(new Sequential(shared, relu, shared), x, { taps: ({ path }) => seen.push(path) });
    expect(seen).toEqual(["0", "0", ""]);
  });

  it("refuses a module that no field leads to", () => {
    class Net extends Module {
      readonly inner = new Sequential((value: Tensor) => value);
      readonly #hidden = new Linear(3, 3);
      override forward(value: Tensor, ctx: Context): Tensor {
        return ctx.call(this.#hidden, value);
      }
    }
    const call = () => traceModule(new Sequential({ net: new Net() }), x);
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(
      /^call: this Linear is no part of the Sequential model: keep it in a field.*\n {2}at net {3}input float32\[2, 3\]$/,
    );
  });

  it("restores the path after an error", () => {
    class Net extends Module {
      readonly bad = new Linear(5, 1);
      override forward(value: Tensor, ctx: Context): Tensor {
        expect(() => ctx.call(this.bad, value)).toThrow("at bad");
        expect(ctx.path).toBe("");
        return value;
      }
    }
    traceModule(new Net(), x);
  });

  it("hands functions of a chain the value alone", () => {
    const seen: unknown[][] = [];
    const spy = (...args: unknown[]): Tensor => {
      seen.push(args);
      return args[0] as Tensor;
    };
    traceModule(new Sequential(spy), x);
    expect(seen).toEqual([[x]]);
  });
});

describe("taps", () => {
  it("see each call as it ends, inner before outer", () => {
    const net = new Sequential(new Linear(3, 2), relu, new Residual(new Linear(2, 2)));
    const records: TapRecord[] = [];
    const { output } = traceModule(net, x, { taps: (record) => records.push(record) });
    expect(records.map(({ path }) => path)).toEqual(["0", "2.body", "2", ""]);
    expect(records[0]).toMatchObject({ module: net[0], input: x });
    expect(records.at(-1)?.output).toBe(output);
  });
});

describe("get and update", () => {
  class Counter extends Module {
    readonly count = new Buffer([], { dtype: "int32" });
    override forward(value: Tensor, ctx: Context): Tensor {
      ctx.update(this.count, add(ctx.get(this.count), 1));
      return value;
    }
  }

  it("show a second call the updated value, and keep the last", () => {
    const counter = new Counter();
    const { updates } = traceModule(new Sequential(counter, counter, counter), x);
    expect(Object.keys(updates)).toEqual(["buffers/0.count"]);
    expect(values(Object.values(updates), { "state:buffers/0.count": [5] })).toEqual([[8]]);
  });

  it("refuse what is not the model's, and what lacks a value", () => {
    const stranger = new Parameter([1], zeros);
    class Net extends Module {
      override forward(_: Tensor, ctx: Context): Tensor {
        return ctx.get(stranger);
      }
    }
    expect(() => traceModule(new Net(), x)).toThrow(StateError);
    expect(() => traceModule(new Net(), x)).toThrow("get: this Parameter is no part of the Net model");
    const linear = new Linear(3, 1);
    const state: Tensors = { "params/bias": input("b", spec(1)) };
    expect(() => traceModule(linear, x, { state })).toThrow("get: the context's state has no params/weight");
    expect(() => new Context(linear, { state }).update(new Buffer([1]), x)).toThrow(
      "get: this Buffer is no part of the Linear model",
    );
  });

  it("refuse a value of another shape", () => {
    class Net extends Module {
      readonly mean = new Buffer([3]);
      override forward(value: Tensor, ctx: Context): Tensor {
        ctx.update(this.mean, value);
        return value;
      }
    }
    expect(() => traceModule(new Net(), x)).toThrow(ShapeError);
    expect(() => traceModule(new Net(), x)).toThrow(
      "update: buffer mean is float32[3]; the new value is float32[2, 3]",
    );
  });

  it("behind a gate happen where it is open", () => {
    class Net extends Module {
      readonly counter = new Counter();
      readonly always = new Counter();
      override forward(value: Tensor, ctx: Context): Tensor {
        const keep = greater(input("keep", spec()), 0);
        return ctx.call(
          this.always,
          ctx.gate(keep, () => ctx.call(this.counter, value)),
        );
      }
    }
    const { updates } = traceModule(new Net(), x);
    const feeds = { "state:buffers/counter.count": [5], "state:buffers/always.count": [1] };
    expect(values(Object.values(updates), { ...feeds, keep: [1] })).toEqual([[6], [2]]);
    expect(values(Object.values(updates), { ...feeds, keep: [0] })).toEqual([[5], [2]]);
  });
});

describe("random numbers", () => {
  const masks = (net: Module, paths: readonly string[], seed = 1): number[][] => {
    const found = new Map<string, Tensor[]>();
    const ones = input("ones", spec(4, 16));
    traceModule(net, ones, {
      training: true,
      key,
      taps: ({ path, output }) => found.set(path, [...(found.get(path) ?? []), output as Tensor]),
    });
    return values(
      paths.flatMap((path) => found.get(path) ?? []),
      { ones: new Array<number>(64).fill(1), key: [seed, 0] },
    );
  };
  const halves = (a: readonly number[]): boolean[] => a.map((v) => v !== 0);

  it("differ between places, calls and keys, and repeat otherwise", () => {
    class Pair extends Module {
      readonly a = new Dropout();
      readonly b = new Dropout();
      override forward(value: Tensor, ctx: Context): Tensor {
        return add(ctx.call(this.a, value), mul(ctx.call(this.b, value), ctx.call(this.a, value)));
      }
    }
    const [a, b, again] = [masks(new Pair(), ["a"])[0]!, masks(new Pair(), ["b"])[0]!, masks(new Pair(), ["a"])[1]!];
    expect(a).not.toEqual(b);
    expect(a).not.toEqual(again);
    expect(masks(new Pair(), ["a", "b"])).toEqual([a, again, b]);
    expect(masks(new Pair(), ["a"], 2)[0]).not.toEqual(a);
  });

  it("of one place do not change when a layer is added elsewhere", () => {
    const small = new Sequential({ drop: new Dropout() });
    const large = new Sequential({ before: new Dropout(0.3), drop: new Dropout() });
    const [alone] = masks(small, ["drop"]);
    const [before, after] = masks(large, ["before", "drop"]);
    const kept = halves(before!).map((keep, i) => keep && halves(alone!)[i]);
    expect(halves(after!)).toEqual(kept);
  });

  it("need a key", () => {
    const ctx = new Context(new Dropout(), { state: {}, training: true });
    expect(() => ctx.randomUniform([2])).toThrow(ArgumentError);
    expect(() => ctx.randomUniform([2])).toThrow(
      "random: the root draws random numbers; give the context a key (uint32[2])",
    );
  });
});
