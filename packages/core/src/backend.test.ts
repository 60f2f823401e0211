import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Counting } from "../test/counting.js";
import { createDevice, type DeviceOptions } from "./backend.js";
import type { Device, Traceable } from "./device.js";
import { ArgumentError, DisposedError, DTypeError, ShapeError, StateError } from "./errors.js";
import { type HostTensor, hostTensor } from "./host.js";
import { apply, defineOp } from "./op.js";
import { conv2d } from "./ops/conv.js";
import { add, mul } from "./ops/elementwise.js";
import { full, input } from "./ops/leaf.js";
import { reference } from "./reference/index.js";
import type { StateDict } from "./state.js";

const one = { shape: [1], dtype: "float32" } as const;
const x = (value: number): { x: HostTensor } => ({ x: hostTensor([value]) });
const counter: StateDict = { params: { w: hostTensor([10]) } };

/** w += x; gives the new w. */
const accumulate: Traceable = {
  inputs: { x: one },
  state: { "params/w": one },
  build: (inputs, state) => {
    const next = add(state["params/w"]!, inputs.x!);
    return { outputs: { next: mul(next, 1) }, updates: { "params/w": next } };
  },
};

const make = ({
  keepsSpares = true,
  ...options
}: DeviceOptions & { keepsSpares?: boolean } = {}): { backend: Counting; device: Device } => {
  const backend = new Counting();
  backend.keepsSpares = keepsSpares;
  return { backend, device: createDevice(backend, options) };
};

