import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import fixture from "../../../fixtures/pictures.json" with { type: "json" };
import type { Size } from "../../augment/frame.js";
import { stretchFrame } from "../../augment/frames.js";
import type { ImageSource } from "../../data/source.js";
import { frameOf, noise, raw, readAll, sourceOf, whole } from "./harness.mjs";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-pictures-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** One colour per quarter: clockwise from the upper left. */
function quarters([height, width]: Size): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const quarter = y < height / 2 ? (x < width / 2 ? 0 : 1) : x < width / 2 ? 3 : 2;
    return (
      [
        [250, 0, 0],
        [0, 250, 0],
        [0, 0, 250],
        [250, 250, 250],
      ] as const
    )[quarter]?.[i % 3] as number;
  });
}

describe("scaling", () => {
  it.each(fixture.cases.map((one) => [JSON.stringify([one.picture, one.frame, one.size]), one] as const))(
    "gives torchvision's bytes: %s",
    async (name, { picture, frame, size, pixels }) => {
      const file = join(dir, `${name.replaceAll(/\W+/g, "-")}.png`);
      await raw(noise(picture as unknown as Size), picture as unknown as Size)
        .png()
        .toFile(file);
      const { resize, crop } = frame as { resize?: [number, number]; crop: [number, number, number, number] | null };
      const [top, left, height, width] = crop ?? [0, 0, ...(picture as [number, number])];
      const source = sourceOf([file], {
        frame: frameOf(size as unknown as Size, () => ({ resize, crop: { top, left, height, width } })),
      });
      expect([...(await readAll(source)).images]).toEqual(pixels);
    },
  );

  it("crops the resized picture, and scales that", async () => {
    const file = join(dir, "twice.png");
    await raw(noise([40, 60]), [40, 60])
      .png()
      .toFile(file);
    const crop = { top: 2, left: 5, height: 16, width: 20 };
    const once = frameOf([16, 20], () => ({ resize: [20, 30], crop }));
    const first = await readAll(sourceOf([file], { frame: once }));
    const copy = join(dir, "twice-2.png");
    const interleaved = Uint8Array.from(
      first.images,
      (_, i) => first.images[(i % 3) * 320 + Math.floor(i / 3)] as number,
    );
    await raw(interleaved, [16, 20]).png().toFile(copy);
    const frame = frameOf([8, 7], () => ({ resize: [20, 30], crop }));
    const expected = await readAll(sourceOf([copy], { frame: frameOf([8, 7], whole) }));
    expect((await readAll(sourceOf([file], { frame }))).images).toEqual(expected.images);
  });
});

/** The middles of the four quarters of the first image, `[red, green, blue]` each, clockwise. */
async function corners(source: ImageSource): Promise<number[][]> {
  const [channels, height, width] = source.shape;
  const { images } = await readAll(source);
  const places = [
    [1, 1],
    [1, 3],
    [3, 3],
    [3, 1],
  ].map(([y, x]) => [(y! * height) >> 2, (x! * width) >> 2] as const);
  return places.map(([y, x]) =>
    Array.from({ length: channels }, (_, c) => images[(c * height + y) * width + x] as number),
  );
}

const near = (values: number[][], wanted: readonly (readonly number[])[], within: number): void => {
  const apart = Math.max(
    ...values.flatMap((one, i) => one.map((value, c) => Math.abs(value - (wanted[i]?.[c] ?? -999)))),
  );
  expect(apart, JSON.stringify(values)).toBeLessThanOrEqual(within);
};

const [red, green, blue, white] = [
  [250, 0, 0],
  [0, 250, 0],
  [0, 0, 250],
  [250, 250, 250],
] as const;

