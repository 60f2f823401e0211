/** Pixel number `i`, in the order channels, rows, columns, is `37 i` modulo 256: simple to write in any language. */
export const patternRule = "37 × i modulo 256";

/** @param count channels * height * width */
export const patternPixels = (count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (37 * i) % 256);
