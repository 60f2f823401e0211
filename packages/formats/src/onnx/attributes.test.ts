import { ArgumentError, hostTensor } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { type AttrInput, float, floats, int, ints, toAttribute } from "./attributes.js";

describe("attributes", () => {
  it.each<[string, Exclude<AttrInput, undefined>, unknown]>([
    ["axis", -1, { kind: "int", value: -1 }],
    ["end", 2n ** 62n, { kind: "int", value: 2n ** 62n }],
    ["count_include_pad", true, { kind: "int", value: 1 }],
    ["ceil_mode", false, { kind: "int", value: 0 }],
    ["auto_pad", "SAME_UPPER", { kind: "string", value: "SAME_UPPER" }],
    ["pads", [0, 1], { kind: "ints", value: [0, 1] }],
    ["axes", [], { kind: "ints", value: [] }],
    ["activations", ["Relu"], { kind: "strings", value: ["Relu"] }],
    ["alpha", float(1), { kind: "float", value: 1 }],
    ["scales", floats([1, 2]), { kind: "floats", value: [1, 2] }],
    ["alpha", int(1), { kind: "int", value: 1 }],
    ["scales", ints([1]), { kind: "ints", value: [1] }],
  ])("%s: %o", (name, value, expected) => {
    expect(toAttribute(name, value, "Op")).toEqual(expected);
  });

  it("takes tensors", () => {
    const attribute = toAttribute("value", hostTensor([1]), "ConstantOfShape");
    expect(attribute).toMatchObject({ kind: "tensor", value: { dtype: "float32", shape: [1] } });
    expect(toAttribute("value", attribute.value as never, "ConstantOfShape")).toEqual(attribute);
  });

  it("does not guess what a number is", () => {
    expect(() => toAttribute("alpha", 1, "LeakyRelu act1")).toThrow(
      "LeakyRelu act1: alpha is a float in ONNX's operators; write float(1), or int(1)",
    );
    expect(() => toAttribute("scales", [1, 2], "Upsample")).toThrow("write floats([1, 2]), or ints([1, 2])");
    expect(() => toAttribute("axis", 0.5, "Concat")).toThrow(
      "Concat: axis: 0.5 is not a safe integer; for a float, write float(...)",
    );
    expect(() => toAttribute("pads", [0, 0.5], "Pad")).toThrow(ArgumentError);
    expect(() => int(2 ** 53)).toThrow(ArgumentError);
    expect(() => ints([Number.NaN])).toThrow(ArgumentError);
  });
});
