import { describe, expect, it } from "vitest";
import { lines, single, succeed } from "./harness.js";

describe("list", () => {
  it("shows name, input, parameters, summary and paper", async () => {
    const out = await succeed(["list"]);
    expect(out).toMatch(/^lenet5_modern +1x28x28 +61,706 parameters\n {2}LeNet-5 as it is built today.*\n {2}LeCun/m);
  });

  it("prints an object a model with --json", async () => {
    const models = lines(await succeed(["list", "--json"]));
    expect(models).toContainEqual({
      name: "lenet5_modern",
      summary: expect.any(String),
      input: [1, 28, 28],
      parameters: 61706,
      citation: expect.stringContaining("LeCun"),
    });
  });
});

describe("summary", () => {
  it("prints a table with totals", async () => {
    const out = await succeed(["summary", "lenet5_modern"]);
    expect(out).toMatch(/^features\.0 +Conv2d +6x28x28 +156 +117,600/m);
    expect(out).toMatch(/^parameters +61,706/m);
  });

  it("takes another input and number of classes", async () => {
    const result = single(
      await succeed(["summary", "resnet20_cifar", "--input", "1x28x28", "--classes", "7", "--json"]),
    );
    expect(result.input).toEqual([1, 28, 28]);
    expect((result.rows as { outputShape: number[] }[]).at(-1)?.outputShape).toEqual([7]);
  });

  it("prints comma-separated values", async () => {
    const out = await succeed(["summary", "lenet5_modern", "--csv"]);
    expect(out.split("\n")[0]).toBe("layer,type,output,parameters,multiply_adds,activation_bytes,receptive_field");
    expect(out).toContain("features.0,Conv2d,6x28x28,156,117600,");
  });
});

describe("doctor", () => {
  it("says what works and what is missing", async () => {
    const report = single(await succeed(["doctor", "--json"]));
    expect(report).toMatchObject({ node: process.versions.node, platform: process.platform });
    expect(Object.keys(report.versions as object)).toEqual(["onnxruntime-node", "webgpu", "sharp"]);
    const devices = report.devices as { name: string; works: boolean; message?: string; details?: object }[];
    expect(devices.map(({ name }) => name)).toEqual(["onnx-cpu", "onnx-cuda", "onnx-webgpu", "webgpu", "reference"]);
    expect(devices.find(({ name }) => name === "onnx-cpu")?.works).toBe(true);
    for (const { works, message } of devices) if (!works) expect(message).toBeTruthy();
    const webgpu = devices.find(({ name }) => name === "webgpu");
    if (webgpu?.works)
      expect(webgpu.details).toMatchObject({ software: expect.any(Boolean), features: expect.any(Array) });
    else expect(webgpu?.message).toMatch(/npm install webgpu|no adapter/);
  }, 60_000);

  it("prints one margin for people", async () => {
    expect(await succeed(["doctor"])).toMatch(/^Node +\d+.*\n/m);
  }, 60_000);
});
