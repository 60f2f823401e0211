import type { Picture } from "@ocelli/inspect/report";

/** Half as many pixels again as the page's own, for screens that are finer. */
const largest = 160;

/** Photographs are made smaller: the page holds every picture. */
export async function encodePng({ pixels, width, height, channels }: Picture): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(pixels, { raw: { width, height, channels } })
    .resize(largest, largest, { fit: "inside", withoutEnlargement: true })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
