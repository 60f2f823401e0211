import { conformanceTests } from "@ocelli/core/testing";
import { it } from "vitest";
import { webgpu } from "../src/index.js";
import { known } from "../test/known.js";
import { describeOnAdapter } from "./here.js";

describeOnAdapter("every op in a browser, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(() => webgpu({ onNotice: () => undefined }), known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run, 30_000);
  }
});
