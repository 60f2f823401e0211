// Slow acceptance runs, on the built packages: `npm run acceptance -- --data-dir DIR [--short] [--only NAME]`.
// DIR holds data/mnist, data/cifar10, weights and oracle. Every line says what was wanted and what came.
// Experiments, by name: `npm run acceptance -- degradation --data-dir DIR [--epochs N] [--limit IMAGES] [--out FOLDER]`, and `resnet20` likewise.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bin, build, node, readJson, root, swiftShader } from "./run.mjs";

const experiments = ["degradation", "resnet20"];
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "data-dir": { type: "string", default: "../shared" },
    short: { type: "boolean", default: false },
    only: { type: "string" },
    epochs: { type: "string" },
    limit: { type: "string" },
    out: { type: "string" },
  },
});
const [experiment] = positionals;
if (!existsSync(options["data-dir"]) || positionals.length > 1 || !experiments.includes(experiment ?? experiments[0])) {
  console.error(
    `usage: npm run acceptance -- [--data-dir DIR] [--short] [--only NAME]   (DIR, by default ../shared, holds data/mnist, data/cifar10, weights and oracle)
       npm run acceptance -- ${experiments.join("|")} [--data-dir DIR] [--epochs N] [--limit IMAGES] [--out FOLDER]`,
  );
  process.exit(2);
}
const data = resolve(options["data-dir"], "data");
const { short } = options;
const work = mkdtempSync(join(tmpdir(), "ocelli-acceptance-"));
const cli = join(root, "apps/cli/bin/ocelli.js");

/** Runs the command; resolves with its exit code and its JSON lines. `onLine` sees each line as it comes. */
function ocelli(args, { onLine, onStart } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    onStart?.(child);
    const lines = [];
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        if (!part.startsWith("{")) continue;
        lines.push(JSON.parse(part));
        onLine?.(lines.at(-1), child);
      }
    });
    child.on("error", fail).on("close", (code) => done({ code, lines }));
  });
}

async function train(args) {
  const { code, lines } = await ocelli(["train", ...args, "--json"]);
  if (code !== 0) throw new Error(`ocelli train ${args.join(" ")} ended with code ${code}`);
  return lines.at(-1);
}

const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** Trains with each seed; the worst accuracy has to reach `least`. */
async function mnist(model, epochs, seeds, least) {
  const mnistData = ["--data", "mnist", "--data-dir", data];
  const accuracies = [];
  for (const seed of seeds) {
    const out = join(work, `${model}-${seed}`);
    const { testAccuracy } = await train([
      model,
      ...mnistData,
      "--epochs",
      `${epochs}`,
      "--seed",
      `${seed}`,
      "--out",
      out,
    ]);
    accuracies.push(testAccuracy);
  }
  const worst = Math.min(...accuracies);
  return { ok: worst >= least, wanted: `>= ${percent(least)}`, got: accuracies.map(percent).join(", ") };
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);

/** A run killed at random moments and resumed until done, against one that was left alone. */
async function killAndResume(kills) {
  const args = ["lenet5_modern", "--data", "digits", "--epochs", "3", "--seed", "4"];
  const straight = join(work, "straight");
  const killed = join(work, "killed");
  const started = performance.now();
  await train([...args, "--out", straight]);
  const duration = performance.now() - started;
  let count = 0;
  for (;;) {
    const resume = existsSync(join(killed, "run.json"));
    const mayKill = count < kills;
    const onStart = (child) => {
      if (mayKill) setTimeout(() => child.kill("SIGKILL"), duration * (0.2 + 0.6 * Math.random()));
    };
    const { code } = await ocelli(
      ["train", ...(resume ? ["--resume", killed] : [...args, "--out", killed]), "--json"],
      { onStart },
    );
    if (code === 0) break;
    count++;
    if (count > kills) throw new Error(`resuming ended with code ${code}`);
  }
  const [a, b] = [straight, killed].map((folder) => digest(join(folder, "last.safetensors")));
  const same = a === b || sameTensors(join(straight, "last.safetensors"), join(killed, "last.safetensors"));
  return { ok: same, wanted: "the same tensors, byte for byte", got: `${a} and ${b} after ${count} kills` };
}

/** Metadata may differ in measured speeds; everything after the header may not. */
function sameTensors(...files) {
  const [a, b] = files.map((file) => {
    const bytes = readFileSync(file);
    return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
  });
  return a.equals(b);
}

