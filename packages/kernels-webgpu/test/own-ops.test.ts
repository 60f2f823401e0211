import { ArgumentError, add, apply, defineOp, mul, type Op, relu, scalar, type Tensor } from "@ocelli/core";
import { afterAll, expect, it, vi } from "vitest";
import { type Dispatch, type Kernel, type OwnOps, ShaderError, webgpu } from "../src/index.js";
import { checkedOps } from "../src/own-ops.js";
import { describeOnAdapter } from "./adapter.js";

vi.setConfig({ testTimeout: 60_000 });

const own = (name: string): Op =>
  defineOp({ name, infer: ([x]) => x as Tensor, vjp: "nondifferentiable", decompose: ([x]) => mul(x as Tensor, 2) });

const whole: Dispatch = {
  name: "twice",
  reads: [0],
  writes: [0],
  workgroupSize: [1, 1, 1],
  workgroups: [1, 1, 1],
  body: "w0(0u, 2.0 * r0(0u));",
};

it.each([
  ["reads[0] of twice is 3; the op has 1 inputs", { reads: [3] }],
  ["writes[0] of twice is 2; the op has 1 outputs", { writes: [2] }],
  ["workgroups of twice is [0,1,1]; it needs three integers above 0", { workgroups: [0, 1, 1] }],
  ["workgroups of twice is 1; it needs", { workgroups: 1 as never }],
  ["no dispatch writes output 0", { writes: [] }],
] as const)("a kernel's mistake is named: %s", (message, mistake) => {
  const op = own("twice");
  const kernel: Kernel<{ a: number }> = { dispatches: () => [{ ...whole, ...(mistake as Partial<Dispatch>) }] };
  const [[, way]] = [...checkedOps(new Map([[op, { kernel }]]))] as [[Op, { kernel: Kernel }]];
  const node = apply(op, [scalar(1)]).node;
  const site = {
    node,
    inputs: node.inputs,
    outputs: node.outputs,
    attrs: {},
    limits: {} as never,
    vectorizable: () => false,
  };
  expect(() => way.kernel.dispatches(site, undefined)).toThrow(ArgumentError);
  expect(() => way.kernel.dispatches(site, undefined)).toThrow(`kernel of twice: ${message}`);
});

it("what is no kernel, and a built-in's name, are refused", () => {
  expect(() => checkedOps({} as OwnOps)).toThrow(/has to be a Map/);
  expect(() => checkedOps(new Map([[own("odd"), { emit: () => "" } as never]]))).toThrow(
    /registered for odd is neither/,
  );
  expect(() =>
    checkedOps(new Map([[own("reshape"), { expression: { emit: ([x]) => x as string, weight: 1 } }]])),
  ).toThrow(/called "reshape", as a built-in is/);
});

describeOnAdapter("an op of one's own", () => {
  const device = webgpu({ onNotice: () => undefined });
  afterAll(async () => (await device).dispose());

  it.each(["input", "full", "constant", "reshape", "add"])(
    "may be called %s where its definition serves",
    async (name) => {
      const [y] = await (await device).run([apply(own(name), [add(scalar(1), scalar(2))])]);
      expect([...(y?.data ?? [])]).toEqual([6]);
    },
  );

  it("is named when its WGSL breaks the shader that it was fused into", async () => {
    const bad = own("bad");
    const kernels: OwnOps = new Map([
      [bad, { expression: { emit: ([x]: readonly string[]) => `missing(${x})`, weight: 1 } }],
    ]);
    await using other = await webgpu({ onNotice: () => undefined, kernels });
    const failure = await other
      .compile({
        inputs: { x: { shape: [4, 9], dtype: "float32" } },
        build: ({ x }) => ({ outputs: { y: relu(apply(bad, [x as Tensor])) } }),
      })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ShaderError);
    expect((failure as Error).message).toMatch(/bad/);
  });
});
