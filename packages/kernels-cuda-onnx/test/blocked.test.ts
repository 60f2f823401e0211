import {
  add,
  batchNormTrain,
  concat,
  conv2d,
  type Device,
  gradients,
  maxPool2d,
  mean,
  mul,
  narrow,
  pad,
  relu,
  reshape,
  sum,
  type Tensor,
  type Traceable,
  toNumbers,
} from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { conformance } from "@ocelli/core/testing";
import { describe, expect, it } from "vitest";
import { onnx } from "../src/index.js";
import { channelBlock } from "../src/lower/blocked/probe.js";
import { platform } from "../src/runtime.node.js";
import { known } from "./known.js";
import { numbers } from "./nets.js";

const block = await channelBlock(await platform.load(), { provider: "cpu", threads: 1 });
const without = block === undefined ? " (skipped: this processor's runtime packs no channels)" : "";

/** Machines that test do other things at the same time. */
const timeout = 60_000;

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly channels: readonly [number, number];
  readonly size: readonly [number, number];
  readonly stride?: number;
  readonly kernel?: number;
  /** Far from 0, a variance computed as a difference of large numbers would be wrong. */
  readonly offset?: number;
  readonly tolerance?: number;
}

const cases: readonly Case[] = [
  { name: "batch of whole blocks", batch: 16, channels: [16, 16], size: [7, 6] },
  { name: "half batches", batch: 32, channels: [32, 16], size: [5, 8] },
  { name: "small batch", batch: 3, channels: [16, 32], size: [6, 5] },
  { name: "stride with a remainder", batch: 16, channels: [32, 32], size: [8, 7], stride: 2 },
  { name: "pointwise", batch: 4, channels: [32, 48], size: [4, 5], kernel: 1 },
  { name: "channels that fill no block", batch: 4, channels: [24, 20], size: [5, 5] },
  { name: "large image, mean far from 0", batch: 2, channels: [16, 16], size: [36, 20], offset: 30, tolerance: 1e-3 },
];

/** Stem, batch-norm, a shortcut, pooling: gradients of all weights and of the image. */
function program({ batch, channels: [c, o], size, stride = 1, kernel = 3, offset = 0 }: Case): Traceable {
  const specs = {
    x: { shape: [batch, 3, ...size], dtype: "float32" },
    w0: { shape: [c, 3, 3, 3], dtype: "float32" },
    w1: { shape: [o, c, kernel, kernel], dtype: "float32" },
    w2: { shape: [o, o, 3, 3], dtype: "float32" },
    scale: { shape: [o], dtype: "float32" },
    shift: { shape: [o], dtype: "float32" },
  } as const;
  return {
    inputs: specs,
    build: (given) => {
      const [x, w0, w1, w2, scale, shift] = Object.keys(specs).map((name) => given[name] as Tensor) as Tensor[];
      const stem = relu(conv2d(x!, w0!, { padding: 1 }));
      const moved = add(conv2d(stem, w1!, { padding: kernel >> 1, stride }), offset);
      // A bias, and channels that are joined, parted and padded.
      const biased = mul(add(moved, reshape(shift!, [o, 1, 1])), reshape(scale!, [o, 1, 1]));
      const joined = concat(
        [biased, pad(narrow(moved, 1, 0, o / 2), { low: [0, 0, 0, 0], high: [0, o / 2, 0, 0] })],
        1,
      );
      const first = add(narrow(joined, 1, 0, o), narrow(joined, 1, o, 2 * o));
      const normal = batchNormTrain(first, scale!, shift!);
      const a = relu(normal.output);
      const b = maxPool2d(relu(add(conv2d(a, w2!, { padding: 1 }), a)), { kernelSize: 3, stride: 2, padding: 1 });
      const loss = add(sum(mul(mean(b, { axes: [2, 3] }), 0.5)), sum(add(normal.mean, normal.variance)));
      const targets = Object.keys(specs).map((name) => given[name] as Tensor);
      const grads = gradients(loss, targets);
      const named = Object.fromEntries(Object.keys(specs).map((name, i) => [`d${name}`, grads[i] as Tensor]));
      return { outputs: { loss, variance: normal.variance, ...named } };
    },
  };
}

async function compute(device: Device, which: Case): Promise<Record<string, Float64Array>> {
  const traceable = program(which);
  using compiled = await device.compile(traceable);
  const feeds = Object.entries(traceable.inputs).map(
    ([name, { shape }], i) => [name, numbers(shape, 10 + i, 0.3)] as const,
  );
  const handles = await compiled.run(Object.fromEntries(feeds));
  const values = Object.entries(handles).map(async ([name, handle]) => [name, toNumbers(await handle.read())] as const);
  return Object.fromEntries(await Promise.all(values));
}

describe.skipIf(block === undefined)(`channels in blocks${without}`, () => {
  it.each(cases)("$name: the reference's gradients", { timeout }, async (which) => {
    const [oracle, device] = [await reference(), await onnx({ provider: "cpu", layout: "blocked" })];
    const [wanted, got] = [await compute(oracle, which), await compute(device, which)];
    await Promise.all([oracle.dispose(), device.dispose()]);
    for (const [name, values] of Object.entries(wanted)) {
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[name]?.[i] as number))), 0);
      expect(worst / scale, name).toBeLessThan(which.tolerance ?? 2e-4);
    }
  });

  it("passes every op's samples", { timeout }, async () => {
    const results = await conformance(() => onnx({ provider: "cpu", layout: "blocked" }), known);
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  });
});
