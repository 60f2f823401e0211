import { createHash } from "node:crypto";
import { ArgumentError } from "@ocelli/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestServer } from "../../training/src/node/test-server.mjs";
import { imagenetClasses } from "../src/classes/imagenet.js";
import {
  createModel,
  fetchWeights,
  modelEntry,
  modelNames,
  type WeightsCache,
  WeightsError,
  weightsEntry,
} from "../src/index.js";

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 0x85ebca6b) >>> 13);
const sha256 = createHash("sha256").update(bytes).digest("hex");

/** A browser's cache, as far as it is used. */
class MemoryCache implements WeightsCache {
  readonly entries = new Map<string, Response>();
  async match(url: RequestInfo | URL): Promise<Response | undefined> {
    return this.entries.get(String(url))?.clone();
  }
  async put(url: RequestInfo | URL, response: Response): Promise<void> {
    this.entries.set(String(url), response);
  }
  async delete(url: RequestInfo | URL): Promise<boolean> {
    return this.entries.delete(String(url));
  }
}

let server: TestServer;
beforeEach(async () => {
  server = await new TestServer().start();
});
afterEach(() => server.stop());

const entry = (digits = 64) => ({ url: `${server.url}/net.pth`, sha256: sha256.slice(0, digits) });

async function failure(promise: Promise<unknown>): Promise<WeightsError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WeightsError);
  return error as WeightsError;
}

describe("fetchWeights", () => {
  it("fetches once, then takes the cache's", async () => {
    server.files.set("/net.pth", { bytes });
    const [cache, seen] = [new MemoryCache(), [] as number[]];
    const first = await fetchWeights(entry(), { cache, onProgress: ({ received }) => seen.push(received) });
    expect(Buffer.compare(first.bytes, bytes)).toBe(0);
    expect([first.sha256, first.comparedDigits, seen.at(-1)]).toEqual([sha256, 64, bytes.length]);
    const wanted = entry(8);
    await server.stop();
    expect(await fetchWeights(wanted, { cache })).toEqual({ ...first, comparedDigits: 8 });
  });

  it("works without a cache, and with one that is full", async () => {
    server.files.set("/net.pth", { bytes, noLength: true });
    const full = new MemoryCache();
    full.put = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    for (const cache of [null, undefined, full])
      expect((await fetchWeights(entry(), cache === undefined ? {} : { cache })).sha256).toBe(sha256);
    expect(server.requests).toHaveLength(3);
  });

  it("fetches again what is damaged in the cache", async () => {
    server.files.set("/net.pth", { bytes });
    const cache = new MemoryCache();
    await cache.put(entry().url, new Response("damaged"));
    expect((await fetchWeights(entry(), { cache })).sha256).toBe(sha256);
    expect(await cache.entries.get(entry().url)?.clone().arrayBuffer()).toHaveProperty("byteLength", bytes.length);
  });

  it("takes no more bytes than the file is known to have", async () => {
    server.files.set("/net.pth", { bytes });
    const wanted = { ...entry(8), bytes: 1000 };
    expect((await failure(fetchWeights(wanted, { cache: null }))).message).toMatch(
      /the file has \d+ bytes or more; it needs to have 1000\n/,
    );
  });

  it("fetches where the cache does not answer", async () => {
    server.files.set("/net.pth", { bytes });
    const cache = new MemoryCache();
    cache.match = () => Promise.reject(new Error("forbidden"));
    expect((await fetchWeights(entry(), { cache })).sha256).toBe(sha256);
  });

  it("refuses a file with another checksum, and keeps it not", async () => {
    server.files.set("/net.pth", { bytes: bytes.subarray(0, 1000) });
    const cache = new MemoryCache();
    const error = await failure(fetchWeights(entry(8), { cache }));
    expect(error.message).toMatch(
      `the 1000 bytes received have sha256 ${createHash("sha256").update(bytes.subarray(0, 1000)).digest("hex")}`,
    );
    expect(error.message).toContain(`needs to begin with ${sha256.slice(0, 8)}`);
    expect(cache.entries.size).toBe(0);
  });

  it("names the address when the server fails, the connection breaks or there is none", async () => {
    expect((await failure(fetchWeights(entry(), { cache: null }))).message).toBe(
      `fetchWeights: the server answers 404 Not Found\n  from ${entry().url}\n  Without a network, fetch it some other way: its values load with loadStateDict.`,
    );
    server.files.set("/net.pth", { bytes, cutAfter: [100_000] });
    expect((await failure(fetchWeights(entry(), { cache: null }))).message).toMatch(/ended after \d+ bytes/);
    const gone = await new TestServer().start();
    const wanted = { ...entry(), url: `${gone.url}/net.pth` };
    await gone.stop();
    expect((await failure(fetchWeights(wanted, { cache: null }))).message).toContain("ECONNREFUSED");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(fetchWeights(wanted, { cache: null, signal })).rejects.toThrow("enough");
  });
});

describe("weights as data", () => {
  it("are found by name, the first without one", () => {
    expect(weightsEntry("resnet20_cifar")).toBe(weightsEntry("resnet20_cifar", "cifar10"));
    expect(weightsEntry("resnet20_cifar")).toMatchObject({
      published: { top1: 8.27 },
      preprocessing: { mean: [0.485, 0.456, 0.406] },
      licence: "BSD-2-Clause",
    });
    expect(() => weightsEntry("resnet20_cifar", "cifar1")).toThrow(
      'resnet20_cifar: no weights are called "cifar1"; did you mean cifar10?',
    );
    expect(() => weightsEntry("resnet20_cifar", "svhn")).toThrow(/there are cifar10/);
    expect(() => weightsEntry("lenet5")).toThrow(WeightsError);
    expect(() => weightsEntry("lenet5")).toThrow("lenet5: no weights are published for it");
    expect(() => weightsEntry("resnet20")).toThrow(ArgumentError);
  });

  const all = modelNames.flatMap((name) => (modelEntry(name).weights ?? []).map((weights) => ({ name, weights })));
  it.each(all)("$name:$weights.name is whole, and fits its model", ({ name, weights }) => {
    const { url, classes, preprocessing, options } = weights;
    const digits = weights.sha256;
    expect(url).toMatch(/^https:\/\/[^ ]+\/[^/ ]+\.(pth?|th|safetensors)$/);
    expect(digits).toMatch(/^([0-9a-f]{8}|[0-9a-f]{64})$/);
    // Publishers name files by the beginning of the checksum.
    expect(url).toContain(digits.slice(0, 8));
    const { numClasses, input } = modelEntry(name);
    const count = { imagenet: imagenetClasses.length, cifar10: 10, digits: 10 }[classes];
    expect(options?.numClasses ?? numClasses).toBe(count);
    expect(preprocessing.mean).toHaveLength(options?.inChannels ?? input[0]);
    expect(preprocessing.std).toHaveLength(options?.inChannels ?? input[0]);
    const names = (modelEntry(name).weights ?? []).map((other) => other.name);
    expect(new Set(names).size).toBe(names.length);
    expect(() => createModel(name, options)).not.toThrow();
  });
});

describe("ImageNet's classes", () => {
  it("are a thousand names, each once, in torchvision's order", () => {
    expect(new Set(imagenetClasses).size).toBe(1000);
    expect([0, 22, 144, 207, 281, 999].map((i) => imagenetClasses[i])).toEqual([
      "tench",
      "bald eagle",
      "pelican",
      "golden retriever",
      "tabby",
      "toilet tissue",
    ]);
  });
});
