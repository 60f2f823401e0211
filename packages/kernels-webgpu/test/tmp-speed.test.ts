import { crossEntropy, hostTensor, item } from "@ocelli/core";
import { Linear, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { it } from "vitest";
import { webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";

it("speed", async () => {
  let t = performance.now();
  const lap = (s: string) => {
    const n = performance.now();
    console.log(s, (n - t).toFixed(0));
    t = n;
  };
  const device = await webgpu({onNotice: () => undefined});
  lap("open");
  const raw = gpuOf(device).device;
  const original = raw.createComputePipelineAsync.bind(raw);
  raw.createComputePipelineAsync = (async (d: GPUComputePipelineDescriptor) => { const a = performance.now(); const p = raw.createComputePipeline(d); console.log(d.label, (performance.now() - a).toFixed(0)); return p; }) as typeof original;

  const model = new Sequential(new Linear(12, 16), new ReLU(), new Linear(16, 3));
  const state = await device.init(model, { seed: 1 });
  lap("init");
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer: sgd({ lr: 0.1, momentum: 0.9 }) });
  const batch = { images: hostTensor(new Float32Array(96), [8, 12]), labels: hostTensor(new Int32Array(8), [8]) };
  await step.program(batch);
  lap("compile");
  for (let k = 0; k < 3; k++) {
    const r = await step(batch);
    lap("step");
    item(await r.loss.read());
    lap("read");
  }
  console.log(gpuOf(device).counts);
  state.dispose();
  await device.dispose();
  lap("dispose");
}, 100000);
