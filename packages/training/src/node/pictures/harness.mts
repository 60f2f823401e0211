/** What the tests of picture files share. */
import sharp, { type Sharp } from "sharp";
import type { Frame, Framing, Size } from "../../augment/frame.js";
import type { ImageSource, ReadImages } from "../../data/source.js";
import { type PictureSourceOptions, pictureSource } from "./picture-source.js";

/** As in fixtures/pictures.py. */
export function noise([height, width]: Size): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const c = i % 3;
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    return (y * y * 31 + x * x * 17 + x * y * 7 + c * 101) % 256;
  });
}

export function raw(pixels: Uint8Array, [height, width]: Size, channels: 1 | 3 | 4 = 3): Sharp {
  return sharp(pixels, { raw: { width, height, channels } });
}

export function frameOf(size: Size, place: (picture: Size) => Framing): Frame {
  return { name: "test", options: {}, size, place };
}

export const whole = ([height, width]: Size): Framing => ({ crop: { top: 0, left: 0, height, width } });

export function sourceOf(
  files: readonly string[],
  options: Partial<PictureSourceOptions> & Pick<PictureSourceOptions, "frame">,
): ImageSource {
  const labels = new Int32Array(files.length);
  return pictureSource({ name: "pictures", files, labels, classes: ["a"] }, { workers: 1, ...options });
}

export const readAll = (source: ImageSource): Promise<ReadImages> =>
  source.read({ indices: Int32Array.from({ length: source.count }, (_, i) => i) });
