import type { Device } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { webgpu } from "@ocelli/kernels-webgpu";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeOnAdapter } from "../../kernels-webgpu/test-browser/here.js";
import { differences, randomTransforms } from "../test/augment.js";

const size = [32, 32] as const;

describeOnAdapter("the reference's pixels, by WebGPU in a browser", () => {
  let devices: [Device, Device];
  beforeAll(async () => {
    devices = [await reference(), await webgpu({ onNotice: () => undefined })];
  });
  afterAll(() => Promise.all(devices.map((device) => device.dispose())));

  it.each(randomTransforms(size).map((transform) => [transform.name, transform] as const))(
    "%s",
    async (_, transform) => {
      const { pixels, labels } = await differences(devices, transform, size);
      expect(pixels).toBeLessThanOrEqual(1);
      expect(labels).toBeLessThan(1e-5);
    },
    30_000,
  );
});
