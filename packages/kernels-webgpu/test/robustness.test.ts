/** What goes wrong while a device works: each an error with a name, never a hang. */
import {
  add,
  apply,
  broadcastTo,
  constant,
  crossEntropy,
  type Device,
  DeviceError,
  DisposedError,
  defineOp,
  exp,
  type Handle,
  hostTensor,
  item,
  mul,
  type Op,
  type State,
  type StateDict,
  sum,
  type Tensor,
  toNumbers,
  withScope,
} from "@ocelli/core";
import { Linear, ReLU, Sequential } from "@ocelli/layers";
import { sgd, trainStep } from "@ocelli/training";
import { afterEach, expect, it, vi } from "vitest";
import { globals } from "webgpu";
import { DeviceLostError, OutOfMemoryError, ShaderError, type WebGpuOptions, webgpu } from "../src/index.js";
import { gpuOf } from "../src/internals.js";
import { describeOnAdapter } from "./adapter.js";
import { withDefaultLimits } from "./stand-ins.js";

const open = (options: WebGpuOptions = {}): Promise<Device> => webgpu({ onNotice: () => undefined, ...options });
/** Takes the card away, as a driver that was updated would. */
const lose = (device: Device): void => gpuOf(device).device.destroy();
const square = (value: number): Tensor => sum(mul(constant(hostTensor([value])), constant(hostTensor([value]))));
const alive = ({ counts }: ReturnType<typeof gpuOf>): number => counts.buffersCreated - counts.buffersDestroyed;

async function failure(promise: Promise<unknown>): Promise<Error & { readonly fields?: unknown }> {
  return promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason as Error,
  );
}

/** A program that adds 1 to a state entry, and the state. */
async function counter(device: Device, size = 4): Promise<{ state: State; run: () => Promise<Handle> }> {
  const state = await device.createState({ params: { w: hostTensor(new Float32Array(size)) } });
  const program = await device.compile({
    inputs: {},
    state: { "params/w": { shape: [size], dtype: "float32" } },
    build: (_, { "params/w": w }) => {
      const next = add(w as Tensor, 1);
      return { outputs: { total: sum(next) }, updates: { "params/w": next } };
    },
  });
  return { state, run: async () => (await program.run({}, state)).total as Handle };
}

afterEach(() => vi.restoreAllMocks());
// A processor compiles slowly.
vi.setConfig({ testTimeout: 60_000 });

/** An op that doubles, with the given WGSL. */
const doubled = defineOp({
  name: "doubled",
  infer: ([x]) => x as Tensor,
  vjp: "nondifferentiable",
  decompose: ([x]) => mul(x as Tensor, 2),
});

describeOnAdapter("a shader", () => {
  it("that does not compile shows its line and where the op is; the device goes on", async () => {
    const kernels = new Map([
      [doubled as Op, { expression: { emit: ([x]: readonly string[]) => `${x} * 2u`, weight: 1 } }],
    ]);
    const device = await open({ kernels });
    const x = constant(hostTensor([1, 2, 3]));
    const error = await failure(device.run([withScope("layer1.0.mine", () => exp(apply(doubled, [exp(x)])))]));
    expect(error).toBeInstanceOf(ShaderError);
    expect(error.message).toMatch(/^webgpu: the shader of layer1\.0\.mine\/\S*doubled\S* does not compile here\n/);
    expect(error.message).toMatch(/\n {2}line \d+: .* \* 2u.*\n {4}.*no matching overload/);
    expect(item((await device.run([square(3)]))[0]!)).toBe(9);
    await device.dispose();
  });

  it("that asks for too much is refused with the step's name; the device goes on", async () => {
    const kernel = {
      dispatches: () => [
        {
          name: "doubled",
          reads: [0],
          writes: [0],
          workgroupSize: [1, 1, 1] as const,
          workgroups: [70_000, 1, 1] as const,
          body: "if (group == 0u) { w0(0u, 2.0 * r0(0u)); }",
        },
      ],
    };
    const device = await open({ kernels: new Map([[doubled as Op, { kernel }]]) });
    const program = await device.compile({
      inputs: { x: { shape: [1], dtype: "float32" } },
      build: ({ x }) => ({ outputs: { y: withScope("head", () => apply(doubled, [x as Tensor])) } }),
    });
    const error = await failure((await program.run({ x: hostTensor([1]) })).y!.read());
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/^webgpu: a run was refused: .*70000.*\n {2}at head\/doubled$/);
    expect(item((await device.run([square(3)]))[0]!)).toBe(9);
    await device.dispose();
  });
});

