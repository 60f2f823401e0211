import type { Device } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { webgpu } from "@ocelli/kernels-webgpu";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOnAdapter } from "../../../kernels-webgpu/test/adapter.js";
import { differences, randomTransforms } from "../../test/augment.js";

const quiet = { onNotice: () => undefined };

/** The same seed gives the same integers, and the same pixels within a level of 255. */
function agrees(open: () => Promise<Device>, sizes: readonly (readonly [number, number])[]): void {
  let devices: [Device, Device];
  beforeAll(async () => {
    devices = [await reference(), await open()];
  });
  afterAll(() => Promise.all(devices.map((device) => device.dispose())));

  for (const size of sizes)
    for (const transform of randomTransforms(size))
      it(`${transform.name} at ${size.join("x")}`, async () => {
        const { pixels, labels } = await differences(devices, transform, size);
        expect(pixels).toBeLessThanOrEqual(1);
        expect(labels).toBeLessThan(1e-5);
      });
}

const square = [32, 32] as const;
const oblong = [20, 27] as const;

describe("the pixels of the reference, by ONNX Runtime", () => agrees(() => onnx(quiet), [square, oblong]));
// Square ones in Chromium: test-browser/augment.test.ts.
describeOnAdapter("the pixels of the reference, by WebGPU", () => agrees(() => webgpu(quiet), [oblong]));