/** Resident memory over many steps, after the first hundred. */
async function memory(steps) {
  const { onnx } = await import("@ocelli/kernels-cuda-onnx");
  const { createModel } = await import("@ocelli/zoo");
  const { crossEntropy } = await import("@ocelli/core");
  const { digits, loader, normalize, sgd, trainStep } = await import("@ocelli/training");
  const device = await onnx({ provider: "cpu", threads: 2 });
  const model = createModel("lenet5_modern");
  const state = await device.init(model);
  const transform = normalize({ mean: [0.13], std: [0.31] });
  const step = trainStep(device, state, {
    model,
    loss: crossEntropy,
    transform,
    optimizer: sgd({ lr: 0.01, momentum: 0.9 }),
  });
  const batches = loader(digits({ split: "train", count: 3200 }), { batchSize: 32, shuffle: true });
  let taken = 0;
  let start = 0;
  for (let epoch = 0; taken < steps; epoch++) {
    for await (const batch of batches.epoch(epoch)) {
      const { loss } = await step(batch);
      await loss.read();
      taken++;
      if (taken === 100) {
        globalThis.gc?.();
        start = process.memoryUsage().rss;
      }
    }
  }
  globalThis.gc?.();
  const growth = (process.memoryUsage().rss - start) / 1e6;
  state.dispose();
  await device.dispose();
  return { ok: growth < 20, wanted: `< 20 MB over ${steps} steps`, got: `${growth.toFixed(1)} MB` };
}

/** Tracing, lowering and session creation of a ResNet-20 training step. */
async function compileTime() {
  const { onnx } = await import("@ocelli/kernels-cuda-onnx");
  const { createModel } = await import("@ocelli/zoo");
  const { crossEntropy, hostTensor } = await import("@ocelli/core");
  const { normalize, sgd, trainStep } = await import("@ocelli/training");
  const device = await onnx({ provider: "cpu", threads: 2 });
  const model = createModel("resnet20_cifar");
  const state = await device.init(model);
  const transform = normalize({ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] });
  const step = trainStep(device, state, {
    model,
    loss: crossEntropy,
    transform,
    optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
  });
  const images = hostTensor(new Uint8Array(128 * 3072), [128, 3, 32, 32]);
  const { stats } = await step.program({ images, labels: hostTensor(new Int32Array(128)) });
  state.dispose();
  await device.dispose();
  return {
    ok: stats.compileMs < 3000,
    wanted: "< 3000 ms",
    got: `${stats.compileMs.toFixed(0)} ms, ${stats.nodes} nodes`,
  };
}

/** WebGPU's losses beside those of the ONNX device and of PyTorch, and its steps beside the ONNX device's. */
async function curves(model, options) {
  // Dawn reads it when it is loaded.
  Object.assign(process.env, swiftShader());
  // Imports the packages, so not before they are built.
  const { compareCurves } = await import("./curves/compare.mjs");
  return compareCurves(model, { dataDir: data, ...options });
}

/** Does something on a device of its own. */
async function withDevice(kind, work) {
  if (kind === "webgpu") Object.assign(process.env, swiftShader());
  const { onnx } = await import("@ocelli/kernels-cuda-onnx");
  const { webgpu } = await import("@ocelli/kernels-webgpu");
  const device = kind === "webgpu" ? await webgpu() : await onnx({ provider: "cpu", threads: 2 });
  try {
    return await work(device);
  } finally {
    await device.dispose();
  }
}

/** The share of CIFAR-10's test images that the published ResNet-20 gets wrong. */
async function resnet20Error(device, images) {
  const weights = resolve(options["data-dir"], "weights", "resnet20-12fca82f.th");
  const args = ["--model", "resnet20_cifar", "--data", "cifar10", "--data-dir", data, "--device", device];
  const { code, lines } = await ocelli(["eval", weights, ...args, "--limit", `${images}`, "--json"]);
  if (code !== 0) throw new Error(`ocelli eval ended with code ${code}`);
  return 1 - lines.at(-1).accuracy;
}

async function publishedResnet20() {
  const error = await resnet20Error("onnx-cpu", 10_000);
  return { ok: Math.abs(error - 0.0827) < 0.0002, wanted: "8.27 % +- 0.02", got: percent(error) };
}

async function publishedResnet20OnWebgpu(images) {
  // The command inherits it.
  Object.assign(process.env, swiftShader());
  const [onnx, webgpu] = [await resnet20Error("onnx-cpu", images), await resnet20Error("webgpu", images)];
  return { ok: onnx === webgpu, wanted: `${percent(onnx)}, as on ONNX`, got: `${percent(webgpu)} of ${images} images` };
}

async function caffeLenet() {
  const { caffeOnMnist } = await import("./zoo/checkpoints.mjs");
  return withDevice("onnx", (device) => caffeOnMnist(device, resolve(options["data-dir"])));
}

/** Every model that has an oracle, or these. */
async function torchvision(kind, names) {
  const { oracleNames, torchvisionParity } = await import("./zoo/torchvision.mjs");
  const dataDir = resolve(options["data-dir"]);
  return withDevice(kind, (device) =>
    torchvisionParity(names ?? oracleNames(dataDir), device, { dataDir, train: kind === "onnx" }),
  );
}

async function stepsAndExports(names) {
  const { modelNames } = await import("@ocelli/zoo");
  const { everyModelStepsAndExports } = await import("./zoo/steps.mjs");
  return withDevice("onnx", (device) => everyModelStepsAndExports(names ?? modelNames, device));
}

