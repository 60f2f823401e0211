// The sharp check beside the curves: every step from one state, so that no earlier difference can grow.
import { started } from "./cases.mjs";

/**
 * How far WebGPU's step may be from the ONNX device's, relatively: its loss, in every step, and its update of the parameters, in the lower
 * quartile of the steps. A ReLU whose input is within a rounding of zero flips in many a step of ResNet-20 (the ONNX device's own update
 * moves by 1e-3 when its weights are one rounding off); a wrong kernel would show in all of them. 5 times what was measured (SwiftShader).
 */
const limits = {
  lenet5_modern: { loss: 1.6e-6, update: 8e-6 },
  resnet20_cifar: { loss: 1e-6, update: 2e-5 },
};

/**
 * Takes the training's first `count` steps on both devices, WebGPU's each from the state that the ONNX device took it from; prints and
 * judges the differences: `{ ok, wanted, got }`.
 */
export async function compareSteps({ cpu, gpu }, training, count) {
  const begun = performance.now();
  const steps = await differences({ cpu, gpu }, { ...training, batches: training.batches.slice(0, count) });
  const seconds = (performance.now() - begun) / 1000;
  const limit = limits[training.name];
  const loss = largest(steps.map((step) => step.loss));
  const updates = steps.map(({ update }) => update);
  const update = lowerQuartile(updates);
  // Not `>`: NaN has to fail.
  const ok = loss <= limit.loss && update <= limit.update;
  const wanted = `${count} steps from one state: losses <= ${short(limit.loss)}, updates' lower quartile <= ${short(limit.update)} (relative)`;
  const got = `losses ${short(loss)}, updates' lower quartile ${short(update)}, worst ${short(largest(updates))}`;
  const verdict = ok ? "" : "FAILED ";
  console.log(`  ${verdict}${training.name}, seed ${training.seed}, ${wanted}: ${got} (${seconds.toFixed(0)} s)`);
  return { ok, wanted, got };
}

/** Of each step: relative difference of the loss, relative L2 distance of the parameters' update. */
async function differences(devices, training) {
  const cpu = await started(devices.cpu, training);
  const gpu = await started(devices.gpu, training);
  try {
    const steps = [];
    for (const batch of training.batches) {
      const old = await cpu.state.read();
      await gpu.state.write(old);
      const [expected, loss] = [await cpu.take(batch), await gpu.take(batch)];
      const [wanted, got] = [await cpu.state.read(["params"]), await gpu.state.read(["params"])];
      const update = updateDistance(old.params, wanted.params, got.params);
      steps.push({ loss: Math.abs(loss - expected) / Math.abs(expected), update });
    }
    return steps;
  } finally {
    cpu.state.dispose();
    gpu.state.dispose();
  }
}

/** `|got - wanted| / |wanted - old|` over all parameters. */
function updateDistance(old, wanted, got) {
  let apart = 0;
  let whole = 0;
  for (const [name, { data }] of Object.entries(wanted)) {
    for (const [i, value] of data.entries()) {
      apart += (got[name].data[i] - value) ** 2;
      whole += (value - old[name].data[i]) ** 2;
    }
  }
  return Math.sqrt(apart / whole);
}

// Both keep NaN: sorting with NaN does not, so it is looked for.
const largest = (values) => Math.max(...values);

function lowerQuartile(values) {
  if (values.some(Number.isNaN)) return Number.NaN;
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)];
}

const short = (value) => value.toExponential(1);
