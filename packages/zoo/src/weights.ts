import { nearMatches, OcelliError } from "@ocelli/core";
import { modelEntry } from "./create.js";
import type { WeightsEntry } from "./entry.js";

/** Weights that a model does not have, that could not be fetched, or are not the published file. `fields` has what came and what was needed. */
export class WeightsError extends OcelliError {}

/**
 * A model's trained weights, as data: by name, without one the first.
 * @throws ArgumentError for an unknown model; WeightsError that lists what there is
 */
export function weightsEntry(model: string, name?: string): WeightsEntry {
  const { weights = [] } = modelEntry(model);
  const found = name === undefined ? weights[0] : weights.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = weights.map((entry) => entry.name);
  if (name === undefined || names.length === 0)
    throw new WeightsError(`${model}: no weights are published for it`, { model });
  const near = nearMatches(name, names);
  const hint = near.length > 0 ? `; did you mean ${near.join(" or ")}?` : `; there are ${names.join(", ")}`;
  throw new WeightsError(`${model}: no weights are called ${JSON.stringify(name)}${hint}`, { model, name });
}

/** What is used of the browser's `Cache`. */
export type WeightsCache = Pick<Cache, "match" | "put" | "delete">;

export interface FetchWeightsOptions {
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** Default: the browser's cache storage under "ocelli-weights"; null keeps nothing. */
  readonly cache?: WeightsCache | null;
  /** Called with each piece that arrives; not for what the cache has. */
  readonly onProgress?: (progress: { readonly received: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

export interface FetchedWeights {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** All 64 digits of the file's. */
  readonly sha256: string;
  /** How many of them were known and compared: publishers print 64, or only the first 8. */
  readonly comparedDigits: number;
}

/**
 * A published file of weights, for browsers: from the cache, or from its address, and then kept. Its SHA-256 is checked either way; what
 * is damaged in the cache is fetched again.
 * @throws WeightsError (no network, HTTP status, too many bytes, wrong checksum); the reason of `signal` when that was aborted
 */
export async function fetchWeights(
  entry: Pick<WeightsEntry, "url" | "sha256" | "bytes">,
  { fetch: get = fetch, cache = undefined, onProgress, signal }: FetchWeightsOptions = {},
): Promise<FetchedWeights> {
  const { url } = entry;
  const kept = cache === undefined ? await browserCache() : cache;
  const held = await kept?.match(url).catch(() => undefined);
  if (held !== undefined) {
    const bytes = new Uint8Array(await held.arrayBuffer());
    const sha256 = await digest(bytes);
    if (sha256.startsWith(entry.sha256)) return { bytes, sha256, comparedDigits: entry.sha256.length };
    await kept?.delete(url);
  }
  const bytes = await body(entry, await request(url, get, signal), onProgress, signal);
  const sha256 = await digest(bytes);
  if (!sha256.startsWith(entry.sha256)) {
    const what = `the ${bytes.length} bytes received have sha256 ${sha256}; it needs to begin with ${entry.sha256}`;
    throw failure(url, what, { came: sha256, needed: entry.sha256, received: bytes.length });
  }
  // A full or forbidden cache is no reason to fail.
  await kept?.put(url, new Response(bytes)).catch(() => undefined);
  return { bytes, sha256, comparedDigits: entry.sha256.length };
}

/** Undefined where pages have none: in Node, and without https. */
async function browserCache(): Promise<WeightsCache | undefined> {
  return globalThis.caches?.open("ocelli-weights").catch(() => undefined);
}

async function request(url: string, get: typeof fetch, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await get(url, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw failure(url, reasonOf(error), { cause: error });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  const { status, statusText } = response;
  throw failure(url, `the server answers ${status} ${statusText}`.trimEnd(), { status });
}

/** A response's bytes, told of as they arrive; no more than the file is known to have. */
async function body(
  { url, bytes: most = Number.POSITIVE_INFINITY }: Pick<WeightsEntry, "url" | "bytes">,
  response: Response,
  onProgress: FetchWeightsOptions["onProgress"],
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  // Of a compressed body, the header has the compressed length.
  const header = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const total = header === null ? undefined : Number(header);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  try {
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
      pieces.push(next.value);
      received += next.value.length;
      if (received > most) {
        await reader?.cancel();
        throw failure(url, `the file has ${received} bytes or more; it needs to have ${most}`, { received });
      }
      onProgress?.({ received, total });
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof WeightsError) throw error;
    throw failure(url, `the connection ended after ${received} bytes (${reasonOf(error)})`, { received, cause: error });
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** `fetch` says only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  const { cause } = (error ?? {}) as { readonly cause?: unknown };
  const inner = cause instanceof Error && cause.message !== "" ? cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}

function failure(url: string, what: string, fields: Readonly<Record<string, unknown>>): WeightsError {
  const hint = "Without a network, fetch it some other way: its values load with loadStateDict.";
  return new WeightsError(`fetchWeights: ${what}\n  from ${url}\n  ${hint}`, { url, ...fields });
}
