/** Ways to run that a graphics card or a large network would ask for: tensors in parts, half precision. */
import {
  add,
  crossEntropy,
  type Device,
  DeviceError,
  type HostTensor,
  hostTensor,
  input,
  matmul,
  mul,
  type StateDict,
  sub,
  sum,
  type Tensor,
  type Traceable,
  transpose,
} from "@ocelli/core";
import { createDevice } from "@ocelli/core/backend";
import { reference } from "@ocelli/core/reference";
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { expect, it, vi } from "vitest";
import { type BackendOptions, webgpuBackend } from "../src/backend.js";
import { Gpu } from "../src/gpu.js";
import { platform } from "../src/platform.node.js";
import { describeOnAdapter } from "./adapter.js";
import { namesOf, planOf } from "./plans.js";

/** A device with the backend's inner options. */
async function deviceWith(options: Partial<BackendOptions>): Promise<Device> {
  const adapter = (await (await platform.gpu()).requestAdapter()) as GPUAdapter;
  const gpu = new Gpu(await adapter.requestDevice());
  const backend = webgpuBackend(gpu, {
    info: { name: "webgpu", adapter: "test", versions: {} },
    limits: { invocations: 256, workgroupBytes: 16384, buffers: 8, subgroups: undefined },
    f16: false,
    mixed: false,
    own: new Map(),
    tuning: { measures: false, adapter: "test", store: platform.choices() },
    ...options,
  });
  return createDevice(backend);
}

function noise(shape: readonly number[], seed: number): HostTensor {
  let state = seed;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return hostTensor(data, shape);
}

vi.setConfig({ testTimeout: 60_000 });

// --- tensors in parts ------------------------------------------------------------------------------------------------------------

const sizes = { batch: 5, wide: 96, inner: 39 };

/** A layer whose weight is large in both ways that products meet it, momentum, decay and a norm. */
const largeLayer: Traceable = {
  inputs: { x: { shape: [sizes.batch, sizes.inner], dtype: "float32" }, lr: { shape: [], dtype: "float32" } },
  state: {
    "params/w": { shape: [sizes.wide, sizes.inner], dtype: "float32" },
    "optimizer/w.momentum": { shape: [sizes.wide, sizes.inner], dtype: "float32" },
  },
  build: ({ x, lr }, state) => {
    const [w, momentum] = [state["params/w"] as Tensor, state["optimizer/w.momentum"] as Tensor];
    const y = matmul(x as Tensor, w, { transposeB: true });
    const dx = matmul(y, w);
    const slope = matmul(y, x as Tensor, { transposeA: true });
    const velocity = add(mul(momentum, 0.9), add(slope, mul(w, 1e-2)));
    const updates = { "params/w": sub(w, mul(velocity, lr as Tensor)), "optimizer/w.momentum": velocity };
    return { outputs: { y, dx, norm: sum(mul(w, w)) }, updates };
  },
};

const largeState = (): StateDict => ({
  params: { w: noise([sizes.wide, sizes.inner], 1) },
  optimizer: { "w.momentum": noise([sizes.wide, sizes.inner], 2) },
});

async function steps(device: Device, program: Traceable, initial: StateDict, count: number): Promise<number[]> {
  using compiled = await device.compile(program);
  using state = await device.createState(initial);
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    const results = await compiled.run(
      { x: noise([sizes.batch, sizes.inner], 10 + i), lr: hostTensor([0.01], []) },
      state,
    );
    for (const handle of Object.values(results)) found.push(...(await handle.read()).data);
  }
  for (const entries of Object.values(await state.read()))
    for (const { data } of Object.values(entries)) found.push(...data);
  return found;
}

const rowBytes = sizes.inner * 4;

describeOnAdapter("entries of a state that are larger than a binding", () => {
  it.each([
    ["several even parts", 32 * rowBytes],
    ["a last part that is smaller, rows that end between multiples of 16", 13 * rowBytes + 60],
  ])("train as the reference does: %s", async (_, largest) => {
    const [device, oracle] = [await deviceWith({ largest }), await reference()];
    const [got, wanted] = [
      await steps(device, largeLayer, largeState(), 3),
      await steps(oracle, largeLayer, largeState(), 3),
    ];
    await device.dispose();
    await oracle.dispose();
    expect(got.length).toBe(wanted.length);
    const scale = Math.max(...wanted.map(Math.abs));
    for (const [i, value] of wanted.entries()) expect(Math.abs((got[i] as number) - value) / scale).toBeLessThan(1e-5);
  });

  it("are updated in place, part by part", () => {
    const plan = planOf(largeLayer, { largest: 32 * rowBytes });
    expect(plan.copies).toEqual([]);
    expect([...plan.state.keys()]).toContain("params/w#2");
    expect(namesOf(plan).filter((name) => name.startsWith("matmul")).length).toBeGreaterThanOrEqual(9);
  });

  it("are a named error where an op cannot do it", () => {
    const turned: Traceable = {
      ...largeLayer,
      build: (_, state) => ({ outputs: { y: sum(transpose(state["params/w"] as Tensor, [1, 0]), { axes: 0 }) } }),
    };
    expect(() => planOf(turned, { largest: 32 * rowBytes })).toThrow(DeviceError);
    expect(() => planOf(turned, { largest: 32 * rowBytes })).toThrow(
      /transpose is float32\[96, 39\], 14\.6 KiB; this adapter binds at most 4\.9 KiB/,
    );
  });

  it("are a named error when another tensor is too large", () => {
    const wide: Traceable = {
      inputs: { x: { shape: [100, 100], dtype: "float32" } },
      build: ({ x }) => ({ outputs: { y: matmul(x as Tensor, x as Tensor) } }),
    };
    expect(() => planOf(wide, { largest: 32768 })).toThrow(/the tensor of x is float32\[100, 100\]/);
    expect(input("x", { shape: [1], dtype: "float32" }).shape).toEqual([1]);
  });
});

// --- half precision --------------------------------------------------------------------------------------------------------------

const network = () =>
  new Sequential(
    new Conv2d(1, 8, { kernelSize: 3, padding: 1, bias: false }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(8, 16, { kernelSize: 3, padding: 1 }),
    new ReLU(),
    new Flatten(),
    new Linear(16 * 7 * 7, 10),
  );

async function losses(device: Device, lossScale?: "dynamic"): Promise<number[]> {
  const model = network();
  using state = await device.init(model, { seed: 3 });
  const optimizer = sgd({ lr: 0.05, momentum: 0.9 });
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer, ...(lossScale ? { lossScale } : {}) });
  const found: number[] = [];
  for (let i = 0; i < 12; i++) {
    const labels = hostTensor(Int32Array.from({ length: 16 }, (_, k) => (k * 7 + (i % 3)) % 10));
    const result = await step({ images: noise([16, 1, 14, 14], 40 + (i % 3)), labels });
    found.push((await result.loss.read()).data[0] as number);
  }
  await device.dispose();
  return found;
}

describeOnAdapter("mixed precision, with half precision emulated", () => {
  it("keeps activations in half precision and trains as float32 does, within half precision's reach", async () => {
    const full = await losses(await deviceWith({}));
    const mixed = await losses(await deviceWith({ mixed: true }), "dynamic");
    for (const [i, loss] of full.entries()) expect(Math.abs((mixed[i] as number) - loss)).toBeLessThan(0.02);
    // Half precision was there.
    expect(mixed).not.toEqual(full);
    expect(full.at(-1)).toBeLessThan(full[0] as number);
  });
});
