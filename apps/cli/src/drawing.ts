import type { Io } from "./io.js";
import { hasUnicode, widthOf } from "./terminal.js";

/** A grey picture, its pixels row by row. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How many pictures of this width fit side by side. */
export function picturesAcross(io: Io, width: number, most: number): number {
  return Math.max(1, Math.min(most, Math.floor((widthOf(io.stdout) - 2 + gap) / (width + gap))));
}

const gap = 3;

/** Pictures side by side, light as ink, each with a caption below. Two rows of pixels make one line of text. */
export function drawPictures(io: Io, pictures: readonly Picture[], captions: readonly string[]): string[] {
  const cell = hasUnicode(io) ? halfBlock : shade;
  const height = Math.max(...pictures.map((picture) => picture.height));
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    lines.push(pictures.map((picture) => drawRow(picture, y, cell)).join(" ".repeat(gap)));
  }
  const centred = captions.map((caption, i) => {
    const { width } = pictures[i] as Picture;
    return caption.padStart(Math.ceil((width + caption.length) / 2)).padEnd(width);
  });
  lines.push("", centred.join(" ".repeat(gap)));
  return lines.map((line) => `  ${line}`.trimEnd());
}

function drawRow(
  { pixels, width, height }: Picture,
  y: number,
  cell: (upper: number, lower: number) => string,
): string {
  let line = "";
  for (let x = 0; x < width; x++) {
    const lower = y + 1 < height ? (pixels[(y + 1) * width + x] as number) : 0;
    line += cell(pixels[y * width + x] as number, lower);
  }
  return line;
}

function halfBlock(upper: number, lower: number): string {
  return ([" ", "▀", "▄", "█"] as const)[(upper > 95 ? 1 : 0) + (lower > 95 ? 2 : 0)] as string;
}

/** For terminals that know ASCII only. */
function shade(upper: number, lower: number): string {
  const shades = " .:+*#@";
  return shades[Math.round(((upper + lower) / 510) * (shades.length - 1))] as string;
}

/** The middle of a picture. */
export function cropped({ pixels, width, height }: Picture, border: number): Picture {
  const [w, h] = [width - 2 * border, height - 2 * border];
  const out = new Uint8Array(w * h);
  for (let y = 0; y < h; y++)
    out.set(pixels.subarray((y + border) * width + border, (y + border) * width + border + w), y * w);
  return { pixels: out, width: w, height: h };
}