describe("pictures of all kinds", () => {
  const size: Size = [32, 48];
  const frame = stretchFrame({ size: [16, 24] });

  it("are turned upright, and boxes are placed on the upright picture", async () => {
    // Where the upright picture's quarters come from: EXIF's eight orientations, clockwise from the upper left.
    const stored = [
      [0, 1, 2, 3],
      [1, 0, 3, 2],
      [2, 3, 0, 1],
      [3, 2, 1, 0],
      [0, 3, 2, 1],
      [3, 0, 1, 2],
      [2, 1, 0, 3],
      [1, 2, 3, 0],
    ];
    for (const [i, order] of stored.entries()) {
      const file = join(dir, `orientation-${i + 1}.jpg`);
      await raw(quarters(size), size)
        .withMetadata({ orientation: i + 1 })
        .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
        .toFile(file);
      const upright: Size = i < 4 ? size : [size[1], size[0]];
      const seen: Size[] = [];
      const watched = frameOf([16, 16], (picture) => {
        seen.push(picture);
        return whole(picture);
      });
      const colours = [red, green, blue, white];
      near(
        await corners(sourceOf([file], { frame: watched })),
        order.map((at) => colours[at] as readonly number[]),
        3,
      );
      expect(seen).toEqual([upright]);
      const [height, width] = upright;
      // The lower right quarter alone.
      const part = frameOf([8, 8], () => ({
        crop: { top: height / 2, left: width / 2, height: height / 2, width: width / 2 },
      }));
      const last = colours[order[2] as number] as readonly number[];
      near(await corners(sourceOf([file], { frame: part })), [last, last, last, last], 3);
      // Shrunk while it is decoded.
      const tiny = frameOf([7, 7], whole);
      near(
        await corners(sourceOf([file], { frame: tiny })),
        order.map((at) => colours[at] as readonly number[]),
        12,
      );
    }
  });

  it.each(["jpeg", "png", "webp", "tiff", "gif", "avif"] as const)("read %s", async (format) => {
    const file = join(dir, `kind.${format}`);
    const options = format === "gif" || format === "png" || format === "tiff" ? {} : { quality: 100 };
    await raw(quarters(size), size).toFormat(format, options).toFile(file);
    near(await corners(sourceOf([file], { frame })), [red, green, blue, white], 12);
  });

  it("of CMYK, 16 bits, grey and transparent ones become the channels asked for", async () => {
    const cmyk = join(dir, "cmyk.jpg");
    await raw(quarters(size), size).toColourspace("cmyk").jpeg({ quality: 100 }).toFile(cmyk);
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    // Printing inks show no pure green or blue.
    const [r, g, b, w] = (await corners(sourceOf([cmyk], { frame }))) as [number[], number[], number[], number[]];
    expect(r[0]! > r[1]! + 100 && r[0]! > r[2]! + 100, `${r}`).toBe(true);
    expect(g[1]! > g[0]! && g[1]! > g[2]! + 100, `${g}`).toBe(true);
    expect(b[2]! > b[0]! + 50 && b[2]! > b[1]! + 50, `${b}`).toBe(true);
    near([w], [white], 6);

    const deep = join(dir, "16.png");
    await raw(quarters(size), size).toColourspace("rgb16").png().toFile(deep);
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    near(await corners(sourceOf([deep], { frame })), [red, green, blue, white], 1);

    const greys = Uint8Array.from({ length: size[0] * size[1] }, (_, i) => (i % size[1] < 24 ? 40 : 200));
    const grey = join(dir, "grey.png");
    await raw(greys, size, 1).toColourspace("b-w").png().toFile(grey);
    near(
      await corners(sourceOf([grey], { frame })),
      [40, 200, 200, 40].map((v) => [v, v, v]),
      0,
    );
    near(await corners(sourceOf([grey], { frame, channels: 1 })), [[40], [200], [200], [40]], 0);
    const grey16 = join(dir, "grey16.png");
    await raw(greys, size, 1).toColourspace("grey16").png().toFile(grey16);
    expect((await sharp(grey16).metadata()).space).toBe("grey16");
    near(await corners(sourceOf([grey16], { frame, channels: 1 })), [[40], [200], [200], [40]], 1);
    near(
      await corners(sourceOf([grey16], { frame })),
      [40, 200, 200, 40].map((v) => [v, v, v]),
      1,
    );
    const [dark, , , light] = (await corners(sourceOf([deep], { frame, channels: 1 }))) as number[][];
    expect(dark!.length).toBe(1);
    expect(light![0]! - dark![0]!).toBeGreaterThan(100);

    const clear = join(dir, "clear.png");
    const pixels = Uint8Array.from({ length: size[0] * size[1] * 4 }, (_, i) =>
      i % 4 === 3 && (i >> 2) % size[1] < 24 ? 0 : 255,
    );
    await raw(pixels, size, 4).png().toFile(clear);
    near(
      await corners(sourceOf([clear], { frame })),
      [0, 255, 255, 0].map((v) => [v, v, v]),
      0,
    );
  });

  it("of those that move, the first frame", async () => {
    const file = join(dir, "moving.gif");
    const frames = [quarters(size), new Uint8Array(size[0] * size[1] * 3)];
    await sharp(Buffer.concat(frames), {
      raw: { width: size[1], height: 2 * size[0], channels: 3, pageHeight: size[0] },
    })
      .gif()
      .toFile(file);
    expect((await sharp(file).metadata()).pages).toBe(2);
    near(await corners(sourceOf([file], { frame })), [red, green, blue, white], 12);
  });

  it("of 40 million pixels are decoded at a part of their size", async () => {
    const big: Size = [5000, 8000];
    const file = join(dir, "big.jpg");
    await raw(quarters([50, 80]), [50, 80])
      .resize(big[1], big[0], { kernel: "nearest" })
      .jpeg()
      .toFile(file);
    near(await corners(sourceOf([file], { frame })), [red, green, blue, white], 8);
    const refused = sourceOf([file], { frame, maxPixels: 39_999_999 });
    await expect(readAll(refused)).rejects.toThrow(/big\.jpg: .*pixel.*Take it out of the set/);
  });

  it("decoded at a part of their size look like torchvision's", async () => {
    const file = join(dir, "smooth.jpg");
    const from: Size = [900, 1200];
    const smooth = Uint8Array.from({ length: from[0] * from[1] * 3 }, (_, i) => {
      const [c, x, y] = [i % 3, Math.floor(i / 3) % from[1], Math.floor(i / 3 / from[1])];
      return 128 + 60 * Math.sin(x / (9 + 4 * c)) + 60 * Math.cos(y / (13 - 2 * c) + x / 50);
    });
    await raw(smooth, from).jpeg({ quality: 92 }).toFile(file);
    const copy = join(dir, "smooth.png");
    await sharp(file).png().toFile(copy);
    const box = { top: 96, left: 160, height: 720, width: 960 };
    const shrunk = await readAll(sourceOf([file], { frame: frameOf([100, 120], () => ({ crop: box })) }));
    const cut = join(dir, "cut.png");
    await sharp(copy).extract(box).png().toFile(cut);
    // Two steps, of which the first changes nothing, are not shrunk.
    const exactly = frameOf([100, 120], () => ({
      resize: [720, 960],
      crop: { top: 0, left: 0, height: 720, width: 960 },
    }));
    const exact = await readAll(sourceOf([cut], { frame: exactly }));
    let apart = 0;
    for (const [i, value] of shrunk.images.entries()) apart += Math.abs(value - (exact.images[i] as number));
    expect(apart / shrunk.images.length).toBeLessThan(1);
  });
});
