import { createRequire } from "node:module";
import { DeviceError } from "@ocelli/core";
import type { Platform } from "./platform.js";
import { fileChoices } from "./tune-store.node.js";

// Dawn crashes or hangs once this object is collected, so it is held for the life of the process.
let dawn: GPU | undefined;

async function load(): Promise<GPU> {
  // Deno and Electron's pages have WebGPU of their own.
  dawn ??= (globalThis.navigator as Navigator | undefined)?.gpu;
  if (dawn !== undefined) return dawn;
  try {
    const { create } = await import("webgpu");
    dawn = create([]);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new DeviceError(
      `webgpu: WebGPU in Node comes from the npm package \`webgpu\`, which cannot be loaded (${reason})\n  Add it: npm install webgpu`,
    );
  }
  return dawn;
}

const remedies: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux:
    "Install the card's Vulkan driver and the Vulkan loader (Debian, Ubuntu: apt install libvulkan1 mesa-vulkan-drivers; NVIDIA: its own driver).\n  Without a card, Chromium's software one serves: apt install libvulkan1 chromium, and set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json",
  win32: "Install the card's current driver (Direct3D 12).",
  darwin: "WebGPU needs a Mac with Metal, and a session that has access to its card.",
};

function version(): string {
  try {
    return (createRequire(import.meta.url)("webgpu/package.json") as { version: string }).version;
  } catch {
    return "unknown";
  }
}

export const platform: Platform = {
  gpu: load,
  noAdapter: () => remedies[process.platform] ?? "Install the card's current driver.",
  choices: () => fileChoices(),
  versions: () => ({ webgpu: version() }),
};
