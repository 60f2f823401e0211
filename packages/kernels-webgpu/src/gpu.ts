import { DisposedError, OcelliError } from "@ocelli/core";
import { DeviceLostError, formatBytes, named, OutOfMemoryError, shaderError } from "./errors.js";

/** What was made and done so far. Buffers made less buffers destroyed are those alive. */
export interface Counts {
  buffersCreated: number;
  buffersDestroyed: number;
  bytes: number;
  submits: number;
  dispatches: number;
  pipelines: number;
}

/** How a buffer is bound. */
export type Access = "read" | "read_write";

/** A WebGPU device with what every part of ours needs of it: named errors, counts, pipelines made once. */
export class Gpu {
  readonly device: GPUDevice;
  readonly counts: Counts = {
    buffersCreated: 0,
    buffersDestroyed: 0,
    bytes: 0,
    submits: 0,
    dispatches: 0,
    pipelines: 0,
  };
  readonly #buffers = new Set<GPUBuffer>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** Ends the waits for a device that is gone. */
  readonly #waiting = new Set<(reason: Error) => void>();
  #failure: Error | undefined;
  #closed = false;

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then(({ reason, message }) => this.#lose(reason || "unknown", message.trim()));
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      event.preventDefault();
      // No call can be blamed for it, so none after it is to be trusted.
      this.#failure ??= named(error, "the device failed (make a new one, and resume from the last checkpoint)");
    });
  }

  #lose(reason: string, message: string): void {
    const failure = this.#closed
      ? new DisposedError("device webgpu: it was disposed")
      : new DeviceLostError(
          `webgpu: the device was lost (${reason}: ${message || "no further reason"}); make a new device and resume from the last checkpoint.`,
          { reason },
        );
    this.#failure = failure;
    for (const stop of this.#waiting) stop(failure);
  }

  /** Throws what went wrong since, if anything did. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for a promise of the device. One that is lost ends the wait, whether or not it settles what was pending. */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    let stop: (reason: Error) => void = () => undefined;
    // One for each wait: racing against the device's own promise would add to it for as long as it lives.
    const lost = new Promise<never>((_, reject) => {
      stop = reject;
    });
    this.#waiting.add(stop);
    try {
      const value = await Promise.race([promise, lost]);
      // Dawn resolves what a lost device never did.
      this.check();
      return value;
    } catch (error) {
      throw await this.failure(error, what);
    } finally {
      this.#waiting.delete(stop);
    }
  }

  /** The error to report for a promise of the device that broke: the loss of the device comes first. */
  async failure(error: unknown, what: string): Promise<Error> {
    if (error instanceof OcelliError) return error;
    // What was pending breaks before the loss itself is announced.
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
    return this.#failure ?? named(error as Error, what);
  }

  /** Calls `make` and waits for the device's verdict on it. @throws OutOfMemoryError, DeviceError that begin with `what` */
  async guarded<T>(what: string, make: () => T): Promise<T> {
    this.check();
    this.device.pushErrorScope("validation");
    this.device.pushErrorScope("out-of-memory");
    let errors: Promise<readonly (GPUError | null)[]>;
    let result: T;
    try {
      result = make();
    } finally {
      // Before anything is awaited: scopes are a stack, and others use it meanwhile.
      errors = Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]);
      errors.catch(() => undefined);
    }
    const found = (await this.settled(what, errors)).find((error) => error !== null);
    if (found !== undefined && found !== null) throw named(found, what);
    return result;
  }

  buffer(label: string, bytes: number, usage: number): GPUBuffer {
    this.check();
    const { maxBufferSize } = this.device.limits;
    if (bytes > maxBufferSize) {
      throw new OutOfMemoryError(
        `webgpu: ${label} needs a buffer of ${formatBytes(bytes)}; this adapter's largest is ${formatBytes(maxBufferSize)}`,
        { bytes, maxBufferSize },
      );
    }
    const buffer = this.device.createBuffer({ label, size: bytes, usage });
    this.#buffers.add(buffer);
    this.counts.buffersCreated++;
    this.counts.bytes += bytes;
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.counts.buffersDestroyed++;
    this.counts.bytes -= buffer.size;
    buffer.destroy();
  }

  submit(encoder: GPUCommandEncoder): void {
    this.counts.submits++;
    this.device.queue.submit([encoder.finish()]);
  }

  /** The layout of bind groups with these kinds of access. */
  layout(access: readonly Access[]): GPUBindGroupLayout {
    const key = access.join();
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      layout = this.device.createBindGroupLayout({
        label: key,
        entries: access.map((kind, binding) => ({
          binding,
          visibility: 4, // GPUShaderStage.COMPUTE, which Node has no global for.
          buffer: { type: kind === "read" ? "read-only-storage" : "storage" },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** Compiles a shader, or gives the pipeline made of the same text before. @throws ShaderError that shows the line */
  pipeline(label: string, code: string, access: readonly Access[]): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
    const made = this.#compile(label, code, access);
    this.#pipelines.set(code, made);
    made.catch(() => this.#pipelines.delete(code));
    return made;
  }

  async #compile(label: string, code: string, access: readonly Access[]): Promise<GPUComputePipeline> {
    this.check();
    this.counts.pipelines++;
    // Without a scope, a shader that is refused would count as a failure of the device.
    this.device.pushErrorScope("validation");
    const module = this.device.createShaderModule({ label, code });
    const layout = this.device.createPipelineLayout({ bindGroupLayouts: [this.layout(access)] });
    const refusal = this.device.popErrorScope().catch(() => null);
    const made = this.device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: "main" } });
    try {
      return await this.settled(label, made);
    } catch (error) {
      this.check();
      const info = await module.getCompilationInfo().catch(() => undefined);
      throw shaderError({ label, code, info, error: (await refusal) ?? (error as Error) });
    }
  }

  /** Destroys everything. */
  dispose(): void {
    this.#closed = true;
    for (const buffer of this.#buffers) this.destroy(buffer);
    this.#pipelines.clear();
    this.#layouts.clear();
    this.device.destroy();
  }
}
