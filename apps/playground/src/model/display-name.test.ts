import { modelNames } from "@ocelli/zoo";
import { expect, test } from "vitest";
import { displayName } from "./display-name.js";

test("every model of the zoo has a name as people write it, and one of its own", () => {
  const names = modelNames.map(displayName);
  for (const [i, name] of names.entries()) expect(name, modelNames[i]).toMatch(/^[A-Z][A-Za-z0-9 .,()=-]+$/);
  expect(new Set(names).size).toBe(modelNames.length);
});

test("names are those of the papers", () => {
  const said = ["lenet5_modern", "resnet20_cifar", "vgg16_bn", "densenet_bc100_12_cifar", "squeezenet1_1", "my net"];
  expect(said.map(displayName)).toEqual([
    "LeNet-5",
    "ResNet-20",
    "VGG-16 BN",
    "DenseNet-BC-100, k = 12",
    "SqueezeNet 1.1",
    "my net",
  ]);
});
