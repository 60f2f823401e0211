import type { Gpu } from "./gpu.js";
import { usage } from "./memory.js";

/** When a pass began, in milliseconds of the device's clock, and how long it took: 0 where the clock's two readings make no sense. */
export interface Span {
  readonly start: number;
  readonly ms: number;
}

/** Passes of one query set: WebGPU allows 4096 readings. */
const passesPerSet = 2048;

/** GPUBufferUsage.COPY_SRC with QUERY_RESOLVE, which Node has no global for. */
const resolveUsage = usage.query | usage.copySource;

/** The device's own clock around passes. Needs the feature `timestamp-query`. */
export class PassClock {
  readonly passes: number;
  readonly #gpu: Gpu;
  readonly #sets: readonly GPUQuerySet[];
  readonly #resolved: GPUBuffer;
  readonly #mapped: GPUBuffer;

  /** @param passes how many one submit has, at most */
  constructor(gpu: Gpu, passes: number) {
    this.passes = passes;
    this.#gpu = gpu;
    const bytes = Math.max(16, passes * 16);
    this.#resolved = gpu.buffer("timestamps", bytes, resolveUsage);
    this.#mapped = gpu.buffer("timestamps to read", bytes, usage.mapRead | usage.copyTarget);
    this.#sets = Array.from({ length: Math.ceil(passes / passesPerSet) }, (_, i) =>
      gpu.device.createQuerySet({ type: "timestamp", count: 2 * Math.min(passesPerSet, passes - i * passesPerSet) }),
    );
  }

  /** What pass number `pass` has to be begun with. */
  writes(pass: number): GPUComputePassTimestampWrites {
    const first = 2 * (pass % passesPerSet);
    return {
      querySet: this.#sets[Math.floor(pass / passesPerSet)] as GPUQuerySet,
      beginningOfPassWriteIndex: first,
      endOfPassWriteIndex: first + 1,
    };
  }

  /** Ends the commands whose passes are timed. @param passes how many there were */
  resolve(encoder: GPUCommandEncoder, passes: number): void {
    for (const [i, set] of this.#sets.entries()) {
      const count = 2 * Math.min(passesPerSet, passes - i * passesPerSet);
      if (count > 0) encoder.resolveQuerySet(set, 0, count, this.#resolved, i * passesPerSet * 16);
    }
    if (passes > 0) encoder.copyBufferToBuffer(this.#resolved, 0, this.#mapped, 0, passes * 16);
  }

  /** Waits for the submitted passes. */
  async read(passes: number): Promise<Span[]> {
    await this.#mapped.mapAsync(1, 0, Math.max(16, passes * 16));
    const nanoseconds = new BigUint64Array(this.#mapped.getMappedRange(0, Math.max(16, passes * 16)).slice(0));
    this.#mapped.unmap();
    return Array.from({ length: passes }, (_, i) => spanOf(nanoseconds[2 * i] ?? 0n, nanoseconds[2 * i + 1] ?? 0n));
  }

  dispose(): void {
    for (const set of this.#sets) set.destroy();
    this.#gpu.destroy(this.#resolved);
    this.#gpu.destroy(this.#mapped);
  }
}

/** Browsers round their readings, and some drivers leave one out: what is reversed or missing took no time that is known. */
export function spanOf(begin: bigint, end: bigint): Span {
  const isPlausible = begin > 0n && end > begin;
  return { start: Number(begin) / 1e6, ms: isPlausible ? Number(end - begin) / 1e6 : 0 };
}
