import { reference } from "@ocelli/core/reference";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { describe, expect, it } from "vitest";
import type { Experiment } from "../../workers/lesson/experiment.js";
import { experiment as activations } from "./activations/experiment.js";
import { histogram, moments } from "./activations/histogram.js";
import type { NetworkOptions } from "./activations/network.js";
import { experiment as dropout } from "./dropout/experiment.js";
import { experiment as residual } from "./residual/experiment.js";

/** The first frames of an experiment on ONNX Runtime; left early, as by somebody who goes to another page. */
async function frames<Options, Frame>(
  run: Experiment<Options, Frame>,
  options: Options,
  count: number,
): Promise<Frame[]> {
  await using device = await onnx({ provider: "cpu" });
  const seen: Frame[] = [];
  for await (const frame of run(options, { fast: async () => device, exact: () => reference() }))
    if (seen.push(frame) === count) break;
  return seen;
}

/** Seconds alone; several times as many beside other work. */
const patient = { timeout: 90_000 };

describe("plain against residual", () => {
  it("the plain one's gradient grows towards the image, and the residual one is soon ahead", patient, async () => {
    const seen = await frames(residual, { depth: 20, lr: 0.1 }, 40);
    const { plain, residual: short } = seen[0] as (typeof seen)[number];
    const ratio = (gradients: readonly number[]) => (gradients[0] as number) / (gradients.at(-1) as number);
    expect(plain.gradients).toHaveLength(19);
    expect(ratio(plain.gradients)).toBeGreaterThan(2 * ratio(short.gradients));
    const loss = (side: "plain" | "residual") => seen.slice(-15).reduce((sum, frame) => sum + frame[side].loss, 0) / 15;
    expect(loss("residual")).toBeLessThan(loss("plain") - 0.3);
  });
});

describe("dropout and stochastic depth", () => {
  it("dropout has the smaller gap, and an ensemble inside", patient, async () => {
    const seen = await frames(dropout, { method: "dropout", rate: 0.5 }, 1000);
    const last = seen.at(-1);
    const gap = (side: "without" | "with") => (last?.[side].test.loss as number) - (last?.[side].train.loss as number);
    expect(gap("with")).toBeLessThan(gap("without"));
    const { members = [], one = 1, averaged = 0, size } = last?.ensemble ?? {};
    expect([members.length, size]).toEqual([8, 24]);
    expect(averaged).toBeGreaterThan(one);
    for (const { masks } of members) {
      expect(masks.map((mask) => mask.length)).toEqual([144, 144]);
      const kept = masks.flat().reduce((a, b) => a + b) / 288;
      expect(Math.abs(kept - 0.5)).toBeLessThan(0.15);
    }
    expect(new Set(members.map(({ masks }) => masks.flat().join(""))).size).toBe(8);
  });

  it("without, nothing differs between the two", async () => {
    const [first] = await frames(dropout, { method: "stochastic depth", rate: 0 }, 1);
    expect(first?.with).toEqual(first?.without);
  });
});

describe("activations", () => {
  const first = async (options: NetworkOptions) => (await frames(activations, options, 1))[0]?.layers ?? [];
  const growth = (layers: Awaited<ReturnType<typeof first>>) =>
    (layers.at(-1)?.std as number) / (layers[0]?.std as number);

  it("vanish with small weights, stay with He's and with batch-norm; LRN helps no bad start", patient, async () => {
    const relu = { activation: "relu" } as const;
    expect(growth(await first({ ...relu, init: "small", norm: "none" }))).toBeLessThan(1e-8);
    expect(growth(await first({ ...relu, init: "small", norm: "lrn" }))).toBeLessThan(1e-8);
    for (const kept of [
      growth(await first({ ...relu, init: "he", norm: "none" })),
      growth(await first({ ...relu, init: "small", norm: "batch-norm" })),
    ]) {
      expect(kept).toBeGreaterThan(0.3);
      expect(kept).toBeLessThan(3);
    }
  });

  it("half of a ReLU's values are at rest, and of tanh many with large weights", async () => {
    const relu = await first({ activation: "relu", init: "he", norm: "none" });
    for (const { saturated } of relu) expect(Math.abs(saturated - 0.5)).toBeLessThan(0.2);
    const tanh = await first({ activation: "tanh", init: "large", norm: "none" });
    expect(tanh.at(-1)?.saturated).toBeGreaterThan(0.3);
  });

  it("are counted: shares add up, what is outside goes to the ends", () => {
    const { shares } = histogram([-9, 0, 0.5, 9], [-1, 1]);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect([shares[0], shares[20], shares.at(-1)]).toEqual([0.25, 0.25, 0.25]);
    expect(moments([1, 3])).toEqual({ mean: 2, std: 1 });
  });
});
