import { ArgumentError, fromNumbers, type HostTensor, hostTensor, StateError } from "@ocelli/core";
import {
  BatchNorm2d,
  Conv2d,
  flattenStateDict,
  Identity,
  Linear,
  loadStateDict,
  type Module,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const net = () =>
  new Sequential({ conv1: new Conv2d(1, 2, { kernelSize: 1 }), bn1: new BatchNorm2d(2), fc: new Linear(2, 3) });
const file = (): Record<string, HostTensor> => flattenStateDict(net(), net().initialState({ seed: 4 }));

describe("flattenStateDict", () => {
  it("has PyTorch's names in PyTorch's order", () => {
    expect(Object.keys(file())).toEqual([
      "conv1.weight",
      "conv1.bias",
      "bn1.weight",
      "bn1.bias",
      "bn1.running_mean",
      "bn1.running_var",
      "bn1.num_batches_tracked",
      "fc.weight",
      "fc.bias",
    ]);
  });

  it("names what is missing", () => {
    expect(() => flattenStateDict(new Linear(1, 1), { params: {} })).toThrow(StateError);
    expect(() => flattenStateDict(new Linear(1, 1), { params: {} })).toThrow(
      "lacks 2 values of the model:\n  weight\n  bias",
    );
  });

  it("ignores other collections", () => {
    const model = new Linear(1, 1);
    const state = { ...model.initialState({ seed: 0 }), optimizer: { weight: hostTensor([1]) } };
    expect(Object.keys(flattenStateDict(model, state))).toEqual(["weight", "bias"]);
  });
});

describe("loadStateDict", () => {
  it("sorts a file's values into collections", () => {
    expect(loadStateDict(net(), file())).toEqual(net().initialState({ seed: 4 }));
  });

  it("starts the excepted afresh, and nothing else", () => {
    const [flat, model] = [file(), net()];
    const withHead = (fc: Module) =>
      new Sequential({ conv1: new Conv2d(1, 2, { kernelSize: 1 }), bn1: new BatchNorm2d(2), fc });
    const other = withHead(new Linear(2, 5));
    expect(() => loadStateDict(other, flat)).toThrow(/another shape or dtype \(2\)/);
    const { params, buffers } = loadStateDict(other, flat, { except: ["fc"], seed: 7 });
    const [before, fresh] = [model.initialState({ seed: 4 }), other.initialState({ seed: 7 })];
    expect(buffers).toEqual(before.buffers);
    expect(params).toEqual({
      ...before.params,
      "fc.weight": fresh.params!["fc.weight"],
      "fc.bias": fresh.params!["fc.bias"],
    });
    const headless = withHead(new Identity());
    expect(Object.keys(loadStateDict(headless, flat, { except: ["fc"] }).params!)).toHaveLength(4);
    const { "conv1.bias": _, ...rest } = flat;
    expect(() => loadStateDict(other, rest, { except: ["fc"] })).toThrow(/missing \(1\):\n {4}conv1.bias/);
    expect(() => loadStateDict(other, flat, { except: ["fd"] })).toThrow(
      "except names fd, which neither model nor values have; did you mean fc?",
    );
    // A part of a name is no path.
    expect(() => loadStateDict(other, flat, { except: ["f"] })).toThrow(ArgumentError);
  });

  it("lists ten of each kind and counts the rest", () => {
    const layers = (count: number, width = 1) =>
      new Sequential(...Array.from({ length: count }, () => new Linear(width, 1, { bias: false })));
    const flat = (count: number) => {
      const model = layers(count);
      return flattenStateDict(model, model.initialState({ seed: 0 }));
    };
    const message = (model: Module, values: Record<string, HostTensor>): string[] => {
      try {
        loadStateDict(model, values);
        return [];
      } catch (error) {
        return (error as StateError).message.split("\n");
      }
    };
    const unexpected = message(layers(5), flat(110));
    expect(unexpected[1]).toBe("  unexpected (105):");
    expect(unexpected.slice(2, 4)).toEqual(["    5.weight float32[1, 1]", "    6.weight float32[1, 1]"]);
    expect(unexpected.slice(11)).toEqual(["    14.weight float32[1, 1]", "    and 95 more"]);
    expect(message(layers(15), flat(5))).toHaveLength(12);
    const misshapen = message(layers(11, 2), flat(11));
    expect(misshapen.slice(1, 3)).toEqual([
      "  of another shape or dtype (11):",
      "    0.weight: given float32[1, 1], needed float32[1, 2]",
    ]);
    expect(misshapen.at(-1)).toBe("    and 1 more");
  });

  it("lists all missing, unexpected and misshapen entries at once", () => {
    const { "conv1.weight": weight, "fc.bias": _, ...rest } = file();
    const flat = {
      ...rest,
      "module.conv1.weight": weight!,
      extra: hostTensor([1]),
      "fc.weight": hostTensor([1, 2], [2, 1]),
    };
    const load = () => loadStateDict(net(), flat);
    expect(load).toThrow(StateError);
    expect(load).toThrow(
      [
        "loadStateDict: the values do not fit the model",
        "  missing (2):",
        "    conv1.weight float32[2, 1, 1, 1] (near: module.conv1.weight)",
        "    fc.bias float32[3]",
        "  unexpected (2):",
        "    module.conv1.weight float32[2, 1, 1, 1] (near: conv1.weight)",
        "    extra float32[1]",
        "  of another shape or dtype (1):",
        "    fc.weight: given float32[2, 1], needed float32[3, 2]",
      ].join("\n"),
    );
  });

  it("without strict, takes what is there; shapes have to fit anyway", () => {
    const flat = { "fc.bias": hostTensor([1, 2, 3]), extra: hostTensor([1]) };
    const loaded = loadStateDict(net(), flat, { strict: false });
    expect(Object.keys(loaded.params!)).toEqual(["fc.bias"]);
    expect(() => loadStateDict(net(), { "fc.bias": hostTensor([1]) }, { strict: false })).toThrow(
      "of another shape or dtype (1)",
    );
  });

  it("starts counts anew that old files lack", () => {
    const { "bn1.num_batches_tracked": _, ...old } = file();
    const { buffers = {} } = loadStateDict(net(), old);
    expect(buffers["bn1.num_batches_tracked"]).toEqual({ dtype: "int32", shape: [], data: Int32Array.of(0) });
  });

  it("converts floats to float32, and refuses integers for them", () => {
    const half = { ...file(), "fc.bias": fromNumbers([0.5, 1, -2], [3], "float16") };
    expect(loadStateDict(net(), half).params?.["fc.bias"]).toEqual(hostTensor([0.5, 1, -2]));
    const wrong = { ...file(), "fc.bias": fromNumbers([1, 2, 3], [3], "int32") };
    expect(() => loadStateDict(net(), wrong)).toThrow("fc.bias: given int32[3], needed float32[3]");
  });

  it("keeps a shared entry once, and files have it under every name", () => {
    const shared = new Linear(2, 2);
    const model = new Sequential({ a: shared, b: shared });
    const flat = flattenStateDict(model, model.initialState({ seed: 1 }));
    expect(Object.keys(flat)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias"]);
    expect(loadStateDict(model, flat)).toEqual(model.initialState({ seed: 1 }));
    const { "a.weight": _, "a.bias": __, ...second } = flat;
    expect(loadStateDict(model, second)).toEqual(model.initialState({ seed: 1 }));
  });

  it("takes names of the object prototype for what they are", () => {
    const model = new Sequential({ constructor_: new Linear(1, 1) });
    expect(() => loadStateDict(model, {})).toThrow("missing (2)");
    expect(() => loadStateDict(model, { toString: hostTensor([1]) })).toThrow(
      "unexpected (1):\n    toString float32[1]",
    );
  });
});
