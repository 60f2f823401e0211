/** Generated shaders, as text: no device is needed to see what changes. */
import {
  add,
  conv2d,
  gather,
  mul,
  pad,
  relu,
  reshape,
  type Spec,
  sum,
  type Tensor,
  type Traceable,
  tanh,
  transpose,
} from "@ocelli/core";
import { expect, it } from "vitest";
import { planOf } from "./plans.js";

const float = (...shape: number[]): Spec => ({ shape, dtype: "float32" });

function code(inputs: Record<string, Spec>, build: (x: Readonly<Record<string, Tensor>>) => Tensor): string {
  const program: Traceable = { inputs, build: (x) => ({ outputs: { y: build(x) } }) };
  return planOf(program)
    .steps.map(({ label, workgroups, code }) => `// ${label}: ${workgroups.join(" x ")} workgroups\n${code}`)
    .join("\n");
}

it("arithmetic on views", () => {
  const text = code({ x: float(3, 4), bias: float(3) }, ({ x, bias }) =>
    tanh(add(mul(transpose(x!, [1, 0]), 2), reshape(bias!, [1, 3]))),
  );
  expect(text).toMatchSnapshot();
});

it("padding and picking", () => {
  const text = code({ x: float(5, 4), at: { shape: [3], dtype: "int32" } }, ({ x, at }) =>
    relu(pad(gather(x!, at!), { low: [1, 0], high: [0, 2], interior: [0, 1], value: -1 })),
  );
  expect(text).toMatchSnapshot();
});

it("bytes, bools and half precision", () => {
  const inputs: Record<string, Spec> = {
    image: { shape: [2, 6], dtype: "uint8" },
    h: { shape: [2, 6], dtype: "float16" },
  };
  const program: Traceable = {
    inputs,
    build: ({ image, h }) => ({ outputs: { y: add(h!, h!), z: image! } }),
  };
  const texts = [true, false].map((f16) =>
    planOf(program, { f16 })
      .steps.map((step) => step.code)
      .join("\n"),
  );
  expect(texts.join("\n--- without shader-f16\n")).toMatchSnapshot();
});

it("what is fused into a sum", () => {
  expect(code({ a: float(7, 9), b: float(7, 9) }, ({ a, b }) => sum(mul(a!, b!), { axes: 1 }))).toMatchSnapshot();
});

it("what is fused into a convolution: its reading and writing functions", () => {
  const text = code({ x: float(1, 2, 4, 4), w: float(3, 2, 3, 3), bias: float(3) }, ({ x, w, bias }) =>
    relu(add(conv2d(x!, w!, { padding: 1 }), reshape(bias!, [3, 1, 1]))),
  );
  // The tiles are tuned; what is around them stays.
  expect(text.slice(0, text.indexOf("@compute"))).toMatchSnapshot();
});
