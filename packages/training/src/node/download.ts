import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ArgumentError, OcelliError } from "@ocelli/core";
import { replaceFile } from "./replace-file.js";

/** A download that failed. `fields` has url, file, and received and total bytes or the HTTP status where known. */
export class DownloadError extends OcelliError {}

export interface Checksum {
  readonly algorithm: "md5" | "sha256";
  /** Lower-case hexadecimal; its first digits, at least 8, where the publisher prints no more. */
  readonly hex: string;
}

export interface DownloadProgress {
  /** Bytes in the file so far, those of an earlier, interrupted download included. */
  readonly received: number;
  /** Bytes of the whole file; undefined when the server does not say. */
  readonly total: number | undefined;
  /** Bytes per second since this download began; 0 at first. */
  readonly rate: number;
}

export interface DownloadOptions {
  /** Of the whole file. Without one an interrupted download starts over: nothing could tell that its halves belong together. */
  readonly checksum?: Checksum;
  /** Called at the start, at most ten times a second, and at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Most bytes to take. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Milliseconds without a byte after which the connection counts as lost. Default 30,000. */
  readonly stallTimeout?: number;
  /** How often a connection lost midway is taken up again. Default 3. */
  readonly retries?: number;
  /** What else the user could do; ends the message of a failure. */
  readonly hint?: string;
}

type Settings = DownloadOptions & Required<Pick<DownloadOptions, "maxBytes" | "stallTimeout" | "retries">>;

/** One file on its way. */
interface Job {
  readonly url: string;
  readonly file: string;
  readonly part: string;
  readonly options: Settings;
}

/** How one request ended: the file is whole, more of it may be asked for, or the part on disk must go first. */
type Outcome = "complete" | "start over" | { readonly lost: unknown; readonly gained: number };

