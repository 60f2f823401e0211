import { readFileSync } from "node:fs";
import { add, type Device, type Handle, hostTensor, mul, sin, type Tensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { makeOptimizer, type Optimizer, sgd } from "./index.js";

interface Case {
  readonly name: string;
  readonly options: Record<string, number | boolean>;
  readonly start: number[];
  readonly snapshots: Record<string, number[]>;
}

// Made by fixtures/generate.py with PyTorch.
const cases = JSON.parse(readFileSync(new URL("../../fixtures/optimizers.json", import.meta.url), "utf8")) as Case[];

/** Parameters after each step, with the gradient that the fixture's script uses. */
async function trajectory(
  device: Device,
  optimizer: Optimizer,
  start: number[],
  steps: number,
): Promise<Map<number, Float64Array>> {
  const spec = { shape: [start.length], dtype: "float32" as const };
  const slots = optimizer.slots(spec, "p");
  const scalars = Object.keys(optimizer.scalars(1, optimizer.lr));
  const program = await device.compile({
    inputs: Object.fromEntries(scalars.map((name) => [name, { shape: [], dtype: "float32" as const }])),
    state: {
      "params/p": spec,
      ...Object.fromEntries(Object.entries(slots).map(([slot, s]) => [`optimizer/${slot}`, s])),
    },
    build: (inputs, state) => {
      const param = state["params/p"] as Tensor;
      const grad = add(add(sin(mul(param, 3)), mul(param, 0.5)), 0.1);
      const given = Object.fromEntries(Object.keys(slots).map((slot) => [slot, state[`optimizer/${slot}`] as Tensor]));
      const next = optimizer.update({ name: "p", param, grad, slots: given, scalars: inputs });
      const kept = Object.entries(next.slots).map(([slot, tensor]) => [`optimizer/${slot}`, tensor]);
      return { outputs: { after: next.param }, updates: { "params/p": next.param, ...Object.fromEntries(kept) } };
    },
  });
  const fresh = Object.fromEntries(
    Object.entries(slots).map(([slot, { initial = 0 }]) => [slot, hostTensor(start.map(() => initial))]),
  );
  using state = await device.createState({ params: { p: hostTensor(start) }, optimizer: fresh });
  const after = new Map<number, Float64Array>();
  for (let step = 1; step <= steps; step++) {
    const feeds = Object.entries(optimizer.scalars(step, optimizer.lr)).map(([name, value]) => [
      name,
      hostTensor([value], []),
    ]);
    const handles = await program.run(Object.fromEntries(feeds), state);
    after.set(step, toNumbers(await (handles.after as Handle).read()));
  }
  return after;
}

describe("optimizers equal PyTorch's over 100 steps", () => {
  for (const { name, options, start, snapshots } of cases) {
    it(`${name} ${JSON.stringify(options)}`, async () => {
      await using device = await reference();
      const after = await trajectory(device, makeOptimizer({ name, options }), start, 100);
      for (const [step, expected] of Object.entries(snapshots)) {
        const got = after.get(Number(step)) as Float64Array;
        for (const [i, value] of expected.entries())
          expect(Math.abs((got[i] as number) - value)).toBeLessThan(1e-5 * Math.max(0.01, Math.abs(value)));
      }
    });
  }
});

describe("bad options", () => {
  it("are named with their range", () => {
    expect(() => sgd({ lr: Number.NaN })).toThrow(/sgd: lr is NaN; it needs a finite number >= 0/);
    expect(() => sgd({ lr: 0.1, momentum: -1 })).toThrow(/momentum is -1/);
    expect(() => sgd({ lr: 0.1, nesterov: true })).toThrow(/nesterov needs a momentum/);
    expect(() => makeOptimizer({ name: "adam", options: { lr: 0.1, beta1: 1 } })).toThrow(
      /beta1 is 1; it needs a number in 0..1/,
    );
    expect(() => makeOptimizer({ name: "rmsprop", options: { alpha: 1 } })).toThrow(
      /rmsprop: alpha is 1; it needs a number in 0..1/,
    );
    expect(() => makeOptimizer({ name: "sgd", options: { lr: 0.1, weight_decay: 1e-4 } })).toThrow(
      /sgd: there is no option weight_decay. There are lr, momentum, dampening, weightDecay, nesterov/,
    );
    expect(() => makeOptimizer({ name: "sgdd", options: {} })).toThrow(
      /"sgdd" is unknown; did you mean sgd\? There are sgd, adagrad, rmsprop, adadelta, adam/,
    );
  });
});
