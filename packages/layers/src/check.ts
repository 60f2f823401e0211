/** Checks that layers share. */
import { ArgumentError, formatSpec, ShapeError, type Spec, scope } from "@ocelli/core";

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

/** An input that a layer does not take, with the layer's place in the model, as core's ops report theirs. */
export function inputError(layer: string, problem: string, x: Spec): ShapeError {
  const place = scope() === "" ? "  with" : `  at ${scope()}  `;
  return new ShapeError(`${layer}: ${problem}\n${place} input ${formatSpec(x)}`, { input: x.shape, scope: scope() });
}

/** @throws ShapeError unless `x` has one of the ranks, with `channels` elements in dimension 1 */
export function checkInput(layer: string, x: Spec, ranks: readonly number[], needed: string, channels?: number): void {
  if (!ranks.includes(x.shape.length)) {
    throw inputError(layer, `input has ${x.shape.length} dimensions; it needs ${needed}`, x);
  }
  if (channels !== undefined && x.shape[1] !== channels) {
    throw inputError(layer, `input has ${x.shape[1]} channels; the layer was made for ${channels}`, x);
  }
}
