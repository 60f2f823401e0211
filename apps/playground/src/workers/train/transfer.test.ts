import type { StateDict } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { buildModel } from "../../model/build.js";
import type { ModelSpec } from "../../model/spec.js";
import { allButHead, begunFrom, compared } from "./transfer.js";

const named = (count: number, name = "class"): string[] => Array.from({ length: count }, (_, i) => `${name} ${i}`);
const lenet = (options: object = {}): ModelSpec => ({ kind: "zoo", name: "lenet5_modern", ...options });
const target = (spec: ModelSpec, classes: readonly string[]) => ({ built: buildModel(spec), classes });
const digits = { title: "LeNet-5 on Digits", spec: lenet(), classes: named(10) };

describe("what a training takes from another network", () => {
  it("is all of it for the same classes", () => {
    const found = compared(digits, target(lenet(), named(10)), false);
    expect(found).toEqual({ title: digits.title, taken: 10, of: 10, fresh: [] });
  });

  it("is all but the head for other classes, though there be as many", () => {
    const fresh = ["classifier.3.weight", "classifier.3.bias"];
    expect(compared(digits, target(lenet({ numClasses: 3 }), named(3)), true)).toMatchObject({
      taken: 8,
      of: 10,
      fresh,
    });
    expect(compared(digits, target(lenet(), named(10, "fashion")), false)).toMatchObject({ taken: 8, fresh });
  });

  it("leaves out what has another shape; then the head alone cannot be trained", () => {
    const coloured = target(lenet({ inChannels: 3 }), named(10));
    expect(compared(digits, coloured, false)).toMatchObject({ taken: 9, fresh: ["features.0.weight"] });
    expect(() => compared(digits, coloured, true)).toThrow(/features\.0\.weight cannot be taken.*Train all/s);
  });

  it("is nothing of another architecture, and that is said", () => {
    const other = target({ kind: "zoo", name: "resnet18", numClasses: 10 }, named(10));
    expect(() => compared(digits, other, false)).toThrow(
      /Nothing can be taken from LeNet-5 on Digits.*Here, conv1\.weight is \[64, 3, 7, 7\]; there is no tensor of that name there/s,
    );
  });
});

it("freezes all but the head by few patterns", () => {
  expect(allButHead(buildModel({ kind: "zoo", name: "vgg16_bn" }))).toEqual([
    "features.*",
    "classifier.0.*",
    "classifier.3.*",
  ]);
  const chain: ModelSpec = {
    kind: "layers",
    name: "chain",
    input: [1, 8, 8],
    numClasses: 2,
    layers: [{ of: "conv", options: { channels: 4 } }],
  };
  expect(allButHead(buildModel(chain))).toEqual(["0.*"]);
});

it("takes values as they are, and draws the others as a training from chance would", () => {
  const values = buildModel(lenet()).model.initialState({ seed: 7 });
  const wanted = target(lenet({ numClasses: 3 }), named(3));
  const { fresh } = compared(digits, wanted, false);
  const begun = begunFrom({ source: digits, values }, { target: wanted, fresh, seed: 5 });
  const chance: StateDict = wanted.built.model.initialState({ seed: 5 });
  expect(begun.params?.["features.0.weight"]).toEqual(values.params?.["features.0.weight"]);
  expect(begun.params?.["classifier.3.weight"]).toEqual(chance.params?.["classifier.3.weight"]);
  expect(Object.keys(begun.params ?? {})).toEqual(Object.keys(chance.params ?? {}));
});
