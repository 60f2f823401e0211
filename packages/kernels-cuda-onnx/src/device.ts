import { ArgumentError, type Device, DeviceError, type Op } from "@ocelli/core";
import { createDevice } from "@ocelli/core/backend";
import type { Lowering } from "@ocelli/formats/onnx";
import { platform } from "#runtime";
import { onnxBackend } from "./backend.js";
import { blocked, blockedPacking } from "./lower/blocked/index.js";
import { channelBlock } from "./lower/blocked/probe.js";
import { plain } from "./lower/index.js";
import { writesInPlace } from "./placement.js";
import type { Provider, Runtime } from "./runtime.js";

export interface OnnxOptions {
  /** Where to run. `auto` (the default): CUDA when its library is there, else the processor. */
  readonly provider?: Provider | "auto";
  /** Threads of one program. Default: the physical cores. */
  readonly threads?: number;
  /** The module of onnxruntime to run on. Default: `onnxruntime-node` in Node, `onnxruntime-web` elsewhere. */
  readonly runtime?: unknown;
  /**
   * `auto` (the default): training steps on a processor keep images in blocks of channels, where the runtime has operators for that;
   * `plain`: never; `blocked`: in all programs.
   */
  readonly layout?: "auto" | "plain" | "blocked";
  /** Lowerings for ops of your own. */
  readonly kernels?: ReadonlyMap<Op, Lowering>;
  /** Bytes of compiled programs to keep. */
  readonly cacheBytes?: number;
  /** Is told, once, why `auto` chose the processor. Default: `console.info`. */
  readonly onNotice?: (line: string) => void;
}

/**
 * The device that runs graphs on ONNX Runtime, a whole training step as one ONNX graph.
 *
 * ```ts
 * await using device = await onnx();
 * ```
 * @throws DeviceError when the runtime or a provider's library is missing; ArgumentError for a count of threads out of range
 */
export async function onnx(options: OnnxOptions = {}): Promise<Device> {
  checkThreads(options.threads);
  const provider = chooseProvider(options);
  const runtime = (options.runtime as Runtime | undefined) ?? (await platform.load());
  const threads = options.threads ?? (options.runtime === undefined ? platform.threads : undefined);
  if (runtime.env.wasm !== undefined && options.threads !== undefined) runtime.env.wasm.numThreads = options.threads;
  const session = { provider, threads };
  const inPlace = await writesInPlace(runtime, { ...session, optimize: false });
  const { node, web } = runtime.env.versions;
  const versions = node === undefined ? { "onnxruntime-web": web ?? "unknown" } : { "onnxruntime-node": node };
  const info = {
    name: `onnx-${provider}`,
    adapter: platform.adapter,
    versions,
    ...(threads === undefined ? {} : { threads }),
  };
  const kernels = options.kernels ?? new Map();
  const block = provider === "cpu" && options.layout !== "plain" ? await channelBlock(runtime, session) : undefined;
  const packed = block === undefined ? undefined : { table: blocked(block), packing: blockedPacking(block) };
  const tables = { plain: { table: plain }, packed, packAlways: options.layout === "blocked" };
  const backend = onnxBackend({ info, runtime, session, inPlace, kernels, ...tables });
  return createDevice(backend, options.cacheBytes === undefined ? {} : { cacheBytes: options.cacheBytes });
}

/** More than any processor has: the runtime would spend minutes making threads, and gigabytes. */
const mostThreads = 256;

function checkThreads(threads: number | undefined): void {
  if (threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) return;
  throw new ArgumentError(`onnx: threads is ${threads}; it needs an integer from 1 to ${mostThreads}`, { threads });
}

let noticed = false;

function chooseProvider({ provider = "auto", runtime, onNotice = console.info }: OnnxOptions): Provider {
  if (!["auto", "cpu", "cuda", "webgpu"].includes(provider)) {
    throw new ArgumentError(`onnx: provider is "${provider}"; there are auto, cpu, cuda and webgpu`, { provider });
  }
  if (provider === "cpu" || provider === "webgpu") return provider;
  const library = platform.cuda();
  if (provider === "cuda") {
    if (library.found) return provider;
    const remedy = library.remedy === undefined ? "" : `\n  Add it: ${library.remedy}`;
    throw new DeviceError(`onnx: there is no CUDA here: ${library.reason}${remedy}`, { provider });
  }
  // A runtime of the caller's own is not looked into.
  if (runtime !== undefined) return "cpu";
  if (library.found) return "cuda";
  if (!noticed && library.remedy !== undefined) {
    noticed = true;
    onNotice(`onnx: running on the processor, because ${library.reason}. For a graphics card: ${library.remedy}`);
  }
  return "cpu";
}
