import type { Tensor } from "@ocelli/core";
import { Linear, traceModule } from "@ocelli/layers";
import { createModel, features, leastInputSize, type ModelName, replaceHead } from "@ocelli/zoo";
import { describe, expectTypeOf, it } from "vitest";

declare const x: Tensor;
declare const name: string;

describe("types", () => {
  it("names of models are checked, and a model has its own class", () => {
    expectTypeOf<"resnet20_cifar">().toExtend<ModelName>();
    expectTypeOf(createModel("resnet20_cifar").linear).toEqualTypeOf<Linear>();
    // @ts-expect-error no such model
    createModel("resnet21_cifar");
    // @ts-expect-error any string may be wrong
    createModel(name);
    // @ts-expect-error no such model
    leastInputSize("resnet21_cifar");
  });

  it("options are checked", () => {
    createModel("resnet20_cifar", { numClasses: 7, inChannels: 1, inputSize: [28, 32] });
    // @ts-expect-error one number or two
    createModel("resnet20_cifar", { inputSize: [28, 28, 28] });
    // @ts-expect-error no such option
    createModel("resnet20_cifar", { classes: 7 });
  });

  it("features are a record of the names that were asked for", () => {
    const { output } = traceModule(features(createModel("resnet20_cifar"), ["layer1", "layer3"]), x);
    expectTypeOf(output).toEqualTypeOf<Readonly<Record<"layer1" | "layer3", Tensor>>>();
    // @ts-expect-error was not asked for
    output.layer2;
  });

  it("a model with another head is still of its class", () => {
    expectTypeOf(
      replaceHead(createModel("resnet20_cifar"), "linear", new Linear(64, 5)).linear,
    ).toEqualTypeOf<Linear>();
    // @ts-expect-error a layer takes and gives tensors
    replaceHead(createModel("resnet20_cifar"), "linear", (t: Tensor) => t);
  });
});
