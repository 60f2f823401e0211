import { ArgumentError, FormatError } from "@ocelli/core";
import { loader } from "@ocelli/training";
import { describe, expect, it, onTestFinished } from "vitest";
import { cdp } from "vitest/browser";
import fixture from "../fixtures/pictures.json" with { type: "json" };
import type { Frame, Framing, Size } from "../src/augment/frame.js";
import { centerFrame, randomResizedCropFrame, stretchFrame } from "../src/augment/frames.js";
import {
  directoryFiles,
  type ImageFilesOptions,
  imageFiles,
  type LocatedFile,
  StorageError,
  storeFiles,
} from "../src/web/index.js";
import { at, corners, oriented, pictureOf, plain, quarters, type Rgb } from "./pictures.js";
import { freshDirectory } from "./storage.js";

const frameOf = (size: Size, place: (picture: Size) => Framing): Frame => ({ name: "test", options: {}, size, place });
const stretched = (options: Partial<ImageFilesOptions> = {}): ImageFilesOptions => ({
  frame: stretchFrame({ size: [6, 8] }),
  ...options,
});
const indices = (...list: number[]): Int32Array => Int32Array.from(list);

/** The one picture, read by a frame. */
async function read(file: Blob, options: ImageFilesOptions): Promise<Uint8Array> {
  const source = imageFiles([{ path: "", file, label: "a" }], { classes: ["a", "b"], ...options });
  return (await source.read({ indices: indices(0) })).images as Uint8Array;
}

/** The colour in the middle of each quarter, clockwise from the upper left. */
function cornersOf(pixels: Uint8Array, [height, width]: Size): Rgb[] {
  const places = [
    [1, 1],
    [1, 3],
    [3, 3],
    [3, 1],
  ].map(([y, x]) => Math.floor((height * y!) / 4) * width + Math.floor((width * x!) / 4));
  return places.map((place) => [0, 1, 2].map((c) => pixels[c * height * width + place]) as unknown as Rgb);
}

function expectNear(actual: ArrayLike<number>, wanted: ArrayLike<number>, most: number): void {
  expect(actual.length).toBe(wanted.length);
  const worst = Array.from(actual).reduce((far, value, i) => Math.max(far, Math.abs(value - (wanted[i] as number))), 0);
  expect(worst).toBeLessThanOrEqual(most);
}

describe("a picture", () => {
  it.each(fixture.cases.map((one) => [JSON.stringify([one.picture, one.frame, one.size]), one] as const))(
    "is scaled as torchvision does it: %s",
    async (_, { picture, frame, size, pixels }) => {
      const [height, width] = picture as [number, number];
      const noise = await pictureOf(
        width,
        height,
        (x, y) => [0, 1, 2].map((c) => (y * y * 31 + x * x * 17 + x * y * 7 + c * 101) % 256) as unknown as Rgb,
      );
      const { resize, crop } = frame as { resize?: [number, number]; crop: [number, number, number, number] | null };
      const [top, left, h, w] = crop ?? [0, 0, height, width];
      const place = (): Framing => ({ resize, crop: { top, left, height: h, width: w } });
      expectNear(await read(noise, { frame: frameOf(size as unknown as Size, place) }), pixels, 1);
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is turned upright: EXIF orientation %d", async (orientation) => {
    const { red, green, blue, white } = corners;
    const upright = {
      1: [red, green, blue, white],
      2: [green, red, white, blue],
      3: [blue, white, red, green],
      4: [white, blue, green, red],
      5: [red, white, blue, green],
      6: [white, red, green, blue],
      7: [blue, green, red, white],
      8: [green, blue, white, red],
    }[orientation] as readonly Rgb[];
    const jpeg = await oriented(await quarters(64, 48, "image/jpeg"), orientation);
    const sizes: Size[] = [];
    const frame = frameOf([32, 32], ([height, width]) => {
      sizes.push([height, width]);
      return { crop: { top: 0, left: 0, height, width } };
    });
    const pixels = await read(jpeg, { frame });
    expect(sizes).toEqual([orientation < 5 ? [48, 64] : [64, 48]]);
    expectNear(cornersOf(pixels, [32, 32]).flat(), upright.flat(), 8);
  });

  it("is black where it is transparent, and may be grey", async () => {
    const half = await pictureOf(8, 6, (x) => [200, 100, 50, x < 4 ? 255 : 0]);
    const pixels = await read(half, stretched());
    expect([0, 7, 48, 55, 96, 103].map((i) => pixels[i])).toEqual([200, 0, 100, 0, 50, 0]);
    expect([...(await read(await plain([200, 100, 50]), stretched({ channels: 1 })))]).toEqual(Array(48).fill(124));
  });

  it("may be large: it is cut out and scaled all the same", { timeout: 60_000 }, async () => {
    const canvas = new OffscreenCanvas(6000, 4000);
    const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
    for (const [i, [r, g, b]] of [corners.red, corners.green, corners.white, corners.blue].entries()) {
      context.fillStyle = `rgb(${r}, ${g}, ${b})`;
      context.fillRect(3000 * (i % 2), 2000 * Math.floor(i / 2), 3000, 2000);
    }
    const large = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    const pixels = await read(large, { frame: centerFrame({ size: 224 }) });
    const { red, green, blue, white } = corners;
    expectNear(cornersOf(pixels, [224, 224]).flat(), [red, green, blue, white].flat(), 8);
    await expect(read(large, stretched({ maxPixels: 2e7 }))).rejects.toThrow(
      /has 6000x4000 pixels; at most 20000000 are taken/,
    );
  });
});

