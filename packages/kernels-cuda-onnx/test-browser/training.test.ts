import { crossEntropy, type Device, type HostTensor, item, type State, type StateDict, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { Context } from "@ocelli/layers";
import {
  adam,
  channelStatistics,
  digits,
  evaluator,
  type HostBatch,
  loader,
  normalize,
  type Optimizer,
  predictor,
  sgd,
  trainStep,
} from "@ocelli/training";
import { models } from "@ocelli/zoo";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onWasm } from "./web.js";

const dataset = digits({ count: 960 });
const transform = normalize(channelStatistics(dataset));
const build = () => models.lenet5_modern.build({});
const seed = 1;

interface Trained {
  readonly state: State;
  readonly losses: readonly number[];
}

async function train(device: Device, batchSize: number, steps: number, optimizer: Optimizer): Promise<Trained> {
  const model = build();
  const state = await device.init(model, { seed });
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer, transform });
  const losses: number[] = [];
  for await (const batch of loader(dataset, { batchSize, shuffle: true }).epoch(0)) {
    if (losses.length === steps) break;
    losses.push(item(await (await step(batch)).loss.read()));
  }
  return { state, losses };
}

const norm = (values: readonly number[]): number => Math.hypot(...values);
const from = (values: ArrayLike<number>, origin: ArrayLike<number>): number[] =>
  Array.from(values, (value, i) => value - (origin[i] as number));

describe("lenet5_modern on WebAssembly", () => {
  let device: Device;
  beforeAll(async () => {
    device = await onWasm();
  });
  afterAll(() => device?.dispose());

  it("takes the reference's steps: losses, parameters and momentum", async () => {
    const take = async (on: Device): Promise<{ losses: readonly number[]; values: StateDict }> => {
      const { state, losses } = await train(on, 8, 5, sgd({ lr: 0.05, momentum: 0.9 }));
      const values = await state.read();
      state.dispose();
      return { losses, values };
    };
    const host = await reference({ precision: "float32" });
    const [ours, theirs] = [await take(device), await take(host)];
    await host.dispose();
    expect(theirs.losses).toHaveLength(5);
    for (const [i, loss] of theirs.losses.entries())
      expect(Math.abs((ours.losses[i] as number) / loss - 1)).toBeLessThan(1e-3);
    // Early losses hardly move, and would agree without any update; how far the parameters went says more.
    const start = build().initialState({ seed });
    for (const collection of ["params", "optimizer"]) {
      for (const [name, value] of Object.entries(theirs.values[collection] as Record<string, HostTensor>)) {
        const wanted = toNumbers(value);
        const got = toNumbers(ours.values[collection]?.[name] as HostTensor);
        const origin = start[collection]?.[name];
        const moved = norm(from(wanted, origin === undefined ? new Float32Array(wanted.length) : toNumbers(origin)));
        expect([name, moved > 0]).toEqual([name, true]);
        expect.soft([name, norm(from(got, wanted)) / moved < 1e-3]).toEqual([name, true]);
      }
    }
  }, 60_000);

  describe("after thirty steps", () => {
    let trained: Trained;
    let test: HostBatch;
    beforeAll(async () => {
      trained = await train(device, 32, 30, adam({ lr: 3e-3 }));
      const batches = loader(digits({ split: "test", count: 100 }), { batchSize: 100 });
      for await (const batch of batches.epoch(0)) test = batch;
    }, 60_000);
    afterAll(() => trained?.state.dispose());

    it("has learned", () => {
      const { losses } = trained;
      expect(losses).toHaveLength(30);
      expect(losses[0]).toBeCloseTo(Math.log(10), 1);
      expect(Math.max(...losses.slice(-5))).toBeLessThan(1.9);
    });

    it("predicts with frozen weights what it computes with live ones", async () => {
      const model = build();
      const live = await device.compile({
        inputs: { images: test.images },
        state: model.stateSpecs(),
        build: ({ images }, state) => {
          const ctx = new Context(model, { state });
          return { outputs: { logits: ctx.call(model, transform.apply({ images: images! }, ctx).images) } };
        },
      });
      const logits = await (await live.run({ images: test.images }, trained.state)).logits!.read();
      const predict = await predictor(device, trained.state, { model, transform, output: "logits" });
      const frozen = await predict(test.images);
      expect(frozen.shape).toEqual([100, 10]);
      const [a, b] = [[...toNumbers(logits)], [...toNumbers(frozen)]];
      const largest = Math.max(...a.map(Math.abs));
      expect(largest).toBeGreaterThan(1);
      expect(Math.max(...from(b, a).map(Math.abs)) / largest).toBeLessThan(1e-5);

      const predicted = (row: number): number => {
        const scores = b.slice(row * 10, row * 10 + 10);
        return scores.indexOf(Math.max(...scores));
      };
      const right = [...toNumbers(test.labels)].filter((label, row) => predicted(row) === label).length;
      expect(right).toBeGreaterThan(50);
      const evaluation = await evaluator(device, trained.state, { model, transform })([test]);
      expect(evaluation.accuracy).toBe(right / 100);
      live[Symbol.dispose]();
      predict[Symbol.dispose]();
    });
  });
});
