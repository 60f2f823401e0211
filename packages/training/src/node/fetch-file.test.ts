import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@ocelli/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DownloadError, type DownloadProgress } from "./download.js";
import { fetchFile, type RemoteFile } from "./fetch-file.js";
import { TestServer } from "./test-server.mjs";

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 0x85ebca6b) >>> 13);
const sha256 = createHash("sha256").update(bytes).digest("hex");

let server: TestServer;
let cacheDir: string;

beforeEach(async () => {
  server = await new TestServer().start();
  cacheDir = await mkdtemp(join(tmpdir(), "ocelli-weights-"));
});

afterEach(async () => {
  await server.stop();
  await rm(cacheDir, { recursive: true, force: true });
});

const remote = (more: Partial<RemoteFile> = {}): RemoteFile => ({
  url: `${server.url}/models/net-${sha256.slice(0, 8)}.pth`,
  sha256,
  ...more,
});
const path = (): string => join(cacheDir, "weights", `net-${sha256.slice(0, 8)}.pth`);
const serve = (more: object = {}): void => {
  server.files.set(new URL(remote().url).pathname, { bytes, ...more });
};

async function failure(promise: Promise<unknown>): Promise<DownloadError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DownloadError);
  return error as DownloadError;
}

describe("fetchFile", () => {
  test("comes once, then from the cache, without a network", async () => {
    serve();
    const seen: DownloadProgress[] = [];
    const first = await fetchFile(remote(), { cacheDir, onProgress: (progress) => seen.push(progress) });
    expect(first).toEqual({ path: path(), sha256, comparedDigits: 64, downloaded: true });
    expect(Buffer.compare(await readFile(path()), bytes)).toBe(0);
    expect(seen.at(-1)?.received).toBe(bytes.length);
    const file = remote();
    await server.stop();
    expect(await fetchFile(file, { cacheDir })).toEqual({ ...first, downloaded: false });
  });

  test("compares as many digits as the publisher prints", async () => {
    serve();
    const file = remote({ sha256: sha256.slice(0, 8), bytes: bytes.length });
    expect(await fetchFile(file, { cacheDir })).toMatchObject({ sha256, comparedDigits: 8 });
    await expect(fetchFile({ ...file, sha256: "" }, { cacheDir: join(cacheDir, "b") })).rejects.toThrow(ArgumentError);
  });

  test("refuses another file, and keeps none of it", async () => {
    serve({ bytes: bytes.map((byte) => byte ^ 1) });
    const error = await failure(fetchFile(remote({ sha256: sha256.slice(0, 8) }), { cacheDir }));
    expect(error.message).toContain(`not ${sha256.slice(0, 8)}; they were deleted`);
    expect(await readdir(join(cacheDir, "weights"))).toEqual([]);
  });

  test("a file that ends early, and one that is larger than it should be", async () => {
    serve({ bytes: bytes.subarray(0, 1000) });
    expect((await failure(fetchFile(remote(), { cacheDir }))).message).toContain("the 1000 bytes received have sha256");
    serve();
    expect((await failure(fetchFile(remote({ bytes: 1000 }), { cacheDir }))).message).toContain("at most 1000");
  });

  test("goes on where an earlier download was interrupted", async () => {
    serve();
    await mkdir(join(cacheDir, "weights"));
    await writeFile(`${path()}.part`, bytes.subarray(0, 120_000));
    await fetchFile(remote(), { cacheDir });
    expect(server.requests).toEqual([`${new URL(remote().url).pathname} bytes=120000-`]);
    expect(Buffer.compare(await readFile(path()), bytes)).toBe(0);
  });

  test("a file that was put there by hand is taken when it is right, and replaced when not", async () => {
    serve();
    await mkdir(join(cacheDir, "weights"));
    await writeFile(path(), bytes);
    expect((await fetchFile(remote(), { cacheDir })).downloaded).toBe(false);
    await writeFile(path(), bytes.subarray(1));
    expect((await fetchFile(remote(), { cacheDir })).downloaded).toBe(true);
    expect(Buffer.compare(await readFile(path()), bytes)).toBe(0);
  });

  test("without a network, says what to fetch and where to put it", async () => {
    const file = remote();
    await server.stop();
    const { message } = await failure(fetchFile(file, { cacheDir }));
    expect(message).toMatch(/^download failed: .*ECONNREFUSED/);
    expect(message).toContain(`to   ${path()}`);
    expect(message).toContain(`Without a network, get ${file.url} some other way and put it there.`);
    await writeFile(path(), "something else");
    expect((await failure(fetchFile(file, { cacheDir }))).message).toContain("The file that is there has sha256 ");
    expect(await readFile(path(), "utf8")).toBe("something else");
    await expect(fetchFile({ url: "http://127.0.0.1/", sha256 }, { cacheDir })).rejects.toThrow("names no file");
  });
});
