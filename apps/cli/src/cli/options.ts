import { InvalidArgumentError, Option } from "commander";
import { deviceNames } from "../device.js";

// What several commands' options share: parsers that say what they want, and the options themselves.

interface NumberRange {
  readonly integer?: boolean;
  readonly min?: number;
  /** Whether `min` itself is out. */
  readonly above?: boolean;
  readonly max?: number;
  /** A bound that is out. */
  readonly below?: number;
}

/** A parser of numbers that says what it wants. */
export function number({
  integer = false,
  min = Number.NEGATIVE_INFINITY,
  above = false,
  max = integer ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE,
  below = Number.POSITIVE_INFINITY,
}: NumberRange) {
  return (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const good =
      Number.isFinite(value) &&
      (above ? value > min : value >= min) &&
      value <= max &&
      value < below &&
      (!integer || Number.isInteger(value));
    if (good) return value;
    const kind = integer ? "a whole number" : "a number";
    const from = Number.isFinite(min) ? (above ? ` above ${min}` : `, ${min} or more`) : "";
    const most = max < Number.MAX_SAFE_INTEGER ? `, at most ${max}` : "";
    const to = Number.isFinite(below) ? ` and below ${below}` : most;
    throw new InvalidArgumentError(`It needs ${kind}${from}${to}.`);
  };
}

export const count = number({ integer: true, min: 1 });
export const positive = number({ min: 0, above: true });
export const share = number({ min: 0 });

export function shape(text: string): readonly [number, number, number] {
  const match = /^(\d{1,6})x(\d{1,6})x(\d{1,6})$/.exec(text);
  const dims = match?.slice(1).map(Number) as [number, number, number] | undefined;
  if (dims?.every((dim) => dim > 0)) return dims;
  throw new InvalidArgumentError("It needs channels, height and width, like 1x28x28.");
}

export function numbers(text: string): readonly number[] {
  return text.split(",").map(number({}));
}

export function counts(text: string): readonly number[] {
  return text.split(",").map(count);
}

/** Several, with spaces between: until the next option. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

export const device = (): Option =>
  new Option("--device <name>", "what to run on").choices(deviceNames).default("auto");
export const threads = (): Option =>
  new Option("--threads <n>", "threads (default: one for each core)").argParser(
    number({ integer: true, min: 1, max: 256 }),
  );
export const data = (text: string): Option => new Option("--data <name|folder|list>", text);
export const dataDir = (): Option =>
  new Option("--data-dir <dir>", "folder with the data's files; nothing is downloaded then");
export const workers = (): Option =>
  new Option("--workers <n>", "pictures: decoded at once (default: as many as cores)").argParser(count);
export const onBroken = (): Option =>
  new Option("--on-broken <what>", "pictures that cannot be read: leave them out, or stop (default)").choices([
    "skip",
    "fail",
  ]);
export const limit = (): Option =>
  new Option("--limit <n>", "use at most so many images of each split").argParser(count);
export const json = (): Option => new Option("--json", "print JSON, one object a line");
export const checkpoint = (): Option =>
  new Option("--checkpoint <kind>", "which checkpoint of a run (default: best)").choices(["last", "best"]);
export const model = (): Option => new Option("--model <name>", "the model, for weights that do not say which");
export const mean = (): Option =>
  new Option("--mean <list>", "mean of the pixels (0..1) by channel, like 0.13").argParser(numbers);
export const std = (): Option => new Option("--std <list>", "their standard deviation, like 0.31").argParser(numbers);
