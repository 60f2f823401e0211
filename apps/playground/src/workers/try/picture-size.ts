/** Bytes of a file's beginning in which its size stands: behind what cameras write of themselves. */
export const headBytes = 2 ** 20;

/**
 * How many pixels a PNG or JPEG file says it has, from its beginning: so that one that is too large is refused before it is decoded, which
 * would take gigabytes. Undefined of all else, and where nothing is said.
 */
export function pictureSize(head: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 24 && view.getUint32(0) === 0x89504e47)
    return { width: view.getUint32(16), height: view.getUint32(20) };
  return head.length >= 4 && view.getUint16(0) === 0xffd8 ? jpegSize(view) : undefined;
}

/** Frames of JPEG: markers C0 to CF but those of tables (DHT, JPG, DAC). */
const isFrame = (marker: number): boolean => marker >= 0xffc0 && marker <= 0xffcf && ![4, 8, 12].includes(marker & 15);

/** Goes from segment to segment: a marker, and the length of what follows. */
function jpegSize(view: DataView): { readonly width: number; readonly height: number } | undefined {
  for (let at = 2; at + 9 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (isFrame(marker)) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    if (marker < 0xff00) return undefined;
  }
  return undefined;
}
