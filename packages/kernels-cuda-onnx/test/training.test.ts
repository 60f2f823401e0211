import { crossEntropy, type Device, type HostTensor, hostTensor, item, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onnx } from "../src/index.js";
import { feedsOf, flat, initialState, prediction, trainingStep } from "./nets.js";

const steps = 50;

async function train(device: Device): Promise<{ losses: number[]; state: Record<string, HostTensor> }> {
  using program = await device.compile(trainingStep());
  using state = await device.createState(initialState());
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss } = await program.run(feedsOf(step), state);
    losses.push((await loss!.read()).data[0] as number);
  }
  return { losses, state: flat(await state.read()) };
}

/** Largest distance, relative to the largest expected magnitude. */
function distance(actual: HostTensor, expected: HostTensor): number {
  const [a, b] = [toNumbers(actual), toNumbers(expected)];
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] as number)) / scale), 0);
}

describe("a device on the processor", () => {
  let device: Device;
  beforeAll(async () => {
    device = await onnx({ provider: "cpu" });
  });
  afterAll(() => device.dispose());

  it(`trains as the float64 reference does, over ${steps} steps whose memory swaps`, { timeout: 60_000 }, async () => {
    const oracle = await reference();
    const [wanted, got] = [await train(oracle), await train(device)];
    await oracle.dispose();
    for (const [i, loss] of got.losses.entries()) expect(Math.abs(loss - wanted.losses[i]!)).toBeLessThan(1e-4);
    expect(got.losses.at(-1)).not.toBe(got.losses[0]);
    for (const [name, value] of Object.entries(wanted.state)) {
      expect(distance(got.state[name] as HostTensor, value), name).toBeLessThan(1e-3);
    }
  });

  it("leaves the caller's arrays as they were, and gives copies", async () => {
    const initial = initialState();
    const before = Array.from(flat(initial)["params/fc.weight"]!.data);
    using program = await device.compile(trainingStep());
    using state = await device.createState(initial);
    const first = flat(await state.read());
    for (let step = 0; step < 3; step++) await program.run(feedsOf(step), state);
    const later = flat(await state.read());
    expect(Array.from(flat(initial)["params/fc.weight"]!.data)).toEqual(before);
    expect(Array.from(first["params/fc.weight"]!.data)).toEqual(before);
    expect(Array.from(later["params/fc.weight"]!.data)).not.toEqual(before);
  });

  it("predicts the same frozen and live, after state has changed only the live one differs", async () => {
    const { params = {}, buffers = {} } = initialState();
    const frozen = flat({ params, buffers });
    using live = await device.compile(prediction());
    using fast = await device.compile(prediction(), { frozen });
    using state = await device.createState({ params, buffers });
    const { x } = feedsOf(0) as { x: HostTensor };
    const read = async (handles: Awaited<ReturnType<typeof live.run>>) => handles.logits!.read();
    const [a, b] = [await read(await live.run({ x }, state)), await read(await fast.run({ x }))];
    expect(distance(a, b)).toBeLessThan(1e-5);
    const { weight } = { weight: params["fc.weight"] as HostTensor };
    await state.write({ params: { "fc.weight": hostTensor(new Float32Array(weight.data.length), weight.shape) } });
    expect(distance(await read(await live.run({ x }, state)), b)).toBeGreaterThan(1e-2);
    expect(distance(await read(await fast.run({ x })), b)).toBe(0);
  });

  it("compiles one structure once", async () => {
    using first = await device.compile(trainingStep());
    using second = await device.compile(trainingStep());
    expect(second.stats.cached).toBe(true);
    expect(second.stats.hash).toBe(first.stats.hash);
  });

  it("with a loss scale passes over a batch whose gradients are not finite, and trains on as without that batch", async () => {
    // Eight channels: images are in blocks where the processor has them.
    const model = new Sequential(
      new Conv2d(3, 8, { kernelSize: 3 }),
      new BatchNorm2d(8),
      new ReLU(),
      new Flatten(),
      new Linear(8 * 7 * 6, 5),
    );
    const good = [0, 1, 2].map((step) => ({ images: feedsOf(step).x!, labels: feedsOf(step).labels! }));
    const infinite = hostTensor(new Float32Array(good[0]!.images.data.length).fill(Infinity), good[0]!.images.shape);
    const bad = { images: infinite, labels: good[0]!.labels };
    const run = async (batches: (typeof bad)[], lossScale?: { initial: number }) => {
      using state = await device.init(model, { seed: 1 });
      const optimizer = sgd({ lr: 0.05, momentum: 0.9 });
      const step = trainStep(device, state, { model, loss: crossEntropy, optimizer, lossScale });
      for (const batch of batches) await step(batch);
      return flat(await state.read());
    };
    const scaled = await run([good[0]!, bad, good[1]!, bad, good[2]!], { initial: 1024 });
    const { "lossScale/scale": scale, "lossScale/good": count, ...rest } = scaled;
    expect([item(scale!), item(count!)]).toEqual([256, 1]);
    expect(rest).toEqual(await run(good));
  });

  it("refuses an input of another shape, naming it", async () => {
    using program = await device.compile(trainingStep());
    using state = await device.createState(initialState());
    await expect(program.run({ ...feedsOf(0), x: hostTensor(new Float32Array(3), [3]) }, state)).rejects.toThrow(
      /input x is/,
    );
  });
});
