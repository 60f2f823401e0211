// The proof that WebGPU trains as the others do: its losses beside those of the ONNX device and of PyTorch in float64 (pytorch.json).
import { join } from "node:path";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { describeAdapter, webgpu } from "@ocelli/kernels-webgpu";
import { readJson } from "../run.mjs";
import { seeds as allSeeds, steps as allSteps, cases, losses, trainings } from "./cases.mjs";
import { compareSteps } from "./forced.mjs";

const pytorch = readJson(join(import.meta.dirname, "pytorch.json")).models;

/** How many first steps are judged by relative distance, and what is always near enough there. */
const early = { steps: 5, tolerance: 1e-3 };
/** How many times PyTorch float32's own distance from its float64 is near enough. */
const factor = 3;

/**
 * Trains on both devices with each seed: `forced` steps from one state each (forced.mjs), then `steps` freely, whose curves are printed
 * side by side and judged. With fewer `steps` than PyTorch's, only the first few are judged.
 */
export async function compareCurves(name, { dataDir, forced, seeds = allSeeds, steps = allSteps }) {
  const missing = await withoutAdapter();
  if (missing !== undefined) return missing;
  const trainingOf = await trainings(name, dataDir);
  const limits = limitsOf(name, steps);
  const gpu = await webgpu({ tune: "off", onNotice: () => {} });
  const cpu = await onnx({ provider: "cpu" });
  try {
    const results = [];
    for (const seed of seeds) {
      const training = await trainingOf(seed);
      const steady = await compareSteps({ cpu, gpu }, training, forced);
      const curves = await sideBySide({ cpu, gpu }, { ...training, batches: training.batches.slice(0, steps) });
      results.push({ steady, ...judged(name, { seed, curves, limits }) });
    }
    return summary(results, limits);
  } finally {
    await gpu.dispose();
    await cpu.dispose();
  }
}

/** The result where nothing can run on WebGPU; undefined where it can. */
async function withoutAdapter() {
  try {
    await describeAdapter();
    return undefined;
  } catch ({ message }) {
    const required = (process.env.OCELLI_REQUIRE ?? "").split(",").map((name) => name.trim());
    if (!required.includes("webgpu")) return { ok: true, skipped: message };
    return { ok: false, wanted: "an adapter, because OCELLI_REQUIRE asks for WebGPU", got: message };
  }
}

/**
 * What the curves are judged by: `first`, relative, in the first steps; `last`, absolute, at PyTorch's last step. Training in float32 is
 * chaotic: one ReLU whose input is within a rounding of zero flips (in ResNet-20 with seed 1 at the first step), and from there the
 * curves part. PyTorch's own float32, started one rounding off, leaves its float64 as far as we do; so that distance, the largest over all
 * seeds and repetitions, is the measure. What chaos hides here, forced.mjs finds.
 */
function limitsOf(name, steps) {
  const curves = pytorch[name];
  const relative = curves.flatMap(({ float64, float32Distance }) =>
    float32Distance.slice(0, early.steps).map((distance, i) => distance / Math.abs(float64[i])),
  );
  const first = Math.max(early.tolerance, factor * Math.max(...relative));
  if (steps < allSteps) return { first };
  return { first, last: factor * Math.max(...curves.map(({ float32Distance }) => float32Distance.at(-1))) };
}

/** PyTorch's losses for this very training. */
function expected({ name, seed, digest }) {
  const found = pytorch[name].find((curve) => curve.seed === seed);
  if (found?.digest === digest) return found.float64;
  throw new Error(
    `pytorch.json is of other weights, batches or options for ${name}, seed ${seed} (${found?.digest}, here ${digest}). If they changed on purpose: node scripts/curves/generate.mjs`,
  );
}

/** Runs the ONNX device, then WebGPU with a line for each of the first steps and every fifth. Resolves with all three curves. */
async function sideBySide(devices, training) {
  const float64 = expected(training);
  const cpu = [];
  for await (const loss of losses(devices.cpu, training)) cpu.push(loss);
  const gpu = [];
  printHead(training, devices.gpu);
  let started = performance.now();
  let printed = 0;
  for await (const loss of losses(devices.gpu, training)) {
    const step = gpu.push(loss);
    if (step > early.steps && step % 5 !== 0 && step !== training.batches.length) continue;
    const seconds = (performance.now() - started) / 1000 / (step - printed);
    printRow([step, cpu[step - 1], loss, float64[step - 1]], seconds);
    started = performance.now();
    printed = step;
  }
  return { "onnx-cpu": cpu, webgpu: gpu, "PyTorch float64": float64.slice(0, gpu.length) };
}

const widths = [4, 9, 9, 11, 8, 8, 7];
const line = (cells) => console.log(`  ${cells.map((cell, i) => `${cell}`.padStart(widths[i])).join("  ")}`);

function printHead({ name, seed, batches }, { info }) {
  console.log(
    `  ${name} on ${cases[name].data}, batch ${cases[name].batchSize}, seed ${seed}, ${batches.length} steps`,
  );
  console.log(`  webgpu is ${info.adapter}; the last columns are how far it is from onnx-cpu and from PyTorch`);
  line(["step", "onnx-cpu", "webgpu", "PyTorch f64", "- onnx", "- f64", "s/step"]);
}

function printRow([step, cpu, gpu, float64], seconds) {
  const distances = [cpu, float64].map((other) => Math.abs(gpu - other).toExponential(1));
  line([step, ...[cpu, gpu, float64].map((loss) => loss.toFixed(6)), ...distances, seconds.toFixed(2)]);
}

/** The distances of one seed from both others, and what is too far, in words. */
function judged(name, { seed, curves: { webgpu: gpu, ...others }, limits }) {
  const failures = [];
  const first = Object.entries(others).map(([other, curve]) => {
    const apart = Math.max(
      ...gpu.slice(0, early.steps).map((loss, i) => Math.abs(loss - curve[i]) / Math.abs(curve[i])),
    );
    // Not `>`: NaN has to fail.
    if (!(apart <= limits.first)) failures.push(`${short(apart)} from ${other} in the first ${early.steps} steps`);
    return apart;
  });
  const last = Object.entries(others).map(([other, curve]) => {
    const apart = Math.abs(gpu.at(-1) - curve.at(-1));
    if (limits.last !== undefined && !(apart <= limits.last))
      failures.push(`${short(apart)} from ${other} at step ${gpu.length}`);
    return apart;
  });
  for (const failure of failures) console.log(`  FAILED ${name}, seed ${seed}: webgpu is ${failure}`);
  return { ok: failures.length === 0, first: Math.max(...first), last: Math.max(...last) };
}

const short = (value) => value.toExponential(1);

function summary(results, { first, last }) {
  const worst = (key) => short(Math.max(...results.map((result) => result[key])));
  const lastWanted = last === undefined ? "" : `, at step ${allSteps} <= ${short(last)}`;
  const lastGot = last === undefined ? "" : `, at step ${allSteps} ${worst("last")}`;
  const steady = results.map((result) => result.steady);
  return {
    ok: results.every((result) => result.ok && result.steady.ok),
    wanted: `free, first ${early.steps} steps <= ${short(first)} relative${lastWanted}; ${steady[0].wanted}`,
    got: `free, ${worst("first")}${lastGot}; from one state, ${steady.map(({ got }) => got).join("; ")}`,
  };
}