describe("imageFiles", () => {
  async function folder(): Promise<LocatedFile[]> {
    const [red, green, blue] = [await plain([200, 0, 0]), await plain([0, 200, 0]), await plain([0, 0, 200])];
    return [
      at("set/dog/2.png", blue),
      at("set/cat/b.png", green),
      at("set/cat/a.PNG", red),
      at("set/cat/.hidden.png", red),
      at("set/__MACOSX/dog/2.png", red),
      at("set/cat/notes.txt", new Blob(["hello"])),
    ];
  }

  it("takes classes from folders, in one order, and leaves out what is no picture", async () => {
    const source = imageFiles(await folder(), stretched({ name: "pets" }));
    expect(source).toMatchObject({ name: "pets", count: 3, shape: [3, 6, 8], classes: ["cat", "dog"] });
    expect(source.paths).toEqual(["set/cat/a.PNG", "set/cat/b.png", "set/dog/2.png"]);
    expect([...source.labels]).toEqual([0, 0, 1]);
    const { images, broken } = await source.read({ indices: indices(2, 0, 2) });
    expect(broken).toEqual([]);
    expect([0, 1, 2].map((i) => [0, 48, 96].map((plane) => images[144 * i + plane]))).toEqual([
      [0, 0, 200],
      [200, 0, 0],
      [0, 0, 200],
    ]);
  });

  it("takes files of an input, a label function, and pictures with labels of their own", async () => {
    const files = (await folder()).map(({ path, file }) => {
      return Object.defineProperty(new File([file], path.slice(path.lastIndexOf("/") + 1)), "webkitRelativePath", {
        value: path,
      });
    });
    expect(imageFiles(files, stretched()).paths[0]).toBe("set/cat/a.PNG");
    const label = (path: string): string | undefined => (path.endsWith("b.png") ? undefined : path.slice(0, 7));
    expect(imageFiles(files, stretched({ label, classes: ["set/dog", "set/cat"] })).labels).toEqual(
      Int32Array.of(1, 0),
    );
    const shots = ["yes", "no", "yes"].map((name) => ({ path: "", file: files[0] as Blob, label: name }));
    expect(imageFiles(shots, stretched())).toMatchObject({ classes: ["no", "yes"], labels: Int32Array.of(1, 0, 1) });
  });

  it("says what is wrong with a set", async () => {
    const files = await folder();
    const set =
      (chosen: LocatedFile[], options = {}) =>
      () =>
        imageFiles(chosen, stretched(options));
    expect(set([])).toThrow("pictures: there is no picture among 0 files");
    expect(set(files.slice(3))).toThrow("pictures: there is no picture among 3 files");
    expect(set(files.slice(1))).toThrow(
      /all 2 pictures are of one class, cat; .*give the folder above, or a label function/,
    );
    expect(set([at("a.png", files[0]!.file)])).toThrow("a.png lies in no folder, whose name would be its class");
    expect(set(files, { classes: ["cat", "dogs"] })).toThrow(
      'set/dog/2.png is of class "dog", which is not among the 2 classes; did you mean dogs?',
    );
    expect(set(files, { channels: 4 })).toThrow("channels is 4; pictures have 1 or 3");
    expect(set(files, { onBroken: "stop" })).toThrow('onBroken is "stop"; it needs "fail" or "skip"');
    expect(set(files, { concurrency: 0 })).toThrow("concurrency is 0");
    const frames = { train: stretchFrame({ size: 8 }), eval: stretchFrame({ size: 9 }) };
    expect(set(files, { frame: frames })).toThrow(
      "of training is of 8x8 pixels and that of evaluation of 9x9; they need one size",
    );
    await expect(imageFiles(files, stretched()).read({ indices: indices(3) })).rejects.toThrow(
      "index 3 is not within the 3 pictures",
    );
  });

  it("draws by seed, epoch and picture in training alone", async () => {
    const noise = await pictureOf(40, 30, (x, y) => [(x * 37 + y * 11) % 256, (x * y) % 256, (x * x + y) % 256]);
    const train = randomResizedCropFrame({ size: [6, 8] });
    const source = imageFiles(
      [at("a/1.png", noise), at("b/2.png", noise)],
      stretched({ frame: { train, eval: stretchFrame({ size: [6, 8] }) } }),
    );
    const read = async (index: number, chance?: { seed: number; epoch: number }) =>
      (await source.read({ indices: indices(index), chance })).images;
    const drawn = await read(0, { seed: 1, epoch: 2 });
    expect(await read(0, { seed: 1, epoch: 2 })).toEqual(drawn);
    for (const other of [
      await read(1, { seed: 1, epoch: 2 }),
      await read(0, { seed: 1, epoch: 3 }),
      await read(0, { seed: 2, epoch: 2 }),
      await read(0),
    ])
      expect(other).not.toEqual(drawn);
    expect(await read(1)).toEqual(await read(0));
  });

  it("names broken files, and leaves them out if asked to", async () => {
    const good = await quarters(64, 48);
    const broken = { empty: new Blob([]), text: new Blob(["no picture at all"]), cut: good.slice(0, good.size / 2) };
    const files = [
      at("a/1.png", good),
      at("b/1.png", good),
      ...Object.entries(broken).map(([name, file]) => at(`b/${name}.png`, file)),
    ];
    for (const [i, reason] of [
      [2, "cut.png: is damaged"],
      [3, "empty.png: is empty"],
      [4, "text.png: is damaged"],
    ] as const) {
      const reading = imageFiles(files, stretched()).read({ indices: indices(0, i) });
      await expect(reading).rejects.toThrow(FormatError);
      await expect(reading).rejects.toThrow(`b/${reason}`);
      await expect(reading).rejects.toThrow('onBroken: "skip"');
    }
    const lines: string[] = [];
    const source = imageFiles(files, stretched({ onBroken: "skip", report: (line) => lines.push(line) }));
    const { images, broken: places } = await source.read({ indices: indices(2, 0, 4, 1, 3) });
    expect(places).toEqual([0, 2, 4]);
    expect(images.subarray(2 * 144, 3 * 144)).toEqual(new Uint8Array(144));
    expect(images.subarray(144, 2 * 144)).toEqual(images.subarray(3 * 144, 4 * 144));
    await source.read({ indices: indices(2, 3, 4) });
    expect(lines.sort().map((line) => line.slice(0, 26))).toEqual([
      "b/cut.png: left out, becau",
      "b/empty.png: left out, bec",
      "b/text.png: left out, beca",
    ]);
  });

  it("feeds a loader, which does without the broken ones", async () => {
    const colors: Rgb[] = [
      [200, 0, 0],
      [0, 200, 0],
      [0, 0, 200],
      [200, 200, 0],
    ];
    const pictures = await Promise.all(colors.map((color) => plain(color)));
    const files = [...pictures, new Blob(["broken"])].map((file, i) =>
      at(`${i % 2 === 0 ? "even" : "odd"}/${i}.png`, file),
    );
    const source = imageFiles(files, stretched({ onBroken: "skip", report: () => undefined }));
    const labels: number[] = [];
    for await (const batch of loader(source, { batchSize: 2, dropLast: false, shuffle: false }).epoch(0)) {
      expect(batch.images.shape.slice(1)).toEqual([3, 6, 8]);
      labels.push(...(batch.labels.data as Int32Array));
    }
    expect(labels.sort()).toEqual([0, 0, 1, 1]);
  });

  it("decodes so many at once, and stops when nobody wants them", async () => {
    const [red, blue] = [await plain([200, 0, 0]), await plain([0, 0, 200])];
    let [now, most] = [0, 0];
    const frame = frameOf([6, 8], ([height, width]) => ({ crop: { top: 0, left: 0, height, width } }));
    const original = globalThis.createImageBitmap;
    onTestFinished(() => {
      globalThis.createImageBitmap = original;
    });
    globalThis.createImageBitmap = (async (...args: Parameters<typeof createImageBitmap>) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return original(...args);
    }) as typeof createImageBitmap;
    const source = imageFiles([at("a/1.png", red), at("b/1.png", blue)], { frame, concurrency: 2 });
    const all = indices(...Array.from({ length: 10 }, (_, i) => i % 2));
    await Promise.all([source.read({ indices: all }), source.read({ indices: all })]);
    expect(most).toBe(2);
    await expect(source.read({ indices: all, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
  });

  it("takes ArgumentErrors of frames as they are", async () => {
    const frame = frameOf([6, 8], () => ({ crop: { top: 0, left: 0, height: 7, width: 8 } }));
    const source = imageFiles(await folder(), { frame, onBroken: "skip" });
    await expect(source.read({ indices: indices(0) })).rejects.toThrow(ArgumentError);
  });
});

describe("a folder of the site's storage", () => {
  const files = ["photos/cat/1.txt", "photos/cat/deep/er/2.txt", "photos/3.txt"].map((path) =>
    at(path, new Blob([path])),
  );

  it("keeps files under their paths, and gives them back", async () => {
    const directory = await freshDirectory("files-test");
    const seen: string[] = [];
    await storeFiles(directory, files, {
      onProgress: ({ path, index, count, bytes, totalBytes }) =>
        seen.push(`${path} ${index}/${count} ${bytes}/${totalBytes}`),
    });
    expect(seen).toEqual([
      "photos/cat/1.txt 1/3 16/52",
      "photos/cat/deep/er/2.txt 2/3 40/52",
      "photos/3.txt 3/3 52/52",
    ]);
    await directory.getFileHandle(".hidden", { create: true });
    const back = await directoryFiles(directory);
    expect(back.map(({ path }) => path)).toEqual([
      "files-test/photos/3.txt",
      "files-test/photos/cat/1.txt",
      "files-test/photos/cat/deep/er/2.txt",
    ]);
    expect(await back[1]?.file.text()).toBe("photos/cat/1.txt");
  });

  it("goes on where a copy ended, and replaces what changed", async () => {
    const directory = await freshDirectory("files-test");
    const stop = new AbortController();
    const first = storeFiles(directory, files, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("closed")),
    });
    await expect(first).rejects.toThrow("closed");
    expect((await directoryFiles(directory)).length).toBe(1);
    const [before] = (await directoryFiles(directory)).map(({ file }) => file as File);
    await storeFiles(directory, [...files.slice(0, 2), at("photos/3.txt", new Blob(["changed"]))]);
    const [changed, kept] = (await directoryFiles(directory)).map(({ file }) => file as File);
    expect(await changed?.text()).toBe("changed");
    expect(kept?.lastModified).toBe(before?.lastModified);
  });

  it.each(["", "a//b", "../x", "a/../b", "/a", "a\\b"])("refuses the path %j", async (path) => {
    const directory = await freshDirectory("files-test");
    await expect(storeFiles(directory, [at(path, new Blob(["x"]))])).rejects.toThrow(
      /storeFiles: the path is .* it needs names/,
    );
  });

  it("says when there is no room, and keeps what is there", async () => {
    const directory = await freshDirectory("files-test");
    await expect(storeFiles(directory, [files[0]!, files[0]!])).rejects.toThrow(
      "two files have the path photos/cat/1.txt",
    );
    await storeFiles(directory, files);
    const { usage = 0 } = await navigator.storage.estimate();
    await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin, quotaSize: usage + 1_000_000 });
    onTestFinished(async () => {
      await cdp().send("Storage.overrideQuotaForOrigin", { origin: location.origin });
    });
    const error = await storeFiles(directory, [at("photos/large.bin", new Blob([new Uint8Array(3_000_000)]))]).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).reason).toBe("quota");
    expect((error as StorageError).message).toMatch(
      /writing files-test\/photos\/large.bin: the browser has no room for these 3000000 bytes/,
    );
    expect((await directoryFiles(directory)).length).toBe(3);
  });
});
