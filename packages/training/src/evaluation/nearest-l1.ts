import { type Candidate, type Found, nearer, type Rows } from "./rows.js";

/**
 * The `k` nearest by the sum of absolute differences, on the host. Sums over blocks of a vector differ by no more than the vectors
 * themselves do: most training vectors are ruled out by those few numbers, and others before they are seen whole.
 */
export async function* nearestByL1(
  train: Rows,
  queries: Rows,
  k: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Found> {
  const block = Math.ceil(Math.sqrt(train.width));
  const [coarse, coarseQueries] = [blockSums(train, block), blockSums(queries, block)];
  for (let query = 0; query < queries.count; query++) {
    // A turn of the event loop for whoever aborts.
    if (query % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    const best: Candidate[] = [];
    let limit = Number.POSITIVE_INFINITY;
    for (let index = 0; index < train.count; index++) {
      // A little more than the limit: the sums are rounded.
      if (difference(coarse, index, coarseQueries, query, limit * (1 + 1e-6)) > limit * (1 + 1e-6)) continue;
      const distance = difference(train, index, queries, query, limit);
      if (!(distance < limit)) continue;
      best.push({ index, distance });
      best.sort(nearer);
      if (best.length > k) best.pop();
      if (best.length === k) limit = (best[k - 1] as Candidate).distance;
    }
    yield { query, nearest: best };
  }
}

/** Sum of absolute differences; where it passes `limit`, something above that. */
function difference(a: Rows, i: number, b: Rows, j: number, limit: number): number {
  const { width, data } = a;
  const other = b.data;
  const [x, y] = [i * width, j * width];
  let sum = 0;
  for (let from = 0; from < width && sum <= limit; from += 64) {
    const to = Math.min(width, from + 64);
    for (let at = from; at < to; at++) sum += Math.abs((data[x + at] as number) - (other[y + at] as number));
  }
  return sum;
}

function blockSums({ data, count, width }: Rows, block: number): Rows {
  const blocks = Math.ceil(width / block);
  const sums = new Float32Array(count * blocks);
  for (let row = 0; row < count; row++) {
    for (let b = 0; b < blocks; b++) {
      let sum = 0;
      for (let at = b * block; at < Math.min(width, (b + 1) * block); at++) sum += data[row * width + at] as number;
      sums[row * blocks + b] = sum;
    }
  }
  return { data: sums, count, width: blocks };
}
