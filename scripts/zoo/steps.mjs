// Every model of the zoo, at a small input: one training step on the ONNX device, whose gradients all have to be finite, and an export
// that plain onnxruntime-node runs to the same logits.
import { isFinite as isFiniteTensor, select, sum } from "@ocelli/core";
import { keySpec, modelProgram } from "@ocelli/layers";
import { exportOnnx } from "@ocelli/training";
import { createModel, leastInputSize, modelEntry } from "@ocelli/zoo";
import * as runtime from "onnxruntime-node";
import { formulaImages, formulaLabels } from "./formula.mjs";
import { trainingPass } from "./pass.mjs";

const classes = 10;
const batch = 2;

/** A size that the network takes and that is no larger than need be. */
function smallModel(name) {
  const { input } = modelEntry(name);
  const size = Math.min(input[1], Math.max(32, leastInputSize(name, { training: true })));
  const model = createModel(name, { numClasses: classes, inputSize: size });
  return { model, shape: [batch, input[0], size, size], values: model.initialState({ seed: 0 }) };
}

/** The loss of a training pass, and for each parameter how many values of its gradient are not finite. */
function stepProgram(model, entry, images, labels) {
  return {
    inputs: { images, labels, key: keySpec },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const { loss, grads, updates } = trainingPass(model, entry, inputs, state);
      const strange = grads.map(([name, grad]) => [`strange:${name}`, sum(select(isFiniteTensor(grad), 0, 1))]);
      return { outputs: { loss, ...Object.fromEntries(strange) }, updates };
    },
  };
}

/** The parameters whose gradients are not finite everywhere. */
async function strangeGradients(name, { model, shape, values }, device) {
  const state = await device.createState(values);
  try {
    const images = formulaImages(shape);
    const labels = formulaLabels(batch, classes);
    const program = await device.compile(stepProgram(model, modelEntry(name), images, labels));
    const outputs = await program.run(
      { images, labels, key: { shape: [2], dtype: "uint32", data: Uint32Array.of(1, 2) } },
      state,
    );
    const bad = [];
    for (const [key, handle] of Object.entries(outputs)) {
      const { data } = await handle.read();
      if (key === "loss" ? !Number.isFinite(data[0]) : data[0] !== 0) bad.push(key.replace("strange:", ""));
    }
    program[Symbol.dispose]?.();
    return bad;
  } finally {
    state.dispose();
  }
}

/** The logits in evaluation mode. */
async function logitsOn(device, { model, images, values }) {
  const state = await device.createState(values);
  const program = await device.compile(modelProgram(model, images));
  const { logits } = await program.run({ input: images }, state);
  const { data } = await logits.read();
  program[Symbol.dispose]?.();
  state.dispose();
  return data;
}

/** The values with vectors, the scales of batch-norm among them, ten times smaller. */
function quieter({ params, buffers }) {
  const quiet = ([name, { shape, data }]) => [
    name,
    { ...params[name], data: shape.length > 1 ? data : data.map((x) => x / 10) },
  ];
  return { params: Object.fromEntries(Object.entries(params).map(quiet)), buffers };
}

/** Largest difference of the logits, relative to the largest of them, between the device and a plain session on the exported file. */
async function exportError({ model, shape, values }, device) {
  const images = formulaImages(shape);
  let state = values;
  let ours = await logitsOn(device, { model, images, values: state });
  // Before any training, evaluation normalises nothing, and a thousand residual sums overflow.
  if (!ours.every(Number.isFinite)) {
    state = quieter(values);
    ours = await logitsOn(device, { model, images, values: state });
  }
  const session = await runtime.InferenceSession.create(exportOnnx(model, state, { input: ["N", ...shape.slice(1)] }), {
    intraOpNumThreads: 2,
  });
  const { logits } = await session.run({ input: new runtime.Tensor("float32", images.data, shape) });
  await session.release();
  const scale = Math.max(...ours.map(Math.abs), 1e-6);
  return Math.max(...ours.map((value, i) => Math.abs(value - logits.data[i]))) / scale;
}

/** Prints a line for every model that fails, or for all with `verbose`. */
export async function everyModelStepsAndExports(names, device) {
  let worst = 0;
  const failed = [];
  for (const name of names) {
    const started = performance.now();
    try {
      const small = smallModel(name);
      const bad = await strangeGradients(name, small, device);
      const error = await exportError(small, device);
      worst = Math.max(worst, error);
      const fine = bad.length === 0 && error <= 1e-4;
      if (!fine) failed.push(name);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const why = bad.length === 0 ? "" : `, not finite: ${bad.slice(0, 5).join(", ")}`;
      console.log(
        `  ${fine ? "ok    " : "FAILED"} ${name}: export differs by ${error.toExponential(1)}${why} (${seconds} s)`,
      );
    } catch (error) {
      failed.push(name);
      console.log(`  FAILED ${name}: ${error.message}`);
    }
  }
  return {
    ok: failed.length === 0,
    wanted: "finite gradients for all parameters, logits of the exported file within 1e-4",
    got: `${names.length} models, worst ${worst.toExponential(1)}${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}`,
  };
}
