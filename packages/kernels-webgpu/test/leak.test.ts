import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { crossEntropy, hostTensor, item } from "@ocelli/core";
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { expect, it } from "vitest";
import { webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { describeOnAdapter } from "./adapter.js";

const steps = 1000;
/** After this many, pools are filled and code is compiled. */
const warm = 200;

const batch = {
  images: hostTensor(
    Float32Array.from({ length: 4 * 36 }, (_, i) => Math.sin(i)),
    [4, 1, 6, 6],
  ),
  labels: hostTensor(Int32Array.of(0, 1, 2, 0)),
};

const network = () =>
  new Sequential(
    new Conv2d(1, 4, { kernelSize: 3, padding: 1, bias: false }),
    new BatchNorm2d(4),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Flatten(),
    new Linear(36, 3),
  );

// What `node --expose-gc` gives, without starting another process.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of JavaScript's own heap, without garbage. */
async function heap(): Promise<number> {
  // Finalizers run between tasks.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage().heapUsed;
}

describeOnAdapter("a thousand training steps", () => {
  it("leave nothing behind: buffers, submits, memory of the host", async () => {
    const device = await webgpu({ onNotice: () => undefined });
    const { counts } = gpuOf(device);
    const alive = (): number => counts.buffersCreated - counts.buffersDestroyed;
    const model = network();
    const state = await device.init(model, { seed: 0 });
    const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.05, momentum: 0.9 }) });
    const train = async (count: number): Promise<number> => {
      let loss = Number.NaN;
      for (let i = 0; i < count; i++) loss = item(await (await step(batch)).loss.read());
      return loss;
    };
    const first = await train(1);
    await train(warm);
    const before = { ...counts, heap: await heap() };
    const last = await train(steps);
    expect(last).toBeLessThan(first / 10);
    // One submit a step, and none for reading the loss; not a buffer and not a pipeline more. The accuracy's handles were never read.
    const { buffersCreated, buffersDestroyed, bytes, pipelines } = before;
    expect(counts).toMatchObject({ buffersCreated, buffersDestroyed, bytes, pipelines });
    expect(counts.submits - before.submits).toBe(steps);
    expect((await heap()) - before.heap).toBeLessThan(3 * 2 ** 20);

    // Results that nobody reads are given back when their handles are collected.
    for (let i = 0; i < 100; i++) await step(batch);
    await state.read(["params"]);
    await heap();
    expect(alive()).toBeLessThanOrEqual(buffersCreated - buffersDestroyed + 8);

    state.dispose();
    await device.dispose();
    expect(alive()).toBe(0);
    expect(counts.bytes).toBe(0);
  }, 120_000);
});
