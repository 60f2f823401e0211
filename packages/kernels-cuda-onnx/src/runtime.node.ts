import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { DeviceError } from "@ocelli/core";
import type { CudaLibrary, Platform, Runtime } from "./runtime.js";

const packageName = "onnxruntime-node";

async function load(): Promise<Runtime> {
  try {
    const module = (await import("onnxruntime-node")) as unknown as Runtime & { readonly default?: Runtime };
    return module.default ?? module;
  } catch (error) {
    throw new DeviceError(
      `onnx: cannot load ${packageName} (${(error as Error).message}). Add it: npm install ${packageName}`,
    );
  }
}

/** Two threads on one core share its vector units: they slow each other down. */
function physicalCores(): number {
  const usable = availableParallelism();
  try {
    const cores = new Set<string>();
    for (const block of readFileSync("/proc/cpuinfo", "utf8").split("\n\n")) {
      const [socket, core] = ["physical id", "core id"].map(
        (key) => new RegExp(`^${key}\\s*: (\\d+)`, "m").exec(block)?.[1],
      );
      if (socket !== undefined && core !== undefined) cores.add(`${socket}.${core}`);
    }
    return cores.size === 0 ? usable : Math.min(usable, cores.size);
  } catch {
    // No Linux. Intel and AMD cores mostly run two threads each.
    return process.arch === "x64" ? Math.max(1, Math.ceil(usable / 2)) : usable;
  }
}

const libraries: Readonly<Record<string, string>> = {
  "linux-x64": "libonnxruntime_providers_cuda.so",
  "linux-arm64": "libonnxruntime_providers_cuda.so",
  "win32-x64": "onnxruntime_providers_cuda.dll",
};

/** Looks for the file: asking the runtime instead would print its own errors where it is missing. */
function cuda(): CudaLibrary {
  const system = `${process.platform}-${process.arch}`;
  const file = libraries[system];
  if (file === undefined) return { found: false, reason: `${packageName} has no CUDA for ${system}` };
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch {
    return { found: false, reason: `${packageName} is not installed`, remedy: `npm install ${packageName}` };
  }
  const path = join(root, "bin", "napi-v6", process.platform, process.arch, file);
  if (existsSync(path)) return { found: true, path };
  const remedy = `node ${join(root, "script", "install.js")} --onnxruntime-node-install=cuda12`;
  return { found: false, reason: `${path} is missing`, remedy };
}

export const platform: Platform = {
  packageName,
  load,
  adapter: cpus()[0]?.model.trim() ?? process.arch,
  threads: physicalCores(),
  cuda,
};
