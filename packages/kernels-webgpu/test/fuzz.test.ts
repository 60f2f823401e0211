/** Random graphs: what nobody thought of, fused, scheduled and placed. */
import {
  add,
  batchNormTrain,
  type Device,
  hostTensor,
  matmul,
  mul,
  relu,
  reshape,
  type StateDict,
  sub,
  sum,
  type Tensor,
  type Traceable,
  tanh,
  transpose,
} from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { randomSample, runCase } from "@ocelli/core/testing";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { webgpu } from "../src/index.js";
import { describeOnAdapter } from "./adapter.js";

vi.setConfig({ testTimeout: 60_000 });

function drawer(seed: number): (below: number) => number {
  let state = (seed + 1) * 2654435761;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const side = 6;
const names = ["a", "b", "c", "d"];

/** A program whose updates read each other's entries, moved and unmoved: some can be written in place, some cannot. */
function updating(seed: number): Traceable {
  const spec = { shape: [side, side], dtype: "float32" as const };
  return {
    inputs: { x: spec },
    state: Object.fromEntries(names.map((name) => [`params/${name}`, spec])),
    build: ({ x }, state) => {
      const draw = drawer(seed);
      const known: Tensor[] = [x as Tensor, ...names.map((name) => state[`params/${name}`] as Tensor)];
      const pick = (): Tensor => known[draw(known.length)] as Tensor;
      const square = (tensor: Tensor): Tensor => tanh(mul(tensor, 0.7));
      const ways: (() => Tensor)[] = [
        () => add(pick(), mul(pick(), 0.5)),
        () => sub(pick(), pick()),
        () => square(transpose(pick(), [1, 0])),
        () => square(matmul(pick(), pick())),
        () => relu(pick()),
        () => mul(pick(), sum(pick(), { axes: 1, keepDims: true })),
        () => {
          const { output, mean, variance } = batchNormTrain(
            pick(),
            reshape(sum(pick(), { axes: 0 }), [side]),
            reshape(sum(pick(), { axes: 1 }), [side]),
          );
          known.push(add(pick(), mean), mul(pick(), variance));
          return output;
        },
      ];
      for (let i = 0; i < 10; i++) known.push(tanh((ways[draw(ways.length)] as () => Tensor)()));
      const updates: Record<string, Tensor> = {};
      for (const name of names) if (draw(4) > 0) updates[`params/${name}`] = pick();
      return { outputs: { y: pick(), z: pick() }, updates };
    },
  };
}

async function runs(device: Device, program: Traceable, seed: number): Promise<number[]> {
  const draw = drawer(seed + 1000);
  const noise = () =>
    hostTensor(
      Float32Array.from({ length: side * side }, () => draw(2001) / 1000 - 1),
      [side, side],
    );
  const initial: StateDict = { params: Object.fromEntries(names.map((name) => [name, noise()])) };
  using compiled = await device.compile(program);
  using state = await device.createState(initial);
  const found: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { y, z } = await compiled.run({ x: noise() }, state);
    for (const handle of [y, z]) found.push(...(await handle!.read()).data);
  }
  for (const { data } of Object.values((await state.read()).params ?? {})) found.push(...data);
  return found;
}

describeOnAdapter("random graphs", () => {
  let device: Device;
  let oracle: Device;
  beforeAll(async () => {
    device = await webgpu({ onNotice: () => undefined });
    oracle = await reference();
  });
  afterAll(async () => {
    await device.dispose();
    await oracle.dispose();
  });

  const seeds = Array.from({ length: Number(process.env.OCELLI_FUZZ ?? 25) }, (_, seed) => seed);

  it.each(seeds)("of elementwise, layout and reducing ops: seed %d", async (seed) => {
    const result = await runCase(device, { op: "random", sample: randomSample(seed), pass: "forward" });
    expect(result.reason).toBe("");
  });

  it.each(seeds)("with updates that read each other: seed %d", async (seed) => {
    const program = updating(seed);
    const [got, wanted] = [await runs(device, program, seed), await runs(oracle, program, seed)];
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] as number))), 0);
    expect(worst).toBeLessThan(2e-3);
  });
});
