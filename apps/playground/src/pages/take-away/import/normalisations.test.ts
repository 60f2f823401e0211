import { modelEntry } from "@ocelli/zoo";
import { expect, test } from "vitest";
import { normalisations, ownNormalisation } from "./normalisations.js";

const resnet = { channels: 3, preprocessing: modelEntry("resnet18").preprocessing };
const lenet = { channels: 1, preprocessing: { pad: 2 } };

test("a network's own normalisation comes first, where it has one for its channels", () => {
  expect(normalisations(resnet)[0]).toMatchObject({
    name: "published",
    transform: { name: "normalize", options: { mean: [0.485, 0.456, 0.406] } },
  });
  expect(normalisations({ ...resnet, channels: 1 }).map(({ name }) => name)).toEqual([
    "mnist",
    "unit",
    "centred",
    "bytes",
  ]);
  expect(normalisations(lenet).map(({ name }) => name)).not.toContain("imagenet");
});

test("numbers of one's own are one for all channels or one for each", () => {
  expect(ownNormalisation(resnet, "0.4 0.5 0.6", " 0.1, 0.2;0.3 ").options).toMatchObject({
    mean: [0.4, 0.5, 0.6],
    std: [0.1, 0.2, 0.3],
  });
  expect(ownNormalisation(lenet, "0.5", "0.25").options).toEqual({ mean: [0.5], std: [0.25], pad: 2 });
  expect(() => ownNormalisation(resnet, "0.5, 0.4", "1")).toThrow(/the mean is "0.5, 0.4"; it needs one number, or 3/);
  expect(() => ownNormalisation(lenet, "a", "1")).toThrow(/the mean is "a"/);
  expect(() => ownNormalisation(lenet, "0", "0")).toThrow(/above 0/);
});
