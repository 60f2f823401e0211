import { crossEntropy } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { sgd, trainingProgram } from "@ocelli/training";
import { DenseNet } from "@ocelli/zoo";
import { expect, it } from "vitest";
import { bothWays, distance } from "../../core/test/recomputed.js";
import { planArena } from "../src/compile/arena.js";
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
