import {
  ArgumentError,
  add,
  cast,
  div,
  equal,
  isFinite as finite,
  gradients,
  greaterEqual,
  maximum,
  mul,
  type Operand,
  scalar,
  select,
  sum,
  type Tensor,
  type Tensors,
} from "@ocelli/core";
import type { Slot } from "./optim/index.js";

/** A scale that follows the gradients: the rule and the defaults of PyTorch's `GradScaler`. */
export interface DynamicLossScale {
  /** The first scale. Default 65536. */
  readonly initial?: number;
  /** What the scale is multiplied by after `interval` good steps in a row. Default 2. */
  readonly growth?: number;
  /** What the scale is multiplied by after a step with a gradient that is not finite. Default 0.5. */
  readonly backoff?: number;
  /** Default 2000. */
  readonly interval?: number;
}

/** A scale that stays, or one that follows the gradients. */
export type LossScale = number | "dynamic" | DynamicLossScale;

/** How a step scales its loss. What it keeps from step to step is the collection `lossScale`; a scale that stays keeps nothing. */
export interface LossScaling {
  /** What it keeps, by qualified name. */
  readonly entries: Readonly<Record<string, Slot>>;
  /** What the step multiplies the loss by. */
  scale(state: Tensors): Operand;
  /** New values of its entries. `good` (bool `[]`): all gradients were finite. */
  next(good: Tensor, state: Tensors): Tensors;
}

/** @throws ArgumentError for a loss scale that is none */
export function lossScaling(given: LossScale | undefined): LossScaling | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "number") return fixed(given);
  if (given === "dynamic") return dynamic({});
  if (typeof given === "object" && given !== null) return dynamic(given);
  check("lossScale", given, false, 'a number, "dynamic", or options as an object');
  return undefined;
}

function check(name: string, value: unknown, good: boolean, needed: string): void {
  if (good) return;
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new ArgumentError(`trainStep: ${name} is ${shown}; it needs ${needed}`, { [name]: value });
}

function checkScale(name: string, value: number): void {
  // In float32, as the graph holds it.
  const held = Math.fround(value);
  check(name, value, held > 0 && Number.isFinite(held), "a number above 0 that float32 can hold");
}

function fixed(scale: number): LossScaling {
  checkScale("lossScale", scale);
  return { entries: {}, scale: () => scale, next: () => ({}) };
}

const scaleEntry = "lossScale/scale";
/** Good steps since the scale last changed. */
const goodEntry = "lossScale/good";
/** The smallest normal float32: from 0 no way would lead back. */
const smallest = 2 ** -126;

function dynamic({ initial = 65536, growth = 2, backoff = 0.5, interval = 2000 }: DynamicLossScale): LossScaling {
  checkScale("lossScale.initial", initial);
  check("lossScale.growth", growth, Number.isFinite(growth) && growth > 1, "a finite number above 1");
  check("lossScale.backoff", backoff, backoff > 0 && backoff < 1, "a number above 0 and below 1");
  const countable = Number.isInteger(interval) && interval >= 1 && interval < 2 ** 31;
  check("lossScale.interval", interval, countable, "an integer in 1..2^31-1");
  return {
    entries: { [scaleEntry]: { shape: [], dtype: "float32", initial }, [goodEntry]: { shape: [], dtype: "int32" } },
    scale: (state) => state[scaleEntry] as Tensor,
    next: (good, state) => {
      const scale = state[scaleEntry] as Tensor;
      const count = add(state[goodEntry] as Tensor, 1);
      const due = greaterEqual(count, interval);
      const grown = mul(scale, growth);
      const higher = select(finite(grown), grown, scale);
      const lower = maximum(mul(scale, backoff), smallest);
      return {
        [scaleEntry]: select(good, select(due, higher, scale), lower),
        [goodEntry]: select(good, select(due, 0, count), 0),
      };
    },
  };
}

/** Gradients of the loss. */
export interface LossGradients {
  readonly grads: readonly Tensor[];
  /** Of a scaled loss: whether all of them are finite (bool `[]`). */
  readonly good?: Tensor;
  /** What there is to report about the scaling. */
  readonly reported?: Tensors;
}

/** Differentiates `scale * loss` and divides what comes out by the scale. */
export function scaledGradients(
  scaling: LossScaling,
  { loss, params, state }: { readonly loss: Tensor; readonly params: readonly Tensor[]; readonly state: Tensors },
): LossGradients {
  const scale = scaling.scale(state);
  const grads = gradients(mul(cast(loss, "float32"), scale), params).map((grad) => div(grad, scale));
  const good = allFinite(grads);
  const skipped = select(good, 0, 1);
  return { grads, good, reported: typeof scale === "number" ? { skipped } : { skipped, lossScale: scale } };
}

/** New values of state where `good` (bool `[]`), else the old ones. Without `good`, the new ones. */
export function gated(good: Tensor | undefined, updates: Tensors, state: Tensors): Tensors {
  if (good === undefined) return updates;
  return Object.fromEntries(
    Object.entries(updates).map(([name, next]) => [name, select(good, next, state[name] as Tensor)]),
  );
}

/** Whether every element of every tensor is finite: bool `[]`. */
function allFinite(tensors: readonly Tensor[]): Tensor {
  const counts = tensors.map((tensor) => sum(select(finite(tensor), 0, 1)));
  return equal(counts.reduce(add, scalar(0)), 0);
}
