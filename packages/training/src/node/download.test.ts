import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@ocelli/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DownloadError, type DownloadOptions, type DownloadProgress, download } from "./download.js";
import { TestServer } from "./test-server.mjs";

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 11);
const md5 = { algorithm: "md5", hex: createHash("md5").update(bytes).digest("hex") } as const;

let server: TestServer;
let folder: string;
let file: string;

beforeEach(async () => {
  server = await new TestServer().start();
  folder = await mkdtemp(join(tmpdir(), "ocelli-download-"));
  file = join(folder, "deep", "file.bin");
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const get = (options: DownloadOptions = {}) => download(`${server.url}/f`, file, { checksum: md5, ...options });

async function failure(promise: Promise<unknown>): Promise<DownloadError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DownloadError);
  return error as DownloadError;
}

async function expectWhole(): Promise<void> {
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
  expect(await readdir(join(folder, "deep"))).toEqual(["file.bin"]);
}

/** Leaves the first bytes of a file as an earlier, interrupted download would. */
async function leavePart(part: Uint8Array): Promise<void> {
  await download(`${server.url}/seed`, `${file}.seed`, {}).catch(() => {});
  await writeFile(`${file}.part`, part);
}

describe("download", () => {
  test("a whole file, with progress", async () => {
    server.files.set("/f", { bytes });
    const seen: DownloadProgress[] = [];
    await get({ onProgress: (progress) => seen.push(progress) });
    await expectWhole();
    expect(seen[0]).toEqual({ received: 0, total: bytes.length, rate: 0 });
    expect(seen.at(-1)).toMatchObject({ received: bytes.length, total: bytes.length });
    expect(seen.at(-1)?.rate).toBeGreaterThan(0);
  });

  test("sha256, and no checksum", async () => {
    server.files.set("/f", { bytes });
    await get({ checksum: { algorithm: "sha256", hex: createHash("sha256").update(bytes).digest("hex") } });
    await expectWhole();
    await download(`${server.url}/f`, file);
    await expectWhole();
    await expect(get({ checksum: { algorithm: "md5", hex: "F00" } })).rejects.toThrow(ArgumentError);
  });

  test("without a length", async () => {
    server.files.set("/f", { bytes, noLength: true });
    const seen: DownloadProgress[] = [];
    await get({ onProgress: (progress) => seen.push(progress) });
    await expectWhole();
    expect(seen[0]?.total).toBeUndefined();
    expect(seen.at(-1)?.total).toBe(bytes.length);
  });

  test("an empty file", async () => {
    server.files.set("/f", { bytes: new Uint8Array(0) });
    await get({ checksum: { algorithm: "md5", hex: createHash("md5").digest("hex") } });
    expect((await readFile(file)).length).toBe(0);
  });

  test("replaces an existing file only when the new one is whole", async () => {
    server.files.set("/f", { bytes: bytes.subarray(1) });
    await leavePart(new Uint8Array(0));
    await writeFile(file, "old");
    await failure(get());
    expect(await readFile(file, "utf8")).toBe("old");
    server.files.set("/f", { bytes });
    await get();
    await expectWhole();
  });
});

