import { readFileSync } from "node:fs";
import { gradients, input, sizeOf, sum, type Tensor } from "@ocelli/core";
import { inventory, logitsOf, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, lossPerSampleOf, type ModelName, modelEntry, modelNames, type ZooModel } from "../src/index.js";
import { counts } from "./counts/index.js";

interface Published {
  readonly parameters: number;
  readonly keys: string;
}

// Made by fixtures/generate.py with torchvision.
const torchvision = JSON.parse(
  readFileSync(new URL("../fixtures/torchvision.json", import.meta.url), "utf8"),
) as Readonly<Record<string, Published>>;

const parameterCount = (name: ModelName): number =>
  [...createModel(name).parameters().values()].reduce((total, { shape }) => total + sizeOf(shape), 0);

describe("every model", () => {
  it.each(modelNames)("%s: parameters by a closed form, logits of the right shape", (name) => {
    expect(parameterCount(name)).toBe(counts[name]);
    const { input: image, numClasses } = modelEntry(name);
    const x = input("x", { shape: [2, ...image], dtype: "float32" });
    for (const training of [false, true]) {
      const { output } = traceModule(createModel(name) as ZooModel, x, { training });
      expect(logitsOf(output).shape).toEqual([2, numClasses]);
    }
  });

  it.each(modelNames)("%s: the head makes the logits", (name) => {
    const { head } = modelEntry(name);
    const layer = createModel(name, {}).modules().get(head);
    expect(layer, `${name} has no layer ${head}`).toBeDefined();
  });

  it.each(modelNames)("%s: the loss depends on every parameter", (name) => {
    const { input: image } = modelEntry(name);
    const model: ZooModel = createModel(name);
    const state = Object.fromEntries(
      Object.entries(model.stateSpecs()).map(([key, spec]) => [key, input(`state:${key}`, spec)]),
    );
    const x = input("x", { shape: [2, ...image], dtype: "float32" });
    const labels = input("labels", { shape: [2], dtype: "int32" });
    const { output } = traceModule(model, x, { state, training: true });
    const names = [...model.parameters().keys()];
    const params = names.map((key) => state[`params/${key}`] as Tensor);
    const loss = sum(lossPerSampleOf(modelEntry(name))(output, labels));
    for (const [i, grad] of gradients(loss, params).entries()) {
      expect(grad.shape).toEqual((params[i] as Tensor).shape);
      expect(grad.node.op.name, `${name}: ${names[i]} has no gradient`).not.toBe("full");
    }
  });

  it("is unknown by a wrong name, with near matches", () => {
    expect(() => modelEntry("lenet_5")).toThrow(/model: "lenet_5" is unknown. Did you mean lenet5 or lenet1\?/);
    expect(() => modelEntry("toString")).toThrow(/There are .*lenet5, lenet5_modern/);
  });
});

describe("torchvision's models", () => {
  it.each(Object.keys(torchvision) as ModelName[])("%s: the same state_dict, entry by entry", (name) => {
    const { parameters, keys } = torchvision[name] as Published;
    expect(parameterCount(name)).toBe(parameters);
    const flat = [...inventory(createModel(name)).slots].map(([key, { shape }]) => `${key}[${shape.join()}]`);
    expect(flat).toEqual(keys.split(" "));
  });
});