describeOnAdapter("memory", () => {
  it("beyond the adapter's limit names the tensor, its size and the limit", async () => {
    const device = await open({ adapter: await withDefaultLimits() });
    const large = { shape: [40_000_000], dtype: "float32" as const };
    const build = ({ x }: Readonly<Record<string, Tensor>>) =>
      withScope("layer3", () => ({ outputs: { y: exp(broadcastTo(x as Tensor, large.shape)) } }));
    const error = await failure(device.compile({ inputs: { x: { shape: [1], dtype: "float32" } }, build }));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/layer3.*float32\[40000000\], 153 MiB; this adapter binds at most 128 MiB/);
    await device.dispose();
  });

  it("for results that no buffer holds is an OutOfMemoryError", async () => {
    const device = await open({ adapter: await withDefaultLimits() });
    const program = await device.compile({
      inputs: { x: { shape: [1], dtype: "float32" } },
      build: ({ x }) => ({
        outputs: Object.fromEntries([1, 2, 3].map((k) => [`y${k}`, add(broadcastTo(x as Tensor, [30_000_000]), k)])),
      }),
    });
    const error = await failure((await program.run({ x: hostTensor([1]) })).y1!.read());
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error.message).toMatch(/results needs a buffer of 343 MiB; this adapter's largest is 256 MiB/);
    await device.dispose();
  });

  it("that runs out names what was asked for and the plan's peak, and leaks nothing", async () => {
    const device = await open();
    const gpu = gpuOf(device);
    const before = alive(gpu);
    const none = new (globals as { GPUOutOfMemoryError: new (text: string) => GPUError }).GPUOutOfMemoryError(
      "no more",
    );
    const pop = vi.spyOn(gpu.device, "popErrorScope").mockResolvedValueOnce(none);
    const program = device.compile({
      inputs: { x: { shape: [1024, 1024], dtype: "float32" } },
      build: ({ x }) => ({ outputs: { y: sum(exp(x as Tensor)) } }),
    });
    const error = await failure(program);
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error.message).toMatch(
      /out of memory: allocating a program's memory, 4\.0 MiB in all, .* at its peak: no more\n {2}Use a smaller batch/,
    );
    pop.mockResolvedValueOnce(none);
    const refused = await failure(device.createState({ params: { w: hostTensor(new Float32Array(512)) } }));
    expect(refused).toBeInstanceOf(OutOfMemoryError);
    expect(refused.message).toMatch(/allocating 2\.0 KiB for a state entry, float32\[512\]/);
    expect(alive(gpu)).toBe(before);
    expect(item((await device.run([square(3)]))[0]!)).toBe(9);
    await device.dispose();
  });
});

