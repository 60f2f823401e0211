import { conformanceTests } from "@ocelli/core/testing";
import { describe, it } from "vitest";
import { onnx } from "../src/index.js";
import { known } from "./known.js";

describe("every op on the processor, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(() => onnx({ provider: "cpu" }), known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run);
  }
});
