import { crossEntropy, flattenState, hostTensor, type StateDict } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  type Around,
  BatchNorm2d,
  Conv2d,
  Dropout,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  recomputing,
  Sequential,
  Tanh,
} from "@ocelli/layers";
import { sgd, trainingProgram, trainStep } from "@ocelli/training";
import { CifarResNet, createModel, DenseNet } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { planArena } from "../../kernels-webgpu/src/compile/arena.js";
import { planOf } from "../../kernels-webgpu/test/plans.js";
import { formatRecomputePlan, peakMemory, planRecompute } from "./index.js";

const cifar = [3, 32, 32] as const;
const frugal = (): DenseNet => new DenseNet({ growthRate: 12, blocks: [4, 4], numClasses: 10, dropRate: 0.3 });

/** Convolutions at full size, at a half and at a quarter, with a head. */
const chain = (): Module => {
  const conv = (from: number, to: number) => new Conv2d(from, to, { kernelSize: 3, padding: 1 });
  const pool = () => new MaxPool2d({ kernelSize: 2 });
  const first = [conv(3, 8), new BatchNorm2d(8), new ReLU(), conv(8, 8), new Tanh(), new Dropout(0.2), pool()];
  return new Sequential(
    ...first,
    conv(8, 8),
    new Tanh(),
    conv(8, 8),
    new Tanh(),
    pool(),
    new GlobalAvgPool(),
    new Linear(8, 10),
  );
};

describe("planRecompute", () => {
  const model = createModel("resnet20_cifar") as Module;
  const options = { batch: 32 };
  const without = peakMemory(model, cifar, { ...options, training: true });

  it("keeps everything where that fits", () => {
    const plan = planRecompute(model, cifar, { ...options, budget: without.total });
    expect(plan).toEqual({ modules: [], peak: without, without, work: 1 });
    expect(formatRecomputePlan(plan)).toBe("everything kept: 48.9 MiB at layer3.2.bn2/batchNormGrad");
  });

  it.each([0.9, 0.75, 0.5])("fits %d of the memory, and no module of the plan could be left out", (share) => {
    const budget = share * without.total;
    const plan = planRecompute(model, cifar, { ...options, budget });
    const peakOf = (recompute: readonly string[]): number =>
      peakMemory(model, cifar, { ...options, training: true, recompute }).total;
    expect(plan.peak.total).toBeLessThanOrEqual(budget);
    expect(peakOf(plan.modules)).toBe(plan.peak.total);
    expect(peakOf(plan.modules.slice(0, -1))).toBeGreaterThan(budget);
    expect(plan.work).toBeGreaterThan(1);
    expect(plan.work).toBeLessThan(1.34);
  });

  it("takes more work for less memory", () => {
    const works = [0.9, 0.75, 0.5].map(
      (share) => planRecompute(model, cifar, { ...options, budget: share * without.total }).work,
    );
    expect(works).toEqual([...works].sort((a, b) => a - b));
    expect(new Set(works).size).toBe(3);
  });

  it("without a budget takes the least memory, and names it where a budget is less", () => {
    const least = planRecompute(model, cifar, options);
    expect(least.peak.total).toBeLessThan(0.5 * without.total);
    expect(formatRecomputePlan(least)).toMatch(
      /\nrecomputed: 22\.\d MiB at .*\n\d+ % more arithmetic, in layer1\.0, layer1\.1, /,
    );
    expect(planRecompute(model, cifar, { ...options, budget: least.peak.total }).work).toBe(least.work);
    expect(() => planRecompute(model, cifar, { ...options, budget: least.peak.total - 1 })).toThrow(
      /a budget of 22\.\d MiB is too small: a step takes 48\.9 MiB as it is and, recomputing, 22\.\d MiB at the least; take a smaller batch than 32/,
    );
    expect(() => planRecompute(model, cifar, { budget: 0 })).toThrow(
      /budget is 0; it needs a positive number of bytes/,
    );
    expect(() => planRecompute(model, cifar, { batch: 0 })).toThrow(/batch is 0/);
  });

  it("recomputes the stages of a network without blocks", () => {
    const vgg = createModel("vgg16") as Module;
    const { modules, peak, without: kept } = planRecompute(vgg, [3, 224, 224], { batch: 16 });
    expect(modules).toEqual(["features.0..features.4", "features.5..features.9", "features.10..features.16"]);
    const activations = ({ activations: a, gradients: b }: typeof peak): number => a + b;
    expect(activations(peak)).toBeLessThan(0.55 * activations(kept));
  });

  it("prints the first of many names", () => {
    const plan = { modules: [..."abcdefghi"], peak: without, without, work: 1.2 };
    expect(formatRecomputePlan(plan)).toMatch(/\n20 % more arithmetic, in a, b, c, d, e, f, g, 2 more$/);
  });
});

