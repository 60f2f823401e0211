import { readSafetensors } from "@ocelli/formats";
import { checkpointFormat, freshProgress } from "@ocelli/training";
import { expect, test } from "vitest";
import { buildModel } from "../../model/build.js";
import { cardOf, plainCard } from "../../model/card.js";
import type { ModelSpec } from "../../model/spec.js";
import { encodeNetwork } from "./encode.js";

const spec: ModelSpec = { kind: "zoo", name: "lenet5_modern", numClasses: 3 };

test("a checkpoint of a zoo's network says which one it is, to the command and to the page", () => {
  const card = plainCard(spec);
  const values = buildModel(spec).model.initialState({ seed: 1 });
  const bytes = encodeNetwork("checkpoint", card, values, { progress: { ...freshProgress, step: 4 } });
  const { metadata } = readSafetensors(bytes, { name: "net" });
  expect(metadata.format).toBe(checkpointFormat);
  expect(JSON.parse(metadata.ocelli as string)).toEqual({
    model: "lenet5_modern",
    options: { numClasses: 3 },
    classes: ["0", "1", "2"],
    image: [1, 28, 28],
    transform: card.transform,
  });
  expect(cardOf(metadata, "net")).toMatchObject({ title: card.title, spec });
  expect(JSON.parse(metadata.progress as string)).toMatchObject({ step: 4 });
});
