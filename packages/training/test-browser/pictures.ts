/** Pictures made in the browser. */
import type { LocatedFile } from "../src/web/index.js";

export type Rgb = readonly [number, number, number];

/** A picture of given colours, losslessly unless it is a JPEG. */
export async function pictureOf(
  width: number,
  height: number,
  color: (x: number, y: number) => readonly [...Rgb, alpha?: number],
  type = "image/png",
): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b, alpha = 255] = color(i % width, Math.floor(i / width));
    pixels.data.set([r, g, b, alpha], 4 * i);
  }
  context.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type, quality: 0.95 });
}

export const plain = (color: Rgb, type?: string): Promise<Blob> => pictureOf(8, 6, () => color, type);

export const corners = { red: [250, 0, 0], green: [0, 250, 0], blue: [0, 0, 250], white: [250, 250, 250] } as const;

/** One colour in each quarter, clockwise from the upper left. */
export function quarters(width: number, height: number, type?: string): Promise<Blob> {
  const { red, green, blue, white } = corners;
  return pictureOf(
    width,
    height,
    (x, y) => (y < height / 2 ? (x < width / 2 ? red : green) : x < width / 2 ? white : blue),
    type,
  );
}

/** A JPEG with an EXIF segment that says how it is to be turned (TIFF 6.0, tag 0x0112). */
export async function oriented(jpeg: Blob, orientation: number): Promise<Blob> {
  const exif = [0x45, 0x78, 0x69, 0x66, 0, 0];
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  const directory = [0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const body = [...exif, ...tiff, ...directory];
  const segment = [0xff, 0xe1, 0, body.length + 2, ...body];
  return new Blob([jpeg.slice(0, 2), Uint8Array.from(segment), jpeg.slice(2)], { type: "image/jpeg" });
}

export const at = (path: string, file: Blob): LocatedFile => ({ path, file });
