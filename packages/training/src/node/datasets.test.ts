import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { ArgumentError, FormatError } from "@ocelli/core";
import { packTar } from "modern-tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DatasetSource, sources } from "../data/sources.js";
import { cacheFolder } from "./cache.js";
import { type DatasetName, datasetNames, loadDataset } from "./datasets.js";
import { DownloadError } from "./download.js";
import type { DatasetProgress } from "./fetch-dataset.js";
import { loadSource } from "./load-source.js";
import { TestServer } from "./test-server.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ocelli-datasets-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

function header(magic: number, ...dims: number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * dims.length);
  bytes.writeUInt32BE(magic);
  dims.forEach((dim, i) => {
    bytes.writeUInt32BE(dim, 4 + 4 * i);
  });
  return bytes;
}

/** The four files of an MNIST with 3 training and 2 test images of 4 x 5. */
function idxFiles(): Map<string, Buffer> {
  const split = (prefix: string, count: number): [string, Buffer][] => [
    [`${prefix}-images-idx3-ubyte`, Buffer.concat([header(0x803, count, 4, 5), Buffer.alloc(count * 20, count)])],
    [`${prefix}-labels-idx1-ubyte`, Buffer.concat([header(0x801, count), Buffer.alloc(count, 9)])],
  ];
  return new Map([...split("train", 3), ...split("t10k", 2)]);
}

/** `count` records of CIFAR-10 with one label. */
function cifar(label: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => Buffer.concat([Buffer.of(label), Buffer.alloc(3072, 7)])));
}

const cifarFiles = () =>
  new Map([
    ...[1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, cifar(n, 2)] as const),
    ["test_batch.bin", cifar(0, 1)],
  ]);

type Entry = Parameters<typeof packTar>[0][number];

async function tarGz(files: Iterable<readonly [string, Uint8Array]>, extra: Entry[] = []): Promise<Buffer> {
  const entries = [...files].map(([name, body]): Entry => {
    return { header: { name: `cifar-10-batches-bin/${name}`, size: body.length, type: "file" }, body };
  });
  return gzipSync(await packTar([...extra, ...entries]));
}

describe("loadDataset", () => {
  test("makes digits without files", async () => {
    const { train, test: held, place, warnings } = await loadDataset("digits", { digits: { train: 50, test: 20 } });
    expect([train.count, held.count, place, warnings]).toEqual([50, 20, "built in", []]);
  });

  test("knows its names", async () => {
    expect([...datasetNames].sort()).toEqual(["digits", ...Object.keys(sources)].sort());
    await expect(loadDataset("mnits" as DatasetName)).rejects.toThrow(
      'no dataset "mnits"; did you mean mnist? (digits, mnist, fashion-mnist, cifar10, cifar100)',
    );
    await expect(loadDataset("toString" as DatasetName)).rejects.toThrow(ArgumentError);
  });

  test("uses the same files whatever mirror they come from", () => {
    for (const source of Object.values(sources) as DatasetSource[]) {
      for (const { md5 } of source.downloads) expect(md5).toMatch(/^[0-9a-f]{32}$/);
      for (const mirror of source.mirrors) expect(mirror).toMatch(/^https?:\/\/[^ ]+[^/]$/);
    }
  });
});