/** WebGPU's kernels in every way that they can run; `npm test` tries one a case. */
async function everyVariant() {
  const report = join(work, "variants.json");
  const args = ["run", "--project", "node", "packages/kernels-webgpu/test/kernels-", "--reporter", "json"];
  const env = { OCELLI_TESTS: "all", OCELLI_REQUIRE: "webgpu" };
  const { code, output } = await node([bin("vitest"), ...args, "--outputFile", report], { capture: true, env });
  if (!existsSync(report)) throw new Error(output);
  const { numPassedTests, numFailedTests } = readJson(report);
  const got = `${numPassedTests} tests passed, ${numFailedTests} failed`;
  return { ok: code === 0 && numPassedTests > 0, wanted: "none fails", got };
}

/** Damaged files: nothing but named errors, no hang, no allocation out of proportion. */
async function fuzz(count) {
  const { run } = await import("./fuzz-formats.mjs");
  return run(count, 1);
}

const onePerPaper = [
  "lenet1",
  "alexnet_2012",
  "zfnet",
  "vgg11_lrn",
  "nin_cifar10",
  "googlenet_2014",
  "inception_v2",
  "inception_v3",
  "resnet20_cifar",
  "preact_resnet110_cifar",
  "wrn_16_8",
  "resnext50_32x4d",
  "resnet110_stochastic_cifar",
  "fractalnet20_cifar",
  "densenet40_12_cifar",
  "squeezenet1_0_complex_bypass",
];

const full = {
  "published ResNet-20 on CIFAR-10's 10,000 test images": () => publishedResnet20(),
  "the same on WebGPU, 1,000 images": () => publishedResnet20OnWebgpu(1000),
  "Caffe's LeNet on MNIST": () => caffeLenet(),
  "torchvision's models on ONNX: logits, loss, gradients": () => torchvision("onnx"),
  "torchvision's models on WebGPU: logits": () => torchvision("webgpu"),
  "every model of the zoo: a training step, an export": () => stepsAndExports(),
  "WebGPU's kernels, every variant of every case": () => everyVariant(),
  "100,000 damaged safetensors, PyTorch and ONNX files": () => fuzz(100_000),
  "compile ResNet-20's training step": () => compileTime(),
  "memory over 3,000 steps": () => memory(3000),
  "kill and resume": () => killAndResume(3),
  "lenet5_modern on MNIST, 5 epochs, seeds 0 1 2": () => mnist("lenet5_modern", 5, [0, 1, 2], 0.988),
  "lenet5 (1998) on MNIST, 5 epochs, seeds 0 1 2": () => mnist("lenet5", 5, [0, 1, 2], 0.985),
  "loss curves on WebGPU: lenet5_modern, 50 steps, seeds 0 1 2": () => curves("lenet5_modern", { forced: 20 }),
  "loss curves on WebGPU: resnet20_cifar, 50 steps, seeds 0 1 2": () => curves("resnet20_cifar", { forced: 5 }),
};
const brief = {
  "published ResNet-20 on CIFAR-10's 10,000 test images": () => publishedResnet20(),
  "the same on WebGPU, 200 images": () => publishedResnet20OnWebgpu(200),
  "Caffe's LeNet on MNIST": () => caffeLenet(),
  "torchvision's models on ONNX: logits, loss, gradients of four": () =>
    torchvision("onnx", ["squeezenet1_0", "resnet18", "googlenet", "densenet121"]),
  "torchvision's models on WebGPU: logits of two": () => torchvision("webgpu", ["squeezenet1_0", "resnet18"]),
  "a training step, an export: one model a paper": () => stepsAndExports(onePerPaper),
  "WebGPU's kernels, every variant of every case": () => everyVariant(),
  "compile ResNet-20's training step": () => compileTime(),
  "memory over 1,000 steps": () => memory(1000),
  "kill and resume": () => killAndResume(1),
  "lenet5_modern on MNIST, 1 epoch": () => mnist("lenet5_modern", 1, [0], 0.97),
  "loss curves on WebGPU: lenet5_modern, 50 steps, seed 0": () => curves("lenet5_modern", { forced: 10, seeds: [0] }),
  "loss curves on WebGPU: resnet20_cifar, 5 steps, seed 0": () =>
    curves("resnet20_cifar", { forced: 3, seeds: [0], steps: 5 }),
};

if ((await build()).code !== 0) process.exit(1);
if (experiment !== undefined) {
  const module = await import(`./experiments/${experiment}.mjs`);
  const { epochs, limit } = options;
  const numbers = { ...(epochs && { epochs: Number(epochs) }), ...(limit && { limit: Number(limit) }) };
  const out = resolve(options.out ?? join("runs", experiment));
  await module[experiment]({ dataDir: data, out, ...numbers });
  process.exit(0);
}
let failures = 0;
for (const [name, run] of Object.entries(short ? brief : full)) {
  if (options.only !== undefined && !name.includes(options.only)) continue;
  const started = performance.now();
  const { ok, wanted, got, skipped } = await run().catch((error) => ({
    ok: false,
    wanted: "no error",
    got: error.message,
  }));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (skipped !== undefined) console.log(`skipped: ${name}, because ${skipped}`);
  else console.log(`${ok ? "ok    " : "FAILED"} ${name}: ${got} (wanted ${wanted}; ${seconds} s)`);
  failures += ok ? 0 : 1;
}
rmSync(work, { recursive: true, force: true });
process.exit(failures === 0 ? 0 : 1);
