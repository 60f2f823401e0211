// What share of a training step the update is, for every optimizer: `node bench/optimizers.mjs`. Each takes turns, step by step, with the
// same program that stops at the gradients; the share is what the whole step takes longer. Run it on a quiet machine: see README.md.
import { parseArgs } from "node:util";
import { build } from "../scripts/run.mjs";
import { markdown, median, noise, positive, settled, spread, undisturbed } from "./rounds.mjs";

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: "resnet18" },
    batch: { type: "string", default: "8" },
    size: { type: "string", default: "224" },
    seconds: { type: "string", default: "20" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const [batch, size, seconds, rounds, threads] = ["batch", "size", "seconds", "rounds", "threads"].map((name) =>
  positive(options[name], name),
);
/** The share that counts as reached. */
const target = 0.1;

const built = await build();
if (built.code !== 0) process.exit(built.code);
const { crossEntropy, hostTensor, randomKey } = await import("@ocelli/core");
const { onnx } = await import("@ocelli/kernels-cuda-onnx");
const training = await import("@ocelli/training");
const { createModel } = await import("@ocelli/zoo");
const { clipNorm, ema, makeOptimizer, normalize, trainingProgram, trainStep, withoutDecay } = training;

const sgd = makeOptimizer({ name: "sgd", options: { lr: 1e-3, momentum: 0.9, weightDecay: 1e-4 } });
const named = (name, given = {}) => [name, { optimizer: makeOptimizer({ name, options: given }) }];
const all = {
  "sgd, momentum": { optimizer: sgd },
  "sgd, Nesterov": { optimizer: sgd.with({ nesterov: true }) },
  ...Object.fromEntries([
    named("adagrad"),
    named("rmsprop"),
    named("adadelta"),
    named("adam"),
    ["adam, amsgrad", { optimizer: makeOptimizer({ name: "adam", options: { amsgrad: true } }) }],
    named("adamw"),
    named("nadam"),
    named("lars", { lr: 1e-2 }),
  ]),
  "sgd, groups": { optimizer: withoutDecay(sgd) },
  "sgd, clipNorm": { optimizer: sgd, clip: clipNorm(1) },
  "sgd, ema": { optimizer: sgd, average: ema({ decay: 0.999 }) },
};
const names = options.only?.split(",").map((name) => name.trim()) ?? Object.keys(all);
const cases = Object.entries(all).filter(([name]) =>
  names.some((wanted) => name.split(",")[0] === wanted || name === wanted),
);
if (cases.length === 0) {
  console.error(`bench: --only ${options.only}: there are ${Object.keys(all).join("; ")}`);
  process.exit(2);
}

const device = await onnx({ provider: "cpu", threads });
const model = createModel(options.model);
const [classes, channels] = [10, options.model.startsWith("lenet") ? 1 : 3];
const pixels = Uint8Array.from({ length: batch * channels * size * size }, (_, i) => (i * 2654435761) >>> 24);
const host = {
  images: hostTensor(pixels, [batch, channels, size, size]),
  labels: hostTensor(Int32Array.from({ length: batch }, (_, i) => i % classes)),
};
const transform = normalize({ mean: Array(channels).fill(0.5), std: Array(channels).fill(0.25) });
const shared = {
  model,
  transform,
  loss: (output, labels) => crossEntropy(output.logits ?? output, labels),
  metrics: {},
};

/** Puts each gradient where state is kept, as an update puts its results, and computes nothing. */
const keep = {
  name: "keep",
  options: {},
  lr: 0,
  slots: (param) => ({ grad: param }),
  scalars: () => ({}),
  update: ({ param, grad }) => ({ param, slots: { grad } }),
  with: () => keep,
};

/** The same step without the update: all gradients, and the new statistics. */
async function stepWithout() {
  const specs = Object.fromEntries(Object.entries(host).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  const traceable = trainingProgram({ ...shared, optimizer: keep }, specs);
  const program = await device.compile({
    ...traceable,
    build: (inputs, state) => {
      const { outputs, updates } = traceable.build(inputs, state);
      const kept = Object.entries(updates).filter(([name]) => !name.startsWith("params/"));
      return { outputs, updates: Object.fromEntries(kept) };
    },
  });
  const fresh = model.initialState({ seed: 0 });
  const zeros = Object.entries(fresh.params).map(([name, { shape, data }]) => [
    `${name}.grad`,
    hostTensor(new Float32Array(data.length), shape),
  ]);
  const state = await device.createState({ ...fresh, optimizer: Object.fromEntries(zeros) });
  const key = hostTensor(Uint32Array.from(randomKey(0, 0)));
  return { state, run: () => program.run({ ...host, key }, state) };
}

async function stepWith(given) {
  const state = await device.init(model, { seed: 0 });
  const step = trainStep(device, state, { ...shared, ...given });
  return { state, run: () => step(host) };
}

async function time({ run }) {
  const start = performance.now();
  await (await run()).loss.read();
  return performance.now() - start;
}

/** Milliseconds of the median step of each. They take turns with every step: the machine's drift meets both. */
async function together(steps) {
  const times = steps.map(() => []);
  for (const end = performance.now() + 1000 * seconds; performance.now() < end || times[0].length < 3; ) {
    // Whoever comes second finds a warmer machine.
    const order = times[0].length % 2 === 0 ? [0, 1] : [1, 0];
    for (const i of order) times[i].push(await time(steps[i]));
  }
  return times.map(median);
}

const busy = [];
const without = await stepWithout();
const measured = {};
for (const [name, given] of cases) {
  const step = await stepWith(given);
  // The first runs make memory.
  for (const each of [without, step, without, step]) await time(each);
  measured[name] = [];
  for (let round = 0; round < rounds; round++) {
    await settled();
    const { result, others } = await undisturbed(() => together([step, without]));
    busy.push(others);
    const [whole, rest] = result;
    measured[name].push({ whole, rest, share: (whole - rest) / whole });
    console.error(`round ${round + 1}  ${name}: ${whole.toFixed(1)} ms, ${rest.toFixed(1)} without the update`);
  }
  step.state.dispose();
}
without.state.dispose();
await device.dispose();

const rows = Object.entries(measured).map(([name, rounds]) => {
  const percent = spread(rounds.map(({ share }) => 100 * share));
  const judged = percent.middle <= 100 * target ? "reached" : "missed";
  return [
    name,
    median(rounds.map(({ whole }) => whole)).toFixed(1),
    percent.text,
    percent.range,
    `<= ${100 * target}: ${judged}`,
  ];
});
console.log(`${options.model}, batches of ${batch} of ${size}x${size}, ${threads} threads`);
console.log(markdown(["optimizer", "step, ms:", "update, %:", "min .. max", "target"], rows));
const warning = noise(busy);
if (warning !== undefined) console.log(warning);
if (options.json) console.log(JSON.stringify({ ...options, busy, measured }));
