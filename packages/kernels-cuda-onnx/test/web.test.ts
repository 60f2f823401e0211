import { conformanceTests } from "@ocelli/core/testing";
import { describe, it } from "vitest";
import { onnx } from "../src/index.js";
import { known } from "./known.js";

/** The browser's fallback, here in Node: the same graphs on WebAssembly. */
async function onWebAssembly() {
  const runtime = await import("onnxruntime-web");
  return onnx({ runtime, provider: "cpu", threads: 1 });
}

describe("every op on onnxruntime-web, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(onWebAssembly, known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run);
  }
});
