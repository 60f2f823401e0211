import { hostTensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { type Metric, nearestNeighbours, voted } from "../index.js";

/** Whole numbers 0..255 that look random, the same each time. */
function bytes(count: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

const width = 150;
const train = bytes(40 * width, 1);
const queries = bytes(7 * width, 2);
// Twice the same vector: the smaller position comes first.
train.set(train.subarray(0, width), 30 * width);
queries.set(train.subarray(0, width), 0);

const distanceOf: Record<Metric, (a: Uint8Array, b: Uint8Array) => number> = {
  l1: (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0),
  l2: (a, b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0)),
  cosine: (a, b) => {
    const dot = (x: Uint8Array, y: Uint8Array): number =>
      x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
    return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  },
};

/** All distances, sorted. */
function byHand(metric: Metric, k: number): { indices: number[]; distances: number[] } {
  const found = Array.from({ length: 7 }, (_, q) =>
    Array.from({ length: 40 }, (_, t) => ({
      t,
      distance: distanceOf[metric](
        train.subarray(t * width, (t + 1) * width),
        queries.subarray(q * width, (q + 1) * width),
      ),
    }))
      .sort((a, b) => a.distance - b.distance || a.t - b.t)
      .slice(0, k),
  ).flat();
  return { indices: found.map(({ t }) => t), distances: found.map(({ distance }) => distance) };
}

describe("nearestNeighbours", () => {
  for (const metric of ["l1", "l2", "cosine"] as const) {
    it.each([1, 3, 40])(`${metric}: the %i nearest, as by sorting all distances`, async (k) => {
      await using device = await reference({ precision: "float32" });
      const told: number[] = [];
      const found = await nearestNeighbours(
        device,
        hostTensor(train, [40, 1, 10, 15]),
        hostTensor(queries, [7, width]),
        {
          k,
          metric,
          onProgress: (done) => told.push(done),
        },
      );
      const expected = byHand(metric, k);
      expect([...found.indices]).toEqual(expected.indices);
      for (const [i, distance] of expected.distances.entries()) expect(found.distances[i]).toBeCloseTo(distance, 9);
      expect(told).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });
  }

  it("puts the smaller position first where two are as near", async () => {
    await using device = await reference();
    const { indices, distances } = await nearestNeighbours(
      device,
      hostTensor(train, [40, width]),
      hostTensor(queries, [7, width]),
      { k: 2 },
    );
    expect([...indices.subarray(0, 2)]).toEqual([0, 30]);
    expect([...distances.subarray(0, 2)]).toEqual([0, 0]);
  });

  it("takes floats, and zeros", async () => {
    await using device = await reference();
    const vectors = hostTensor([1, 0, 0, 2, 0, 0, -1, 0], [4, 2]);
    const { indices } = await nearestNeighbours(device, vectors, hostTensor([5, 0.1, 0, 0], [2, 2]), {
      k: 1,
      metric: "cosine",
    });
    expect([...indices]).toEqual([0, 0]);
  });

  it("stops when it is told to", async () => {
    await using device = await reference();
    for (const metric of ["l1", "l2"] as const) {
      const search = nearestNeighbours(device, hostTensor(train, [40, width]), hostTensor(queries, [7, width]), {
        metric,
        signal: AbortSignal.abort(new Error("enough")),
      });
      await expect(search).rejects.toThrow("enough");
    }
  });

  it.each([
    [{ k: 0 }, "k is 0; it needs a whole number from 1 to 40"],
    [{ k: 41 }, "k is 41"],
    [{ k: 1.5 }, "k is 1.5"],
    [{ metric: "l3" as never }, 'metric is l3; it needs "l1", "l2" or "cosine"'],
  ])("%j: %s", async (options, message) => {
    await using device = await reference();
    const [a, b] = [hostTensor(train, [40, width]), hostTensor(queries, [7, width])];
    await expect(nearestNeighbours(device, a, b, options)).rejects.toThrow(message);
  });

  it("says which vectors do not fit", async () => {
    await using device = await reference();
    const [a, b] = [hostTensor(train, [40, width]), hostTensor([1, 2, Number.NaN], [1, 3])];
    await expect(nearestNeighbours(device, a, hostTensor([1, 2, 3], [1, 3]))).rejects.toThrow(
      "training vectors have 150 elements, queries 3",
    );
    await expect(nearestNeighbours(device, a, b)).rejects.toThrow("queries hold NaN; they need finite numbers");
    await expect(nearestNeighbours(device, a, hostTensor(new Int32Array(3), [1, 3]))).rejects.toThrow(
      "queries are int32[1, 3]; they need to be uint8 or float32",
    );
  });
});

describe("voted", () => {
  it("is the class with most votes, the smaller of two with as many", () => {
    const indices = Int32Array.of(0, 1, 2, 3, 1, 0);
    const neighbours = { indices, distances: new Float64Array(6), k: 3 };
    expect([...voted([5, 2, 2, 0], neighbours, 6)]).toEqual([2, 0]);
  });
});
