import { writeFile } from "node:fs/promises";
import { type HostTensor, hostTensor } from "@ocelli/core";
import {
  type AugmentPreset,
  applyTransform,
  augmentPresets,
  type ChannelStatistics,
  centerFrame,
  makeTransform,
  type Named,
} from "@ocelli/training";
import { pictureSource } from "@ocelli/training/node";
import { normalization, presetName } from "../augmentation.js";
import { checked } from "../checked.js";
import { type DeviceFlags, openDevice } from "../device.js";
import { UsageError } from "../errors.js";
import { checkPicture } from "../images.js";
import { type Io, note, print } from "../io.js";
import { checkOutput } from "../output.js";

export interface AugmentFlags extends DeviceFlags {
  readonly preset?: string;
  readonly transform?: string;
  readonly output: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly seed?: number;
  readonly size?: number;
}

/** `ocelli augment IMAGE... -o grid.png`: what a training sees of pictures, drawn side by side. */
export async function augment(io: Io, images: readonly string[], flags: AugmentFlags): Promise<void> {
  const { output, seed = 0, size = 224, columns = 6, rows = images.length === 1 ? 4 : 1 } = flags;
  const versions = rows * columns - 1;
  if (versions < 1) throw new UsageError("--rows 1 --columns 1 leaves no room for anything but the picture itself");
  if (!output.toLowerCase().endsWith(".png"))
    throw new UsageError(`-o ${output}: it writes PNG; name a file that ends in .png`);
  await checkOutput(output);
  for (const image of images) await checkPicture(image);
  const pipeline = pipelineOf(flags, size);
  const { originals, framed } = await readVersions(images, pipeline, { seed, versions });
  const device = await openDevice(flags, (line) => note(io, line));
  try {
    const batch = { images: hostTensor(framed, [versions * images.length, 3, size, size]) };
    const result = await applyTransform(device, pipeline.transform, batch, { seed });
    const changed = toLevels(result.images, normalization(pipeline.transform));
    const cells = images.flatMap((_, k) => [
      { pixels: interleaved(originals, k, size), isOriginal: true },
      ...Array.from({ length: versions }, (_, v) => ({
        pixels: interleaved(changed, v * images.length + k, size),
        isOriginal: false,
      })),
    ]);
    await writeFile(output, await drawGrid(cells, columns, size));
  } finally {
    await device.dispose();
  }
  print(io, `${output}: ${counted(images.length, "picture")}, each as it is and in ${counted(versions, "version")}`);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Grey where a transform writes the mean. */
const statistics: ChannelStatistics = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };

/** @throws UsageError for what is no preset and no transform */
function pipelineOf({ preset, transform }: AugmentFlags, size: number): AugmentPreset {
  if ((preset === undefined) === (transform === undefined)) {
    throw new UsageError(
      `augment needs --preset NAME or --transform JSON. Presets: ${Object.keys(augmentPresets).join(", ")}`,
    );
  }
  if (preset !== undefined)
    return augmentPresets[presetName(preset, "--preset")]({ size, channels: 3, numClasses: 10, statistics });
  const frame = centerFrame({ size });
  return { frame: { train: frame, eval: frame }, transform: checked(() => makeTransform(parsed(transform as string))) };
}

/** One transform or a list of them, each `{ name, options }`. */
function parsed(text: string): Named {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`--transform is no JSON: ${text}. It needs something like {"name":"mixup","options":{...}}`);
  }
  const named = (part: Partial<Named> | null) => ({ name: String(part?.name), options: part?.options ?? {} });
  return Array.isArray(value) ? { name: "compose", options: { transforms: value.map(named) } } : named(value as Named);
}

/** The pictures as evaluation sees them, and as training does: one version of each, then the next, so that neighbours differ. */
async function readVersions(
  files: readonly string[],
  { frame }: AugmentPreset,
  { seed, versions }: { readonly seed: number; readonly versions: number },
): Promise<{ originals: Uint8Array; framed: Uint8Array }> {
  const labels = new Int32Array(files.length);
  const source = pictureSource({ name: "pictures", files, labels, classes: ["picture"] }, { frame });
  const indices = Int32Array.from(files, (_, i) => i);
  const { images: originals } = await source.read({ indices });
  const framed = new Uint8Array(versions * originals.length);
  for (let epoch = 0; epoch < versions; epoch++) {
    const { images } = await source.read({ indices, chance: { seed, epoch } });
    framed.set(images, epoch * originals.length);
  }
  return { originals: originals as Uint8Array, framed };
}

/** Pixels 0..255 from what a transform left: levels, floats in 0..1, or normalized floats. */
function toLevels({ data, dtype, shape }: HostTensor, normal: ChannelStatistics | undefined): Uint8Array {
  if (dtype === "uint8") return data as Uint8Array;
  const [, channels, height, width] = shape as readonly [number, number, number, number];
  const plane = height * width;
  return Uint8Array.from(data as ArrayLike<number>, (value, i) => {
    const c = Math.floor(i / plane) % channels;
    const light = normal === undefined ? value : value * (normal.std[c] as number) + (normal.mean[c] as number);
    return Math.round(255 * Math.min(1, Math.max(0, light)));
  });
}

/** Image `at` of planes, pixel by pixel. */
function interleaved(planes: Uint8Array, at: number, size: number): Uint8Array {
  const plane = size * size;
  const start = 3 * at * plane;
  return Uint8Array.from(
    { length: 3 * plane },
    (_, i) => planes[start + (i % 3) * plane + Math.floor(i / 3)] as number,
  );
}

interface Cell {
  readonly pixels: Uint8Array;
  readonly isOriginal: boolean;
}

/** Cells on white, those of the pictures themselves framed. Small ones are magnified. */
async function drawGrid(cells: readonly Cell[], columns: number, size: number): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const shown = size * Math.max(1, Math.round(128 / size));
  const border = 4;
  const gap = 8;
  const pitch = shown + 2 * border + gap;
  const tiles = await Promise.all(
    cells.map(async ({ pixels, isOriginal }, i) => {
      const tile = sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
        .resize(shown, shown, { kernel: "nearest" })
        .extend({
          top: border,
          bottom: border,
          left: border,
          right: border,
          background: isOriginal ? "#e8590c" : "#fff",
        });
      const input = await tile.png().toBuffer();
      return { input, left: gap + (i % columns) * pitch, top: gap + Math.floor(i / columns) * pitch };
    }),
  );
  const side = (count: number): number => gap + count * pitch;
  const [width, height] = [side(Math.min(columns, cells.length)), side(Math.ceil(cells.length / columns))];
  return sharp({ create: { width, height, channels: 3, background: "#fff" } })
    .composite(tiles)
    .png()
    .toBuffer();
}
