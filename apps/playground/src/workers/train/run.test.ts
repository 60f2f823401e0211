import type { HostTensor } from "@ocelli/core";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { expect, it } from "vitest";
import type { TrainingSpec } from "../../model/training.js";
import { networkFormat, type SavedNetwork } from "../../store/networks.js";
import type { DeviceSlot } from "../device.js";
import type { RunStatus, TrainEvent } from "./api.js";
import { confusionOf } from "./judge.js";
import { openParts } from "./opened.js";
import { Run } from "./run.js";

const training: TrainingSpec = {
  data: { kind: "digits", count: 320 },
  optimizer: { name: "sgd", options: { lr: 0.05, momentum: 0.9 } },
  schedule: { name: "constant", options: {} },
  augment: "plain",
  epochs: 1,
  batchSize: 32,
  seed: 0,
};

/** Seconds alone; several times as many beside other work. */
const patient = { timeout: 60_000 };

/** A training of a small network in Node, which has no storage of a site: it goes on in memory. */
async function trained(
  changes: Partial<TrainingSpec>,
  {
    headOnly = false,
    use,
  }: { readonly headOnly?: boolean; readonly use: (run: Run, told: TrainEvent[]) => Promise<void> },
): Promise<void> {
  await using device = await onnx({ provider: "cpu", threads: 1 });
  const report = { kind: "wasm", adapter: "Node", software: true } as const;
  // What a run asks of its slot; the class has private fields besides.
  const slot = { open: async () => ({ device, report }), close: async () => undefined } as unknown as DeviceSlot;
  const wanted = { ...training, ...changes };
  const spec = { kind: "zoo", name: "lenet5_modern" } as const;
  const parts = await openParts(slot, { spec, training: wanted, headOnly }, () => undefined);
  const { classes } = parts.data.summary;
  const about = { format: networkFormat, id: "test", title: "LeNet-5", spec: parts.spec, classes } as const;
  const more = { transform: parts.transform, created: 0, source: "trained", training: wanted, accuracy: null } as const;
  const network: SavedNetwork = { ...about, ...more };
  const told: TrainEvent[] = [];
  let ended = (): void => undefined;
  const over = new Promise<void>((resolve) => (ended = resolve));
  const run = new Run(
    slot,
    { network },
    {
      parts,
      tell: (event) => {
        told.push(event);
        if (event.type === "state" && ["done", "failed"].includes(event.status.state)) ended();
      },
    },
  );
  const values = parts.built.model.initialState({ seed: 3 });
  await run.begin({ values });
  await over;
  expect(run.status.failure).toBeUndefined();
  await use(run, told);
  await run.close();
}

const parametersOf = async (run: Run): Promise<Readonly<Record<string, HostTensor>>> =>
  (await run.inside.state.read(["params"])).params ?? {};

it("the head alone is trained on what the rest makes of each picture, which is worked out once", patient, async () => {
  await trained(
    { epochs: 2 },
    {
      headOnly: true,
      use: async (run, told) => {
        const before = run.inside.built.model.initialState({ seed: 3 }).params ?? {};
        for (const [name, value] of Object.entries(await parametersOf(run)))
          if (name.startsWith("classifier.3.")) expect(value, name).not.toEqual(before[name]);
          else expect(value, name).toEqual(before[name]);
        const looked = told.filter(({ type }) => type === "preparing");
        expect(looked.at(-1)).toMatchObject({ doing: "looking at the pictures once, 420 of 420" });
        // 10 batches to learn from and 4 that judge, in two epochs.
        expect(looked).toHaveLength(14);
      },
    },
  );
});

it("with an average, that is what is judged: by epochs and by who looks inside", patient, async () => {
  const average = { name: "ema", options: { decay: 0.999, warmup: true } };
  const clip = { name: "clipNorm", options: { max: 1 } };
  await trained(
    { average, clip, validation: 0.25 },
    {
      use: async (run) => {
        const { epochs, data }: RunStatus = run.status;
        expect(data).toMatchObject({ train: 240, validation: 80, judged: "validation" });
        const { accuracy, count, loss } = await confusionOf(run.inside);
        expect(count).toBe(80);
        expect(epochs[0]?.validationAccuracy).toBeCloseTo(accuracy, 6);
        expect(epochs[0]?.validationLoss).toBeCloseTo(loss, 4);
        const { ema, params } = await run.inside.state.read(["params", "ema"]);
        expect(ema?.["classifier.3.weight"]).not.toEqual(params?.["classifier.3.weight"]);
      },
    },
  );
});
