import { join } from "node:path";
import { augmentPresets } from "@ocelli/training";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { fails, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();

/** Bands of colour, brighter to the right; no two pictures alike. */
async function picture(name: string, [width, height]: readonly [number, number], turn: number): Promise<string> {
  const file = join(folder, name);
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return (Math.floor((y * 6) / height) + turn) % 3 === c ? 40 + (200 * x) / width : 30;
  });
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);
  return file;
}

async function pixelsOf(file: string) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return {
    ...info,
    at: (x: number, y: number) => [0, 1, 2].map((c) => data[(y * info.width + x) * info.channels + c] as number),
  };
}

describe("augment", () => {
  it.each(Object.keys(augmentPresets))("draws the preset %s", async (preset) => {
    const images = [await picture("one.png", [60, 48], 0), await picture("two.png", [48, 64], 1)];
    const file = join(folder, `${preset}.png`);
    const out = await succeed(["augment", ...images, "--preset", preset, "--size", "32", "--columns", "3", "-o", file]);
    expect(out).toBe(`${file}: 2 pictures, each as it is and in 2 versions\n`);
    const { width, height } = await pixelsOf(file);
    // Cells of 4 x 32 pixels with borders of 4, and gaps of 8.
    expect([width, height]).toEqual([8 + 3 * 144, 8 + 2 * 144]);
  });

  it("draws the picture itself first, framed, and the same grid for the same seed", async () => {
    const image = await picture("grey.png", [32, 32], 0);
    const file = join(folder, "inverted.png");
    const inverted = ["--transform", '[{"name":"randomInvert","options":{"p":1}}]', "--rows", "2", "--columns", "2"];
    await succeed(["augment", image, ...inverted, "--size", "32", "-o", file]);
    const { at, width } = await pixelsOf(file);
    expect(width).toBe(8 + 2 * 144);
    const [cell, inner] = [144, 8 + 4 + 60];
    expect(at(9, 9)).toEqual([0xe8, 0x59, 0x0c]);
    expect(at(9 + cell, 9)).toEqual([255, 255, 255]);
    const original = at(inner, inner);
    for (const [x, y] of [
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const)
      expect(at(inner + x * cell, inner + y * cell)).toEqual(original.map((level) => 255 - level));

    const grids = [];
    for (const seed of ["1", "1", "2"]) {
      const grid = join(folder, `grid-${grids.length}.png`);
      await succeed(["augment", image, "--preset", "cifar", "--size", "32", "--seed", seed, "-o", grid]);
      grids.push(await sharp(grid).raw().toBuffer());
    }
    expect(grids[0]?.equals(grids[1] as Buffer)).toBe(true);
    expect(grids[0]?.equals(grids[2] as Buffer)).toBe(false);
  });

  it("says what is wrong", async () => {
    const image = await picture("fine.png", [32, 32], 0);
    const file = join(folder, "x.png");
    const cases: readonly (readonly [code: 1 | 2, args: readonly string[], message: string])[] = [
      [2, [image, "-o", file], "augment needs --preset NAME or --transform JSON. Presets: plain, mnist, cifar"],
      [2, [image, "-o", file, "--preset", "resnt"], '--preset: "resnt" is unknown. Did you mean resnet'],
      [2, [image, "-o", join(folder, "x.jpg"), "--preset", "cifar"], "x.jpg: it writes PNG"],
      [2, [image, "-o", file, "--transform", '[{"name":"mixup"}]'], "mixup: numClasses is undefined"],
      [2, [image, "-o", file, "--transform", "{"], "--transform is no JSON"],
      [2, [image, "-o", file, "--transform", '{"name":"flip"}'], 'transform: "flip" is unknown'],
      [2, [image, "-o", file, "--transform", '{"name":"cutout"}'], "cutout: size is undefined"],
      [2, [image, "-o", file, "--preset", "cifar", "--rows", "1", "--columns", "1"], "leaves no room"],
      [2, [image, "-o", join(folder, "no", "x.png"), "--preset", "cifar"], "there is no folder"],
      [1, [join(folder, "none.png"), "-o", file, "--preset", "cifar"], "none.png"],
    ];
    for (const [code, args, message] of cases) expect(await fails(code, ["augment", ...args])).toContain(message);
  });
});
