import { ArgumentError } from "@ocelli/core";

/** Every option is a finite number >= 0; those in `below` are under their bound. */
export function checkOptions(
  where: string,
  options: Readonly<Record<string, number>>,
  below: Readonly<Record<string, number>> = {},
): void {
  for (const [name, value] of Object.entries(options)) {
    const bound = below[name];
    if (Number.isFinite(value) && value >= 0 && (bound === undefined || value < bound)) continue;
    const range = bound === undefined ? "a finite number >= 0" : `a number in 0..${bound} (exclusive)`;
    throw new ArgumentError(`${where}: ${name} is ${value}; it needs ${range}`, { [name]: value });
  }
}
