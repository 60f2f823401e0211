/** Whether this machine has something to run WebGPU on. Skips aloud where it has not. */
import { describe, it } from "vitest";
import { describeAdapter } from "../src/index.js";

async function missing(): Promise<string | undefined> {
  try {
    await describeAdapter();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const reason = await missing();
if (reason !== undefined) {
  const required = (process.env.OCELLI_REQUIRE ?? "").split(",").map((name) => name.trim());
  if (required.includes("webgpu")) throw new Error(`OCELLI_REQUIRE asks for WebGPU, but ${reason}`);
  console.log(`skipped: tests on WebGPU, because ${reason}`);
}

/** `describe`, or `describe.skip` without an adapter. */
export const describeOnAdapter = describe.skipIf(reason !== undefined);
/** The same of `it`. */
export const itOnAdapter = it.skipIf(reason !== undefined);
