import { describe, expect, test } from "vitest";
import { type Batch, type LoaderOptions, loader } from "./loader.js";
import type { ImageSource, ReadImages, ReadRequest } from "./source.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Image i is two bytes of value i; `requests` are kept. */
function watched(count: number, read?: (request: ReadRequest, images: Uint8Array) => Promise<ReadImages>) {
  const requests: ReadRequest[] = [];
  const source: ImageSource = {
    name: "watched",
    labels: Int32Array.from({ length: count }, (_, i) => i % 3),
    shape: [1, 1, 2],
    classes: ["a", "b", "c"],
    count,
    read: async (request) => {
      requests.push(request);
      const images = Uint8Array.from(
        { length: 2 * request.indices.length },
        (_, i) => request.indices[i >> 1] as number,
      );
      return read === undefined ? { images, broken: [] } : read(request, images);
    },
  };
  return { source, requests };
}

async function collect(source: ImageSource, options: LoaderOptions, epoch = 0, from = 0): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of loader(source, options).epoch(epoch, { from })) list.push(batch);
  return list;
}

describe("a loader of a source", () => {
  test("hands batches out in order, whichever is read first", async () => {
    const { source } = watched(10, async (request, images) => {
      await pause(30 - 10 * (request.indices[0] as number));
      return { images, broken: [] };
    });
    const batches = await collect(source, { batchSize: 4, prefetch: 3 });
    expect(batches.map(({ index, indices }) => [index, [...indices]])).toEqual([
      [0, [0, 1, 2, 3]],
      [1, [4, 5, 6, 7]],
      [2, [8, 9]],
    ]);
    expect(batches[2]?.images).toEqual({ dtype: "uint8", shape: [2, 1, 1, 2], data: Uint8Array.of(8, 8, 9, 9) });
    expect(batches[2]?.labels).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(2, 0) });
  });

  test("names the chance in training, and none in evaluation", async () => {
    const { source, requests } = watched(6);
    await collect(source, { batchSize: 3, shuffle: true, seed: 5 }, 2);
    expect(requests.map(({ chance }) => chance)).toEqual(new Array(2).fill({ seed: 5, epoch: 2 }));
    requests.length = 0;
    await collect(source, { batchSize: 3, seed: 5 }, 2);
    expect(requests.map(({ chance }) => chance)).toEqual([undefined, undefined]);
    expect(() => loader(source, { batchSize: 3, seed: -1 })).toThrow("seed is -1; it needs an integer >= 0");
  });

  test("goes on from any batch", async () => {
    const { source } = watched(11);
    const options = { batchSize: 3, shuffle: true, dropLast: false, seed: 3 };
    const all = await collect(source, options, 4);
    for (let from = 0; from <= all.length; from++)
      expect(await collect(source, options, 4, from)).toEqual(all.slice(from));
  });

  test("reads no more than prefetch batches ahead of a slow caller", async () => {
    for (const prefetch of [0, 1, 3]) {
      const { source, requests } = watched(40);
      let taken = 0;
      for await (const _ of loader(source, { batchSize: 2, prefetch }).epoch(0)) {
        taken++;
        await pause(3);
        expect(requests.length).toBeLessThanOrEqual(taken + prefetch);
        if (taken < 10) expect(requests.length).toBe(taken + prefetch);
      }
      expect(taken).toBe(20);
    }
  });

  test("drops what it began when the caller leaves, or an error does", async () => {
    const { source, requests } = watched(20, async ({ indices }, images) => {
      if (indices[0] !== 0) await new Promise(() => {});
      return { images, broken: [] };
    });
    for await (const _ of loader(source, { batchSize: 2 }).epoch(0)) break;
    expect(requests.map(({ signal }) => signal?.aborted)).toEqual([false, true, true]);

    const failing = watched(20, async ({ indices }, images) => {
      if (indices[0] === 4) throw new Error("no such picture");
      if (indices[0] === 8) await new Promise(() => {});
      return { images, broken: [] };
    });
    const iterator = loader(failing.source, { batchSize: 2, prefetch: 4 }).epoch(0)[Symbol.asyncIterator]();
    // The error waits for its turn.
    expect((await iterator.next()).value?.index).toBe(0);
    await pause(5);
    expect((await iterator.next()).value?.index).toBe(1);
    await expect(iterator.next()).rejects.toThrow("no such picture");
    expect(failing.requests.at(-1)?.signal?.aborted).toBe(true);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("puts good images of the batch, in turn, into the places of broken ones where batches are full", async () => {
    const { source } = watched(6, async (_, images) => ({ images, broken: [1, 2, 5] }));
    const [full] = await collect(source, { batchSize: 6, dropLast: true });
    expect([...(full as Batch).indices]).toEqual([0, 0, 3, 3, 4, 4]);
    expect([...(full as Batch).images.data]).toEqual([0, 0, 0, 0, 3, 3, 3, 3, 4, 4, 4, 4]);
    expect([...(full as Batch).labels.data]).toEqual([0, 0, 0, 0, 1, 1]);
    const [smaller] = await collect(source, { batchSize: 6 });
    expect([...(smaller as Batch).indices]).toEqual([0, 3, 4]);
    expect(smaller?.images.shape).toEqual([3, 1, 1, 2]);
  });

  test("counts how long it was waited for", async () => {
    const slow = watched(8, async (_, images) => {
      await pause(20);
      return { images, broken: [] };
    });
    const load = loader(slow.source, { batchSize: 2, prefetch: 0 });
    expect(load.waited).toBe(0);
    for await (const _ of load.epoch(0));
    // Timers may be a millisecond early.
    expect(load.waited).toBeGreaterThanOrEqual(4 * 19);
    const once = load.waited;
    for await (const _ of load.epoch(1));
    expect(load.waited - once).toBeGreaterThanOrEqual(4 * 19);

    const ready = loader(watched(8).source, { batchSize: 2 });
    const start = performance.now();
    for await (const _ of ready.epoch(0)) await pause(40);
    expect(ready.waited).toBeLessThan((performance.now() - start) / 2);
  });
});
