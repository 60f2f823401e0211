import { describe, expect, test, vi } from "vitest";
import { type ImageDataset, imageDataset } from "./dataset.js";
import { type Batch, epochOrder, type Loader, loader } from "./loader.js";
import { subset } from "./subset.js";

function numbered(count: number): ImageDataset {
  const images = Uint8Array.from({ length: count * 6 }, (_, i) => (Math.floor(i / 6) * 10 + (i % 6)) % 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
  return imageDataset({ name: "numbered", images, labels, shape: [1, 2, 3], classes: ["a", "b", "c"] });
}

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const list: Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

const ordersOf = (batches: Batch[]) => batches.flatMap(({ indices }) => [...indices]);
const epochOf = (load: Loader, epoch: number, from = 0) => collect(load.epoch(epoch, { from }));

describe("loader", () => {
  test("in order: every image once, the last batch smaller", async () => {
    const load = loader(numbered(10), { batchSize: 4 });
    expect(load).toMatchObject({ batchSize: 4, batches: 3, images: 10 });
    const batches = await epochOf(load, 0);
    expect(batches.map((batch) => batch.indices.length)).toEqual([4, 4, 2]);
    expect(batches.map(({ epoch, index }) => [epoch, index])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
    expect(ordersOf(batches)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const last = batches[2] as Batch;
    expect(last.images).toMatchObject({ dtype: "uint8", shape: [2, 1, 2, 3] });
    expect([...last.images.data]).toEqual([80, 81, 82, 83, 84, 85, 90, 91, 92, 93, 94, 95]);
    expect(last.labels).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(2, 0) });
  });

  test("shuffled: drops the last batch unless told otherwise", async () => {
    const load = loader(numbered(10), { batchSize: 4, shuffle: true });
    expect(load).toMatchObject({ batches: 2, images: 8 });
    expect(new Set(ordersOf(await epochOf(load, 0))).size).toBe(8);
    const all = loader(numbered(10), { batchSize: 4, shuffle: true, dropLast: false });
    expect(ordersOf(await epochOf(all, 0)).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(loader(numbered(10), { batchSize: 4, dropLast: true }).batches).toBe(2);
  });

  test("images and labels stay together", async () => {
    const set = numbered(25);
    for (const batch of await epochOf(loader(set, { batchSize: 8, shuffle: true, seed: 4 }), 2)) {
      const same = subset(set, batch.indices);
      expect([...batch.images.data]).toEqual([...same.images]);
      expect([...batch.labels.data]).toEqual([...same.labels]);
    }
  });

  test("the order is a function of seed and epoch only", async () => {
    const options = { batchSize: 5, shuffle: true, seed: 42 };
    const load = loader(numbered(20), options);
    const third = ordersOf(await epochOf(load, 3));
    await epochOf(load, 4);
    expect(ordersOf(await epochOf(load, 3))).toEqual(third);
    expect(ordersOf(await epochOf(loader(numbered(20), { ...options, prefetch: 3 }), 3))).toEqual(third);
    expect(ordersOf(await epochOf(load, 4))).not.toEqual(third);
    expect(ordersOf(await epochOf(loader(numbered(20), { ...options, seed: 43 }), 3))).not.toEqual(third);
    expect(third).toEqual([...epochOrder(20, { seed: 42, epoch: 3 })]);
    expect([...epochOrder(12, { seed: 42, epoch: 3 })]).toMatchInlineSnapshot(`
      [
        8,
        1,
        7,
        0,
        3,
        11,
        9,
        10,
        2,
        4,
        5,
        6,
      ]
    `);
  });

  test("goes on from any batch", async () => {
    const load = loader(numbered(23), { batchSize: 4, shuffle: true, seed: 7, dropLast: false });
    const whole = await epochOf(load, 5);
    for (let from = 0; from <= whole.length; from++) expect(await epochOf(load, 5, from)).toEqual(whole.slice(from));
  });

  test("batches own their memory", async () => {
    for (const prefetch of [0, 1, 4]) {
      const load = loader(numbered(8), { batchSize: 4, prefetch });
      const kept: Batch[] = [];
      for await (const batch of load.epoch(0)) {
        batch.images.data.fill(99);
        batch.labels.data.fill(99);
        batch.indices.fill(99);
        kept.push(batch);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const buffers = kept.flatMap(({ images, labels, indices }) => [
        images.data.buffer,
        labels.data.buffer,
        indices.buffer,
      ]);
      expect(new Set(buffers).size).toBe(6);
      expect(ordersOf(await epochOf(load, 0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  test("makes batches ahead while the caller waits, and no more than asked", async () => {
    const made: number[] = [];
    const set = numbered(40);
    const watched: ImageDataset = {
      ...set,
      get images() {
        made.push(1);
        return set.images;
      },
    };
    const iterator = loader(watched, { batchSize: 1, prefetch: 3 }).epoch(0)[Symbol.asyncIterator]();
    expect(made.length).toBe(0);
    await iterator.next();
    expect(made.length).toBe(1);
    await vi.waitFor(() => expect(made.length).toBe(4));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made.length).toBe(4);
    await iterator.next();
    await iterator.return?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made.length).toBeLessThanOrEqual(5);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("two walks at once do not disturb each other", async () => {
    const epoch = loader(numbered(12), { batchSize: 4, shuffle: true }).epoch(1);
    const [a, b] = await Promise.all([collect(epoch), collect(epoch)]);
    expect(a).toEqual(b);
    expect(a.length).toBe(3);
  });

  test("refuses what cannot be meant", () => {
    const set = numbered(3);
    for (const batchSize of [0, -1, 1.5, Number.NaN]) expect(() => loader(set, { batchSize })).toThrow("batchSize is");
    expect(() => loader(set, { batchSize: 1, seed: 0.5 })).toThrow("seed is 0.5");
    expect(() => loader(set, { batchSize: 1, prefetch: -1 })).toThrow("prefetch is -1");
    expect(() => loader(set, { batchSize: 4, shuffle: true })).toThrow(
      "fewer than batchSize 4, and dropLast leaves none",
    );
    expect(() => loader(subset(set, { to: 0 }), { batchSize: 4 })).toThrow("has 0 images: nothing to load");
    const load = loader(set, { batchSize: 2 });
    expect(() => load.epoch(-1)).toThrow("epoch is -1");
    expect(() => load.epoch(0, { from: 3 })).toThrow("from is 3; it needs an integer from 0 to 2");
  });
});
