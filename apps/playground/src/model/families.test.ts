import type { Module } from "@ocelli/layers";
import * as zoo from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { buildModel } from "./build.js";
import { type Family, type FamilyField, type FamilyValue, families, familyOf } from "./families.js";

/** Names and shapes of all that is trained: two networks with the same are the same to a file of values. */
const stateOf = (model: Pick<Module, "parameters">): readonly string[] =>
  [...model.parameters()].map(([name, { shape }]) => `${name} ${shape.join("x")}`);

const evaluated = ({ imports, expression }: ReturnType<Family["code"]>): zoo.ZooModel => {
  const known: Readonly<Record<string, unknown>> = zoo;
  return new Function(...imports, `return ${expression}`)(...imports.map((name) => known[name])) as zoo.ZooModel;
};

/** All choices, both positions of a switch, two of the numbers. */
function others(field: FamilyField): readonly FamilyValue[] {
  if (field.kind === "switch") return [true, false];
  if (field.kind === "choice") return (field.choices ?? []).map(({ value }) => value);
  return field.allowed === undefined
    ? [field.min ?? 0, (field.min ?? 0) + 2 * (field.step ?? 1)]
    : field.allowed.slice(0, 2);
}

describe.each(families.map((family) => [family.name, family] as const))("%s", (_, family) => {
  const cases = family.fields.flatMap((field) => others(field).map((value) => ({ [field.name]: value })));

  it.each([{}, ...cases])("with %j: its TypeScript makes the same network", (values) => {
    const options = { numClasses: 7, inChannels: 2 };
    const built = family.build(values, options);
    expect(built.title).not.toMatch(/undefined|NaN/);
    expect(stateOf(evaluated(family.code(values, options)))).toEqual(stateOf(built.model));
    expect(stateOf(evaluated(family.code(values, {})))).toEqual(stateOf(family.build(values, {}).model));
  });

  it("says what a field takes", () => {
    for (const { name, label } of family.fields)
      expect(() => family.build({ [name]: -1 }, {})).toThrow(`${label.toLowerCase()} is -1; it needs`);
  });
});

describe("families", () => {
  it.each([
    ["resnet-cifar", { depth: 56 }, "resnet56_cifar"],
    ["resnet-cifar", { depth: 20, shortcut: "none" }, "plain20_cifar"],
    ["resnet-imagenet", {}, "resnet18"],
    ["resnet-imagenet", { block: "bottleneck", stage1: 3, stage2: 4, stage3: 6, stage4: 3 }, "resnet50"],
    [
      "resnet-imagenet",
      { block: "bottleneck", stage1: 3, stage2: 4, stage3: 6, stage4: 3, groups: 32, widthPerGroup: 4 },
      "resnext50_32x4d",
    ],
    ["preact-imagenet", {}, "preact_resnet18"],
    ["preact-cifar", { block: "bottleneck", blocks: 18 }, "preact_resnet164_cifar"],
    ["stochastic-depth", { depth: 110 }, "resnet110_stochastic_cifar"],
    ["wide-resnet", { depth: 16, widen: 8 }, "wrn_16_8"],
    ["resnext-cifar", { cardinality: 8, width: 64 }, "resnext29_8x64d_cifar"],
    ["vgg", { configuration: "E", batchNorm: true }, "vgg19_bn"],
    ["squeezenet", { version: "1.1" }, "squeezenet1_1"],
    ["densenet-cifar", { depth: 100, growthRate: 12, bc: true }, "densenet_bc100_12_cifar"],
    ["densenet-imagenet", {}, "densenet121"],
    ["fractalnet", { columns: 4, channels: 16 }, "fractalnet40_cifar"],
  ])("%s with %j is the zoo's %s", (name, values, same) => {
    const built = buildModel({ kind: "family", family: name, values });
    const own = buildModel({ kind: "zoo", name: same });
    expect(stateOf(built.model)).toEqual(stateOf(own.model));
    expect([built.input, built.numClasses]).toEqual([own.input, own.numClasses]);
  });

  it("names what is near a wrong name", () => {
    expect(() => familyOf("wide-resnt")).toThrow(/"wide-resnt" is unknown\. There are wide-resnet/);
  });
});
