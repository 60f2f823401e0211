import type { Device } from "@ocelli/core";
import { type ConformanceCase, conformanceCases, conformanceTests, runCase } from "@ocelli/core/testing";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { describeOnAdapter } from "./adapter.js";
import { known } from "./known.js";
import { withDefaultLimits } from "./stand-ins.js";

const quiet = { onNotice: () => undefined };
vi.setConfig({ testTimeout: 60_000 });

describeOnAdapter("every op on Dawn, against the float64 reference", () => {
  for (const { name, skip, run } of conformanceTests(() => webgpu(quiet), known)) {
    it.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, run);
  }
});

/** The first two samples of each op, forward and backward. */
function few(): Map<string, ConformanceCase[]> {
  const byOp = new Map<string, ConformanceCase[]>();
  for (const which of conformanceCases()) {
    const cases = byOp.get(which.op) ?? [];
    if (known.skip?.(which) === undefined && cases.length < 4) byOp.set(which.op, [...cases, which]);
  }
  return byOp;
}

describeOnAdapter("every op within the limits that WebGPU promises everywhere", () => {
  let device: Device;
  beforeAll(async () => {
    device = await webgpu({ ...quiet, adapter: await withDefaultLimits() });
  });
  afterAll(() => device.dispose());

  it("has those limits and no features", () => {
    const { limits, features } = gpuOf(device).device;
    expect(limits).toMatchObject({
      maxStorageBuffersPerShaderStage: 8,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupStorageSize: 16384,
      maxStorageBufferBindingSize: 2 ** 27,
      maxBufferSize: 2 ** 28,
    });
    for (const name of ["subgroups", "shader-f16", "timestamp-query"]) expect(features.has(name)).toBe(false);
  });

  it.each([...few()])("%s", async (_, cases) => {
    for (const which of cases) {
      const { sample, error, tolerance, reason } = await runCase(device, which, known);
      expect({ sample, reason, right: error <= tolerance }).toEqual({ sample, reason: "", right: true });
    }
  });
});
