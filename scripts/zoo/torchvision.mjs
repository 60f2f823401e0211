// Torchvision's models here and there: logits, training loss and every parameter's gradient, from weights that a formula makes. What
// torchvision computes in float64, and how far its float32 is from that, stands in the oracle's files.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Dropout, modelProgram } from "@ocelli/layers";
import { createModel, modelEntry } from "@ocelli/zoo";
import { formulaImages, formulaLabels, formulaState } from "./formula.mjs";
import { trainingPass } from "./pass.mjs";

/** Where the oracle's files are: in the data directory, and in this folder (made by the same script). */
const places = (dataDir) => [join(dataDir, "oracle", "torchvision"), join(import.meta.dirname, "oracle")];

/** All models that have an oracle. */
export const oracleNames = (dataDir) =>
  places(dataDir)
    .flatMap((place) => (existsSync(place) ? readdirSync(place) : []))
    .map((file) => file.replace(".json", ""))
    .sort();

function oracle(name, dataDir) {
  const path = places(dataDir)
    .map((place) => join(place, `${name}.json`))
    .find(existsSync);
  if (path === undefined) throw new Error(`there is no oracle for ${name}`);
  return JSON.parse(readFileSync(path, "utf8"));
}

const l2 = (values) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

/** Error over bound: at most 1 is right. */
function logitsError(wanted, { data, shape: [rows, classes] }) {
  const differences = wanted.first16.slice(0, rows).flatMap((row, r) => row.map((x, i) => x - data[r * classes + i]));
  return l2(differences) / Math.max(3 * wanted.d, 1e-4 * wanted.l2);
}

/** How much more than its norm a gradient's first values may be off: one ReLU within a rounding of 0 that flips moves single values. */
const single = 10;

function gradientErrors(wanted, got) {
  const largest = Math.max(...Object.values(wanted).map((entry) => entry.l2));
  return Object.entries(wanted).map(([name, { l2: norm, first4, d }]) => {
    const data = got[name];
    if (data === undefined) return { name, error: Number.POSITIVE_INFINITY };
    const bound = Math.max(3 * d, 1e-3 * norm, 1e-6 * largest);
    let squares = 0;
    for (const x of data) squares += x * x;
    const differences = first4.map((x, i) => x - data[i]);
    return { name, error: Math.max(Math.abs(Math.sqrt(squares) - norm), l2(differences) / single) / bound };
  });
}

/** Loss and gradients of one batch in training mode, without dropout. */
function trainingProgram(model, entry, images, labels) {
  return {
    inputs: { images, labels },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const { loss, grads } = trainingPass(model, entry, inputs, state);
      return { outputs: { loss, ...Object.fromEntries(grads.map(([name, grad]) => [`grad:${name}`, grad])) } };
    },
  };
}

/** Worst errors of a model on a device, each as a share of what is allowed. */
export async function againstTorchvision(name, device, { dataDir, train }) {
  const wanted = oracle(name, dataDir);
  const entry = modelEntry(name);
  const model = createModel(name);
  for (const layer of model.modules().values()) if (layer instanceof Dropout) Object.assign(layer, { p: 0 });
  const values = formulaState(model);
  const count = Object.values(values.params).reduce((sum, { data }) => sum + data.length, 0);
  if (count !== wanted.parameters) throw new Error(`${name} has ${count} parameters, not ${wanted.parameters}`);
  const state = await device.createState(values);
  try {
    const images = formulaImages(wanted.input);
    const forward = await device.compile(modelProgram(model, images));
    const { logits } = await forward.run({ input: images }, state);
    const result = { name, logits: logitsError(wanted.eval, await logits.read()) };
    forward[Symbol.dispose]?.();
    if (!train) return result;
    const labels = formulaLabels(wanted.input[0], entry.numClasses);
    const step = await device.compile(trainingProgram(model, entry, images, labels));
    const outputs = await step.run({ images, labels }, state);
    const loss = (await outputs.loss.read()).data[0];
    const read = {};
    for (const [key, handle] of Object.entries(outputs)) {
      if (key.startsWith("grad:")) read[key.slice(5)] = (await handle.read()).data;
    }
    step[Symbol.dispose]?.();
    const errors = gradientErrors(wanted.train.gradients, read);
    const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
    const bound = Math.max(3 * wanted.train.d, 1e-4 * Math.abs(wanted.train.loss));
    return { ...result, loss: Math.abs(loss - wanted.train.loss) / bound, gradient: worst.error, worst: worst.name };
  } finally {
    state.dispose();
  }
}

/** Prints a line a model; resolves with acceptance's verdict. */
export async function torchvisionParity(names, device, options) {
  const results = [];
  for (const name of names) {
    const result = await againstTorchvision(name, device, options).catch((error) => {
      console.error(`  ${name}: ${error.stack}`);
      return { name, logits: Number.POSITIVE_INFINITY };
    });
    results.push(result);
    const shown = Object.entries(result).flatMap(([key, value]) =>
      typeof value === "number" ? [`${key} ${value.toFixed(3)}`] : [],
    );
    console.log(`  ${name}: ${shown.join(", ")}${result.worst === undefined ? "" : ` (${result.worst})`}`);
  }
  const worst = Math.max(...results.flatMap((result) => Object.values(result).filter((x) => typeof x === "number")));
  return {
    ok: worst <= 1,
    wanted: "no error above the oracle's bound",
    got: `${names.length} models, worst ${worst.toFixed(2)} of the bound`,
  };
}
