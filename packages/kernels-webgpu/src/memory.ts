import type { HostTensor, Spec } from "@ocelli/core";
import { formatSpec, sizeOf } from "@ocelli/core";
import { partsOf } from "./compile/split.js";
import { formatBytes } from "./errors.js";
import type { Gpu } from "./gpu.js";
import { decoded, encoded } from "./host.js";
import { bytesIn, type Storage, storageOf } from "./wgsl/storage.js";

/** GPUBufferUsage, which Node has no global for. */
export const usage = {
  mapRead: 1,
  copySource: 4,
  copyTarget: 8,
  storage: 128,
  query: 512,
} as const;

/** Values that a device hands out: entries of a state, and results that wait to be read. */
export type Memory = Resident | Result;

/** An entry of a state. */
export interface Resident {
  readonly kind: "resident";
  /** One, or one a part where the entry is too large to be bound at once. */
  readonly buffers: readonly GPUBuffer[];
  readonly storage: Storage;
}

/** A result in memory that the host can map. Several share one buffer. */
export interface Result {
  readonly kind: "result";
  readonly staging: Staging;
  readonly offset: number;
  readonly storage: Storage;
}

const rounded = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

/**
 * A buffer for results. The first read copies all of them to the host, after which the buffer serves others; without any, it does once
 * the last result is freed.
 */
export class Staging {
  readonly buffer: GPUBuffer;
  readonly #pool: StagingPool;
  #users: number;
  #bytes: Promise<ArrayBuffer> | undefined;

  constructor(buffer: GPUBuffer, users: number, pool: StagingPool) {
    this.buffer = buffer;
    this.#users = users;
    this.#pool = pool;
  }

  read(): Promise<ArrayBuffer> {
    this.#bytes ??= this.#pool.bytesOf(this.buffer).finally(() => this.#pool.giveBack(this.buffer));
    return this.#bytes;
  }

  free(): void {
    if (--this.#users === 0 && this.#bytes === undefined) this.#pool.giveBack(this.buffer);
  }
}

/** What serves a few steps in flight; more would be memory that nobody asked for. */
const poolCount = 8;
const poolBytes = 32 * 2 ** 20;

/** Buffers for results, used again: making one costs more than a small step. */
export class StagingPool {
  readonly #gpu: Gpu;
  /** Those given back first come first. */
  readonly #free: GPUBuffer[] = [];
  readonly #reads = new Set<Promise<unknown>>();
  #closed = false;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  async take(bytes: number, users: number): Promise<Staging> {
    const size = rounded(bytes);
    const at = this.#free.findIndex((buffer) => buffer.size === size);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    return new Staging(found ?? (await this.#make(size)), users, this);
  }

  async #make(size: number): Promise<GPUBuffer> {
    const flags = usage.mapRead | usage.copyTarget;
    const [buffer] = await allocated(this.#gpu, "reading results", [{ label: "results", bytes: size, flags }]);
    return buffer as GPUBuffer;
  }

  bytesOf(buffer: GPUBuffer): Promise<ArrayBuffer> {
    const read = this.#map(buffer).finally(() => this.#reads.delete(read));
    this.#reads.add(read);
    return read;
  }

  async #map(buffer: GPUBuffer): Promise<ArrayBuffer> {
    await this.#gpu.settled("reading a result failed", buffer.mapAsync(1));
    const bytes = buffer.getMappedRange().slice(0);
    buffer.unmap();
    return bytes;
  }

  giveBack(buffer: GPUBuffer): void {
    this.#free.push(buffer);
    const bytes = (): number => this.#free.reduce((total, { size }) => total + size, 0);
    while (this.#closed ? this.#free.length > 0 : this.#free.length > poolCount || bytes() > poolBytes) {
      this.#gpu.destroy(this.#free.shift() as GPUBuffer);
    }
  }

  /** Waits for the reads that have begun. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#reads);
    this.#closed = true;
    for (const buffer of this.#free.splice(0)) this.#gpu.destroy(buffer);
  }
}

interface Wanted {
  readonly label: string;
  readonly bytes: number;
  readonly flags: number;
}

/** Buffers: all of them, or none and an error. */
async function allocated(gpu: Gpu, what: string, wanted: readonly Wanted[]): Promise<GPUBuffer[]> {
  const buffers: GPUBuffer[] = [];
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  try {
    await gpu.guarded(`allocating ${formatBytes(total)} for ${what}`, () => {
      for (const { label, bytes, flags } of wanted) buffers.push(gpu.buffer(label, bytes, flags));
    });
  } catch (error) {
    for (const buffer of buffers) gpu.destroy(buffer);
    throw error;
  }
  return buffers;
}

/**
 * Puts a tensor into buffers of its own.
 * @param most bytes that can be bound at once; larger tensors are cut along their first axis
 */
export async function upload(gpu: Gpu, host: HostTensor, f16: boolean, most: number): Promise<Resident> {
  const storage = storageOf(host.dtype, { f16 });
  const label = `a state entry, ${formatSpec(host)}`;
  const bytes = encoded(host, storage);
  const flags = usage.storage | usage.copySource | usage.copyTarget;
  const ranges = byteRanges(host, bytes.length, most);
  const wanted = ranges.map(([from, to]) => ({ label, bytes: rounded(to - from), flags }));
  const buffers = await allocated(gpu, label, wanted);
  for (const [i, [from, to]] of ranges.entries()) write(gpu, buffers[i] as GPUBuffer, 0, bytes.subarray(from, to));
  return { kind: "resident", buffers, storage };
}

/** Where the parts of a tensor of `total` bytes begin and end. */
function byteRanges(spec: Spec, total: number, most: number): (readonly [number, number])[] {
  const parts = partsOf(spec, most);
  if (parts.length === 1) return [[0, total]];
  const row = total / (spec.shape[0] as number);
  return parts.map(([from, to]) => [from * row, to * row]);
}

export function write(gpu: Gpu, buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
  if (bytes.length > 0) gpu.device.queue.writeBuffer(buffer, offset, bytes as Uint8Array<ArrayBuffer>);
}

/** Brings a value to the host. */
export async function download(gpu: Gpu, pool: StagingPool, memory: Memory, spec: Spec): Promise<HostTensor> {
  gpu.check();
  if (memory.kind === "result") return decoded(await memory.staging.read(), memory.offset, spec, memory.storage);
  return decoded(await joined(gpu, pool, memory, spec), 0, spec, memory.storage);
}

/** The bytes of an entry, its parts one behind the other. */
async function joined(gpu: Gpu, pool: StagingPool, { buffers, storage }: Resident, spec: Spec): Promise<ArrayBuffer> {
  const total = bytesIn(storage, sizeOf(spec.shape));
  const rows = spec.shape[0] ?? 1;
  const all = new Uint8Array(Math.max(total, 16));
  let at = 0;
  for (const buffer of buffers) {
    const staging = await pool.take(buffer.size, 1);
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging.buffer, 0, buffer.size);
    gpu.submit(encoder);
    try {
      // Buffers end at multiples of 16 bytes, parts where a row does.
      const used = buffers.length === 1 ? buffer.size : Math.floor(buffer.size / (total / rows)) * (total / rows);
      const bytes = new Uint8Array(await staging.read(), 0, Math.min(used, total - at));
      all.set(bytes, at);
      at += bytes.length;
    } finally {
      staging.free();
    }
  }
  return all.buffer;
}

export function free(gpu: Gpu, memory: Memory): void {
  if (memory.kind === "result") memory.staging.free();
  else for (const buffer of memory.buffers) gpu.destroy(buffer);
}
