import type { Field } from "../selection.js";

/** A rectangle in input pixels: `x` and `y` are of its corner, 0 is the edge of the first pixel. */
export interface FieldRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Place = readonly [row: number, column: number];

/** What one output pixel sees. Centres count from the middle of the first input pixel. */
export function fieldAt({ size, stride, start }: Field, [row, column]: Place): FieldRectangle {
  const corner = (axis: 0 | 1, place: number): number => start[axis] + place * stride[axis] - (size[axis] - 1) / 2;
  return { x: corner(1, column), y: corner(0, row), width: size[1], height: size[0] };
}

/** The output pixel whose field is in the middle of an input pixel, as near as there is one. */
export function placeAt({ stride, start }: Field, map: Place, [y, x]: Place): Place {
  const along = (axis: 0 | 1, pixel: number): number =>
    Math.max(0, Math.min(map[axis] - 1, Math.round((pixel - start[axis]) / (stride[axis] || 1))));
  return [along(0, y), along(1, x)];
}

/** Whether a field goes beyond an image of this height and width, so that it sees padding. */
export const reachesOut = ({ x, y, width, height }: FieldRectangle, [rows, columns]: Place): boolean =>
  x < 0 || y < 0 || x + width > columns || y + height > rows;