describe("MNIST in a data folder", () => {
  test.each(["", "mnist", "MNIST/raw"])("plain and gz in %j", async (below) => {
    let zip = false;
    for (const [name, bytes] of idxFiles()) {
      await put(join(below, zip ? `${name}.gz` : name), zip ? gzipSync(bytes) : bytes);
      zip = !zip;
    }
    const { train, test: held, place, warnings } = await loadDataset("mnist", { dataDir: folder });
    expect(train).toMatchObject({ name: "mnist train", count: 3, shape: [1, 4, 5] });
    expect(held).toMatchObject({ name: "mnist test", count: 2, shape: [1, 4, 5] });
    expect([train.images[0], held.images[0], train.labels[0]]).toEqual([3, 2, 9]);
    expect(place).toBe(join(folder, below));
    expect(warnings).toEqual([]);
  });

  test("files with a dot in their names", async () => {
    for (const [name, bytes] of idxFiles()) await put(name.replace("-idx", ".idx"), bytes);
    expect((await loadDataset("mnist", { dataDir: folder })).train.count).toBe(3);
  });

  test("Fashion-MNIST prefers its own folder", async () => {
    for (const [name, bytes] of idxFiles()) {
      await put(name, bytes.subarray(0, 1));
      await put(`FashionMNIST/raw/${name}`, bytes);
    }
    const { train } = await loadDataset("fashion-mnist", { dataDir: folder });
    expect(train.classes[9]).toBe("ankle boot");
  });

  test("missing files are listed, with where they were looked for", async () => {
    await put("train-images-idx3-ubyte.gz", new Uint8Array(1));
    const error = (await loadDataset("mnist", { dataDir: folder }).catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain("no complete mnist below the data folder (--data-dir)");
    expect(error.message).toContain(
      `  ${join(folder, "mnist")}: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, ` +
        "t10k-labels-idx1-ubyte (each with or without .gz)",
    );
    expect(error.message).toContain(`  ${folder}: train-images-idx3-ubyte (found), train-labels`);
    expect(error.message).toContain(join(folder, "MNIST", "raw"));
    await expect(loadDataset("mnist", { dataDir: join(folder, "no") })).rejects.toThrow("looked for");
  });

  test("damaged and swapped files are named", async () => {
    const files = [...idxFiles()];
    for (const [name, bytes] of files) await put(name, name.startsWith("t10k-l") ? bytes.subarray(1) : bytes);
    await expect(loadDataset("mnist", { dataDir: folder })).rejects.toThrow(
      `${join(folder, "t10k-labels-idx1-ubyte")}: magic`,
    );
    await put("train-images-idx3-ubyte", files[1]?.[1] as Buffer);
    await expect(loadDataset("mnist", { dataDir: folder })).rejects.toThrow("says labels");
  });
});

describe("CIFAR in a data folder", () => {
  test.each(["", "cifar10", "cifar-10-batches-bin"])("all batches in %j", async (below) => {
    for (const [name, bytes] of cifarFiles()) await put(join(below, name), bytes);
    const { train, test: held, warnings } = await loadDataset("cifar10", { dataDir: folder });
    expect([...train.labels]).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    expect(held.count).toBe(1);
    expect(warnings).toEqual([]);
  });

  test("some training batches are enough, with a warning", async () => {
    await put("data_batch_2.bin", cifar(2, 2));
    await expect(loadDataset("cifar10", { dataDir: folder })).rejects.toThrow("no complete cifar10");
    await put("test_batch.bin", cifar(0, 1));
    const { train, warnings } = await loadDataset("cifar10", { dataDir: folder });
    expect([...train.labels]).toEqual([2, 2]);
    expect(warnings).toEqual([
      `cifar10 train: 1 of 5 training files in ${folder} (2 images); missing: data_batch_1.bin, data_batch_3.bin, ` +
        "data_batch_4.bin, data_batch_5.bin",
    ]);
    await rm(join(folder, "data_batch_2.bin"));
    await expect(loadDataset("cifar10", { dataDir: folder })).rejects.toThrow("test_batch.bin (found)");
  });

  test("CIFAR-100", async () => {
    const record = Buffer.concat([Buffer.of(19, 99), Buffer.alloc(3072)]);
    await put("cifar-100-binary/train.bin", Buffer.concat([record, record]));
    await put("cifar-100-binary/test.bin", record);
    const { train, test: held } = await loadDataset("cifar100", { dataDir: folder });
    expect([train.count, held.count, train.labels[0], train.classes.length]).toEqual([2, 1, 99, 100]);
  });

  test("the archive as it is distributed", async () => {
    await put("cifar-10-binary.tar.gz", await tarGz(cifarFiles()));
    const { train, place } = await loadDataset("cifar10", { dataDir: folder });
    expect(train.count).toBe(10);
    expect(place).toBe(join(folder, "cifar-10-binary.tar.gz"));
  });

  test("of an archive only the known files count, wherever their paths point", async () => {
    const body = Buffer.from("evil");
    const hostile: Entry[] = [
      { header: { name: "../../escaped.bin", size: 4, type: "file" }, body },
      { header: { name: "/etc/escaped.bin", size: 4, type: "file" }, body },
      { header: { name: "x/test_batch.bin", size: 0, type: "symlink", linkname: "/etc/passwd" } },
    ];
    await put("in/cifar-10-binary.tar.gz", await tarGz(cifarFiles(), hostile));
    expect((await loadDataset("cifar10", { dataDir: join(folder, "in") })).train.count).toBe(10);
    expect(await readdir(folder)).toEqual(["in"]);
    expect(existsSync(join(folder, "..", "escaped.bin"))).toBe(false);
  });

  test("damaged archives are named", async () => {
    const archive = await tarGz(cifarFiles());
    const path = join(folder, "cifar-10-binary.tar.gz");
    const cases: [Uint8Array, string][] = [
      [archive.subarray(0, archive.length / 2), "damaged or cut-off"],
      [new Uint8Array(1000), "damaged or cut-off"],
      [gzipSync(Buffer.alloc(5000, 65)), "damaged or cut-off"],
      [await tarGz([...cifarFiles()].slice(1)), "holds no data_batch_1.bin"],
      [await tarGz([...cifarFiles(), ...cifarFiles()]), "twice"],
    ];
    for (const [bytes, message] of cases) {
      await writeFile(path, bytes);
      const error = (await loadDataset("cifar10", { dataDir: folder }).catch((reason: unknown) => reason)) as Error;
      expect(error).toBeInstanceOf(FormatError);
      expect(error.message).toContain(path);
      expect(error.message).toContain(message);
    }
  });
});

describe("downloading", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await new TestServer().start();
  });
  afterEach(() => server.stop());

  /** MNIST or CIFAR-10 with small files that `server` has. */
  async function serve(name: "mnist" | "cifar10"): Promise<DatasetSource> {
    const base: DatasetSource = sources[name];
    const contents =
      name === "mnist" ? [...idxFiles().values()].map((bytes) => gzipSync(bytes)) : [await tarGz(cifarFiles())];
    const downloads = base.downloads.map((file, i) => {
      const bytes = contents[i] as Buffer;
      server.files.set(`/${file.name}`, { bytes });
      return { name: file.name, md5: createHash("md5").update(bytes).digest("hex") };
    });
    return { ...base, downloads, mirrors: [server.url] };
  }

  test("MNIST comes once, then from the cache", async () => {
    const source = await serve("mnist");
    const seen: DatasetProgress[] = [];
    const first = await loadSource(source, { cacheDir: folder, onProgress: (progress) => seen.push(progress) });
    expect(first.train.count).toBe(3);
    expect(first.place).toBe(join(folder, "mnist"));
    expect(new Set(seen.map(({ file, index, count }) => `${file} ${index}/${count}`))).toEqual(
      new Set(source.downloads.map(({ name }, i) => `${name} ${i + 1}/4`)),
    );
    await server.stop();
    expect((await loadSource(source, { cacheDir: folder })).test.count).toBe(2);
  });

  test("only missing files are asked for", async () => {
    const source = await serve("mnist");
    await loadSource(source, { cacheDir: folder });
    await rm(join(folder, "mnist", "t10k-labels-idx1-ubyte.gz"));
    server.requests.length = 0;
    await loadSource(source, { cacheDir: folder });
    expect(server.requests).toEqual(["/t10k-labels-idx1-ubyte.gz -"]);
  });

  test("CIFAR-10 is unpacked into the cache", async () => {
    const source = await serve("cifar10");
    const { train, warnings } = await loadSource(source, { cacheDir: folder });
    expect([train.count, warnings]).toEqual([10, []]);
    expect((await readdir(join(folder, "cifar10"))).sort()).toEqual([...cifarFiles().keys()].sort());
    await server.stop();
    expect((await loadSource(source, { cacheDir: folder })).train.count).toBe(10);
  });

  test("a cache that lost a batch is completed, not warned about", async () => {
    const source = await serve("cifar10");
    await loadSource(source, { cacheDir: folder });
    await rm(join(folder, "cifar10", "data_batch_3.bin"));
    const { train, warnings } = await loadSource(source, { cacheDir: folder });
    expect([train.count, warnings]).toEqual([10, []]);
  });

  test("the next mirror is asked when one fails", async () => {
    const source = await serve("mnist");
    const { train } = await loadSource(source, {
      cacheDir: folder,
      baseUrls: [`${server.url}/nothing/`, `${server.url}/`],
    });
    expect(train.count).toBe(3);
  });

  test("without a network, one error says what to do", async () => {
    const source = await serve("mnist");
    const { url } = server;
    await server.stop();
    const error = (await loadSource(source, { cacheDir: folder }).catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toContain(`${url}/train-images-idx3-ubyte.gz`);
    expect(error.message).toContain(join(folder, "mnist", "train-images-idx3-ubyte.gz"));
    expect(error.message).toContain("--data-dir");
    expect(error.message).toContain("ECONNREFUSED");
  });

  test("a mirror with other bytes is refused", async () => {
    const source = await serve("mnist");
    server.files.set("/train-labels-idx1-ubyte.gz", { bytes: gzipSync("something else") });
    await expect(loadSource(source, { cacheDir: folder })).rejects.toThrow("they were deleted");
    expect(await readdir(join(folder, "mnist"))).toEqual(["train-images-idx3-ubyte.gz"]);
  });

  test("aborting", async () => {
    const source = await serve("mnist");
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(loadSource(source, { cacheDir: folder, signal })).rejects.toThrow("stop");
    expect(server.requests).toEqual([]);
  });
});

describe("cacheFolder", () => {
  test("follows the environment", () => {
    expect(cacheFolder({ OCELLI_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "linux")).toBe("/a");
    expect(cacheFolder({ XDG_CACHE_HOME: "/b" }, "linux")).toBe(join("/b", "ocelli"));
    expect(cacheFolder({ LOCALAPPDATA: "/c" }, "win32")).toBe(join("/c", "ocelli"));
    expect(cacheFolder({ OCELLI_CACHE: "", LOCALAPPDATA: "/c" }, "linux")).toBe(join(homedir(), ".cache", "ocelli"));
  });
});
