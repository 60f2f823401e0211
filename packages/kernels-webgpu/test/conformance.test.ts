import { conformanceTests } from "@ocelli/core/testing";
import { it } from "vitest";
import { webgpu } from "../src/index.js";
import { describeOnAdapter } from "./adapter.js";
import { known } from "./known.js";

const quiet = { onNotice: () => undefined };

describeOnAdapter("every op on Dawn, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(() => webgpu(quiet), known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run);
  }
});