/** Makes runs wait until the returned function is called. */
function hold(backend: Counting): () => void {
  let release = (): void => undefined;
  backend.gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const weightOf = async (state: { read(): Promise<StateDict> }): Promise<number> =>
  (await state.read()).params!.w!.data[0]!;

describe("a program with state", () => {
  it("reads and replaces entries; a replacement takes effect for the runs that follow", async () => {
    await using device = await reference();
    using state = await device.createState(counter);
    using program = await device.compile(accumulate);
    const [a, b] = [await program.run(x(1), state), await program.run(x(2), state)];
    expect([(await a.next!.read()).data[0], (await b.next!.read()).data[0]]).toEqual([11, 13]);
    expect(await weightOf(state)).toBe(13);
    expect(a.next!.spec).toEqual(one);
    expect(await a.next!.read()).toBe(await a.next!.read());
  });

  it("keeps full precision between the steps of the reference", async () => {
    await using device = await reference();
    using state = await device.createState({ params: { w: hostTensor([1]) } });
    using program = await device.compile(accumulate);
    for (let i = 0; i < 1000; i++) await program.run(x(2 ** -30), state);
    expect(await weightOf(state)).toBe(Math.fround(1 + 1000 * 2 ** -30));
  });

  it("makes reading wait for the steps in flight, and writing take effect after them", async () => {
    const { backend, device } = make();
    using state = await device.createState(counter);
    using program = await device.compile(accumulate);
    const release = hold(backend);
    await program.run(x(1), state);
    const reading = state.read();
    const writing = state.write({ params: { w: hostTensor([100]) }, ema: { w: hostTensor([5]) } });
    await settle();
    expect(backend.runs).toBe(0);
    release();
    expect((await reading).params!.w!.data[0]).toBe(11);
    await writing;
    expect(await state.read(["ema"])).toEqual({ ema: { w: hostTensor([5]) } });
    expect([state.has("ema"), state.has("e"), [...state.specs.keys()]]).toEqual([true, false, ["params/w", "ema/w"]]);
    expect(await weightOf(state)).toBe(100);
    await device.dispose();
  });

  it("lets at most two runs in flight, in order, also when nobody awaits", async () => {
    const { backend, device } = make();
    using state = await device.createState(counter);
    using program = await device.compile(accumulate);
    const release = hold(backend);
    const queued: number[] = [];
    const runs = [1, 2, 3, 4, 5].map((value) =>
      program.run(x(value), state).then((handles) => {
        queued.push(value);
        return handles;
      }),
    );
    await settle();
    expect(queued).toEqual([1, 2]);
    const late = program.run(x(6), state);
    release();
    const results = await Promise.all([...runs, late].map(async (run) => (await (await run).next!.read()).data[0]));
    expect(results).toEqual([11, 13, 16, 20, 25, 31]);
    expect(queued).toEqual([1, 2, 3, 4, 5]);
    await device.dispose();
  });

  it("says what the state lacks, with the nearest names", async () => {
    await using device = await reference();
    using state = await device.createState({ params: { "layer1.conv1.weight": hostTensor([1]) } });
    const program = await device.compile({
      ...accumulate,
      state: { "params/layer1.conv2.weight": one, "step/count": one },
      build: (i) => ({ outputs: { y: i.x! } }),
    });
    const run = program.run(x(1), state);
    await expect(run).rejects.toThrow(StateError);
    await expect(run).rejects.toThrow(
      "run: the state lacks 2 of the program's entries:\n  params/layer1.conv2.weight (near: params/layer1.conv1.weight)\n  step/count",
    );
    await expect(program.run(x(1))).rejects.toThrow(ArgumentError);
  });

  it("refuses entries that do not fit, states of another device, and updates of what is no entry", async () => {
    await using device = await reference();
    await using other = await reference();
    using wide = await device.createState({ params: { w: hostTensor([1, 2]) } });
    using foreign = await other.createState(counter);
    using program = await device.compile(accumulate);
    await expect(program.run(x(1), wide)).rejects.toThrow(
      new StateError("run: state entry params/w is float32[2]; the program needs float32[1]", { name: "params/w" }),
    );
    await expect(program.run(x(1), foreign)).rejects.toThrow(/lives on another device/);
    await expect(
      device.compile({ ...accumulate, build: ({ x }) => ({ outputs: {}, updates: { "params/v": x! } }) }),
    ).rejects.toThrow(ArgumentError);
    await expect(
      device.compile({
        ...accumulate,
        build: (_, s) => ({
          outputs: {},
          updates: { "params/w": add(s["params/w"]!, input("z", { shape: [2], dtype: "float32" })) },
        }),
      }),
    ).rejects.toThrow("compile: update of params/w is float32[2]; the entry is float32[1]");
    expect(() => wide.write(counter)).toThrow(ShapeError);
    expect(() => foreign.write({ params: { w: hostTensor([1], [1], "int32") } })).toThrow(DTypeError);
  });

  it("builds frozen entries in, and refuses those that do not fit", async () => {
    await using device = await reference();
    const evaluate: Traceable = { ...accumulate, build: (i, s) => ({ outputs: { y: mul(i.x!, s["params/w"]!) } }) };
    using program = await device.compile(evaluate, { frozen: { "params/w": hostTensor([3]) } });
    expect((await (await program.run(x(2))).y!.read()).data[0]).toBe(6);
    await expect(device.compile(evaluate, { frozen: { "params/w": hostTensor([3, 4]) } })).rejects.toThrow(StateError);
    await expect(device.compile(accumulate, { frozen: { "params/w": hostTensor([3]) } })).rejects.toThrow(
      ArgumentError,
    );
  });
});

describe("inputs of a run", () => {
  it("have to be there, known, and of the right shape and dtype", async () => {
    await using device = await reference();
    using program = await device.compile({
      inputs: { x: one, y: one },
      build: ({ x, y }) => ({ outputs: { z: add(x!, y!) } }),
    });
    await expect(program.run({ x: hostTensor([1]), z: hostTensor([1]) })).rejects.toThrow(
      "run: the program's inputs are x, y; missing: y, unknown: z",
    );
    await expect(program.run({ x: hostTensor([1]), y: hostTensor([1, 2]) })).rejects.toThrow(ShapeError);
    await expect(program.run({ x: hostTensor([1]), y: hostTensor([1], [1], "int32") })).rejects.toThrow(
      new DTypeError("run: input y is int32[1]; the program needs float32[1]"),
    );
  });
});

describe("disposing", () => {
  it("of a state lets the steps in flight finish, and frees its memory after them", async () => {
    const { backend, device } = make();
    const state = await device.createState(counter);
    using program = await device.compile(accumulate);
    const release = hold(backend);
    const handles = await program.run(x(1), state);
    await program.run(x(1), state);
    const waiting = program.run(x(1), state);
    waiting.catch(() => undefined);
    state.dispose();
    state.dispose();
    release();
    expect((await handles.next!.read()).data[0]).toBe(11);
    await expect(waiting).rejects.toThrow(DisposedError);
    expect(() => state.read()).toThrow("state: cannot read it, it was disposed");
    expect(() => state.write(counter)).toThrow(DisposedError);
    await expect(program.run(x(1), state)).rejects.toThrow(DisposedError);
    expect(state.disposed).toBe(true);
    // The refused run gave its slot back.
    using fresh = await device.createState(counter);
    expect((await (await program.run(x(5), fresh)).next!.read()).data[0]).toBe(15);
    await device.dispose();
  });

  it("of a program or a device makes later calls named errors", async () => {
    const { backend, device } = make();
    using state = await device.createState(counter);
    const program = await device.compile(accumulate);
    const other = await device.compile(accumulate);
    program[Symbol.dispose]();
    program[Symbol.dispose]();
    await expect(program.run(x(1), state)).rejects.toThrow(new DisposedError("run: the program was disposed"));
    const release = hold(backend);
    const handles = await other.run(x(1), state);
    const disposing = device.dispose();
    await settle();
    expect(backend.disposed).toBe(false);
    release();
    await Promise.all([disposing, device.dispose()]);
    expect([backend.runs, backend.disposed, backend.dropped]).toEqual([1, true, 1]);
    const message = "device counting: it was disposed";
    await expect(device.compile(accumulate)).rejects.toThrow(new DisposedError(message));
    await expect(device.createState(counter)).rejects.toThrow(message);
    await expect(device.run([])).rejects.toThrow(message);
    await expect(other.run(x(1), state)).rejects.toThrow(message);
    await expect(handles.next!.read()).rejects.toThrow(message);
    expect(() => state.read()).toThrow(message);
  });
});

describe("a run that fails", () => {
  it("poisons the state with its error, for what is queued behind it and for later calls", async () => {
    const { backend, device } = make();
    using state = await device.createState(counter);
    using healthy = await device.createState(counter);
    using program = await device.compile(accumulate);
    const release = hold(backend);
    backend.failure = new Error("out of memory");
    const first = await program.run(x(1), state);
    const second = await program.run(x(1), state);
    const reading = state.read();
    reading.catch(() => undefined);
    release();
    await expect(first.next!.read()).rejects.toThrow("out of memory");
    backend.failure = undefined;
    await expect(second.next!.read()).rejects.toThrow("out of memory");
    await expect(reading).rejects.toThrow("out of memory");
    expect(backend.runs).toBe(1);
    expect(() => state.read()).toThrow("out of memory");
    await expect(program.run(x(1), state)).rejects.toThrow("out of memory");
    expect((await (await program.run(x(1), healthy)).next!.read()).data[0]).toBe(11);
    await device.dispose();
  });

  it("to compile leaves nothing behind, and may be tried again", async () => {
    const { backend, device } = make({ cacheBytes: 0 });
    backend.compileFailure = new Error("no pipeline");
    await expect(Promise.all([device.compile(accumulate), device.compile(accumulate)])).rejects.toThrow("no pipeline");
    backend.compileFailure = undefined;
    (await device.compile(accumulate))[Symbol.dispose]();
    await device.dispose();
    expect([backend.compiled, backend.dropped]).toEqual([1, 1]);
  });
});

describe("the cache of programs", () => {
  it("shares what was compiled by structure, also between compilations at the same time", async () => {
    const { backend, device } = make();
    const [a, b] = await Promise.all([device.compile(accumulate), device.compile(accumulate)]);
    using c = await device.compile({
      ...accumulate,
      build: (i, s) => ({ outputs: { sum: add(s["params/w"]!, i.x!) } }),
    });
    expect([a.stats.cached, b.stats.cached, c.stats.cached, backend.compiled]).toEqual([false, true, false, 2]);
    expect([a.stats.hash === b.stats.hash, a.stats.hash === c.stats.hash, a.stats.bytes, a.stats.nodes]).toEqual([
      true,
      false,
      10,
      3,
    ]);
    a[Symbol.dispose]();
    using state = await device.createState(counter);
    expect((await (await b.run(x(1), state)).next!.read()).data[0]).toBe(11);
    b[Symbol.dispose]();
    await device.dispose();
  });

  it("drops the unused, longest unused first, beyond its bytes; never what is in use", async () => {
    const { backend, device } = make({ cacheBytes: 25 });
    const program = (scale: number) =>
      device.compile({ inputs: { x: one }, build: (i) => ({ outputs: { y: mul(i.x!, scale) } }) });
    const used = await program(2);
    for (const scale of [3, 4, 5, 3]) (await program(scale))[Symbol.dispose]();
    await settle();
    expect([backend.compiled, backend.dropped]).toEqual([5, 2]);
    expect((await program(5)).stats.cached).toBe(true);
    expect((await program(4)).stats.cached).toBe(false);
    expect((await (await used.run(x(2))).y!.read()).data[0]).toBe(4);
    await device.dispose();
    expect(backend.dropped).toBe(backend.compiled);
  });
});

describe("memory", () => {
  it.each([true, false])(
    "is all freed once results are read and states disposed of (spares kept: %s)",
    async (keepsSpares) => {
      const { backend, device } = make({ keepsSpares });
      const state = await device.createState({ ...counter, buffers: { a: hostTensor([1, 2, 3]) } });
      const program = await device.compile(accumulate);
      for (let i = 0; i < 5; i++) await (await program.run(x(i), state)).next!.read();
      await state.write(counter);
      for (let i = 0; i < 2; i++) await (await program.run(x(i), state)).next!.read();
      // Two entries, and the spare of the one that is updated.
      expect(backend.live.size).toBe(keepsSpares ? 3 : 2);
      state.dispose();
      await device.run([input("y", one)]).catch(() => undefined);
      await settle();
      program[Symbol.dispose]();
      await device.dispose();
      expect(backend.live.size).toBe(0);
    },
  );
});

describe("device.run and init", () => {
  it("computes tensors that need no input, one of them twice if asked", async () => {
    await using device = await reference();
    const ones = full([1, 1, 2, 2], 1);
    const y = conv2d(ones, ones);
    const [a, b, c] = await device.run([y, y, add(y, 1)]);
    expect([a!.data[0], b!.data[0], c!.data[0], c!.shape]).toEqual([4, 4, 5, [1, 1, 1, 1]]);
  });

  it("runs an op that only has a definition", async () => {
    const triple = defineOp({ name: "triple", infer: ([a]) => a!, vjp: "decompose", decompose: ([a]) => mul(a!, 3) });
    await using device = await reference();
    using program = await device.compile({
      inputs: { x: one },
      build: (i) => ({ outputs: { y: apply(triple, [i.x!]) } }),
    });
    expect((await (await program.run(x(2))).y!.read()).data[0]).toBe(6);
  });

  it("makes a model's state from its seed, and rejects when the model throws", async () => {
    await using device = await reference();
    using state = await device.init(
      { initialState: ({ seed }) => ({ params: { w: hostTensor([seed]) } }) },
      { seed: 7 },
    );
    expect(await weightOf(state)).toBe(7);
    const broken = {
      initialState: (): StateDict => {
        throw new ArgumentError("no");
      },
    };
    await expect(device.init(broken)).rejects.toThrow(ArgumentError);
  });

  it("is freed after results that nobody reads, once their handles are collected", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const { backend, device } = make();
    using state = await device.createState(counter);
    const program = await device.compile(accumulate);
    for (let i = 0; i < 50; i++) await program.run(x(i), state);
    await state.read();
    // The registry's callbacks come in turns of their own.
    for (let turn = 0; turn < 20 && backend.live.size > 4; turn++) {
      collect();
      await settle();
    }
    expect(backend.live.size).toBeLessThanOrEqual(4);
    await device.dispose();
  });
});
