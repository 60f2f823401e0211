import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostTensor } from "@ocelli/core";
import { fromHostTensor, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { createModel, type ModelName } from "@ocelli/zoo";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { fails, ocelli, single, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const cifar = join(folder, "cifar10");
const picture = join(folder, "picture.png");
const onCpu = ["--device", "onnx-cpu", "--threads", "1"];
const onCifar = ["--data", "cifar10", "--data-dir", cifar, ...onCpu, "--json"];

/** Weights that do not say anything about themselves. */
function weights(name: ModelName, change: (host: HostTensor) => void = () => undefined): string {
  const model = createModel(name, { numClasses: 10 });
  const flat = Object.entries(flattenStateDict(model, model.initialState({ seed: 2 })));
  for (const [, host] of flat) change(host);
  const file = join(folder, `${name}.safetensors`);
  writeFileSync(file, writeSafetensors(flat.map(([key, host]) => [key, fromHostTensor(host)] as const)));
  return file;
}

beforeAll(async () => {
  mkdirSync(cifar);
  // One image a file; four of five training files are missing.
  for (const name of ["data_batch_1.bin", "test_batch.bin"]) writeFileSync(join(cifar, name), Buffer.alloc(3073));
  const create = { width: 40, height: 40, channels: 3, background: "teal" } as const;
  await sharp({ create }).png().toFile(picture);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe("weights that do not say which images they were trained on", () => {
  it("are evaluated on images of another size than the model's, where it takes them", async () => {
    const file = weights("squeezenet1_1");
    const { code, out, err } = await ocelli(["eval", file, "--model", "squeezenet1_1", ...onCifar]);
    // Nothing about missing training files, either.
    const note = `note: ${file} does not say which images it was trained on; it is taken for 3x32x32, as cifar10 test has\n`;
    expect({ code, err }).toEqual({ code: 0, err: note });
    expect(single(out)).toMatchObject({ count: 1 });
  });

  it("are refused where it does not", async () => {
    const small = await fails(2, ["eval", weights("nin_imagenet"), "--model", "nin_imagenet", ...onCifar]);
    expect(small).toMatch(
      /nin_imagenet takes 3x224x224 images; cifar10 test has 3x32x32\n {2}nin_imagenet: 32x32 images are too small/,
    );
    const other = ["eval", weights("squeezenet1_1"), "--model", "squeezenet1_1", "--data", "digits", "--limit", "2"];
    expect(await fails(2, other)).toContain("squeezenet1_1 takes 3x224x224 images; digits test has 1x28x28");
  });
});

describe("weights that give NaN", () => {
  it("fail in eval and in predict, on whatever device", async () => {
    const file = weights("resnet20_cifar", ({ dtype, data }) => {
      if (dtype === "float32") data.fill(Number.NaN);
    });
    const named = ["--model", "resnet20_cifar"];
    expect(await fails(1, ["eval", file, ...named, ...onCifar])).toContain(
      `error: ${file}: its weights give NaN or infinity for 1 of 1 images`,
    );
    expect(await fails(1, ["predict", file, picture, ...named, ...onCpu])).toContain(
      `error: ${file}: its weights give NaN for ${picture}`,
    );
  });
});

describe("what costs nothing to check", () => {
  it("is checked before a download", async () => {
    const fetched = vi.fn(() => Promise.reject(new Error("no network here")));
    vi.stubGlobal("fetch", fetched);
    vi.stubEnv("OCELLI_CACHE", join(folder, "cache"));
    const missing = join(folder, "none.jpeg");
    expect(await fails(1, ["predict", "resnet18", missing])).toBe(`error: ${missing}: no such file or folder\n`);
    expect(await fails(1, ["predict", "resnet18", picture, folder])).toContain("it is a folder");
    expect(await fails(2, ["eval", "resnet18", "--data", "cifar10"])).toBe(
      "error: resnet18 was trained on 3x224x224 images in 1000 classes; cifar10 test has 3x32x32 in 10\n",
    );
    expect(await fails(2, ["eval", "resnet18"])).toContain("eval needs --data");
    expect(fetched).not.toHaveBeenCalled();
    await fails(1, ["predict", "resnet18", picture]);
    expect(fetched).toHaveBeenCalled();
  });
});
