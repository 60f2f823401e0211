import { ArgumentError, add, mul, type Tensor } from "@ocelli/core";

/** Every option is a finite number >= 0; those in `below` are under their bound. Flags are true or false. */
export function checkOptions(
  where: string,
  options: Readonly<Record<string, number>>,
  below: Readonly<Record<string, number>> = {},
  flags: Readonly<Record<string, boolean>> = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    const bound = below[name];
    if (Number.isFinite(value) && value >= 0 && (bound === undefined || value < bound)) continue;
    const range = bound === undefined ? "a finite number >= 0" : `a number in 0..${bound} (exclusive)`;
    throw new ArgumentError(`${where}: ${name} is ${value}; it needs ${range}`, { [name]: value });
  }
  for (const [name, value] of Object.entries(flags)) {
    if (typeof value !== "boolean")
      throw new ArgumentError(`${where}: ${name} is ${value}; it needs true or false`, { [name]: value });
  }
}

/** The gradient with that of the L2 penalty `weightDecay / 2 * |param|^2`. */
export function penalized(grad: Tensor, param: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
}

/**
 * A sum whose older parts count less and less: `kept * sum + value`. The means of the papers are `1 - kept` times as much; a factor that is
 * left to the step's numbers saves a pass over memory.
 */
export function fading(sum: Tensor, value: Tensor, kept: number): Tensor {
  return add(mul(sum, kept), value);
}
