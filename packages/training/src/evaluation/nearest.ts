import {
  ArgumentError,
  add,
  cast,
  type Device,
  type Handle,
  type HostTensor,
  matmul,
  mul,
  reshape,
  type Tensor,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { nearestByL1 } from "./nearest-l1.js";
import { type Candidate, cosineDistance, dot, euclidean, type Found, nearer, type Rows, rowsOf } from "./rows.js";

export type Metric = "l1" | "l2" | "cosine";

export interface NearestOptions {
  /** How many neighbours, at least 1. Default 1. */
  readonly k?: number | undefined;
  /** Distance: of absolute differences, Euclidean, or 1 - cosine. Default "l2". `"l1"` runs on the host, slowly. */
  readonly metric?: Metric | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each query's neighbours found, out of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Neighbours {
  /** Positions in the training set, `[queries, k]`, the nearest first; of two at one distance the smaller position. */
  readonly indices: Int32Array;
  /** `[queries, k]` */
  readonly distances: Float64Array;
  readonly k: number;
}

/** Told apart exactly, beyond the k that are asked for: products in float32 may swap what is nearly as far. */
const spare = 8;
/** Distances that are held at once. */
const most = 2 ** 24;

/**
 * The nearest training vectors of each query: `[T, ...]` and `[Q, ...]` of one width, uint8 or float32 (pixels, or features). Products run
 * on the device in pieces of bounded size; the order among the nearest is settled in float64, so that every device finds the same.
 * @throws ArgumentError for shapes that do not fit, or fewer training vectors than `k`
 */
export async function nearestNeighbours(
  device: Device,
  train: HostTensor,
  queries: HostTensor,
  { k = 1, metric = "l2", signal, onProgress }: NearestOptions = {},
): Promise<Neighbours> {
  const [from, asked] = [rowsOf("train", train), rowsOf("queries", queries)];
  if (!["l1", "l2", "cosine"].includes(metric))
    throw new ArgumentError(`nearestNeighbours: metric is ${metric}; it needs "l1", "l2" or "cosine"`);
  if (from.width !== asked.width) {
    throw new ArgumentError(
      `nearestNeighbours: training vectors have ${from.width} elements, queries ${asked.width}; they need as many`,
    );
  }
  if (!Number.isSafeInteger(k) || k < 1 || k > from.count) {
    throw new ArgumentError(
      `nearestNeighbours: k is ${k}; it needs a whole number from 1 to ${from.count}, the count of training vectors`,
    );
  }
  const found: Neighbours = {
    indices: new Int32Array(asked.count * k),
    distances: new Float64Array(asked.count * k),
    k,
  };
  const keep = (query: number, nearest: readonly Candidate[]): void => {
    for (const [i, { index, distance }] of nearest.entries()) {
      found.indices[query * k + i] = index;
      found.distances[query * k + i] = distance;
    }
    onProgress?.(query + 1, asked.count);
  };
  const search =
    metric === "l1"
      ? nearestByL1(from, asked, k, signal)
      : nearestByProducts(device, { train, queries, from, asked, k, metric, signal });
  for await (const { query, nearest } of search) keep(query, nearest);
  return found;
}

/**
 * The class of each query by the vote of its neighbours; of two with as many votes the smaller class.
 * @param labels of the training vectors, each `0 <= label < classes`
 */
export function voted(labels: ArrayLike<number>, { indices, k }: Neighbours, classes: number): Int32Array {
  return Int32Array.from({ length: indices.length / k }, (_, query) => {
    const votes = new Int32Array(classes);
    for (let i = query * k; i < (query + 1) * k; i++) {
      const label = labels[indices[i] as number] as number;
      votes[label] = (votes[label] as number) + 1;
    }
    return votes.indexOf(Math.max(...votes));
  });
}

interface Search {
  readonly train: HostTensor;
  readonly queries: HostTensor;
  readonly from: Rows;
  readonly asked: Rows;
  readonly k: number;
  readonly metric: "l2" | "cosine";
  readonly signal?: AbortSignal | undefined;
}

/** By products in float32 on the device, which settle who is looked at again, and float64 on the host. */
async function* nearestByProducts(
  device: Device,
  { train, queries, from, asked, k, metric, signal }: Search,
): AsyncGenerator<Found> {
  const distance = metric === "l2" ? euclidean : cosineDistance;
  const { count, width } = from;
  const rows = Math.max(1, Math.min(asked.count, Math.floor(most / count)));
  // What orders the distances to one query: |t|^2 - 2 q.t, or -q.t / |t|.
  const squares = Float64Array.from({ length: count }, (_, i) => dot(from, i, from, i));
  const offset = metric === "l2" ? Float32Array.from(squares) : new Float32Array(count);
  const factor = Float32Array.from(squares, (square) =>
    metric === "l2" ? -2 : square > 0 ? -1 / Math.sqrt(square) : 0,
  );
  const spec = { shape: [rows, width], dtype: queries.dtype };
  const program = await device.compile({
    inputs: { queries: spec },
    state: {
      "search/train": { shape: [count, width], dtype: train.dtype },
      "search/offset": { shape: [count], dtype: "float32" },
      "search/factor": { shape: [count], dtype: "float32" },
    },
    build: (inputs, state) => {
      const [q, t] = [cast(inputs.queries as Tensor, "float32"), cast(state["search/train"] as Tensor, "float32")];
      const row = (vector: unknown): Tensor => reshape(vector as Tensor, [1, count]);
      const products = matmul(q, t, { transposeB: true });
      return { outputs: { order: add(mul(products, row(state["search/factor"])), row(state["search/offset"])) } };
    },
  });
  const state = await device.createState({
    search: {
      train: { ...train, shape: [count, width] },
      offset: { dtype: "float32", shape: [count], data: offset },
      factor: { dtype: "float32", shape: [count], data: factor },
    },
  });
  try {
    for (let start = 0; start < asked.count; start += rows) {
      signal?.throwIfAborted();
      // The last piece begins earlier, so that all are of one size.
      const first = Math.min(start, asked.count - rows);
      const piece = queries.data.slice(first * width, (first + rows) * width);
      const handles = await program.run(
        { queries: { dtype: queries.dtype, shape: [rows, width], data: piece } },
        state,
      );
      const order = (await (handles.order as Handle).read()).data;
      for (let query = start; query < Math.min(start + rows, asked.count); query++) {
        const line = order.subarray((query - first) * count, (query - first + 1) * count);
        const shortlist = smallest(line, Math.min(count, k + spare));
        const exact = shortlist.map((index) => ({ index, distance: distance(from, index, asked, query) }));
        yield { query, nearest: exact.sort(nearer).slice(0, k) };
      }
    }
  } finally {
    state.dispose();
    program[disposeKey]();
  }
}

/** Positions of the `wanted` smallest values. */
function smallest(values: ArrayLike<number>, wanted: number): number[] {
  const best: number[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    // A value that is no number comes last.
    if (best.length === wanted && !(value < limit)) continue;
    insert(best, i, values);
    if (best.length > wanted) best.pop();
    if (best.length === wanted) limit = values[best[wanted - 1] as number] as number;
  }
  return best;
}

/** Puts position `index` behind those whose value is not larger. */
function insert(best: number[], index: number, values: ArrayLike<number>): void {
  let at = best.length;
  while (at > 0 && (values[best[at - 1] as number] as number) > (values[index] as number)) at--;
  best.splice(at, 0, index);
}
