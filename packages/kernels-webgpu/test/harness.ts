/** Runs one kernel alone on a real adapter, with plain reads and writes, and compares it with the float64 reference. */

import { fromNumbers, type HostTensor, isFloat, type Node, sizeOf, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { vi } from "vitest";
import { create, globals } from "webgpu";
import type { Dispatch, Kernel, Limits, Site, Temp } from "../src/kernel.js";
import { mathCode } from "../src/wgsl/math.js";
import { type Binding, shader } from "../src/wgsl/shader.js";
import { bytesIn, loaded, type Storage, scalarOf, storageOf, stored, storedUses } from "../src/wgsl/storage.js";

// Compiling shaders takes its time on a software adapter.
vi.setConfig({ testTimeout: 60_000 });
Object.assign(globalThis, globals);
// Held, because Dawn crashes once it is collected.
export const gpu: GPU = create([]);

let opened: Promise<GPUDevice> | undefined;
export function device(): Promise<GPUDevice> {
  opened ??= (async () => {
    const adapter = await gpu.requestAdapter();
    if (adapter === null) throw new Error("no WebGPU adapter");
    const wanted = ["subgroups", "timestamp-query"].filter((name) => adapter.features.has(name));
    return adapter.requestDevice({ requiredFeatures: wanted as GPUFeatureName[] });
  })();
  return opened;
}

export const limits: Limits = { invocations: 256, workgroupBytes: 16384, buffers: 8, subgroups: { min: 4, max: 4 } };

export function siteOf(node: Node, given: Partial<Limits> = {}): Site {
  return {
    node,
    inputs: node.inputs,
    outputs: node.outputs,
    attrs: node.attrs,
    limits: { ...limits, ...given },
    vectorizable: (i) => sizeOf(node.inputs[i]!.shape) % 4 === 0,
  };
}

const storage = (dtype: Parameters<typeof storageOf>[0]): Storage => storageOf(dtype, { f16: false });

interface Place {
  readonly key: string;
  readonly storage: Storage;
  readonly size: number;
}

function placeOf(source: number | Temp, specs: readonly Tensor[], kind: string): Place {
  if (typeof source !== "number") return { key: source.temp, storage: storage(source.dtype), size: source.size };
  const { dtype, shape } = specs[source]!;
  return { key: `${kind}${source}`, storage: storage(dtype), size: sizeOf(shape) };
}

/** The shader of one dispatch with plain reads and writes, and the places of its bindings. */
export function plainShader(dispatch: Dispatch, node: Node): { code: string; places: Place[] } {
  const bindings: Binding[] = [];
  const places: Place[] = [];
  let functions = "";
  for (const [k, source] of dispatch.reads.entries()) {
    const wide = typeof source === "object" && "width" in source;
    const place = placeOf((wide ? source.input : source) as number | Temp, node.inputs as Tensor[], "input");
    const { element } = place.storage;
    const type = scalarOf[place.storage.dtype];
    let b = places.findIndex(({ key }) => key === place.key);
    if (b < 0) {
      b = places.push(place) - 1;
      const count = Math.max(1, place.size);
      bindings.push({
        name: `b${b}`,
        type: wide ? `array<vec4<${element}>, ${Math.ceil(count / 4)}>` : `array<${element}, ${count}>`,
        access: "read_write",
      });
    }
    functions += wide
      ? `fn r${k}(i: u32) -> vec4<${type}> { return b${b}[i]; }\n`
      : `fn r${k}(i: u32) -> ${type} { return ${loaded(place.storage, `b${b}`, "i")}; }\n`;
  }
  for (const [k, target] of dispatch.writes.entries()) {
    const place = placeOf(target, node.outputs as Tensor[], "output");
    const b = places.push(place) - 1;
    bindings.push({
      name: `b${b}`,
      type: `array<${place.storage.element}, ${Math.max(1, place.size)}>`,
      access: "read_write",
    });
    functions += `fn w${k}(i: u32, v: ${scalarOf[place.storage.dtype]}) { b${b}[i] = ${stored(place.storage, "v")}; }\n`;
  }
  // A kernel under test may bring the same functions along.
  const wanted = places.flatMap((place) => storedUses(place.storage));
  const library = mathCode(wanted.filter(({ name }) => !dispatch.declarations?.includes(`fn ${name}(`)));
  return { code: shader({ ...dispatch, bindings, functions: `${library}\n${functions}`, f16: false }), places };
}

export interface Prepared {
  /** Encodes and submits once, and waits. Milliseconds by the clock. */
  run(): Promise<number>;
  read(): Promise<HostTensor[]>;
  destroy(): void;
}

/** Uploads inputs and compiles all dispatches of a kernel for a node. */
export async function prepare<V>(
  node: Node,
  kernel: Kernel<V>,
  variant: V | undefined,
  inputs: readonly HostTensor[],
  given: Partial<Limits> = {},
): Promise<Prepared> {
  const gpuDevice = await device();
  const site = siteOf(node, given);
  const dispatches = kernel.dispatches(site, variant ?? (kernel.variants?.(site)[0] as V));
  const buffers = new Map<string, GPUBuffer>();
  const bufferOf = ({ key, storage: s, size }: Place): GPUBuffer => {
    let buffer = buffers.get(key);
    if (buffer === undefined) {
      buffer = gpuDevice.createBuffer({
        size: Math.max(16, Math.ceil(bytesIn(s, size) / 16) * 16),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      buffers.set(key, buffer);
    }
    return buffer;
  };
  for (const [i, host] of inputs.entries()) {
    const place = placeOf(i, node.inputs as Tensor[], "input");
    const values = toNumbers(host);
    const data = isFloat(host.dtype)
      ? Float32Array.from(values)
      : host.dtype === "int32"
        ? Int32Array.from(values)
        : Uint32Array.from(values);
    gpuDevice.queue.writeBuffer(bufferOf(place), 0, data);
  }
  gpuDevice.pushErrorScope("validation");
  const steps = dispatches.map((dispatch) => {
    const { code, places } = plainShader(dispatch, node);
    const module = gpuDevice.createShaderModule({ code });
    const pipeline = gpuDevice.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
    // Every binding is used by the layout only when the code uses it.
    const entries = places.map((place, binding) => ({ binding, resource: { buffer: bufferOf(place) } }));
    return {
      dispatch,
      code,
      pipeline,
      group: gpuDevice.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    };
  });
  const error = await gpuDevice.popErrorScope();
  if (error !== null) throw new Error(`${error.message}\n${steps.map(({ code }) => code).join("\n----\n")}`);
  return {
    run: async () => {
      const start = performance.now();
      const encoder = gpuDevice.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { dispatch, pipeline, group } of steps) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...(dispatch.workgroups as [number, number, number]));
      }
      pass.end();
      gpuDevice.queue.submit([encoder.finish()]);
      await gpuDevice.queue.onSubmittedWorkDone();
      return performance.now() - start;
    },
    read: async () => {
      const out: HostTensor[] = [];
      for (const [i, { dtype, shape }] of node.outputs.entries()) {
        const source = bufferOf(placeOf(i, node.outputs as Tensor[], "output"));
        const staging = gpuDevice.createBuffer({
          size: source.size,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        });
        const encoder = gpuDevice.createCommandEncoder();
        encoder.copyBufferToBuffer(source, 0, staging, 0, source.size);
        gpuDevice.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ);
        const bytes = staging.getMappedRange().slice(0);
        staging.destroy();
        const typed = isFloat(dtype)
          ? new Float32Array(bytes)
          : dtype === "int32"
            ? new Int32Array(bytes)
            : new Uint32Array(bytes);
        out.push(fromNumbers(Array.from(typed).slice(0, sizeOf(shape)), shape, dtype));
      }
      return out;
    },
    destroy: () => {
      for (const buffer of buffers.values()) buffer.destroy();
    },
  };
}

/** Largest distance of any output from the reference, relative to the largest expected magnitude. `inputs` are values of `node.inputs`, which are `input`s named x0, x1 ... */
export async function distance<V>(
  node: Node,
  kernel: Kernel<V>,
  variant: V | undefined,
  inputs: readonly HostTensor[],
  given: Partial<Limits> = {},
): Promise<number> {
  const prepared = await prepare(node, kernel, variant, inputs, given);
  await prepared.run();
  const actual = await prepared.read();
  prepared.destroy();
  const expected = evaluate(node.outputs, new Map(inputs.map((host, i) => [`x${i}`, host])));
  let worst = 0;
  for (const [k, values] of expected.entries()) {
    const got = toNumbers(actual[k]!);
    const scale = values.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-20);
    for (const [i, v] of values.entries()) worst = Math.max(worst, Math.abs(v - got[i]!) / scale);
  }
  return worst;
}