// Another implementation: the WebGPU device's own fusion, order and arena (no adapter is needed for planning).
it.each([
  ["resnet20_cifar", () => createModel("resnet20_cifar") as Module],
  ["a DenseNet", frugal],
] as const)("the WebGPU device's plan of %s falls as this one does", (_, make) => {
  const model = make();
  const { modules, peak, without } = planRecompute(model, cifar, { batch: 32 });
  const arenaOf = (recompute: Around | undefined): number => {
    const batch = {
      images: { shape: [32, ...cifar], dtype: "float32" },
      labels: { shape: [32], dtype: "int32" },
    } as const;
    const optimizer = sgd({ lr: 0.1, momentum: 0.9 });
    const plan = planOf(trainingProgram({ model, optimizer, loss: crossEntropy, metrics: {}, recompute }, batch));
    return planArena([...plan.prelude, ...plan.steps], plan.outputs, 2 ** 40).chunks.reduce((a, b) => a + b, 0);
  };
  const [kept, recomputed] = [arenaOf(undefined), arenaOf(recomputing(model, modules))];
  const planned = (of: typeof peak): number => of.activations + of.gradients;
  expect(Math.abs(kept / planned(without) - 1)).toBeLessThan(0.1);
  expect(Math.abs(recomputed / planned(peak) - 1)).toBeLessThan(0.1);
  expect(recomputed).toBeLessThan(0.5 * kept);
});

describe("a planned step", () => {
  const shape = [3, 8, 8] as const;
  const batch = {
    images: hostTensor(
      Float32Array.from({ length: 4 * 192 }, (_, i) => Math.sin(i)),
      [4, ...shape],
    ),
    labels: hostTensor(Int32Array.of(1, 0, 3, 2)),
  };

  async function trained(model: Module, recompute: Around | undefined): Promise<StateDict> {
    await using device = await reference();
    using state = await device.init(model, { seed: 1 });
    const optimizer = sgd({ lr: 0.1, momentum: 0.9 });
    const step = trainStep(device, state, { model, loss: crossEntropy, optimizer, seed: 5, recompute });
    for (let i = 0; i < 2; i++) await (await step(batch)).loss.read();
    return state.read();
  }

  // Dropout's random numbers, batch-norm's statistics and their counts are part of it.
  it.each([
    ["a ResNet", () => new CifarResNet(1)],
    ["a chain", chain, ["0..6", "7..11"]],
    ["a DenseNet", () => new DenseNet({ growthRate: 4, blocks: [2, 2], numClasses: 10, dropRate: 0.3 })],
  ] as [string, () => Module, string[]?][])(
    "of %s changes the state as one that keeps everything, bit by bit",
    async (_, make, chosen?: readonly string[]) => {
      const modules = chosen ?? planRecompute(make(), shape, { batch: 4 }).modules;
      expect(modules.length).toBeGreaterThan(0);
      const again = make();
      const [kept, recomputed] = [await trained(make(), undefined), await trained(again, recomputing(again, modules))];
      expect(recomputed).toEqual(kept);
      expect(
        [...flattenState(kept)]
          .filter(([name]) => name.endsWith("num_batches_tracked"))
          .every(([, v]) => v.data[0] === 2),
      ).toBe(true);
    },
  );
});
