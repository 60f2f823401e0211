import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, FormatError } from "@ocelli/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Size } from "../../augment/frame.js";
import { randomResizedCropFrame, stretchFrame } from "../../augment/frames.js";
import { loader } from "../../data/loader.js";
import { frameOf, noise, raw, readAll, sourceOf } from "./harness.mjs";
import { pictureSource } from "./picture-source.js";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-pictures-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("broken pictures", () => {
  const frame = stretchFrame({ size: [8, 8] });
  const good = (n: number): string => join(dir, `good-${n}.png`);
  let bad: Record<string, string>;
  beforeAll(async () => {
    for (let n = 0; n < 4; n++)
      await raw(new Uint8Array(8 * 8 * 3).fill(50 * n + 10), [8, 8])
        .png()
        .toFile(good(n));
    bad = {
      empty: join(dir, "empty.jpg"),
      text: join(dir, "text.jpg"),
      drawing: join(dir, "drawing.jpg"),
      cut: join(dir, "cut-off.jpg"),
      none: join(dir, "none.jpg"),
      folder: dir,
    };
    await writeFile(bad.empty as string, "");
    await writeFile(bad.text as string, "this is no picture, whatever its name says");
    await writeFile(bad.drawing as string, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await raw(noise([300, 300]), [300, 300])
      .jpeg()
      .toFile(bad.cut as string);
    await truncate(bad.cut as string, 9000);
  });

  it("are an error that names the file and the cause", async () => {
    for (const [kind, cause] of [
      ["empty", /empty\.jpg: is empty\./],
      ["text", /text\.jpg: it contains unsupported image format\./],
      ["drawing", /drawing\.jpg: is of the format svg; JPEG, PNG, WebP, TIFF, GIF and AVIF are taken\./],
      ["cut", /cut-off\.jpg: (VipsJpeg: premature end of JPEG image|its content is damaged)\./],
      ["none", /none\.jpg: there is no such file\./],
    ] as const) {
      const reading = readAll(sourceOf([good(0), bad[kind] as string, good(1)], { frame }));
      await expect(reading).rejects.toThrow(cause);
      await expect(reading).rejects.toBeInstanceOf(FormatError);
    }
    await expect(readAll(sourceOf([dir], { frame }))).rejects.toThrow(/Take it out of the set/);
  });

  it("are left out, black, and reported once", async () => {
    const lines: string[] = [];
    const files = [good(0), bad.cut as string, good(1), bad.empty as string];
    const source = sourceOf(files, { frame, onBroken: "skip", report: (line) => lines.push(line) });
    for (let i = 0; i < 3; i++) {
      const { images, broken } = await source.read({ indices: Int32Array.of(3, 0, 1, 2, 1) });
      expect(broken).toEqual([0, 2, 4]);
      expect([0, 1, 2, 3, 4].map((place) => images[place * 192])).toEqual([0, 10, 0, 60, 0]);
    }
    expect(lines.length).toBe(2);
    expect(lines.sort().join()).toMatch(
      /cut-off\.jpg: left out.*empty\.jpg: left out, because it cannot be read: is empty/,
    );
  });

  it("leave full batches in training and smaller ones in evaluation", async () => {
    const files = [good(0), bad.text as string, good(1), bad.empty as string, good(2), good(3)];
    const source = sourceOf(files, { frame, onBroken: "skip", report: () => {} });
    const batches = async (options: { dropLast: boolean }) => {
      const list: { indices: number[]; bytes: unknown[] }[] = [];
      for await (const { indices, images } of loader(source, { batchSize: 4, ...options }).epoch(0))
        list.push({ indices: [...indices], bytes: [...indices].map((_, i) => images.data[i * 192]) });
      return list;
    };
    expect(await batches({ dropLast: true })).toEqual([{ indices: [0, 0, 2, 2], bytes: [10, 10, 60, 60] }]);
    expect(await batches({ dropLast: false })).toEqual([
      { indices: [0, 2], bytes: [10, 60] },
      { indices: [4, 5], bytes: [110, 160] },
    ]);
    const lost = sourceOf([bad.text as string, bad.empty as string], { frame, onBroken: "skip", report: () => {} });
    await expect(loader(lost, { batchSize: 2, shuffle: true }).epoch(0)[Symbol.asyncIterator]().next()).rejects.toThrow(
      "all 2 pictures of batch 0 of epoch 0 are broken",
    );
    const rest: unknown[] = [];
    for await (const batch of loader(lost, { batchSize: 1 }).epoch(0)) rest.push(batch);
    expect(rest).toEqual([]);
  });
});

describe("reading", () => {
  const files = () => Array.from({ length: 6 }, (_, n) => join(dir, `many-${n}.png`));
  beforeAll(async () => {
    for (const [n, file] of files().entries()) {
      const size: Size = [20 + n, 31 - n];
      await raw(
        noise(size).map((value) => value ^ (n * 40)),
        size,
      )
        .png()
        .toFile(file);
    }
  });

  it("takes its chances from seed, epoch and position alone", async () => {
    const frame = randomResizedCropFrame({ size: 8 });
    const read = async (indices: number[], seed: number, epoch: number, workers = 1) =>
      (await sourceOf(files(), { frame, workers }).read({ indices: Int32Array.from(indices), chance: { seed, epoch } }))
        .images;
    const all = await read([0, 1, 2, 3, 4, 5], 7, 3);
    expect(await read([0, 1, 2, 3, 4, 5], 7, 3, 3)).toEqual(all);
    expect(await read([4, 1], 7, 3)).toEqual(
      Uint8Array.of(...all.subarray(4 * 192, 5 * 192), ...all.subarray(192, 2 * 192)),
    );
    expect(await read([0, 1, 2, 3, 4, 5], 7, 4)).not.toEqual(all);
    expect(await read([0, 1, 2, 3, 4, 5], 8, 3)).not.toEqual(all);
  });

  it("has a frame for training and one for the rest", async () => {
    const [train, still] = [
      frameOf([4, 4], () => ({ crop: { top: 0, left: 0, height: 4, width: 4 } })),
      frameOf([4, 4], () => ({ crop: { top: 5, left: 6, height: 4, width: 4 } })),
    ];
    const both = sourceOf(files(), { frame: { train, eval: still } });
    const indices = Int32Array.of(0, 3);
    const chance = { seed: 0, epoch: 0 };
    expect((await both.read({ indices, chance })).images).toEqual(
      (await sourceOf(files(), { frame: train }).read({ indices })).images,
    );
    expect((await both.read({ indices })).images).toEqual(
      (await sourceOf(files(), { frame: still }).read({ indices })).images,
    );
  });

  it("stops when nobody wants the rest", async () => {
    const source = sourceOf(files(), { frame: stretchFrame({ size: 8 }) });
    const stop = new AbortController();
    const reading = source.read({ indices: Int32Array.from({ length: 600 }, (_, i) => i % 6), signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 5);
    await expect(reading).rejects.toThrow("enough");
    await expect(source.read({ indices: Int32Array.of(1), signal: stop.signal })).rejects.toThrow("enough");
    expect((await source.read({ indices: Int32Array.of(1) })).broken).toEqual([]);
  });

  it("refuses what cannot be meant", () => {
    const frame = stretchFrame({ size: 8 });
    const set = { name: "p", files: ["a.png", "b.png"], labels: Int32Array.of(0, 1), classes: ["x", "y"] };
    const refuse = (change: object, options: object, message: RegExp) => {
      const build = () => pictureSource({ ...set, ...change }, { frame, ...options });
      expect(build).toThrow(message);
      expect(build).toThrow(ArgumentError);
    };
    refuse({ labels: Int32Array.of(0) }, {}, /p has 2 files and 1 labels/);
    refuse({ labels: Int32Array.of(0, 2) }, {}, /label 2 of b\.png is outside the 2 classes/);
    refuse({}, { channels: 4 }, /channels is 4; pictures have 1 or 3/);
    refuse({}, { onBroken: "ignore" }, /onBroken is "ignore"/);
    refuse({}, { workers: 0 }, /workers is 0; it needs an integer from 1 to 256/);
    refuse({}, { maxPixels: Number.NaN }, /maxPixels is NaN/);
    refuse(
      {},
      { frame: { train: frame, eval: stretchFrame({ size: 9 }) } },
      /of 8x8 pixels and that of evaluation of 9x9/,
    );
  });

  it("refuses boxes outside the picture", async () => {
    const frame = frameOf([8, 8], () => ({ crop: { top: 0, left: 20, height: 8, width: 12 } }));
    await expect(sourceOf(files(), { frame }).read({ indices: Int32Array.of(0) })).rejects.toThrow(
      "frame test: the box of 8x12 pixels at 0, 20 is not within the picture of 20x31",
    );
  });
});
