import { DeviceError } from "@ocelli/core";

/** The graphics card, its driver or the browser gave the device up. Everything on it is gone. */
export class DeviceLostError extends DeviceError {}

/** There is not enough graphics memory. */
export class OutOfMemoryError extends DeviceError {}

/** The driver refused a shader. The message shows the line. */
export class ShaderError extends DeviceError {}

/** `411 MiB`, `12 KiB` */
export function formatBytes(bytes: number): string {
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(bytes < 100 * 2 ** 20 ? 1 : 0)} MiB`;
  return bytes >= 2 ** 10 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${bytes} bytes`;
}

/** An error of the device as one of ours. `what` says what was being done. */
export function named(error: GPUError | Error, what: string): DeviceError {
  const message = firstLine(error.message);
  // Chrome's and Dawn's classes cannot be asked for by name in Node.
  const isMemory = error.constructor.name === "GPUOutOfMemoryError" || /out of memory/i.test(message);
  if (!isMemory) return new DeviceError(`webgpu: ${what}: ${message || "no reason given"}`);
  return new OutOfMemoryError(
    `webgpu: out of memory: ${what}${message === "" ? "" : `: ${message}`}\n  Use a smaller batch, or dispose of programs, states and devices that are done with.`,
  );
}

const firstLine = (text: string): string => text.trim().split("\n")[0]?.trim() ?? "";

export interface RefusedShader {
  /** Where it is from: `layer1.0.conv1/conv2d` */
  readonly label: string;
  readonly code: string;
  readonly info: GPUCompilationInfo | undefined;
  /** What the device says when the text itself is without fault. */
  readonly error: GPUError | Error;
}

export function shaderError({ label, code, info, error }: RefusedShader): ShaderError {
  const lines = code.split("\n");
  const shown = (info?.messages ?? [])
    .filter(({ type }) => type === "error")
    .slice(0, 3)
    .map(({ lineNum, message }) => `  line ${lineNum}: ${lines[lineNum - 1]?.trim() ?? ""}\n    ${message.trim()}`);
  const detail = shown.length > 0 ? shown.join("\n") : `  ${firstLine(error.message)}`;
  return new ShaderError(`webgpu: the shader of ${label} does not compile here\n${detail}`, { label, code });
}
