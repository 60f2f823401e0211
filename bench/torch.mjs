// Our speed beside PyTorch's on the same processor: `npm run bench -- --peers ../shared/peers`. See README.md.
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, root } from "../scripts/run.mjs";
import { jsonLines, markdown, median, noise, positive, run, settled, spread, undisturbed, verdict } from "./rounds.mjs";

const { values: options } = parseArgs({
  options: {
    peers: { type: "string" },
    seconds: { type: "string", default: "6" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
    model: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

/** Ours, theirs, and the batches of both. `targets`: the least ratios of single models that count as reached. */
const all = [
  { model: "lenet5_modern", peer: "lenet5", train: 128, infer: 128, targets: { train: 0.5 } },
  { model: "resnet20_cifar", peer: "resnet20", train: 128, infer: 128, targets: { train: 0.6, infer: 1.3 } },
  { model: "resnet18", peer: "resnet18", train: 8, infer: 8 },
  { model: "resnet50", peer: "resnet50", train: 4, infer: 4 },
  { model: "alexnet", peer: "alexnet", train: 16, infer: 16 },
  { model: "vgg16", peer: "vgg16", train: 2, infer: 4 },
  // Ours trains its two auxiliary classifiers as well.
  { model: "googlenet", peer: "googlenet", train: 8, infer: 8 },
  { model: "densenet121", peer: "densenet121", train: 4, infer: 4 },
  { model: "squeezenet1_0", peer: "squeezenet1_0", train: 8, infer: 8 },
];
const modes = ["train", "infer"];
/** What the geometric mean over all models has to reach. */
const means = { train: 0.6, infer: 1.5 };

function stop(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

if (options.peers === undefined) {
  stop(
    "usage: npm run bench -- --peers DIR [--seconds 6] [--rounds 5] [--threads 2] [--model NAME,...] [--python /usr/bin/python3] [--json]",
  );
}
const wanted = options.model?.split(",") ?? all.map(({ model }) => model);
const strange = wanted.filter((name) => !all.some(({ model }) => model === name));
if (strange.length > 0) stop(`--model ${strange.join(",")}: there are ${all.map(({ model }) => model).join(", ")}`);
const pairs = all.filter(({ model }) => wanted.includes(model));
const script = join(resolve(options.peers), "torch_bench.py");
if (!existsSync(script)) stop(`there is no ${script}; --peers names the folder that holds torch_bench.py`);
const [seconds, rounds, threads] = ["seconds", "rounds", "threads"].map((name) => positive(options[name], name));
const versions = await run(options.python, ["-c", "import torch, torchvision; print(torch.__version__)"]).catch(
  (error) => {
    const why = error.code === "ENOENT" ? "it does not exist" : error.message.trim().split("\n").at(-1);
    const remedy =
      "apt-get install python3-torch python3-torchvision libopenblas0-openmp, or name another with --python";
    return stop(`${options.python} cannot run PyTorch (${why}).\n  ${remedy}`);
  },
);
const built = await build();
if (built.code !== 0) process.exit(built.code);

/** Images a second, in three digits or whole. */
const rate = (value) => (value < 100 ? value.toPrecision(3) : Math.round(value).toLocaleString("en-US"));

const busy = [];
async function measure(work) {
  await settled();
  const { result, others } = await undisturbed(work);
  busy.push(others);
  return result;
}

async function ours(model, mode, batch) {
  const cli = join(root, "apps/cli/bin/ocelli.js");
  const args = ["--mode", mode, "--batch", `${batch}`, "--seconds", `${seconds}`];
  const output = await run(process.execPath, [
    cli,
    "bench",
    model,
    ...args,
    "--device",
    "onnx-cpu",
    "--threads",
    `${threads}`,
    "--json",
  ]);
  const [result] = jsonLines(output);
  if (result === undefined) throw new Error(`ocelli bench ${model} printed no JSON line:\n${output}`);
  for (const [name, value] of Object.entries({ model, mode, batch, threads })) {
    if (result[name] !== value) throw new Error(`ocelli bench measured ${name} ${result[name]} in place of ${value}`);
  }
  return result;
}

async function theirs(peer, batch) {
  // PyTorch, OpenMP and OpenBLAS each have a count of their own.
  const env = { ...process.env, OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const output = await run(options.python, [script, "--threads", `${threads}`, "--seconds", `${seconds}`, peer], {
    env,
  });
  const result = jsonLines(output).find((line) => line.model === peer);
  if (result === undefined) throw new Error(`${script} printed no line for ${peer}:\n${output}`);
  if (result.batch !== batch) throw new Error(`${script} measured batches of ${result.batch}; ours are of ${batch}`);
  return { train: result.train_img_s, infer: result.infer_img_s };
}

const measured = new Map();
let adapter = "";
for (let round = 0; round < rounds; round++) {
  for (const { model, peer, ...batches } of pairs) {
    const mine = {};
    const measureOurs = async () => {
      for (const mode of modes) {
        const result = await measure(() => ours(model, mode, batches[mode]));
        mine[mode] = result.imagesPerSecond;
        adapter = result.adapter;
      }
    };
    // Whoever comes second finds a warmer machine: take turns.
    if (round % 2 === 0) await measureOurs();
    const other = await measure(() => theirs(peer, batches.train));
    if (round % 2 === 1) await measureOurs();
    for (const mode of modes) {
      const key = `${model} ${mode}`;
      const [a, b] = [mine[mode], other[mode]];
      measured.set(key, [...(measured.get(key) ?? []), { ours: a, theirs: b, ratio: a / b }]);
      console.error(`round ${round + 1}  ${key}: ${rate(a)} against ${rate(b)} images/s, ratio ${(a / b).toFixed(2)}`);
    }
  }
}

const ratios = (model, mode) => measured.get(`${model} ${mode}`).map(({ ratio }) => ratio);
const rows = pairs.flatMap(({ model, targets = {}, ...batches }) =>
  modes.map((mode) => {
    const rounds = measured.get(`${model} ${mode}`);
    const ratio = spread(ratios(model, mode));
    const speeds = [rounds.map((one) => one.ours), rounds.map((one) => one.theirs)].map((all) => rate(median(all)));
    const target = targets[mode];
    const judged = target === undefined ? "-" : verdict(ratio.middle, target);
    return [model, mode, batches[mode], ...speeds, ratio.text, ratio.range, judged];
  }),
);
for (const mode of modes) {
  const logs = pairs.map(({ model }) => Math.log(median(ratios(model, mode))));
  const mean = Math.exp(logs.reduce((a, b) => a + b, 0) / logs.length);
  // A mean of some of them is no mean of all.
  const judged = pairs.length === all.length ? verdict(mean, means[mode]) : "-";
  rows.push([`geometric mean of ${pairs.length}`, mode, "", "", "", mean.toFixed(2), "", judged]);
}
const columns = [
  "model",
  "mode",
  "batch:",
  "ocelli, images/s:",
  "PyTorch, images/s:",
  "ratio:",
  "min .. max",
  "target",
];
console.log(markdown(columns, rows));
console.log(
  `\n${adapter || cpus()[0]?.model}, ${threads} threads, Node ${process.versions.node}, PyTorch ${versions.trim()}; medians of ${rounds} rounds, ${seconds} s each.`,
);
const warning = noise(busy);
if (warning !== undefined) console.log(warning);
if (options.json) console.log(JSON.stringify({ threads, seconds, busy, measured: Object.fromEntries(measured) }));
