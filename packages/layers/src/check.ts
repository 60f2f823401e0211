/** Checks that layers share. */
import { ArgumentError, ShapeError, type Spec } from "@ocelli/core";

/** @throws ArgumentError unless `value` is an integer >= `minimum` */
export function checkInteger(where: string, name: string, value: number, minimum = 1): number {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new ArgumentError(`${where}: ${name} is ${value}; it needs an integer >= ${minimum}`, { [name]: value });
  }
  return value;
}

/** @throws ArgumentError unless `value` lies in low..high */
export function checkRange(
  where: string,
  name: string,
  value: number,
  low: number,
  high = Number.POSITIVE_INFINITY,
): number {
  if (!(value >= low && value <= high)) {
    const needed = high === Number.POSITIVE_INFINITY ? `a number >= ${low}` : `a number in ${low}..${high}`;
    throw new ArgumentError(`${where}: ${name} is ${value}; it needs ${needed}`, { [name]: value });
  }
  return value;
}

/** @throws ShapeError unless `x` has one of the ranks, with `channels` elements in dimension 1 */
export function checkInput(
  layer: string,
  { shape }: Spec,
  ranks: readonly number[],
  needed: string,
  channels?: number,
): void {
  if (!ranks.includes(shape.length)) {
    throw new ShapeError(`${layer}: input has ${shape.length} dimensions; it needs ${needed}`, { input: shape });
  }
  if (channels !== undefined && shape[1] !== channels) {
    throw new ShapeError(`${layer}: input has ${shape[1]} channels; the layer was made for ${channels}`, {
      input: shape,
    });
  }
}
