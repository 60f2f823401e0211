import { gzipSync } from "node:zlib";
import { FormatError } from "@ocelli/core";
import { describe, expect, test } from "vitest";
import { idxDataset, parseIdxImages, parseIdxLabels } from "./idx.js";

function idx(magic: number, dims: number[], payload: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dims.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  dims.forEach((dim, i) => {
    view.setUint32(4 + 4 * i, dim);
  });
  bytes.set(payload, 4 + 4 * dims.length);
  return bytes;
}

const imageBytes = idx(0x803, [2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
const labelBytes = idx(0x801, [2], [1, 0]);
const forms: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["plain", (bytes) => bytes],
  ["gz", (bytes) => new Uint8Array(gzipSync(bytes))],
];

const images = (bytes: Uint8Array) => parseIdxImages({ file: "images.idx", bytes });
const labels = (bytes: Uint8Array, classes?: number) => parseIdxLabels({ file: "labels.idx", bytes }, classes);

async function failure(promise: Promise<unknown>): Promise<FormatError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

describe.each(forms)("%s", (_, form) => {
  test("reads images and labels", async () => {
    const read = await images(form(imageBytes));
    expect(read).toMatchObject({ count: 2, height: 2, width: 3 });
    expect([...read.pixels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
    expect([...(await labels(form(labelBytes)))]).toEqual([1, 0]);
    expect((await images(form(idx(0x803, [0, 28, 28], [])))).count).toBe(0);
  });

  test("says when labels are given as images, and the reverse", async () => {
    expect((await failure(images(form(labelBytes)))).message).toBe(
      "images.idx: magic 0x00000801 at offset 0 says labels (was the other file of the pair meant?); images need 0x00000803",
    );
    expect((await failure(labels(form(imageBytes)))).message).toBe(
      "labels.idx: magic 0x00000803 at offset 0 says images (was the other file of the pair meant?); labels need 0x00000801",
    );
  });

  test("names other kinds of IDX, and what is not IDX", async () => {
    const floats = await failure(images(form(idx(0xd03, [1, 1, 1], [0, 0, 0, 0]))));
    expect(floats.message).toContain("says 32-bit floats in 3 dimensions; images need 0x00000803");
    const colour = await failure(images(form(idx(0x804, [1, 1, 1, 1], [0]))));
    expect(colour.message).toContain("says unsigned bytes in 4 dimensions");
    const png = await failure(images(form(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10))));
    expect(png.message).toContain("magic 0x89504e47 at offset 0 is not IDX");
  });

  test("refuses every truncation", async () => {
    for (let length = 0; length < imageBytes.length; length++) {
      const error = await failure(images(form(imageBytes.slice(0, length))));
      expect(error.message).toContain(`images.idx: ends at offset ${length}; `);
      expect(error.fields.offset).toBe(length);
    }
    const error = await failure(images(form(imageBytes.slice(0, 20))));
    expect(error.message).toBe("images.idx: ends at offset 20; its header says 2 x 2 x 3 images, which need 28 bytes");
  });

  test("refuses trailing bytes", async () => {
    const long = new Uint8Array(imageBytes.length + 5);
    long.set(imageBytes);
    expect((await failure(images(form(long)))).message).toMatch(
      /^images.idx: its header says 2 x 2 x 3 images, which need 28 bytes, but (5 )?more bytes follow at offset 28$/,
    );
  });

  test("refuses sizes that no file has", async () => {
    const error = await failure(images(form(idx(0x803, [0xffffffff, 0xffffffff, 0xffffffff], [1, 2, 3]))));
    expect(error.message).toMatch(/ends at offset 19|cannot hold more than/);
    expect((await failure(images(form(idx(0x803, [5, 0, 28], []))))).message).toContain(
      "images of 0 x 28 pixels (offset 8)",
    );
  });

  test("refuses labels outside the classes", async () => {
    const bytes = form(idx(0x801, [3], [9, 10, 0]));
    expect((await failure(labels(bytes, 10))).message).toBe(
      "labels.idx: label 10 at offset 9 is outside the 10 classes",
    );
    expect([...(await labels(bytes))]).toEqual([9, 10, 0]);
  });
});

describe("gzip", () => {
  const noise = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 13);
  const large = idx(0x803, [20, 100, 100], noise);

  test("reads more than one chunk", async () => {
    const read = await images(new Uint8Array(gzipSync(large)));
    expect(Buffer.compare(read.pixels, noise)).toBe(0);
  });

  test("cut off or damaged data is an error with file and offset", async () => {
    const packed = new Uint8Array(gzipSync(large));
    for (const length of [2, 5, 10, 11, 1000, packed.length - 8, packed.length - 1]) {
      const error = await failure(images(packed.slice(0, length)));
      expect(error.message).toMatch(
        /^images.idx: the gzip data \(\d+ bytes\) is damaged or cut off after \d+ uncompressed bytes/,
      );
    }
    for (const at of [2, 3000, packed.length - 6]) {
      const damaged = packed.slice();
      damaged[at] = (damaged[at] as number) ^ 0xff;
      await failure(images(damaged));
    }
  });

  test("a bomb is inflated no further than its header says", async () => {
    // 64 MB of zeros in 300 KB, behind a header of one 28 x 28 image.
    const bomb = new Uint8Array(64_000_000);
    bomb.set(idx(0x803, [1, 28, 28], []));
    const packed = new Uint8Array(gzipSync(bomb, { level: 1 }));
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure(images(packed));
    expect(error.message).toContain("which need 800 bytes, but more bytes follow at offset 800");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
  });

  test("a header that promises more than the file can hold allocates nothing", async () => {
    const error = await failure(images(new Uint8Array(gzipSync(idx(0x803, [60_000, 2800, 2800], [])))));
    expect(error.message).toMatch(
      /the header says 470400000016 bytes; \d+ bytes of gzip data cannot hold more than \d+/,
    );
  });
});

describe("idxDataset", () => {
  const named = (file: string, bytes: Uint8Array) => ({ file, bytes });

  test("joins images and labels", async () => {
    const set = await idxDataset({
      name: "tiny",
      images: named("i", imageBytes),
      labels: named("l", labelBytes),
      classes: ["a", "b"],
    });
    expect(set).toMatchObject({ name: "tiny", count: 2, shape: [1, 2, 3], classes: ["a", "b"] });
    expect([...set.labels]).toEqual([1, 0]);
  });

  test("refuses different counts", async () => {
    const options = {
      name: "t",
      images: named("i", imageBytes),
      labels: named("l", idx(0x801, [3], [0, 0, 0])),
      classes: ["a"],
    };
    const error = await failure(idxDataset(options));
    expect(error.message).toBe("i holds 2 images; l holds 3 labels (offset 4 of both)");
  });
});
