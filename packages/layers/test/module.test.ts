import { relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  Buffer,
  Concat,
  type Context,
  Conv2d,
  filled,
  Linear,
  Module,
  Parameter,
  ReLU,
  Residual,
  Sequential,
  zeros,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

class Model extends Module {
  override forward(x: Tensor, _ctx: Context): Tensor {
    return x;
  }
}

const names = (map: Map<string, unknown>): string[] => [...map.keys()];

describe("names of the state", () => {
  it("are the paths of fields, arrays by index, null skipped", () => {
    class Net extends Model {
      readonly blocks = [
        new Linear(2, 2),
        null,
        new Sequential(new Linear(2, 3, { bias: false }), relu, new Linear(3, 1)),
      ];
      readonly nothing = null;
      readonly missing = undefined;
      readonly fc = new Linear(2, 1);
    }
    expect(names(new Net().parameters())).toEqual([
      "blocks.0.weight",
      "blocks.0.bias",
      "blocks.2.0.weight",
      "blocks.2.2.weight",
      "blocks.2.2.bias",
      "fc.weight",
      "fc.bias",
    ]);
  });

  it("list a module's own state before that of the modules inside, as PyTorch does", () => {
    class Net extends Model {
      readonly fc = new Linear(1, 1);
      readonly scale = new Parameter([2], zeros);
      readonly count = new Buffer([], { dtype: "int32" });
    }
    const net = new Net();
    expect(names(net.parameters())).toEqual(["scale", "fc.weight", "fc.bias"]);
    expect(Object.keys(net.stateSpecs())).toEqual([
      "params/scale",
      "params/fc.weight",
      "params/fc.bias",
      "buffers/count",
    ]);
    expect(net.stateSpecs()["buffers/count"]).toEqual({ shape: [], dtype: "int32" });
  });

  it("look into arrays of arrays and plain objects, and not into private fields, maps or other classes", () => {
    class Other {
      readonly fc = new Linear(1, 1);
    }
    class Net extends Model {
      readonly #hidden = new Linear(1, 1);
      readonly branches = { left: new Linear(1, 1, { bias: false }), right: [new Parameter([1], zeros)] };
      readonly grid = [[new Linear(1, 1, { bias: false })]];
      readonly map = new Map([["a", new Linear(1, 1)]]);
      readonly other = new Other();
      get hidden() {
        return this.#hidden;
      }
    }
    expect(names(new Net().parameters())).toEqual(["branches.right.0", "branches.left.weight", "grid.0.0.weight"]);
  });

  it("list what is shared once, under the name found first", () => {
    const shared = new Linear(2, 2);
    class Net extends Model {
      readonly a = shared;
      readonly b = shared;
      readonly tied = new Linear(2, 2);
      constructor() {
        super();
        Object.assign(this.tied, { weight: shared.weight });
      }
    }
    const net = new Net();
    expect(names(net.parameters())).toEqual(["a.weight", "a.bias", "tied.bias"]);
    expect(names(net.modules())).toEqual(["", "a", "tied"]);
  });

  it("survive a module that knows its parent, and lists that know themselves", () => {
    class Child extends Model {
      readonly w = new Parameter([1], zeros);
      constructor(readonly parent: Module) {
        super();
      }
    }
    class Net extends Model {
      readonly child = new Child(this);
      readonly list: unknown[] = [];
      constructor() {
        super();
        this.list.push(this.list, new ReLU());
      }
    }
    const net = new Net();
    expect(names(net.parameters())).toEqual(["child.w"]);
    expect(names(net.modules())).toEqual(["", "child", "list.1"]);
  });

  it("must differ", () => {
    class Net extends Model {
      readonly a = { b: new Parameter([1], zeros) };
      readonly "a.b" = new Parameter([1], zeros);
    }
    expect(() => new Net().parameters()).toThrow("module: two parameters or buffers have the name a.b");
  });

  it("of modules start with the root", () => {
    const net = new Sequential(new Residual(new Linear(1, 1)), new Concat([new ReLU(), relu]));
    expect(names(net.modules())).toEqual(["", "0", "0.body", "1", "1.branches.0"]);
    expect(net.modules().get("0.body")).toBeInstanceOf(Linear);
  });

  it("of a batch normalisation are PyTorch's", () => {
    const net = new BatchNorm2d(3);
    expect(names(net.parameters())).toEqual(["weight", "bias"]);
    expect(names(net.buffers())).toEqual(["running_mean", "running_var", "num_batches_tracked"]);
    expect(names(new BatchNorm2d(3, { affine: false, trackRunningStats: false }).parameters())).toEqual([]);
    expect(names(new BatchNorm2d(3, { affine: false, trackRunningStats: false }).buffers())).toEqual([]);
  });
});

describe("Sequential", () => {
  it("names layers by a record's keys", () => {
    const net = new Sequential({ conv: new Conv2d(1, 2, { kernelSize: 1 }), relu, norm: new BatchNorm2d(2) });
    expect(names(net.parameters())).toEqual(["conv.weight", "conv.bias", "norm.weight", "norm.bias"]);
    expect(net.layers).toHaveLength(3);
  });

  it("lets a layer be replaced", () => {
    const net = new Sequential(new Linear(4, 3), relu, new Linear(3, 10));
    net[2] = new Linear(3, 2);
    expect(net.stateSpecs()["params/2.weight"]?.shape).toEqual([2, 3]);
    expect(net.layers[2]).toBe(net[2]);
  });

  it("refuses what is no layer, and names that are taken", () => {
    expect(() => new Sequential(3 as never)).toThrow("Sequential: layer 0 is 3; it needs a module or a function");
    expect(() => new Sequential({ a: null } as never)).toThrow("Sequential: layer a is null");
    expect(() => new Sequential({ forward: relu })).toThrow('Sequential: "forward" cannot name a layer');
    expect(() => new Sequential({ "a.b": relu })).toThrow('Sequential: "a.b" cannot name a layer');
  });

  it("may be empty", () => {
    expect(new Sequential().layers).toEqual([]);
  });
});

describe("initialState", () => {
  it("has the shapes and dtypes of the specs", () => {
    const net = new Sequential(new Conv2d(2, 4, { kernelSize: 3 }), new BatchNorm2d(4));
    const { params = {}, buffers = {} } = net.initialState({ seed: 1 });
    const specs = net.stateSpecs();
    for (const [name, host] of Object.entries(params)) expect(host).toMatchObject(specs[`params/${name}`]!);
    for (const [name, host] of Object.entries(buffers)) expect(host).toMatchObject(specs[`buffers/${name}`]!);
    expect(params["1.weight"]?.data).toEqual(Float32Array.of(1, 1, 1, 1));
    expect(buffers["1.num_batches_tracked"]?.data).toEqual(Int32Array.of(0));
  });

  it("depends on the seed and on each entry's own name only", () => {
    const small = new Sequential({ a: new Linear(3, 3) });
    const large = new Sequential({ z: new Linear(5, 3), a: new Linear(3, 3) });
    const value = (net: Module, seed: number) => net.initialState({ seed }).params?.["a.weight"]?.data;
    expect(value(small, 7)).toEqual(value(large, 7));
    expect(value(small, 7)).not.toEqual(value(small, 8));
    const { params = {} } = new Sequential(new Linear(3, 3), new Linear(3, 3)).initialState({ seed: 7 });
    expect(params["0.weight"]?.data).not.toEqual(params["1.weight"]?.data);
  });

  it("uses an initialiser that was put in place later", () => {
    const net = new Sequential(new Linear(2, 2));
    for (const module of net.modules().values()) if (module instanceof Linear) module.weight.init = filled(3);
    expect(net.initialState({ seed: 0 }).params?.["0.weight"]?.data).toEqual(Float32Array.of(3, 3, 3, 3));
  });

  it("names an initialiser's wrong count", () => {
    class Net extends Model {
      readonly w = new Parameter([3], () => new Float32Array(2));
    }
    expect(() => new Net().initialState({ seed: 0 })).toThrow("shape [3] holds 3 elements; data has 2");
  });
});

it("parameters and buffers check their description", () => {
  expect(() => new Parameter([2, -1], zeros)).toThrow("Parameter: shape [2, -1]");
  expect(() => new Buffer([1.5])).toThrow("Buffer: shape [1.5]");
  expect(() => new Buffer([1], { dtype: "float16" })).toThrow("Buffer: dtype is float16");
});
