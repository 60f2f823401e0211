/** Whether this browser has something to run WebGPU on. Skips aloud where it has not. */
import { describe } from "vitest";
import { type AdapterReport, describeAdapter } from "../src/index.js";

const found: AdapterReport | string = await describeAdapter().catch((error: Error) => error.message);
if (typeof found === "string") {
  const { env } = import.meta as unknown as { readonly env: Readonly<Record<string, string>> };
  if (env.OCELLI_REQUIRE_WEBGPU === "1") throw new Error(`OCELLI_REQUIRE asks for WebGPU, but ${found}`);
  console.log(`skipped: tests on WebGPU, because ${found}`);
}

export const describeOnAdapter = describe.skipIf(typeof found === "string");
