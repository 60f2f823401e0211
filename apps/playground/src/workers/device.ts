import { type Device, DeviceError } from "@ocelli/core";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { describeAdapter, webgpu } from "@ocelli/kernels-webgpu";

export type DeviceKind = "webgpu" | "wasm";

/** What computes, for the reader. */
export interface DeviceReport {
  readonly kind: DeviceKind;
  /** The graphics card, or what plays it; of WebAssembly, its threads. */
  readonly adapter: string;
  /** Whether a processor plays the graphics card. */
  readonly software: boolean;
  /** Why it is not WebGPU, where that was wanted. */
  readonly why?: string;
}

export interface OpenedDevice {
  readonly device: Device;
  readonly report: DeviceReport;
}

/**
 * WebGPU where there is a graphics card, else WebAssembly; or the one that is asked for. Where a processor plays the graphics card
 * (SwiftShader), WebAssembly on the same processor trains five to seven times as many images a second (LeNet-5, ResNet-8) and compiles in a
 * tenth of a second instead of many.
 * @throws DeviceError when what is asked for cannot be had
 */
export async function openDevice(wanted: DeviceKind | "auto" = "auto"): Promise<OpenedDevice> {
  if (wanted === "wasm") return openWasm();
  try {
    const { name, software } = await describeAdapter();
    if (software && wanted === "auto")
      return await openWasm(`${name} is a processor that plays a graphics card; WebAssembly is faster there.`);
    const device = await webgpu({ onNotice: () => undefined });
    return { device, report: { kind: "webgpu", adapter: name, software } };
  } catch (error) {
    if (wanted === "webgpu" || !(error instanceof DeviceError)) throw error;
    return openWasm(error.message);
  }
}

async function openWasm(why?: string): Promise<OpenedDevice> {
  const runtime = await import("onnxruntime-web/wasm");
  const { default: wasm } = await import("onnxruntime-web/ort-wasm-simd-threaded.wasm?url");
  runtime.env.wasm.wasmPaths = { wasm };
  // Threads need a page that is isolated from others, which its host's headers say.
  const threads = globalThis.crossOriginIsolated
    ? Math.min(8, Math.max(1, Math.ceil(navigator.hardwareConcurrency / 2)))
    : 1;
  const device = await onnx({ runtime, threads });
  const adapter = `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  return { device, report: { kind: "wasm", adapter, software: true, ...(why !== undefined && { why }) } };
}

/** A worker's device: opened when it is first wanted, and anew after it was lost. */
export class DeviceSlot {
  #wanted: DeviceKind | "auto" = "auto";
  #opened: Promise<OpenedDevice> | undefined;

  /** @param wanted left out: as before @throws DeviceError when that cannot be had */
  async open(wanted: DeviceKind | "auto" = this.#wanted): Promise<OpenedDevice> {
    if (wanted !== this.#wanted) await this.close();
    this.#wanted = wanted;
    const opening = this.#opened ?? openDevice(wanted);
    this.#opened = opening;
    try {
      return await opening;
    } catch (error) {
      // What failed once may work at another time.
      if (this.#opened === opening) this.#opened = undefined;
      throw error;
    }
  }

  /** Lets the device go: the next one to ask gets a new one. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    // One that is lost has nothing to give back, and says so.
    await opened?.then(({ device }) => device.dispose()).catch(() => undefined);
  }
}