/**
 * Downloads `url` to `file` by way of `file.part`: checked, flushed, then renamed, so that `file` is never half a file. An
 * interrupted download leaves the part, and the next one goes on from there where the server can (HTTP ranges).
 * Two processes must not download the same file at the same time.
 * @throws DownloadError (no connection, HTTP status, connection lost, too large, wrong checksum: then the part is deleted);
 *   the reason of `signal` when that was aborted
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  if (options.checksum && !/^[0-9a-f]{8,}$/.test(options.checksum.hex)) {
    throw new ArgumentError(
      `download: checksum ${options.checksum.hex} is not lower-case hexadecimal of at least 8 digits`,
    );
  }
  const settings: Settings = { ...options, ...defaults(options) };
  const job: Job = { url, file, part: `${file}.part`, options: settings };
  settings.signal?.throwIfAborted();
  await mkdir(dirname(file), { recursive: true });
  if (!settings.checksum) await rm(job.part, { force: true });
  await transfer(job);
  await verify(job);
  await replaceFile(job.part, file);
}

function defaults({ maxBytes = 2 ** 32, stallTimeout = 30_000, retries = 3 }: DownloadOptions) {
  return { maxBytes, stallTimeout, retries };
}

/** Requests until the part is whole. */
async function transfer(job: Job): Promise<void> {
  const { retries, signal, checksum } = job.options;
  for (let attempt = 0; ; attempt++) {
    const outcome = await request(job);
    if (outcome === "complete") return;
    if (outcome === "start over") {
      await rm(job.part, { force: true });
      if (attempt > retries) throw failure(job, "the server keeps refusing the ranges it is asked for");
      continue;
    }
    signal?.throwIfAborted();
    // A connection that never gave a byte will hardly do better at once; one that did is taken up again.
    if (outcome.gained === 0 || attempt >= retries) throw lost(job, outcome.lost, await sizeOf(job.part));
    if (!checksum) await rm(job.part, { force: true });
    await sleep(200 * (attempt + 1), undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
}

/** One request for what is missing of the part. */
async function request(job: Job): Promise<Outcome> {
  const had = await sizeOf(job.part);
  const watch = new Watch(job.options);
  try {
    const response = await send(job, had, watch);
    if (response instanceof Response) return await receive(job, response, had, watch);
    return response;
  } finally {
    watch.stop();
  }
}

async function send({ url, options }: Job, had: number, watch: Watch): Promise<Response | Outcome> {
  // `identity`: the checksum is that of the bytes as they are stored.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (had > 0) headers.range = `bytes=${had}-`;
  try {
    return await fetch(url, { headers, signal: watch.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    return { lost: error, gained: 0 };
  }
}

async function receive(job: Job, response: Response, had: number, watch: Watch): Promise<Outcome> {
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  const rangeTotal = Number(range?.[2] ?? Number.NaN);
  if (response.status === 416) {
    await response.body?.cancel();
    // Nothing is missing: an earlier run stopped between the last byte and the check.
    return rangeTotal === had ? "complete" : "start over";
  }
  if (response.status === 206 && Number(range?.[1] ?? Number.NaN) !== had) {
    await response.body?.cancel();
    return "start over";
  }
  if (response.status !== 200 && response.status !== 206) {
    await response.body?.cancel();
    throw failure(job, `the server answers ${response.status} ${response.statusText}`.trimEnd(), {
      status: response.status,
    });
  }
  // 200 to a request for a range: the server knows none and sends everything.
  const start = response.status === 206 ? had : 0;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const encoded = response.headers.has("content-encoding");
  const known = response.status === 206 ? rangeTotal : encoded ? Number.NaN : length;
  const total = Number.isSafeInteger(known) ? known : undefined;
  if (total !== undefined && total > job.options.maxBytes) throw tooLarge(job, total);
  return save(job, response, { start, total, watch });
}

/** Writes a response's body at the end (or in place) of the part. */
async function save(
  job: Job,
  response: Response,
  { start, total, watch }: { readonly start: number; readonly total: number | undefined; readonly watch: Watch },
): Promise<Outcome> {
  const progress = reporter(job.options.onProgress, start, total);
  const handle = await open(job.part, start > 0 ? "a" : "w");
  let received = start;
  try {
    for await (const chunk of chunksOf(response)) {
      watch.alive();
      received += chunk.length;
      if (received > job.options.maxBytes) throw tooLarge(job, received);
      await writeAll(handle, chunk);
      progress(received, false);
    }
    if (total !== undefined && received !== total) throw new Error(`the connection ended after ${received} bytes`);
    await handle.sync();
  } catch (error) {
    if (error instanceof OcelliError || isFileError(error)) throw error;
    job.options.signal?.throwIfAborted();
    return { lost: error, gained: received - start };
  } finally {
    await handle.close();
  }
  progress(received, true);
  return "complete";
}

async function* chunksOf(response: Response): AsyncIterable<Uint8Array> {
  if (response.body) yield* response.body as unknown as AsyncIterable<Uint8Array>;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
}

/** A full disk or a missing permission is not the network's fault. `fetch` wraps the system errors of its sockets. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

/** Aborts a request when the caller does, or when no byte came for a while. */
class Watch {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly signal: AbortSignal;

  constructor({ stallTimeout, signal }: Settings) {
    const stalled = new Error(`no byte for ${stallTimeout / 1000} s`);
    this.#timer = setTimeout(() => this.#controller.abort(stalled), stallTimeout);
    this.signal = signal ? AbortSignal.any([signal, this.#controller.signal]) : this.#controller.signal;
  }

  alive(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function reporter(onProgress: DownloadOptions["onProgress"], start: number, total: number | undefined) {
  const began = performance.now();
  let last = began;
  onProgress?.({ received: start, total, rate: 0 });
  return (received: number, final: boolean): void => {
    const now = performance.now();
    if (!final && now - last < 100) return;
    last = now;
    const rate = now > began ? ((received - start) * 1000) / (now - began) : 0;
    onProgress?.({ received, total: final ? received : total, rate });
  };
}

async function verify(job: Job): Promise<void> {
  const { checksum, signal } = job.options;
  if (!checksum) return;
  const hex = await hashOf(job.part, checksum.algorithm, signal);
  if (hex.startsWith(checksum.hex)) return;
  const size = await sizeOf(job.part);
  await rm(job.part, { force: true });
  const what = `the ${size} bytes received have ${checksum.algorithm} ${hex}, not ${checksum.hex}; they were deleted`;
  throw failure(job, what, { received: size, came: hex, needed: checksum.hex });
}

/** A file's checksum, read piece by piece: lower-case hexadecimal, all digits. */
export async function hashOf(file: string, algorithm: Checksum["algorithm"], signal?: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file, signal ? { signal } : {})) hash.update(chunk);
  return hash.digest("hex");
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.size ?? 0;
}

function tooLarge(job: Job, bytes: number): DownloadError {
  return failure(job, `the file has ${bytes} bytes or more; at most ${job.options.maxBytes} are taken`, {
    received: bytes,
  });
}

function lost(job: Job, error: unknown, received: number): DownloadError {
  const kept =
    received > 0 && job.options.checksum ? ` (${received} bytes are kept; the next download goes on from there)` : "";
  return failure(job, `${reasonOf(error)}${kept}`, { received, cause: error });
}

function failure({ url, file, options }: Job, what: string, fields: Record<string, unknown> = {}): DownloadError {
  const hint = options.hint ? `\n  ${options.hint}` : "";
  return new DownloadError(`download failed: ${what}\n  from ${url}\n  to   ${file}${hint}`, { url, file, ...fields });
}

/** `fetch` says only "fetch failed"; its cause says why, and of several addresses tried, each has its own. */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0];
    else if (inner.cause instanceof Error) inner = inner.cause;
    else break;
  }
  if (!(inner instanceof Error)) return String(inner);
  const code = (inner as NodeJS.ErrnoException).code;
  return inner.message || code || inner.name;
}
