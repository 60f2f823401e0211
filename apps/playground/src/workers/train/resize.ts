import type { ImageDataset } from "@ocelli/training";

/** Where a pixel of the new row comes from: two old ones and the share of the second. */
interface Tap {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

function taps(before: number, after: number): Tap[] {
  return Array.from({ length: after }, (_, i) => {
    // Centres of pixels lie at halves.
    const at = Math.min(before - 1, Math.max(0, ((i + 0.5) * before) / after - 0.5));
    const from = Math.floor(at);
    return { from, to: Math.min(before - 1, from + 1), share: at - from };
  });
}

/** Images of another size, by bilinear interpolation: meant for larger ones. The set itself where the size is its own. */
export function resized(data: ImageDataset, size: number): ImageDataset {
  const [channels, height, width] = data.shape;
  if (height === size && width === size) return data;
  const planes = data.count * channels;
  const [rows, columns] = [taps(height, size), taps(width, size)];
  const images = new Uint8Array(planes * size * size);
  for (let plane = 0; plane < planes; plane++) {
    const old = data.images.subarray(plane * height * width, (plane + 1) * height * width);
    let at = plane * size * size;
    for (const { from, to, share } of rows) {
      for (const column of columns) {
        const [top, bottom] = [along(old, from * width, column), along(old, to * width, column)];
        images[at++] = Math.round(top + (bottom - top) * share);
      }
    }
  }
  return { ...data, images, shape: [channels, size, size] };
}

function along(pixels: Uint8Array, row: number, { from, to, share }: Tap): number {
  const left = pixels[row + from] as number;
  return left + ((pixels[row + to] as number) - left) * share;
}
