// Slow acceptance runs, on the built packages: `npm run acceptance -- --data-dir DIR [--short] [--only NAME]`.
// DIR holds data/mnist and data/cifar10. Every line says what was wanted and what came.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, root, swiftShader } from "./run.mjs";

const { values: options } = parseArgs({
  options: { "data-dir": { type: "string" }, short: { type: "boolean", default: false }, only: { type: "string" } },
});
if (options["data-dir"] === undefined) {
  console.error(
    "usage: npm run acceptance -- --data-dir DIR [--short] [--only NAME]   (DIR holds data/mnist and data/cifar10)",
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

const full = {
  "compile ResNet-20's training step": () => compileTime(),
  "memory over 3,000 steps": () => memory(3000),
  "kill and resume": () => killAndResume(3),
  "lenet5_modern on MNIST, 5 epochs, seeds 0 1 2": () => mnist("lenet5_modern", 5, [0, 1, 2], 0.988),
  "lenet5 (1998) on MNIST, 5 epochs, seeds 0 1 2": () => mnist("lenet5", 5, [0, 1, 2], 0.985),
  "loss curves on WebGPU: lenet5_modern, 50 steps, seeds 0 1 2": () => curves("lenet5_modern", { forced: 20 }),
  "loss curves on WebGPU: resnet20_cifar, 50 steps, seeds 0 1 2": () => curves("resnet20_cifar", { forced: 5 }),
};
const brief = {
  "compile ResNet-20's training step": () => compileTime(),
  "memory over 1,000 steps": () => memory(1000),
  "kill and resume": () => killAndResume(1),
  "lenet5_modern on MNIST, 1 epoch": () => mnist("lenet5_modern", 1, [0], 0.97),
  "loss curves on WebGPU: lenet5_modern, 50 steps, seed 0": () => curves("lenet5_modern", { forced: 10, seeds: [0] }),
  "loss curves on WebGPU: resnet20_cifar, 5 steps, seed 0": () =>
    curves("resnet20_cifar", { forced: 3, seeds: [0], steps: 5 }),
};

if ((await build()).code !== 0) process.exit(1);
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
