/**
 * WebAssembly runtimes take memory for their results and leave it untouched: what was computed silently comes back as zeros. Here every
 * result is far from zero, so that one that was lost cannot be taken for one that is right.
 */
import { add, type HostTensor, hostTensor, mul, sum, type Tensor, toNumbers } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { writesInPlace } from "../src/placement.js";
import type { Runtime } from "../src/runtime.js";
import { onWasm, runtime, threads } from "./web.js";

const asRuntime = runtime as unknown as Runtime;

/** The runtime, with all memory that is offered to it for results. */
function watched(): { readonly runtime: Runtime; readonly offered: string[] } {
  const offered: string[] = [];
  const create: Runtime["InferenceSession"]["create"] = async (model, options) => {
    const session = await asRuntime.InferenceSession.create(model, options);
    return {
      run: (feeds, fetches) => {
        offered.push(...Object.keys(fetches).filter((name) => fetches[name] !== null));
        return session.run(feeds, fetches);
      },
      release: () => session.release(),
    };
  };
  return { runtime: { Tensor: asRuntime.Tensor, env: asRuntime.env, InferenceSession: { create } }, offered };
}

const ramp = (shape: readonly number[], first: number): HostTensor => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return hostTensor(
    Float32Array.from({ length: size }, (_, i) => first + i),
    shape,
  );
};
const numbers = (host: HostTensor): number[] => [...toNumbers(host)];

describe("memory for results", () => {
  it("is cross-origin isolated, so that there are threads", () => {
    expect(crossOriginIsolated).toBe(true);
  });

  it("is not given to a runtime that would ignore it", async () => {
    expect(await writesInPlace(asRuntime, { provider: "cpu", threads, optimize: false })).toBe(false);
    const { runtime: spy, offered } = watched();
    const device = await onWasm({ runtime: spy });
    // The probe itself is the only run that offers any.
    expect(offered).toEqual(["y"]);
    const state = await device.createState({ params: { w: ramp([4], 1) } });
    const program = await device.compile({
      inputs: {},
      state: { "params/w": { shape: [4], dtype: "float32" } },
      build: (_, { "params/w": w }) => ({ outputs: { w: w as Tensor }, updates: { "params/w": add(w as Tensor, 1) } }),
    });
    for (let i = 0; i < 4; i++) await program.run({}, state);
    expect(numbers((await state.read()).params?.w as HostTensor)).toEqual([5, 6, 7, 8]);
    expect(offered).toEqual(["y"]);
    state.dispose();
    await device.dispose();
  });
});

describe("no result comes back as zeros", () => {
  // An input or a state entry handed through, one result under two names, an empty and a scalar one, integers, bools, half floats.
  const x = ramp([3, 5], 1);
  const entries = {
    a: ramp([2, 7], 10),
    b: ramp([], 3),
    untouched: ramp([5], 20),
    key: hostTensor(Uint32Array.of(7, 9)),
  };

  it("neither outputs nor updates, run after run, before and after reading", async () => {
    const device = await onWasm();
    const state = await device.createState({ params: entries });
    const specs = Object.fromEntries(
      Object.entries(entries).map(([name, { shape, dtype }]) => [`params/${name}`, { shape, dtype }]),
    );
    const program = await device.compile({
      inputs: { x: { shape: [3, 5], dtype: "float32" } },
      state: specs,
      build: (inputs, given) => {
        const [image, a, b] = [inputs.x, given["params/a"], given["params/b"]] as [Tensor, Tensor, Tensor];
        const product = mul(image, b);
        return {
          outputs: {
            image,
            product,
            again: product,
            total: sum(product),
            a,
            untouched: given["params/untouched"] as Tensor,
          },
          updates: { "params/a": add(a, 1), "params/b": add(b, 1), "params/key": given["params/key"] as Tensor },
        };
      },
    });
    const pixels = numbers(x);
    for (let step = 0; step < 5; step++) {
      const b = 3 + step;
      const handles = await program.run({ x }, state);
      const got = Object.fromEntries(
        await Promise.all(
          Object.entries(handles).map(async ([name, handle]) => [name, numbers(await handle.read())] as const),
        ),
      );
      expect(got).toEqual({
        image: pixels,
        product: pixels.map((pixel) => pixel * b),
        again: pixels.map((pixel) => pixel * b),
        total: [120 * b],
        a: numbers(entries.a).map((value) => value + step),
        untouched: numbers(entries.untouched),
      });
      // Reading between two steps must not disturb what the next one starts from.
      if (step % 2 === 1) expect(numbers((await state.read()).params?.b as HostTensor)).toEqual([b + 1]);
    }
    const end = (await state.read()).params as Record<string, HostTensor>;
    expect(numbers(end.a as HostTensor)).toEqual(numbers(entries.a).map((value) => value + 5));
    expect(numbers(end.key as HostTensor)).toEqual([7, 9]);
    expect(numbers(end.untouched as HostTensor)).toEqual([20, 21, 22, 23, 24]);
    program[Symbol.dispose]();
    state.dispose();
    await device.dispose();
  });

  it("of any dtype", async () => {
    const device = await onWasm();
    const hosts = {
      float32: hostTensor([1.5, -2, 3], [3]),
      float16: hostTensor([1.5, -2, 3], [3], "float16"),
      int32: hostTensor([1, -2, 3], [3], "int32"),
      uint32: hostTensor([1, 2 ** 31, 3], [3], "uint32"),
      uint8: hostTensor([1, 255, 3], [3], "uint8"),
      bool: hostTensor([1, 1, 1], [3], "bool"),
    } satisfies Record<string, HostTensor>;
    const program = await device.compile({
      inputs: Object.fromEntries(Object.entries(hosts).map(([name, { shape, dtype }]) => [name, { shape, dtype }])),
      build: (inputs) => ({ outputs: inputs }),
    });
    const handles = await program.run(hosts);
    for (const [name, host] of Object.entries(hosts)) {
      const result = await handles[name]!.read();
      expect([name, result.dtype, numbers(result)]).toEqual([name, host.dtype, numbers(host)]);
    }
    await device.dispose();
  });
});
