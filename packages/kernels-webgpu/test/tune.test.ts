import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  apply,
  constant,
  type Device,
  defineOp,
  type HostTensor,
  hostTensor,
  input,
  type Op,
  type Tensor,
} from "@ocelli/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { groups, type Kernel, profileOf, ShaderError, type Site, type WebGpuOptions, webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { attrsText, Tuner } from "../src/tune.js";
import { choicesText, joinedChoices, memoryChoices, parsedChoices } from "../src/tune-store.js";
import { choicesFolder, fileChoices } from "../src/tune-store.node.js";
import { databaseChoices } from "../src/tune-store.web.js";
import { describeOnAdapter } from "./adapter.js";
import { changed, freshAdapter } from "./stand-ins.js";

interface Variant {
  /** Rounds of useless arithmetic. */
  readonly rounds: number;
  readonly broken?: boolean;
}

const size = 2 ** 14;
const slow: Variant = { rounds: 300 };
const fast: Variant = { rounds: 1 };
const broken: Variant = { rounds: 0, broken: true };

/** `x + 1`, as slow as a variant says. */
function incrementing(variants: readonly Variant[]) {
  const op = defineOp({
    name: "increment",
    infer: ([x]) => x as Tensor,
    vjp: "nondifferentiable",
    // As much as if the arithmetic were worth something.
    macs: ([x]) => 100 * (x as Tensor).shape[0]!,
  });
  /** Variants whose shaders were written. */
  const written: Variant[] = [];
  const kernel: Kernel<Variant> = {
    variants: () => variants,
    dispatches: ({ outputs }, variant) => {
      written.push(variant);
      const count = outputs[0]!.shape.reduce((a, b) => a * b, 1);
      return [
        {
          name: `increment.${variant.rounds}`,
          reads: [0],
          writes: [0],
          workgroupSize: [64, 1, 1],
          workgroups: groups(Math.ceil(count / 64)),
          body: `let i = group * 64u + lix;
if (i >= ${count}u) { return; }
var v = r0(i);
for (var k = 0u; k < ${variant.rounds}u; k++) { v = fract(v * 1.5) + 0.25; }
w0(i, select(r0(i) + 1.0, v, v < -1.0));${variant.broken ? "\nthis is no WGSL" : ""}`,
        },
      ];
    },
  };
  return { op, written, kernels: new Map([[op as Op, { kernel: kernel as Kernel }]]) };
}

type Incrementing = ReturnType<typeof incrementing>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ocelli-tune-"));
  process.env.OCELLI_CACHE = folder;
});
afterEach(() => {
  delete process.env.OCELLI_CACHE;
  rmSync(folder, { recursive: true, force: true });
});

const open = ({ kernels }: Pick<Incrementing, "kernels">, options: WebGpuOptions = {}): Promise<Device> =>
  webgpu({ kernels, tune: "always", profile: true, onNotice: () => undefined, ...options });

/** Runs the op once; tells which kernel ran. */
async function ran(device: Device, { op }: Pick<Incrementing, "op">, count = size): Promise<string> {
  const program = await device.compile({
    inputs: { x: { shape: [count], dtype: "float32" } },
    build: ({ x }) => ({ outputs: { y: apply(op, [x!]) } }),
  });
  const before = profileOf(device).events.length;
  const x = hostTensor(new Float32Array(count).fill(0.5));
  const { data } = await ((await program.run({ x })).y!.read() as Promise<HostTensor>);
  expect([data[0], data[count - 1]]).toEqual([1.5, 1.5]);
  program[Symbol.dispose]();
  return profileOf(device)
    .events.slice(before)
    .map(({ kernel }) => kernel)
    .join();
}

const files = (): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.includes("."));

