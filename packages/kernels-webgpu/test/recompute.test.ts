import { barrier, conv2d, crossEntropy, hostTensor, input, item, relu, slice, type Tensor } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { recomputing } from "@ocelli/layers";
import { sgd, trainingProgram, trainStep } from "@ocelli/training";
import { CifarResNet, DenseNet } from "@ocelli/zoo";
import { expect, it } from "vitest";
import { bothWays, distance } from "../../core/test/recomputed.js";
import { planArena } from "../src/compile/arena.js";
import { fuse } from "../src/compile/fuse.js";
import { Dependencies } from "../src/compile/schedule.js";
import { Ways } from "../src/compile/ways.js";
import { webgpu } from "../src/index.js";
import { itOnAdapter } from "./adapter.js";
import { planOf } from "./plans.js";

itOnAdapter(
  "recomputes to the same gradients, dropout included, as it does without and as the float64 reference",
  { timeout: 120_000 },
  async () => {
    const [device, oracle] = [await webgpu({ onNotice: () => undefined }), await reference()];
    const [{ kept, recomputed }, wanted] = [await bothWays(device), await bothWays(oracle)];
    await Promise.all([device.dispose(), oracle.dispose()]);
    expect(recomputed.nodes).toBeGreaterThan(kept.nodes + 10);
    expect(distance(recomputed.values, kept.values)).toBeLessThan(1e-5);
    expect(distance(recomputed.values, wanted.kept.values)).toBeLessThan(1e-4);
  },
);

itOnAdapter("allocates less for a step that recomputes, and trains alike", { timeout: 120_000 }, async () => {
  const device = await webgpu({ onNotice: () => undefined });
  const images = hostTensor(
    Float32Array.from({ length: 32 * 3 * 16 * 16 }, (_, i) => Math.sin(i)),
    [32, 3, 16, 16],
  );
  const batch = { images, labels: hostTensor(Int32Array.from({ length: 32 }, (_, i) => i % 10)) };
  const run = async (paths: readonly string[]) => {
    const model = new CifarResNet(1);
    const state = await device.init(model, { seed: 1 });
    const recompute = recomputing(model, paths);
    const step = trainStep(device, state, { model, optimizer: sgd({ lr: 0.1 }), loss: crossEntropy, recompute });
    const { stats } = await step.program(batch);
    const losses: number[] = [];
    for (let i = 0; i < 2; i++) losses.push(item(await (await step(batch)).loss.read()));
    state.dispose();
    return { losses, bytes: stats.bytes };
  };
  const [kept, recomputed] = [await run([]), await run(["layer1.0", "layer2.0", "layer3.0"])];
  await device.dispose();
  expect(recomputed.bytes).toBeLessThan(0.8 * kept.bytes);
  for (const [i, loss] of recomputed.losses.entries()) expect(loss).toBeCloseTo(kept.losses[i] as number, 5);
});

// --- the plan, without a device --------------------------------------------------------------------------------------------------

it("plans a frugal DenseNet in a fraction of the memory", { timeout: 60_000 }, () => {
  const arenaOf = (memoryEfficient: boolean): number => {
    const model = new DenseNet({ growthRate: 12, blocks: [8, 8], numClasses: 10, memoryEfficient });
    const batch = {
      images: { shape: [8, 3, 64, 64], dtype: "float32" },
      labels: { shape: [8], dtype: "int32" },
    } as const;
    const step = trainingProgram({ model, optimizer: sgd({ lr: 0.1 }), loss: crossEntropy, metrics: {} }, batch);
    const plan = planOf(step);
    const { chunks } = planArena([...plan.prelude, ...plan.steps], plan.outputs, 2 ** 30);
    return chunks.reduce((sum, bytes) => sum + bytes, 0);
  };
  expect(arenaOf(true) / arenaOf(false)).toBeLessThan(0.5);
});

it("lets what is behind a barrier wait for what is computed where it is read", () => {
  const image = (name: string): Tensor => input(name, { shape: [1, 2, 4, 4], dtype: "float32" });
  const weight = input("w", { shape: [2, 2, 1, 1], dtype: "float32" });
  const first = relu(conv2d(image("x"), weight));
  // Nobody stores the slice.
  const late = conv2d(barrier(image("y"), [slice(first, [0, 0, 0, 0], [1, 1, 4, 4])]), weight);
  const { groups } = fuse({ ways: new Ways(new Map()), buffers: 8, required: [first, late] });
  const dependencies = new Dependencies(groups);
  const [before, after] = [first, late].map((tensor) => dependencies.writerOf(tensor));
  expect(before).toBeDefined();
  expect([...dependencies.before(after!)]).toEqual([before]);
});
