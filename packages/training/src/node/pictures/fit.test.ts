import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { State } from "@ocelli/core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bars, bytesOf, type Kept, memorySink, withRun } from "../../../test/fit.js";
import { centerFrame, randomResizedCropFrame } from "../../augment/frames.js";
import { split } from "../../data/split.js";
import { type FitEvent, fit } from "../../fit.js";
import { imageFolder } from "./image-folder.js";
import { pictureSource } from "./picture-source.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-fit-"));
  const { images, labels, classes } = bars(90, 4);
  for (const name of classes) await mkdir(join(dir, name));
  for (const [i, label] of labels.entries()) {
    const picture = sharp(images.subarray(64 * i, 64 * (i + 1)), { raw: { width: 8, height: 8, channels: 1 } });
    await picture
      .resize(16, 16, { kernel: "nearest" })
      .png()
      .toFile(join(dir, classes[label] as string, `${i}.png`));
  }
  await writeFile(join(dir, "none", "broken.png"), "no picture");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("fit on picture files", () => {
  it("learns, and gives the same bits when interrupted and resumed", async () => {
    const found = await imageFolder(dir);
    const frame = {
      train: randomResizedCropFrame({ size: 8, scale: [0.9, 1], ratio: [1, 1] }),
      eval: centerFrame({ size: 8, resize: 8 }),
    };
    const train = async (from: Kept["saved"][0] | undefined, stopAt: number): Promise<Kept["saved"][0]> =>
      withRun(async (device, options) => {
        // A new source each time, as in a new process: it has to find the broken picture again.
        const broken: string[] = [];
        const report = (line: string): void => void broken.push(line);
        const source = pictureSource(found.train, { frame, channels: 1, workers: 2, onBroken: "skip", report });
        const { train, validation } = split(source, { validation: 0.2, seed: 1 });
        const checkpoints = memorySink();
        const stop = new AbortController();
        const on = (event: FitEvent): void => {
          if (event.type === "step" && event.step === stopAt) stop.abort();
        };
        using state: State | undefined = from && (await device.createState(from.values));
        await fit({
          ...options,
          ...(from && { state: state as State, from: from.progress }),
          train,
          test: validation,
          checkpoints,
          signal: stop.signal,
          on,
        });
        expect(broken.length).toBeLessThanOrEqual(1);
        return checkpoints.saved.filter(({ kind }) => kind === "last").at(-1) as Kept["saved"][0];
      });
    const straight = await train(undefined, 1000);
    const { history } = straight.progress;
    expect(history.length).toBe(3);
    expect(history[2]?.trainLoss).toBeLessThan(0.8 * (history[0]?.trainLoss as number));
    const interrupted = await train(undefined, 6);
    expect(interrupted.progress.step).toBeLessThan(straight.progress.step);
    const resumed = await train(interrupted, 1000);
    expect(bytesOf(resumed.values)).toBe(bytesOf(straight.values));
  });
});