describeOnAdapter("choices by measuring", () => {
  it("takes the fastest variant, whatever is broken, and remembers it", async () => {
    const made = incrementing([slow, broken, fast]);
    await using device = await open(made);
    const { counts } = gpuOf(device);
    const before = counts.buffersCreated - counts.buffersDestroyed;
    expect(await ran(device, made)).toBe("increment.1");
    // Results wait for the next run; all that was measured with is gone.
    const measured = made.written.length;
    await using other = await open(made);
    expect(await ran(other, made)).toBe("increment.1");
    expect(made.written.slice(measured)).toEqual([slow, fast]);
    expect(before).toBe(0);
    const [file] = files();
    expect(readFileSync(join(folder, file!), "utf8")).toContain("increment float32[16384] -> float32[16384]");
    await device.dispose();
    expect(counts.buffersCreated).toBe(counts.buffersDestroyed);
  });

  it("measures without timestamps, too", async () => {
    const made = incrementing([slow, fast]);
    await using device = await open(made, { adapter: await without("timestamp-query") });
    expect(profileOf(device).clock).toBe("host");
    expect(await ran(device, made)).toBe("increment.1");
  });

  it("takes the best guess when it is off, on a processor, and for little work", async () => {
    const made = incrementing([slow, fast]);
    for (const tune of ["off", "auto"] as const) {
      await using device = await open(made, { tune });
      expect(await ran(device, made)).toBe("increment.300");
    }
    await using device = await open(made);
    expect(await ran(device, made, 1000)).toBe("increment.300");
    expect(files()).toEqual([]);
    expect(made.written).not.toContain(fast);
  });

  it("refuses a mode that is none", async () => {
    const options = { tune: "sometimes" } as unknown as WebGpuOptions;
    await expect(webgpu(options)).rejects.toThrow('tune is "sometimes"; there are "auto", "off" and "always"');
  });

  it("reports a kernel that runs in no variant as it would without measuring", async () => {
    const made = incrementing([broken, { ...broken, rounds: 2 }]);
    await using device = await open(made);
    await expect(ran(device, made)).rejects.toThrow(ShaderError);
    // The device is none the worse for it.
    const [three] = await device.run([add(constant(hostTensor(new Float32Array([1, 1.5]))), 1.5)]);
    expect([...three!.data]).toEqual([2.5, 3]);
  });

  it.each<[string, (path: string) => void]>([
    ["damaged", (path) => writeFileSync(path, "{")],
    ["empty", (path) => writeFileSync(path, "")],
    [
      "of other variants",
      (path) => writeFileSync(path, readFileSync(path, "utf8").replace('"rounds": 1', '"rounds": 7')),
    ],
    ["of another format", (path) => writeFileSync(path, '{"format":0,"choices":{}}')],
    [
      "a folder",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])("measures again when the file is %s", async (_, damage) => {
    const made = incrementing([slow, fast]);
    {
      await using device = await open(made);
      await ran(device, made);
    }
    damage(join(folder, files()[0]!));
    await using device = await open(made);
    expect(await ran(device, made)).toBe("increment.1");
  });

  it("does without a place to write to", async () => {
    process.env.OCELLI_CACHE = join(folder, "file");
    writeFileSync(process.env.OCELLI_CACHE, "");
    const made = incrementing([slow, fast]);
    await using device = await open(made);
    expect(await ran(device, made)).toBe("increment.1");
  });

  it("serves two programs that are compiled at once", async () => {
    const made = incrementing([slow, fast]);
    await using device = await open(made);
    const compile = (count: number) =>
      device.compile({
        inputs: { x: { shape: [count], dtype: "float32" } },
        build: ({ x }) => ({ outputs: { y: apply(made.op, [x!]) } }),
      });
    await Promise.all([compile(size), compile(size + 4), compile(size)]);
    const [file] = files();
    expect(Object.keys(JSON.parse(readFileSync(join(folder, file!), "utf8")).choices)).toHaveLength(2);
  });
});

describeOnAdapter("the tuner", () => {
  const site = ({ op }: Incrementing, given: Partial<Site> = {}): Site => {
    const y = apply(op, [input("x", { shape: [size], dtype: "float32" })]);
    const { node } = y;
    const limits = { invocations: 256, workgroupBytes: 16384, buffers: 8 };
    return { node, inputs: node.inputs, outputs: node.outputs, attrs: {}, limits, vectorizable: () => true, ...given };
  };
  const tunerOf = (device: Device, store = memoryChoices(), budget = 2000): Tuner => {
    const compile = { limits: site(incrementing([])).limits, f16: false, largest: 2 ** 27 };
    return new Tuner({ gpu: gpuOf(device), compile, measures: true, adapter: "test", store, budget });
  };

  it("keeps the best guess when the time is spent, and does not remember it", async () => {
    const made = incrementing([slow, fast]);
    await using device = await open(made);
    const store = memoryChoices();
    const tuner = tunerOf(device, store, 0);
    const kernel = made.kernels.get(made.op as Op)!.kernel;
    expect(await tuner.plan((choose) => choose(site(made), kernel))).toEqual(slow);
    expect(tuner.pending).toBe(0);
    expect(tuner.choose(site(made), kernel)).toEqual(slow);
    expect(tuner.pending).toBe(1);
    await tuner.measure(2000);
    expect(tuner.choose(site(made), kernel)).toEqual(fast);
    expect(tuner.pending).toBe(0);
    expect(await tunerOf(device, store).plan((choose) => choose(site(made), kernel))).toEqual(fast);
  });

  it("tells classes apart by what matters, not by where they are", async () => {
    const made = incrementing([slow, fast]);
    await using device = await open(made);
    const tuner = tunerOf(device);
    const kernel = made.kernels.get(made.op as Op)!.kernel;
    tuner.choose(site(made), kernel);
    tuner.choose(site(made), kernel);
    expect(tuner.pending).toBe(1);
    tuner.choose(site(made, { vectorizable: () => false }), kernel);
    expect(tuner.pending).toBe(2);
    tuner.choose(site(made, { attrs: { stride: [2, 2] } }), kernel);
    expect(tuner.pending).toBe(3);
  });

  it("does not measure again what a card gave up on", async () => {
    const made = incrementing([slow, fast]);
    await using device = await open(made);
    const { dispatches, ...kernel } = made.kernels.get(made.op as Op)!.kernel;
    const deadly: Kernel = {
      ...kernel,
      dispatches: (given, variant) => {
        if (variant === fast) gpuOf(device).device.destroy();
        return dispatches(given, variant);
      },
    };
    const store = memoryChoices();
    expect(await tunerOf(device, store).plan((choose) => choose(site(made), deadly))).toEqual(slow);
    await using other = await open(made);
    const tuner = tunerOf(other, store);
    await tuner.load();
    expect(tuner.choose(site(made), deadly)).toEqual(slow);
    expect(tuner.pending).toBe(0);
  });

  it("gives back all memory that it measured in", async () => {
    const made = incrementing([slow, broken, fast]);
    await using device = await open(made);
    const { counts } = gpuOf(device);
    const before = [counts.buffersCreated - counts.buffersDestroyed, counts.bytes, counts.pipelines];
    await tunerOf(device).plan((choose) => choose(site(made), made.kernels.get(made.op as Op)!.kernel));
    expect([counts.buffersCreated - counts.buffersDestroyed, counts.bytes, counts.pipelines]).toEqual(before);
    expect(counts.submits).toBeGreaterThan(2);
  });

  it("writes attributes in one order, and host data by its spec", () => {
    expect(attrsText({ b: 1, a: [1, 2] })).toBe(attrsText({ a: [1, 2], b: 1 }));
    expect(attrsText({ value: hostTensor(new Float32Array(3)) })).toBe('{"value":"float32[3]"}');
    expect(attrsText({ fill: Number.NEGATIVE_INFINITY })).toBe('{"fill":"-Infinity"}');
  });
});

describe("what is kept", () => {
  const choices = (...names: string[]): Map<string, unknown> => new Map(names.map((name) => [name, { name }]));

  it("lies in the system's place for caches", () => {
    expect(choicesFolder({ OCELLI_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "linux")).toBe(join("/a", "webgpu"));
    expect(choicesFolder({ XDG_CACHE_HOME: "/b" }, "linux")).toBe(join("/b", "ocelli", "webgpu"));
    expect(choicesFolder({ LOCALAPPDATA: "/c" }, "win32")).toBe(join("/c", "ocelli", "webgpu"));
    expect(choicesFolder({ XDG_CACHE_HOME: "" }, "darwin")).toMatch(/Library.Caches.ocelli.webgpu$/);
    expect(choicesFolder({}, "linux")).toMatch(/\.cache.ocelli.webgpu$/);
  });

  it("survives saves at once, and is one device's only", async () => {
    const stores = [fileChoices(() => folder), fileChoices(() => folder)];
    await Promise.all(Array.from({ length: 8 }, (_, i) => stores[i % 2]!.save("one", choices(`key${i}`))));
    await stores[0]!.save("two", choices("other"));
    expect(await stores[1]!.load("one")).toEqual(choices(...Array.from({ length: 8 }, (_, i) => `key${i}`)));
    expect(await stores[1]!.load("two")).toEqual(choices("other"));
    expect(await stores[1]!.load("three")).toEqual(new Map());
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it("reads nothing from what does not fit", () => {
    expect(parsedChoices("d", choicesText("d", choices("a")))).toEqual(choices("a"));
    for (const text of [
      "",
      "null",
      "[]",
      "{}",
      choicesText("e", choices("a")),
      '{"format":1,"device":"d","choices":[]}',
    ])
      expect(parsedChoices("d", text)).toEqual(new Map());
    expect(parsedChoices("d", '{"format":1,"device":"d","choices":{"__proto__":1}}').size).toBe(1);
  });

  it("is bounded, the oldest go", () => {
    const old = new Map(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]));
    const joined = joinedChoices(old, choices("k4999", "new"));
    expect(joined.size).toBe(4096);
    expect([...joined.keys()].slice(-2)).toEqual(["k4999", "new"]);
  });

  it("is memory where there is no IndexedDB", async () => {
    const store = databaseChoices();
    await store.save("d", choices("a"));
    await store.save("d", choices("b"));
    expect(await store.load("d")).toEqual(choices("a", "b"));
  });
});

/** An adapter without a feature. */
async function without(feature: GPUFeatureName): Promise<GPUAdapter> {
  const adapter = await freshAdapter();
  const features = new Set([...adapter.features].filter((name) => name !== feature));
  return changed(adapter, { features: features as unknown as GPUSupportedFeatures });
}
