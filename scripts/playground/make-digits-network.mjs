// The network that the playground brings along: LeNet-5 on the built-in digits, in half precision.
// node scripts/playground/make-digits-network.mjs [--mnist FOLDER], in the root, when packages are built.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { crossEntropyPerSample } from "@ocelli/core";
import { fromHostTensor, toHostTensor, writeSafetensors } from "@ocelli/formats";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { flattenStateDict, loadStateDict } from "@ocelli/layers";
import {
  adamw,
  channelStatistics,
  compose,
  cosineSchedule,
  digits,
  evaluator,
  fit,
  loader,
  normalize,
  randomAffine,
} from "@ocelli/training";
import { loadDataset } from "@ocelli/training/node";
import { modelEntry } from "@ocelli/zoo";

const out = "apps/playground/public/networks/digits.safetensors";
const spec = { kind: "zoo", name: "lenet5_modern" };
const { values: flags } = parseArgs({ options: { mnist: { type: "string" } } });

const model = modelEntry(spec.name).build();
const train = digits({ split: "train", count: 60_000 });
const statistics = rounded(channelStatistics(train));
const transform = normalize(statistics);

const device = await onnx({ threads: 1 });
const state = await device.init(model, { seed: 0 });
// biome-ignore lint/suspicious/noFocusedTests: ocelli's, no test's
await fit({
  device,
  model,
  state,
  train,
  test: digits({ split: "test", count: 2000 }),
  epochs: 10,
  batchSize: 100,
  optimizer: adamw({ lr: 2e-3, weightDecay: 0.01 }),
  schedule: cosineSchedule(),
  lossPerSample: crossEntropyPerSample,
  // People write less evenly than the maker of these digits: more of it than the preset `mnist` has.
  transform: compose(randomAffine({ degrees: 12, translate: [0.1, 0.1], scale: [0.75, 1.2], shear: 16 }), transform),
  on: (event) => {
    if (event.type === "epoch")
      console.log(`epoch ${event.epoch}: ${(100 * event.testAccuracy).toFixed(2)} % of the test digits`);
  },
});

const flat = flattenStateDict(model, await state.read(["params", "buffers"]));
const halves = Object.entries(flat).map(([name, tensor]) => [name, fromHostTensor(tensor, { dtype: "F16" })]);
// Measured on what the file will hold.
const measured = loadStateDict(model, hostTensors(halves));
const accuracy = await accuracyOn(digits({ split: "test", count: 10_000 }));
const mnist = flags.mnist === undefined ? undefined : await loadDataset("mnist", { dataDir: flags.mnist });
const mnistAccuracy = mnist === undefined ? null : await accuracyOn(mnist.test);

const about = {
  title: "LeNet-5 on digits",
  spec,
  classes: train.classes,
  transform: { name: transform.name, options: transform.options },
  accuracy,
  mnistAccuracy,
};
const bytes = writeSafetensors(halves, { network: JSON.stringify(about) });
writeFileSync(out, bytes);
console.log(`${out}: ${bytes.length} bytes`, about);
state.dispose();
await device.dispose();

async function accuracyOn(data) {
  const values = await device.createState(measured);
  const evaluate = evaluator(device, values, { model, transform });
  const { accuracy } = await evaluate(loader(data, { batchSize: 500 }).epoch(0));
  values.dispose();
  return accuracy;
}

function hostTensors(entries) {
  return Object.fromEntries(entries.map(([name, tensor]) => [name, toHostTensor(tensor, name)]));
}

/** As many digits as a person would write: four. */
function rounded({ mean, std }) {
  const four = (values) => values.map((value) => Number(value.toFixed(4)));
  return { mean: four(mean), std: four(std) };
}
