import { conformanceTests } from "@ocelli/core/testing";
import { describe, it } from "vitest";
import { known } from "../test/known.js";
import { onWasm } from "./web.js";

describe("every op on WebAssembly, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(() => onWasm(), known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run);
  }
});