describe("resuming", () => {
  test("asks only for what is missing", async () => {
    server.files.set("/f", { bytes });
    await leavePart(bytes.subarray(0, 100_000));
    const seen: DownloadProgress[] = [];
    await get({ onProgress: (progress) => seen.push(progress) });
    await expectWhole();
    expect(server.requests.at(-1)).toBe("/f bytes=100000-");
    expect(seen[0]).toEqual({ received: 100_000, total: bytes.length, rate: 0 });
  });

  test("starts over where the server knows no ranges", async () => {
    server.files.set("/f", { bytes, noRange: true });
    await leavePart(bytes.subarray(0, 100_000));
    await get();
    await expectWhole();
  });

  test("a part that was whole is only checked", async () => {
    server.files.set("/f", { bytes });
    await leavePart(bytes);
    await get();
    await expectWhole();
    expect(server.requests.filter((request) => request.startsWith("/f"))).toEqual([`/f bytes=${bytes.length}-`]);
  });

  test("a part that is too long is thrown away", async () => {
    server.files.set("/f", { bytes });
    await leavePart(new Uint8Array(bytes.length + 1));
    await get();
    await expectWhole();
    expect(server.requests.at(-1)).toBe("/f -");
  });

  test("without a checksum a part is not trusted", async () => {
    server.files.set("/f", { bytes });
    await leavePart(new Uint8Array(1000));
    await download(`${server.url}/f`, file);
    await expectWhole();
  });

  test("a connection lost midway is taken up again by itself", async () => {
    server.files.set("/f", { bytes, cutAfter: [100_000, 50_000] });
    await get();
    await expectWhole();
    expect(server.requests.length).toBe(3);
    expect(server.requests[2]).not.toBe("/f -");
  });

  test("a connection lost too often is an error that keeps the part", async () => {
    server.files.set("/f", { bytes, cutAfter: [100_000] });
    const error = await failure(get({ retries: 0 }));
    expect(error.message).toMatch(/\(\d+ bytes are kept; the next download goes on from there\)/);
    expect(existsSync(file)).toBe(false);
    const received = error.fields.received as number;
    expect(received).toBeGreaterThan(0);
    await get();
    await expectWhole();
    expect(server.requests.at(-1)).toBe(`/f bytes=${received}-`);
  });
});

describe("failures", () => {
  test("a wrong checksum deletes what came and says so", async () => {
    server.files.set("/f", { bytes: bytes.map((byte) => byte ^ 1) });
    const error = await failure(get());
    expect(error.message).toContain(`the 300000 bytes received have md5`);
    expect(error.message).toContain(`not ${md5.hex}; they were deleted`);
    expect(await readdir(join(folder, "deep"))).toEqual([]);
  });

  test("a status that is no success", async () => {
    const error = await failure(get({ hint: "Take the train." }));
    expect(error.message).toBe(
      `download failed: the server answers 404 Not Found\n  from ${server.url}/f\n  to   ${file}\n  Take the train.`,
    );
    expect(error.fields).toMatchObject({ status: 404, url: `${server.url}/f`, file });
    server.files.set("/f", { bytes, status: 503 });
    expect((await failure(get())).message).toContain("503 Service Unavailable");
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  test("no connection", async () => {
    const url = server.url;
    await server.stop();
    const error = await failure(download(`${url}/f`, file, { hint: "Use --data-dir." }));
    expect(error.message).toContain("ECONNREFUSED");
    expect(error.message).toContain(`${url}/f`);
    expect(error.message).toContain(file);
    expect(error.message).toContain("Use --data-dir.");
    server = await new TestServer().start();
  });

  test("a file that is too large, announced or not", async () => {
    server.files.set("/f", { bytes });
    expect((await failure(get({ maxBytes: 1000 }))).message).toContain("300000 bytes or more; at most 1000 are taken");
    server.files.set("/f", { bytes, noLength: true });
    await failure(get({ maxBytes: 1000 }));
  });

  test("a server that falls silent", async () => {
    server.files.set("/f", { bytes, stallAfter: 1000 });
    expect((await failure(get({ stallTimeout: 100, retries: 0 }))).message).toContain("no byte for 0.1 s");
    server.files.set("/f", { bytes, stallAfter: 0 });
    await rm(`${file}.part`);
    expect((await failure(get({ stallTimeout: 100 }))).message).toContain("no byte for 0.1 s");
  });

  test("aborting, before and midway, keeps the part", async () => {
    server.files.set("/f", { bytes, stallAfter: 150_000 });
    await expect(get({ signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    const controller = new AbortController();
    const done = get({ signal: controller.signal });
    const stopped = expect(done).rejects.toThrow("enough");
    await vi.waitFor(async () => expect((await stat(`${file}.part`)).size).toBe(150_000), 5000);
    controller.abort(new Error("enough"));
    await stopped;
    expect(existsSync(file)).toBe(false);
    expect((await readFile(`${file}.part`)).length).toBe(150_000);
    server.files.set("/f", { bytes });
    await get();
    await expectWhole();
  });

  test("a folder that cannot be written is not the network's fault", async () => {
    server.files.set("/f", { bytes });
    await writeFile(join(folder, "deep"), "a file");
    const error = await get().catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(DownloadError);
    expect((error as NodeJS.ErrnoException).code).toMatch(/EEXIST|ENOTDIR/);
  });
});
