import type { Confusion } from "../../../workers/train/api.js";

/** RGBA of a matrix, a pixel a cell: white for none of the row, dark green for all of it, red for mistakes. */
export function confusionPicture(matrix: ArrayLike<number>, side: number): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(4 * side * side).fill(255);
  for (let row = 0; row < side; row++) {
    let total = 0;
    for (let column = 0; column < side; column++) total += matrix[row * side + column] as number;
    for (let column = 0; column < side; column++) {
      const at = row * side + column;
      // Square roots: a few mistakes among many pictures are to be seen.
      const share = total === 0 ? 0 : Math.sqrt((matrix[at] as number) / total);
      const [red, green, blue] = row === column ? [15, 107, 107] : [179, 38, 30];
      rgba[4 * at] = 255 - share * (255 - red);
      rgba[4 * at + 1] = 255 - share * (255 - green);
      rgba[4 * at + 2] = 255 - share * (255 - blue);
    }
  }
  return rgba;
}

export interface WorstConfusion {
  readonly shown: string;
  readonly taken: string;
  readonly count: number;
}

/** The commonest mistakes. */
export function worstConfusions(
  { matrix, classes }: Pick<Confusion, "matrix" | "classes">,
  atMost: number,
): WorstConfusion[] {
  const found: WorstConfusion[] = [];
  for (const [row, shown] of classes.entries())
    for (const [column, taken] of classes.entries()) {
      const count = matrix[row * classes.length + column] as number;
      if (row !== column && count > 0) found.push({ shown, taken, count });
    }
  return found.sort((a, b) => b.count - a.count).slice(0, atMost);
}
