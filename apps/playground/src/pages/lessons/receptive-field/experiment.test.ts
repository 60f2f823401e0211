import { reference } from "@ocelli/core/reference";
import { expect, it } from "vitest";
import { type Design, experiment, type Frame, side } from "./experiment.js";
import { cornerShare, regions } from "./maps.js";

it("both see 7 pixels; the stack has 27/49 of the weights and three non-linearities; its field fades to the rim", async () => {
  await using device = await reference();
  const lab = { exact: async () => device, fast: async () => device };
  let last: Frame | undefined;
  for await (const frame of experiment({ channels: 8 }, lab)) last = frame;
  const { designs, networks, influence } = last as Frame;
  const [stack, single] = designs as readonly [Design, Design];
  expect(stack.layers.map(({ field }) => field)).toEqual([3, 5, 7]);
  expect(single.layers.map(({ field }) => field)).toEqual([7]);
  expect(stack.weights / single.weights).toBe(27 / 49);
  expect(stack.macs / single.macs).toBe(27 / 49);
  expect([stack.biases, single.biases]).toEqual([24, 8]);
  expect([stack.nonlinearities, single.nonlinearities]).toEqual([3, 1]);
  expect(networks).toBe(24);
  const [bell, flat] = influence as [number[], number[]];
  expect(cornerShare(bell, side)).toBeLessThan(0.3);
  expect(cornerShare(flat, side)).toBeGreaterThan(0.6);
  // Outside the field nothing counts; within, everything does.
  for (const values of [bell, flat]) expect(values.filter((value) => value > 0)).toHaveLength(49);
});

it("draws what a pixel sees on each map before it", () => {
  const stack = { layers: [3, 5, 7].map((field) => ({ kernel: 3, field })) };
  expect(regions(stack, 1)).toEqual([3, 1, 0, 0]);
  expect(regions(stack, 3)).toEqual([7, 5, 3, 1]);
});
