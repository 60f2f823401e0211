import { ArgumentError } from "@ocelli/core";
import type { Box, Frame, Framing, Size } from "./frame.js";

/** A picture, or a part of it (`from`, its corner at `top` and `left`), brought to the size `to`, of which `window` is kept. */
export interface Step {
  readonly top: number;
  readonly left: number;
  readonly from: Size;
  readonly to: Size;
  readonly window: Box;
}

/** How a picture is decoded: at its own size or shrunk, then scaled in one step or two. */
export interface Plan {
  readonly shrunk?: Size | undefined;
  readonly steps: readonly Step[];
}

/**
 * How to decode a picture into a frame. Large ones are decoded at a half, a quarter or an eighth of their size, as JPEG allows at little cost,
 * where at least two of the remaining pixels go into each pixel of the result.
 * @throws ArgumentError when the frame's box is not within the picture
 */
export function planDecode(picture: Size, framing: Framing, frame: Pick<Frame, "name" | "size">): Plan {
  const { resize, crop } = framing;
  checkBox(frame.name, resize ?? picture, crop);
  const whole = ([height, width]: Size): Box => ({ top: 0, left: 0, height, width });
  const cropped: Size = [crop.height, crop.width];
  const divisor = shrinkable(resize === undefined ? cropped : picture, resize ?? frame.size);
  const small = (length: number): number => Math.max(1, Math.ceil(length / divisor));
  const shrunk: Size = [small(picture[0]), small(picture[1])];
  const steps: Step[] = [];
  if (resize === undefined) {
    const box = divide(crop, divisor, shrunk);
    steps.push({ ...box, from: [box.height, box.width], to: frame.size, window: whole(frame.size) });
  } else {
    steps.push({ top: 0, left: 0, from: shrunk, to: resize, window: crop });
    if (!isSame(cropped, frame.size))
      steps.push({ top: 0, left: 0, from: cropped, to: frame.size, window: whole(frame.size) });
  }
  return divisor === 1 ? { steps } : { shrunk, steps };
}

function checkBox(frame: string, [height, width]: Size, box: Box): void {
  const { top, left } = box;
  const integers = [top, left, box.height, box.width].every(Number.isSafeInteger);
  const within = top >= 0 && left >= 0 && box.height >= 1 && box.width >= 1;
  if (integers && within && top + box.height <= height && left + box.width <= width) return;
  throw new ArgumentError(
    `frame ${frame}: the box of ${box.height}x${box.width} pixels at ${top}, ${left} is not within the picture of ${height}x${width}`,
    { box, picture: [height, width] },
  );
}

function shrinkable([height, width]: Size, [toHeight, toWidth]: Size): number {
  const ratio = Math.min(height / toHeight, width / toWidth);
  return [8, 4, 2].find((divisor) => ratio >= 2 * divisor) ?? 1;
}

/** The box in the shrunk picture, to the nearest pixel. */
function divide({ top, left, height, width }: Box, divisor: number, within: Size): Box {
  const ends = (start: number, length: number, most: number): [number, number] => {
    const first = Math.round(start / divisor);
    return [first, Math.max(1, Math.min(most, Math.round((start + length) / divisor)) - first)];
  };
  const [y, h] = ends(top, height, within[0]);
  const [x, w] = ends(left, width, within[1]);
  return { top: y, left: x, height: h, width: w };
}

const isSame = (a: Size, b: Size): boolean => a[0] === b[0] && a[1] === b[1];
