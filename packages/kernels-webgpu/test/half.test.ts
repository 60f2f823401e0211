/**
 * Shaders with half precision in memory. No software adapter has `shader-f16`; Dawn's null backend has it, and checks WGSL, pipelines and
 * WebGPU's default limits without running anything.
 */
import type { Traceable } from "@ocelli/core";
import { allSamples, graphOf } from "@ocelli/core/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create } from "webgpu";
import type { Plan } from "../src/compile/plan.js";
import { training } from "./networks.js";
import { planOf } from "./plans.js";

// Held: Dawn crashes when it is collected.
const gpu = create(["backend=null"]);

/** What the device has against a plan's shaders. */
async function complaints(device: GPUDevice, { prelude, steps }: Plan): Promise<string[]> {
  const found: string[] = [];
  const codes = new Map([...prelude, ...steps].map((step) => [step.code, step]));
  for (const { code, label, bindings } of codes.values()) {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const layout = device.createBindGroupLayout({
      entries: bindings.map(({ access }, binding) => ({
        binding,
        visibility: 4,
        buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
      })),
    });
    device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module },
    });
    const error = await device.popErrorScope();
    if (error !== null) found.push(`${label}: ${error.message}\n${code}`);
  }
  return found;
}

describe("shaders with f16 in memory, checked by Dawn", () => {
  let device: GPUDevice;
  beforeAll(async () => {
    const adapter = await gpu.requestAdapter();
    device = (await adapter?.requestDevice({ requiredFeatures: ["shader-f16", "subgroups"] })) as GPUDevice;
  });
  afterAll(() => device.destroy());

  const half = allSamples().filter(({ sample }) => sample.inputs.some(({ dtype }) => dtype === "float16"));
  it.each(half.map(({ op, sample }) => [`${op}: ${sample.name}`, sample] as const))("%s", async (_, sample) => {
    const program: Traceable = {
      inputs: Object.fromEntries(sample.inputs.map(({ dtype, shape }, i) => [`x${i}`, { dtype, shape }])),
      build: (given) => ({
        outputs: Object.fromEntries(graphOf(sample, given).outputs.map((tensor, i) => [`y${i}`, tensor])),
      }),
    };
    const plan = planOf(program, { f16: true });
    expect(plan.steps.some(({ code }) => code.includes("enable f16;"))).toBe(true);
    expect(await complaints(device, plan)).toEqual([]);
  });

  it.each([
    ["lenet5_modern", [8, 1, 28, 28]],
    ["resnet20_cifar", [8, 3, 32, 32]],
  ] as const)(
    "a training step of %s in mixed precision, within the default limits",
    async (name, images) => {
      const [mixed, full] = [true, false].map((on) => planOf(training(name, images), { f16: true, mixed: on })) as [
        Plan,
        Plan,
      ];
      expect(await complaints(device, mixed)).toEqual([]);
      const bytes = ({ steps }: Plan): number => steps.reduce((total, step) => total + step.bytes, 0);
      // Weights and partial sums stay as they are.
      expect(bytes(mixed)).toBeLessThan(0.8 * bytes(full));
    },
    60_000,
  );
});
