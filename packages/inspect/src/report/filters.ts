import { ArgumentError } from "@ocelli/core";
import { escapeMarkup } from "../markup.js";
import { embedded } from "./embedded.js";
import type { NamedValues, Picture, ReportOptions } from "./run-report.js";
import type { Section } from "./words.js";

/** About as large is a tile shown, in pixels of the page. */
const tileSide = 48;
/** Tiles in colour or of a single channel; filters and channels, where each channel has a tile. */
const [tileLimit, rowLimit, channelLimit] = [96, 16, 12];

/** What the first convolution looks for, as one picture. */
export async function filters(layer: NamedValues, options: ReportOptions): Promise<Section> {
  const { picture, about } = filterSheet(layer);
  const [count, channels, height, width] = layer.shape as Shape;
  const scale = Math.max(1, Math.floor(tileSide / Math.max(height, width)));
  const alt = `${count} filters of ${escapeMarkup(layer.name)}`;
  const image = `<img class="pixels" src="${await embedded(picture, options)}" alt="${alt}" width="${picture.width * scale}" height="${picture.height * scale}">`;
  const kind = `${height}×${width}, of ${channels} ${channels === 1 ? "channel" : "channels"}`;
  return {
    id: "filters",
    title: "First-layer filters",
    body: `<figure>${image}\n<figcaption>${alt}, ${kind}. ${about}</figcaption></figure>`,
  };
}

type Shape = readonly [count: number, channels: number, height: number, width: number];

/** Three planes of one filter: red, green and blue. The same one thrice is grey. */
interface Tile {
  readonly filter: number;
  readonly planes: readonly [number, number, number];
}

/** A sheet of filters, one pixel apart. Middle grey is 0; each filter is scaled by its largest value. */
export function filterSheet(layer: NamedValues): { readonly picture: Picture; readonly about: string } {
  const [, channels, height, width] = checkedShape(layer);
  const { tiles, perRow, about } = tilesOf(layer.shape as Shape);
  const rows = Math.ceil(tiles.length / perRow);
  // Transparent: the page's ground shows between the tiles.
  const picture = blank(perRow * (width + 1) - 1, rows * (height + 1) - 1);
  const area = height * width;
  for (const [at, { filter, planes }] of tiles.entries()) {
    const from = filter * channels * area;
    const largest = largestOf(layer.data, from, channels * area);
    const [left, top] = [(at % perRow) * (width + 1), Math.floor(at / perRow) * (height + 1)];
    for (let i = 0; i < area; i++) {
      const level = (plane: number): number =>
        Math.round(127.5 * (1 + (layer.data[from + plane * area + i] as number) / largest));
      const pixel = (top + Math.floor(i / width)) * picture.width + left + (i % width);
      picture.pixels.set([...planes.map(level), 255], 4 * pixel);
    }
  }
  return { picture, about: `${about}Middle grey is 0; each filter is scaled by its largest value.` };
}

function checkedShape({ name, shape, data }: NamedValues): Shape {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 4 && size > 0 && data.length === size) return shape as unknown as Shape;
  throw new ArgumentError(
    `reportHtml: the filters ${name} have shape [${shape.join(", ")}] and ${data.length} values; a convolution's weight [filters, channels, height, width] is needed`,
  );
}

/** Which tiles stand where: of filters with one channel or three one each, otherwise a row of channels for each. */
function tilesOf([count, channels]: Shape): { tiles: Tile[]; perRow: number; about: string } {
  if (channels === 1 || channels === 3) {
    const shown = Math.min(count, tileLimit);
    const planes = channels === 3 ? ([0, 1, 2] as const) : ([0, 0, 0] as const);
    const about = shown < count ? `The first ${shown} of them. ` : "";
    return {
      tiles: range(shown).map((filter) => ({ filter, planes })),
      perRow: Math.min(shown, shown > 64 ? 12 : 8),
      about,
    };
  }
  const [rows, perRow] = [Math.min(count, rowLimit), Math.min(channels, channelLimit)];
  const tiles = range(rows).flatMap((filter) =>
    range(perRow).map((plane): Tile => ({ filter, planes: [plane, plane, plane] })),
  );
  const parts = [
    ...(rows < count ? [`the first ${rows} filters`] : []),
    ...(perRow < channels ? [`their first ${perRow} channels`] : []),
  ];
  return {
    tiles,
    perRow,
    about: `A row is a filter, its tiles are channels${parts.length > 0 ? ` (${parts.join(", ")})` : ""}. `,
  };
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

const blank = (width: number, height: number): Picture => ({
  pixels: new Uint8Array(4 * width * height),
  width,
  height,
  channels: 4,
});

function largestOf(data: ArrayLike<number>, from: number, count: number): number {
  let largest = 0;
  for (let i = from; i < from + count; i++) largest = Math.max(largest, Math.abs(data[i] as number));
  return largest || 1;
}
