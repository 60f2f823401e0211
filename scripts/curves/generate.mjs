// Writes pytorch.json, what PyTorch's losses are: `node scripts/curves/generate.mjs --data-dir DIR [--python /usr/bin/python3]`.
// DIR holds data/mnist and data/cifar10. Weights and batches go to PyTorch (curves.py) in a file each, so that it draws nothing itself.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bin, build, node, root } from "../run.mjs";

const { values: options } = parseArgs({
  options: { "data-dir": { type: "string" }, python: { type: "string", default: "/usr/bin/python3" } },
});
if (options["data-dir"] === undefined) {
  console.error("usage: node scripts/curves/generate.mjs --data-dir DIR [--python /usr/bin/python3]");
  process.exit(2);
}
const data = resolve(options["data-dir"], "data");
const folder = import.meta.dirname;
if ((await build({ types: false })).code !== 0) process.exit(1);
// Of the built packages, so not before.
const { cases, seeds, trainings } = await import("./cases.mjs");
const { fromHostTensor, writeSafetensors } = await import("@ocelli/formats");

/** `name` from the first dimension on: one tensor of all batches. */
function stacked(batches, name) {
  const tensors = batches.map((batch) => fromHostTensor(batch[name]));
  const [{ dtype, shape }] = tensors;
  return { dtype, shape: [batches.length, ...shape], bytes: Buffer.concat(tensors.map(({ bytes }) => bytes)) };
}

function writeTraining(path, { values, batches, statistics, optimizer, name }) {
  const entries = Object.values(values).flatMap(Object.entries);
  const tensors = [
    ...entries.map(([key, tensor]) => [key, fromHostTensor(tensor)]),
    ["batches.images", stacked(batches, "images")],
    ["batches.labels", stacked(batches, "labels")],
  ];
  writeFileSync(path, writeSafetensors(tensors, { training: JSON.stringify({ name, statistics, optimizer }) }));
}

/** The losses in both precisions, those in float32 of each repetition: `{ torch, float64, float32 }`. */
function torch(path, perturbed) {
  return new Promise((done, fail) => {
    const stdio = ["ignore", "pipe", "inherit"];
    const child = spawn(options.python, [join(folder, "curves.py"), path, "--perturbed", `${perturbed}`], { stdio });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.on("error", fail).on("close", (code) => {
      if (code === 0) done(JSON.parse(output));
      else
        fail(new Error(`curves.py ended with code ${code}; it needs Debian's python3-torch and libopenblas0-openmp`));
    });
  });
}

const digits = (value, count) => Number(value.toPrecision(count));

async function curveOf(path, training) {
  const { perturbed } = cases[training.name];
  writeTraining(path, training);
  const { float64, float32, torch: version } = await torch(path, perturbed);
  const distances = float64.map((loss, i) => Math.max(...float32.map((curve) => Math.abs(curve[i] - loss))));
  console.log(`${training.name}, seed ${training.seed}: float32 is ${distances.at(-1)} from float64 at the last step`);
  const curve = {
    digest: training.digest,
    perturbed,
    float64: float64.map((loss) => digits(loss, 8)),
    // The largest of the repetitions.
    float32Distance: distances.map((distance) => digits(distance, 3)),
  };
  return { curve, version };
}

const work = mkdtempSync(join(tmpdir(), "ocelli-curves-"));
const models = {};
let torchVersion;
for (const name of Object.keys(cases)) {
  const training = await trainings(name, data);
  const curves = [];
  for (const seed of seeds) {
    const { curve, version } = await curveOf(join(work, `${name}-${seed}.safetensors`), await training(seed));
    curves.push({ seed, ...curve });
    torchVersion = version;
  }
  models[name] = curves;
}
rmSync(work, { recursive: true, force: true });
const file = join(folder, "pytorch.json");
writeFileSync(file, JSON.stringify({ torch: torchVersion, models }));
const { code } = await node([bin("@biomejs/biome", "biome"), "format", "--write", file], { cwd: root });
process.exit(code);
