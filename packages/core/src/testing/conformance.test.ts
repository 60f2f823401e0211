import { describe, expect, it } from "vitest";
import type { Device } from "../device.js";
import { hostTensor } from "../host.js";
import { reference } from "../reference/index.js";
import { compareTensors, conformance, conformanceCases, conformanceTests, runCase } from "./index.js";

describe("the reference in float32 conforms to itself in float64", () => {
  for (const { name, run } of conformanceTests(() => reference({ precision: "float32" }))) it(name, run);
});

describe("conformance", () => {
  it("reports every case, skips aloud, and disposes of the device", async () => {
    const device = await reference();
    const results = await conformance(async () => device, {
      skip: ({ op, sample }) => (op !== "add" ? "not now" : sample.tags.includes("dtype16") ? "no float16" : undefined),
    });
    expect(results.length).toBe(conformanceCases().length);
    const reasons = results.filter(({ status }) => status === "skipped").map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["not now", "no float16"]));
    expect(results.filter(({ status }) => status === "passed").length).toBeGreaterThan(10);
    await expect(device.run([])).rejects.toThrow("disposed");
    const tests = conformanceTests(async () => device, { skip: () => "no device" });
    expect(tests[0]!.skip).toBe("no device");
    await expect(Promise.all(tests.map(({ run }) => run()))).resolves.toHaveLength(tests.length);
  });

  it("finds a device that computes wrongly or throws", async () => {
    const honest = await reference();
    const which = conformanceCases()[0]!;
    const wrong = {
      compile: async () => {
        throw new Error("no compiler");
      },
    } as unknown as Device;
    expect(await runCase(wrong, which)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("no compiler"),
    });
    const lying = {
      compile: (...args: Parameters<Device["compile"]>) =>
        honest.compile({ ...args[0], build: (x) => ({ outputs: { x0: x.x0! } }) }),
    } as unknown as Device;
    const result = await runCase(
      lying,
      conformanceCases().find(({ op, sample }) => op === "neg" && sample.name === "float32[2,3,5]")!,
    );
    expect(result).toMatchObject({
      status: "failed",
      sample: "neg: float32[2,3,5]",
      reason: expect.stringMatching(/element \d+ of float32\[2, 3, 5\] is/),
    });
    const failing = conformanceTests(async () => lying).find(({ name }) => name === "neg: float32[2,3,5]")!;
    await expect(failing.run()).rejects.toThrow("neg: float32[2,3,5]: error");
  });
});

describe("compareTensors", () => {
  const spec = { shape: [2], dtype: "float32" } as const;
  const error = (got: number[], wanted: number[], scale = 0) =>
    compareTensors(hostTensor(got), wanted, spec, scale).error;

  it("is relative to the largest magnitude, and to the scale when that is larger", () => {
    expect(error([100, 0.5], [100, 1])).toBeCloseTo(0.005, 12);
    expect(error([0, 1e-9], [0, 0], 1e-3)).toBeCloseTo(1e-6, 12);
    expect(error([0, 1e-9], [0, 0])).toBeGreaterThan(1);
  });

  it("lets NaN and infinity equal themselves alone, and what float32 cannot hold be infinite", () => {
    expect(error([Number.NaN, Number.POSITIVE_INFINITY], [Number.NaN, 1e39])).toBe(0);
    expect(error([Number.NaN, 1], [1, 1])).toBe(Number.POSITIVE_INFINITY);
    expect(error([Number.NEGATIVE_INFINITY, 1], [1e39, 1])).toBe(Number.POSITIVE_INFINITY);
  });

  it("wants integers, dtype and shape exactly", () => {
    const ints = { shape: [2], dtype: "int32" } as const;
    expect(compareTensors(hostTensor([1, 2], [2], "int32"), [1, 3], ints).error).toBe(Number.POSITIVE_INFINITY);
    expect(compareTensors(hostTensor([1, 2], [2], "int32"), [1, 2], spec).reason).toBe(
      "the result is int32[2]; the reference has float32[2]",
    );
    expect(compareTensors(hostTensor([1, 2], [1, 2]), [1, 2], spec).error).toBe(Number.POSITIVE_INFINITY);
  });
});
