import { add, constant, type Device, hostTensor, mul, relu, sum, type Tensor, withScope } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { spanOf } from "../src/clock.js";
import { chromeTrace, formatProfile, type Profile, type ProfileRow, profileOf, webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { describeOnAdapter } from "./adapter.js";
import { changed, freshAdapter } from "./stand-ins.js";

const quiet = { onNotice: () => undefined, tune: "off" } as const;

/** Two dispatches that are tagged with modules, and one that is not. */
function network(x: Tensor): Tensor {
  const first = withScope("stem.conv", () => sum(mul(x, x), { axes: [1], keepDims: true }));
  const second = withScope("head", () => sum(relu(first), { axes: [0] }));
  return sum(add(second, 1), { axes: [0] });
}

async function runs(device: Device, times: number): Promise<number[]> {
  const program = await device.compile({
    inputs: { x: { shape: [256, 64], dtype: "float32" } },
    build: ({ x }) => ({ outputs: { y: network(x!) } }),
  });
  const values: number[] = [];
  for (let i = 0; i < times; i++) {
    const { y } = await program.run({ x: hostTensor(new Float32Array(256 * 64).fill(0.5), [256, 64]) });
    values.push((await y!.read()).data[0]!);
  }
  program[Symbol.dispose]();
  return values;
}

async function withoutTimestamps(): Promise<GPUAdapter> {
  const adapter = await freshAdapter();
  const features = new Set([...adapter.features].filter((name) => name !== "timestamp-query"));
  return changed(adapter, { features: features as unknown as GPUSupportedFeatures });
}

describeOnAdapter("a profile", () => {
  describe.each(["device", "host"] as const)("by the clock of the %s", (clock) => {
    const open = async (): Promise<Device> =>
      webgpu({ ...quiet, profile: true, ...(clock === "host" ? { adapter: await withoutTimestamps() } : {}) });

    it("has a row for each dispatch, with the same results", async () => {
      await using device = await open();
      expect(await runs(device, 3)).toEqual([4097, 4097, 4097]);
      const profile = profileOf(device);
      expect(profile).toMatchObject({ clock, runs: 3, enabled: true });
      expect(profile.rows.map(({ module }) => module).sort()).toEqual(["", "head", "stem.conv"]);
      for (const row of profile.rows) {
        expect(row.label).toBe(row.module === "" ? row.kernel : `${row.module}/${row.kernel}`);
        expect(row).toMatchObject({ count: 3, macs: 0, gflops: 0 });
        expect(row.msMean).toBeCloseTo(row.msTotal / 3, 9);
        expect(row.bytes).toBeGreaterThan(0);
        if (row.msTotal > 0) expect(row.gbps).toBeCloseTo((3 * row.bytes) / row.msTotal / 1e6, 6);
      }
      const totals = profile.rows.map(({ msTotal }) => msTotal);
      expect(totals).toEqual([...totals].sort((a, b) => b - a));
      expect(profile.rows.reduce((all, { share }) => all + share, 0)).toBeCloseTo(1, 9);
    });

    it("has events in order that do not overlap", async () => {
      await using device = await open();
      await runs(device, 2);
      const { events } = profileOf(device);
      expect(events.map(({ run }) => run)).toEqual([0, 0, 0, 1, 1, 1]);
      expect(events[0]!.start).toBe(0);
      for (const [i, event] of events.entries()) {
        const before = events[i - 1];
        if (before?.run === event.run)
          expect(event.start).toBeGreaterThanOrEqual(before.start + before.duration - 1e-3);
      }
    });

    it("forgets, and pauses", async () => {
      await using device = await open();
      const profile = profileOf(device);
      await runs(device, 1);
      profile.reset();
      expect(profile).toMatchObject({ runs: 0, rows: [], events: [] });
      profile.enabled = false;
      const { counts } = gpuOf(device);
      const before = counts.submits;
      await runs(device, 1);
      expect(counts.submits - before).toBe(1);
      expect(profile.runs).toBe(0);
      profile.enabled = true;
      await runs(device, 1);
      expect(profile.runs).toBe(1);
    });
  });

  it("gives back what it timed with", async () => {
    const device = await webgpu({ ...quiet, profile: true });
    await runs(device, 2);
    const { counts } = gpuOf(device);
    await device.dispose();
    expect(counts.buffersCreated).toBe(counts.buffersDestroyed);
  });

  it("is of devices that were made for it", async () => {
    await using plain = await webgpu(quiet);
    expect(() => profileOf(plain)).toThrow(/this device \(webgpu\) records nothing.*profile: true/);
    await using other = await reference();
    expect(() => profileOf(other)).toThrow(/reference/);
  });

  it("times what a program of many dispatches has, beyond one query set", async () => {
    await using device = await webgpu({ ...quiet, profile: true });
    const program = await device.compile({
      inputs: { x: { shape: [], dtype: "float32" } },
      build: ({ x }) => {
        let z = mul(constant(hostTensor(new Float32Array([1, 2, 3, 4]))), x!);
        for (let i = 0; i < 2100; i++) z = sum(z, { axes: [0], keepDims: true });
        return { outputs: { z } };
      },
    });
    const { z } = await program.run({ x: hostTensor(new Float32Array([2]), []) });
    expect((await z!.read()).data[0]).toBe(20);
    expect(profileOf(device).events).toHaveLength(2100);
  }, 20_000);
});

it("times nothing by readings that make no sense", () => {
  expect(spanOf(2_000_000n, 5_000_000n)).toEqual({ start: 2, ms: 3 });
  expect(spanOf(5_000_000n, 2_000_000n).ms).toBe(0);
  expect(spanOf(0n, 2_000_000n).ms).toBe(0);
  expect(spanOf(7n, 7n).ms).toBe(0);
});

const row = (given: Partial<ProfileRow>): ProfileRow => ({
  label: "layer1.0.conv1/conv2d",
  kernel: "conv2d",
  module: "layer1.0.conv1",
  count: 10,
  msTotal: 30,
  msMean: 3,
  macs: 1.5e9,
  gflops: 1000,
  bytes: 3e7,
  gbps: 10,
  share: 0.75,
  ...given,
});

describe("a table", () => {
  const rows = [
    row({}),
    row({ module: "layer1.0.bn1", kernel: "mul+add", msTotal: 6, msMean: 0.6, gflops: 0, gbps: 5, share: 0.15 }),
    row({ module: "layer1.0.conv2", msTotal: 4, msMean: 0.4, gflops: 2, gbps: 2.5, share: 0.1 }),
  ];

  it("is aligned, the slowest first, with the sum below", () => {
    expect(formatProfile({ rows, runs: 10, clock: "device" })).toBe(
      [
        "ms/run    share  count  GFLOP/s  GB/s  kernel   module",
        " 3.000   75.0 %     10     1000    10  conv2d   layer1.0.conv1",
        " 0.600   15.0 %     10            5.0  mul+add  layer1.0.bn1",
        " 0.400   10.0 %     10      2.0   2.5  conv2d   layer1.0.conv2",
        " 4.000  100.0 %     30      750   8.5  all",
      ].join("\n"),
    );
  });

  it("is cut where asked, by dispatch or by kernel", () => {
    const cut = formatProfile({ rows, runs: 10, clock: "host" }, { top: 1 }).split("\n");
    expect(cut[2]).toBe(" 1.000   25.0 %     20      0.8   4.0  2 more");
    expect(cut.at(-1)).toContain("host's clock");
    const kernels = formatProfile({ rows, runs: 10, clock: "device" }, { by: "kernel" }).split("\n");
    expect(kernels[1]).toBe(" 3.400   85.0 %     20      883   9.1  conv2d");
    expect(formatProfile({ rows: [], runs: 0, clock: "device" })).toBe("nothing was recorded");
  });
});

describe("a trace", () => {
  const event = { kernel: "conv2d", label: "a.b/conv2d", module: "a.b", run: 0, macs: 1e6, bytes: 4e6 };
  const events: Profile["events"] = [
    { ...event, start: 0, duration: 10 },
    { ...event, module: "a.c", start: 12, duration: 8 },
    { ...event, module: "", kernel: "sum", macs: 0, start: 20, duration: 0 },
    { ...event, run: 1, start: 100, duration: 10 },
  ];

  it("has complete events of kernels, runs and modules by depth", () => {
    const { traceEvents } = JSON.parse(chromeTrace({ events, clock: "device" })) as {
      traceEvents: { ph: string; tid: number; name: string; ts: number; dur: number; args: Record<string, unknown> }[];
    };
    const track = (tid: number) =>
      traceEvents.filter((one) => one.ph === "X" && one.tid === tid).map(({ name, ts, dur }) => [name, ts, dur]);
    expect(track(0)).toEqual([
      ["conv2d", 0, 10],
      ["conv2d", 12, 8],
      ["sum", 20, 0],
      ["conv2d", 100, 10],
    ]);
    expect(track(1)).toEqual([
      ["run 0", 0, 20],
      ["run 1", 100, 10],
    ]);
    expect(track(2)).toEqual([
      ["a", 0, 20],
      ["a", 100, 10],
    ]);
    expect(track(3)).toEqual([
      ["a.b", 0, 10],
      ["a.c", 12, 8],
      ["a.b", 100, 10],
    ]);
    expect(traceEvents.find(({ ph, tid }) => ph === "X" && tid === 0)!.args).toMatchObject({ gflops: 200, gbps: 400 });
    expect(traceEvents.filter(({ name }) => name === "thread_name").map(({ args }) => args.name)).toEqual([
      "kernels",
      "runs",
      "modules, depth 1",
      "modules, depth 2",
    ]);
  });

  it("is a valid file when nothing was recorded", () => {
    expect(() => JSON.parse(chromeTrace({ events: [], clock: "host" }))).not.toThrow();
  });
});
