import { gradients } from "../gradients.js";
import { toNumbers } from "../host.js";
import { type Evaluation, prepare, type Values } from "../reference/index.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { hostRandomBits, randomKey } from "../threefry.js";
import { graphOf, lossOf } from "./graph.js";
import type { OpSample } from "./samples/index.js";

export interface GradientCheckOptions {
  /** 1: gradients against differences of values. 2: gradients of gradients against differences of gradients. */
  readonly order?: 1 | 2;
  /** Elements of each input that are moved one by one; random directions cover the others. Default 12, or 2 for large inputs. */
  readonly elements?: number;
}

export interface GradientCheck {
  /** Largest distance from the finite difference, relative to the largest derivative (at least 0.01). */
  readonly error: number;
  /** Number of derivatives compared: 0 when nothing in the sample can be differentiated. */
  readonly compared: number;
}

/** Where to move: a value for each element of each float input. */
type Direction = readonly Values[];

// Truncation (h^4) and cancellation (1e-16 / h) are both near 1e-13 here.
const step = 1e-3;

/**
 * Compares `gradients` with central differences of fourth order, in float64 on the reference. Outputs are projected to a scalar with
 * random weights; single elements of the inputs are moved, and all of them at once in random directions.
 */
export function checkGradient(sample: OpSample, { order = 1, elements }: GradientCheckOptions = {}): GradientCheck {
  const graph = graphOf(sample);
  const loss = sample.differentiable ? lossOf(graph, order) : undefined;
  if (loss === undefined) return { error: 0, compared: 0 };
  const feeds = new Map(sample.inputs.map((host, i) => [`x${i}`, toNumbers(host)]));
  const names = graph.floats.map((tensor) => `x${graph.inputs.indexOf(tensor)}`);
  const derivatives = prepare(gradients(loss, graph.floats)).run(feeds);
  const evaluation = prepare([loss]);
  const directions = directionsOf(graph.floats, elements ?? (large(graph.floats) ? 2 : 12));
  const pairs = directions.map((direction) => {
    const analytic = direction.reduce((total, values, i) => total + dot(values, derivatives[i]!), 0);
    return [analytic, difference(evaluation, feeds, names, direction)] as const;
  });
  const scale = Math.max(1e-2, ...pairs.flat().map(Math.abs));
  // NaN must not pass for a small number.
  const errors = pairs.map(([a, b]) => (Number.isNaN(a - b) ? Number.POSITIVE_INFINITY : Math.abs(a - b) / scale));
  return { error: Math.max(0, ...errors), compared: pairs.length };
}

const large = (tensors: readonly Tensor[]): boolean => tensors.some(({ shape }) => sizeOf(shape) > 500);

const dot = (a: Values, b: Values): number => a.reduce((total, value, i) => total + value * b[i]!, 0);

/** `elements` unit vectors of each input, evenly spread, and two random directions across all of them. */
function directionsOf(floats: readonly Tensor[], elements: number): Direction[] {
  const sizes = floats.map(({ shape }) => sizeOf(shape));
  const blank = (): Values[] => sizes.map((size) => new Float64Array(size));
  const units = sizes.flatMap((size, i) => {
    const count = Math.min(size, elements);
    return Array.from({ length: count }, (_, k) => {
      const direction = blank();
      direction[i]![Math.floor((k * size) / count)] = 1;
      return direction;
    });
  });
  const random = [1, 2].map((seed) =>
    sizes.map((size, i) => Float64Array.from(hostRandomBits(randomKey(seed), size, i), (bits) => bits / 2 ** 31 - 1)),
  );
  return units.length === 0 ? [] : [...units, ...random];
}

function difference(
  evaluation: Evaluation,
  feeds: ReadonlyMap<string, Values>,
  names: readonly string[],
  direction: Direction,
): number {
  const valueAt = (distance: number): number => {
    const moved = new Map(feeds);
    for (const [i, name] of names.entries()) {
      moved.set(
        name,
        feeds.get(name)!.map((value, j) => value + distance * direction[i]![j]!),
      );
    }
    return evaluation.run(moved)[0]![0]!;
  };
  const near = valueAt(step) - valueAt(-step);
  const far = valueAt(2 * step) - valueAt(-2 * step);
  return (8 * near - far) / (12 * step);
}
