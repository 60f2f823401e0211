import { input, OcelliError, type Pair, ShapeError } from "@ocelli/core";
import { traceModule } from "@ocelli/layers";
import { type ModelEntry, type ModelOptions, sizeOfInput, type ZooModel } from "./entry.js";

/** A network for images of one size, and how it is traced on them. */
export interface Sized {
  /** Builds it for a size; where the network does not depend on the size, the same one each time. */
  readonly build: (size: Pair) => ZooModel;
  readonly inChannels: number;
  /** Whether it has to take them in training too: auxiliary classifiers may need more. */
  readonly training: boolean;
}

/** An entry's model for any size. */
export function sizedEntry(
  entry: ModelEntry,
  { inChannels = entry.input[0], ...options }: ModelOptions,
  training: boolean,
): Sized {
  return { build: (inputSize) => entry.build({ ...options, inChannels, inputSize }), inChannels, training };
}

/** Why the network does not take images of this size: the error of the layer that ran out. Undefined when it does. */
function refusal({ build, inChannels, training }: Sized, size: Pair): OcelliError | undefined {
  try {
    traceModule(build(size), input("images", { shape: [2, inChannels, ...size], dtype: "float32" }), { training });
    return undefined;
  } catch (error) {
    if (error instanceof OcelliError) return error;
    throw error;
  }
}

/** What fits at one side may not fit a little above it, where branches halve a map differently: so many sides below are tried. */
const gap = 8;

/** The least square that the network takes, at most `most`; undefined where there is none. */
export function leastSquare(network: Sized, most: number): number | undefined {
  const fits = (side: number): boolean => refusal(network, [side, side]) === undefined;
  // A model that is made for one size may not take the largest.
  if (!fits(most)) return upTo(most - 1).find(fits);
  let least = most;
  for (let found: number | undefined = most; found !== undefined; ) {
    least = bisect(found, fits);
    found = upTo(gap)
      .map((down) => least - 1 - down)
      .find((side) => side > 0 && fits(side));
  }
  return least;
}

/** 1, 2, ... */
const upTo = (count: number): readonly number[] => Array.from({ length: Math.max(0, count) }, (_, i) => i + 1);

/** A side that fits while the one below does not, from one that fits. */
function bisect(good: number, fits: (side: number) => boolean): number {
  let [low, high] = [0, good];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** @throws ShapeError that says which layer ran out and what size works; ArgumentError for what is no size */
export function checkSize(
  name: string,
  entry: ModelEntry,
  options: ModelOptions,
  { training = false }: { readonly training?: boolean } = {},
): void {
  const [height, width] = sizeOfInput(options.inputSize, entry.input[1]);
  const network = sizedEntry(entry, options, training);
  const why = refusal(network, [height, width]);
  if (why === undefined) return;
  const [, ownHeight, ownWidth] = entry.input;
  const least = leastSquare(network, Math.max(ownHeight, ownWidth));
  // Not even its own size: the fault is another option's.
  if (least === undefined) throw why;
  const purpose = training ? " to train on" : "";
  const verdict =
    Math.min(height, width) < least
      ? `are too small${purpose}; the least is ${least}x${least}`
      : `do not fit; ${ownHeight}x${ownWidth} do`;
  const message = `${name}: ${height}x${width} images ${verdict}\n  ${why.message.replaceAll("\n", "\n  ")}`;
  throw new ShapeError(message, { ...why.fields, model: name, inputSize: [height, width], least });
}