describeOnAdapter("a lost device", () => {
  it("ends a read in flight, and all that comes later", async () => {
    const device = await open();
    const { state, run } = await counter(device, 2 ** 20);
    const reads = [(await run()).read(), state.read()];
    await new Promise((resolve) => setTimeout(resolve, 0));
    lose(device);
    for (const read of reads) {
      const error = await failure(read);
      expect(error).toBeInstanceOf(DeviceLostError);
      expect(error.message).toMatch(/was lost \(destroyed: .*make a new device and resume from the last checkpoint/);
    }
    const later = [
      async () => (await run()).read(),
      () => state.read(),
      () => device.createState({ params: { w: hostTensor([1]) } }),
      () => device.run([square(3)]),
      () => state.write({ params: { w: hostTensor(new Float32Array(2 ** 20)) } }),
    ];
    for (const attempt of later) expect(await failure((async () => attempt())())).toBeInstanceOf(DeviceLostError);
    state.dispose();
    await device.dispose();
    expect(alive(gpuOf(device))).toBe(0);
  });

  it("ends runs in flight", async () => {
    const device = await open();
    const { state, run } = await counter(device, 2 ** 20);
    await (await run()).read();
    const runs = [run(), run(), run(), run()];
    lose(device);
    for (const result of runs) {
      expect(await failure(result.then((handle) => handle.read()))).toBeInstanceOf(DeviceLostError);
    }
    state.dispose();
    await device.dispose();
  });

  it("ends a compilation in flight", async () => {
    const device = await open();
    const compiled = device.compile({
      inputs: { x: { shape: [64], dtype: "float32" } },
      build: ({ x }) => ({ outputs: { y: sum(exp(x as Tensor)) } }),
    });
    lose(device);
    expect(await failure(compiled)).toBeInstanceOf(DeviceLostError);
    await device.dispose();
  });

  it("ends waits for promises that nobody settles", async () => {
    const device = await open();
    const gpu = gpuOf(device);
    const forever = gpu.settled("waiting", new Promise(() => undefined));
    lose(device);
    expect(await failure(forever)).toBeInstanceOf(DeviceLostError);
    await device.dispose();
  });

  it("does not take others with it", async () => {
    const [lost, other] = [await open(), await open()];
    lose(lost);
    expect(item((await other.run([square(3)]))[0]!)).toBe(9);
    await Promise.all([lost.dispose(), other.dispose()]);
  });

  it("is followed by a new one that goes on with the same losses", async () => {
    const batch = (k: number) => ({
      images: hostTensor(
        Float32Array.from({ length: 8 * 12 }, (_, i) => Math.sin(i * (k + 1))),
        [8, 12],
      ),
      labels: hostTensor(Int32Array.from({ length: 8 }, (_, i) => (i + k) % 3)),
    });
    const model = new Sequential(new Linear(12, 16), new ReLU(), new Linear(16, 3));
    const options = { model, loss: crossEntropy, optimizer: sgd({ lr: 0.1, momentum: 0.9 }) };
    const train = async (device: Device, state: State, from: number, to: number): Promise<number[]> => {
      const step = trainStep(device, state, { ...options, startStep: from });
      const losses: number[] = [];
      for (let k = from; k < to; k++) losses.push(item(await (await step(batch(k))).loss.read()));
      return losses;
    };
    const steady = await open();
    const whole = await steady.init(model, { seed: 1 });
    const expected = await train(steady, whole, 0, 8);
    whole.dispose();

    const first = await open();
    const state = await first.init(model, { seed: 1 });
    const losses = await train(first, state, 0, 4);
    const saved: StateDict = await state.read();
    // More steps than any adapter takes in that time.
    const going = train(first, state, 4, 1e6);
    await new Promise((resolve) => setTimeout(resolve, 5));
    lose(first);
    expect(await failure(going)).toBeInstanceOf(DeviceLostError);
    state.dispose();
    await first.dispose();

    const second = await open();
    const resumed = await second.createState(saved);
    losses.push(...(await train(second, resumed, 4, 8)));
    expect(losses).toEqual(expected);
    resumed.dispose();
    await Promise.all([second.dispose(), steady.dispose()]);
  });
});

describeOnAdapter("disposing", () => {
  it("waits for runs in flight and for reads that have begun", async () => {
    const device = await open();
    const { state, run } = await counter(device);
    const handle = await run();
    await handle.read();
    const [queued, reading] = [await run(), state.read()];
    const late = queued.read();
    const disposed = device.dispose();
    expect(toNumbers((await reading).params!.w!)[0]).toBe(2);
    expect((await late).data.length).toBeGreaterThan(0);
    expect(await failure(run())).toBeInstanceOf(DisposedError);
    await disposed;
    state.dispose();
    expect(alive(gpuOf(device))).toBe(0);
  });

  it("takes along what others forgot", async () => {
    const device = await open();
    const { state, run } = await counter(device);
    const unread = await run();
    await device.dispose();
    expect(alive(gpuOf(device))).toBe(0);
    expect(gpuOf(device).counts.bytes).toBe(0);
    await expect(unread.read()).rejects.toThrow(DisposedError);
    state.dispose();
  });
});
