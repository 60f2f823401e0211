import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Writable } from "node:stream";
import { centerFrame, isImageSource, randomResizedCropFrame } from "@ocelli/training";
import type { RunConfig } from "@ocelli/training/node";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadData } from "../src/data.js";
import { UsageError } from "../src/errors.js";
import { requestOf } from "../src/evaluation/data.js";
import type { Io } from "../src/io.js";

let dir: string;
let said: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-data-"));
  said = "";
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const stderr = new Writable({
  write(chunk, _, done) {
    said += chunk;
    done();
  },
});
const io: Io = { stdout: stderr, stderr, env: {}, command: "ocelli", onInterrupt: () => () => {}, exit: () => {} };
const frames = { channels: 3, train: randomResizedCropFrame({ size: 8 }), eval: centerFrame({ size: 8, resize: 10 }) };
const signal = new AbortController().signal;

/** `count` pictures of each class in a folder; their brightness is their number. */
async function pictures(folder: string, classes: readonly string[], count: number): Promise<void> {
  for (const [c, name] of classes.entries()) {
    await mkdir(join(dir, folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const background = { r: 20 * i, g: 100 * c, b: 0 };
      const picture = sharp({ create: { width: 12, height: 10, channels: 3, background } });
      await picture.png().toFile(join(dir, folder, name, `${i}.png`));
    }
  }
}

describe("loadData", () => {
  it("finds a folder's pictures, and sets some apart for tests", async () => {
    await pictures("set", ["a", "b"], 10);
    const data = await loadData(io, { data: join(dir, "set") }, signal, { frames });
    expect([data.train.count, data.test.count, data.validation]).toEqual([16, 4, undefined]);
    expect(data.train).toMatchObject({ name: "set train", shape: [3, 8, 8], classes: ["a", "b"] });
    expect(data.test).toMatchObject({ name: "set validation", labels: Int32Array.of(0, 0, 1, 1) });
    expect(said).toMatch(/note: .*set has no pictures for tests: 4 of 20 are set apart \(--validation 0\.2\)/);
    expect(isImageSource(data.test)).toBe(true);
    const again = await loadData(io, { data: join(dir, "set"), seed: 9 }, signal, { frames });
    const read = (part: typeof data.test) => "read" in part && part.read({ indices: Int32Array.of(0, 1, 2, 3) });
    expect(await read(again.test)).toEqual(await read(data.test));
  });

  it("sets apart what is asked for, by the seed", async () => {
    await pictures("set", ["a", "b"], 10);
    const load = (seed: number) => loadData(io, { data: join(dir, "set"), validation: 0.3, seed }, signal, { frames });
    const data = await load(1);
    expect([data.train.count, data.validation?.count]).toEqual([14, 6]);
    expect(data.test).toBe(data.validation);
    const all = Int32Array.from({ length: 6 }, (_, i) => i);
    const pixels = async (part: (typeof data)["test"]) =>
      "read" in part ? (await part.read({ indices: all })).images : [];
    expect(await pixels((await load(1)).test)).toEqual(await pixels(data.test));
    expect(await pixels((await load(2)).test)).not.toEqual(await pixels(data.test));
    expect(said).toBe("");
  });

  it("takes a folder's own parts, and a limit of each", async () => {
    await pictures("set/train", ["a", "b"], 6);
    await pictures("set/val", ["a", "b"], 3);
    const judged = await loadData(io, { data: join(dir, "set"), limit: 5 }, signal, { frames });
    expect([judged.train.count, judged.validation, judged.test.count]).toEqual([5, undefined, 5]);
    expect(new Set(judged.train.labels)).toEqual(new Set([0, 1]));
    await pictures("set/test", ["b"], 2);
    const data = await loadData(io, { data: join(dir, "set") }, signal, { frames });
    expect([data.train.count, data.validation?.count, data.test.count]).toEqual([12, 6, 2]);
    await expect(loadData(io, { data: join(dir, "set"), validation: 0.1 }, signal, { frames })).rejects.toThrow(
      /--validation 0\.1: .*set has pictures for validation of its own/,
    );
  });

  it("reads a list, in grey, and leaves out what is broken", async () => {
    await pictures("x", ["a"], 4);
    await writeFile(join(dir, "x", "bad.png"), "");
    await writeFile(
      join(dir, "list.csv"),
      "path,label,split\nx/a/0.png,p,train\nx/bad.png,q,train\nx/a/2.png,q,test\nx/a/3.png,q,train\n",
    );
    const flags = { data: join(dir, "list.csv"), onBroken: "skip", workers: 1 } as const;
    const data = await loadData(io, flags, signal, { frames: { ...frames, channels: 1 } });
    expect([data.train.count, data.test.count, data.train.shape]).toEqual([3, 1, [1, 8, 8]]);
    if (!isImageSource(data.train)) throw new Error("no source");
    const { broken } = await data.train.read({ indices: Int32Array.of(0, 1, 2) });
    expect(broken).toEqual([1]);
    expect(said).toMatch(/note: .*bad\.png: left out, because it cannot be read: is empty/);
    const strict = await loadData(io, { ...flags, onBroken: "fail" }, signal, { frames });
    if (!isImageSource(strict.train)) throw new Error("no source");
    await expect(strict.train.read({ indices: Int32Array.of(1) })).rejects.toThrow(/bad\.png: is empty/);
  });

  it("takes the name of a standard set before a folder's, and splits it too", async () => {
    const data = await loadData(io, { data: "digits", limit: 50, validation: 0.2, seed: 3 }, signal);
    expect([data.train.count, data.validation?.count, data.test.count]).toEqual([40, 10, 50]);
    expect(data.train.images.length).toBe(40 * 784);
  });

  it("says what it takes", async () => {
    const refuse = async (data: string, message: RegExp, options = { frames }) => {
      const loading = loadData(io, { data }, signal, options);
      await expect(loading).rejects.toThrow(message);
      await expect(loading).rejects.toBeInstanceOf(UsageError);
    };
    await refuse("mnst", /--data mnst: there is no such file or folder; did you mean mnist\? It takes digits, mnist, /);
    await writeFile(join(dir, "one.png"), "");
    await refuse(join(dir, "one.png"), /it is a file, but no CSV list\. It takes/);
    await pictures("set", ["a", "b"], 1);
    await refuse(join(dir, "set"), /pictures come in all sizes/, {} as never);
    await refuse(join(dir, "set"), /pictures have 1 or 3 channels; the model takes 2/, {
      frames: { ...frames, channels: 2 },
    });
  });
});

describe("requestOf", () => {
  const run = {
    data: { name: "photos", dir: resolve("elsewhere", "photos"), limit: 9 },
    frames: {},
    validation: { share: 0.3, seed: 4 },
  } as unknown as RunConfig;

  it("names the run's own pictures by where they were, and now are", () => {
    const own = { data: run.data.dir, limit: 9, validation: 0.3, seed: 4 };
    expect(requestOf(run, {})).toMatchObject(own);
    expect(requestOf(run, { dataDir: "moved" })).toMatchObject({ ...own, data: "moved" });
    expect(requestOf(run, { data: join("elsewhere", "photos") })).toMatchObject({ ...own, limit: undefined });
  });

  it("takes a folder of the same name for another one", () => {
    const other = requestOf(run, { data: "photos" });
    expect(other.data).toBe("photos");
    expect(other.validation).toBeUndefined();
  });
});
