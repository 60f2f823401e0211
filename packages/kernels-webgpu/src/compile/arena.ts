import type { Step, Value } from "./plan.js";

/** Where values of one run lie in a few large buffers. */
export interface Arena {
  /** Bytes of each buffer. */
  readonly chunks: readonly number[];
  readonly places: ReadonlyMap<Value, { readonly chunk: number; readonly offset: number }>;
  /** The most that is in use at once: no arena for this order of steps can be smaller. */
  readonly lowerBound: number;
}

interface Life {
  readonly value: Value;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

/** Bindings must start at multiples of this (WebGPU's default limit). */
export const alignment = 256;
const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/**
 * Places the values that live between steps. Larger ones go first, each into the smallest gap among those that live at the same time.
 * @param most bytes of one buffer
 * @param kept values that are read once all steps are done
 */
export function planArena(steps: readonly Step[], kept: Iterable<Value>, most: number): Arena {
  const lives = livesOf(steps, new Set(kept));
  const chunks: number[] = [];
  const placed: { life: Life; chunk: number; offset: number }[] = [];
  const places = new Map<Value, { chunk: number; offset: number }>();
  for (const life of [...lives].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    let chunk = 0;
    let offset = 0;
    for (; ; chunk++) {
      const taken = placed
        .filter((other) => other.chunk === chunk && other.life.first <= life.last && life.first <= other.life.last)
        .map((other) => [other.offset, other.offset + other.life.bytes] as const);
      offset = gap(taken, life.bytes);
      if (offset + life.bytes <= most || chunk >= chunks.length) break;
    }
    placed.push({ life, chunk, offset });
    places.set(life.value, { chunk, offset });
    chunks[chunk] = Math.max(chunks[chunk] ?? 0, offset + life.bytes);
  }
  return { chunks, places, lowerBound: mostInUse(lives, steps.length) };
}

function livesOf(steps: readonly Step[], kept: ReadonlySet<Value>): Life[] {
  const lives = new Map<Value, Life>();
  for (const [i, { bindings }] of steps.entries()) {
    for (const { value } of bindings) {
      if (value.home.kind !== "arena") continue;
      const life = lives.get(value);
      if (life === undefined) lives.set(value, { value, bytes: aligned(value.bytes), first: i, last: i });
      else life.last = i;
    }
  }
  for (const value of kept) {
    const life = lives.get(value);
    if (life !== undefined) life.last = Number.POSITIVE_INFINITY;
  }
  return [...lives.values()];
}

/** The start of the smallest gap between taken ranges that holds `bytes`; behind them all when none does. */
function gap(taken: readonly (readonly [number, number])[], bytes: number): number {
  let best: { offset: number; size: number } | undefined;
  let end = 0;
  for (const [from, to] of [...taken].sort((a, b) => a[0] - b[0])) {
    const size = from - end;
    if (size >= bytes && (best === undefined || size < best.size)) best = { offset: end, size };
    end = Math.max(end, to);
  }
  return best?.offset ?? end;
}

function mostInUse(lives: readonly Life[], steps: number): number {
  const change = new Array<number>(steps + 1).fill(0);
  for (const { bytes, first, last } of lives) {
    change[first] = (change[first] as number) + bytes;
    if (last < steps) change[last + 1] = (change[last + 1] as number) - bytes;
  }
  let [now, most] = [0, 0];
  for (const difference of change) {
    now += difference;
    most = Math.max(most, now);
  }
  return most;
}
