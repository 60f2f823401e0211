/** The one place that names devices. Each is loaded only when it is asked for. */
import type { Device } from "@ocelli/core";

export const deviceNames = ["auto", "onnx-cpu", "onnx-cuda", "onnx-webgpu", "webgpu", "reference"] as const;

export type DeviceName = (typeof deviceNames)[number];

export interface DeviceFlags {
  readonly device?: DeviceName;
  readonly threads?: number;
}

export interface OpenFlags extends DeviceFlags {
  /** `webgpu`: times every dispatch. */
  readonly profile?: boolean;
}

/**
 * Opens a device; the caller disposes it.
 * @param onNotice is told when `auto` could not take what it would prefer, and when a processor plays the graphics card
 * @throws DeviceError that says what is missing and how to add it
 */
export async function openDevice(
  { device = "auto", threads, profile = false }: OpenFlags,
  onNotice: (line: string) => void,
): Promise<Device> {
  if (device === "reference") {
    const { reference } = await import("@ocelli/core/reference");
    // Rounded to float32 at every step: a checkpoint holds float32, and a resumed run has to go on from the very same numbers.
    return reference({ precision: "float32" });
  }
  if (device === "webgpu") {
    const { webgpu } = await import("@ocelli/kernels-webgpu");
    return webgpu({ profile, onNotice: (line) => onNotice(shortened(line)) });
  }
  const { onnx } = await import("@ocelli/kernels-cuda-onnx");
  const provider = device === "auto" ? "auto" : (device.slice("onnx-".length) as "cpu" | "cuda" | "webgpu");
  return onnx({
    provider,
    onNotice: (line) => onNotice(shortened(line)),
    ...(threads === undefined ? {} : { threads }),
  });
}

/** The everyday case in few words; `ocelli doctor` has the whole of it. */
function shortened(line: string): string {
  if (!line.includes("providers_cuda")) return `note: ${line.replace(/^(onnx|webgpu): /, "")}`;
  return "note: running on the processor, because CUDA is not installed (`ocelli doctor` says how to add it)";
}

/** `onnx-cpu, 2 threads, AMD EPYC` */
export function describeDevice({ info }: Device): string {
  const threads = info.threads === undefined ? [] : [`${info.threads} thread${info.threads === 1 ? "" : "s"}`];
  return [info.name, ...threads, info.adapter].join(", ");
}
