import {
  constant,
  type HostTensor,
  hostRandomBits,
  hostTensor,
  randomUniform,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { optimize, primitives, trace } from "@ocelli/core/backend";
import { type GraphBuilder, lowerGraph } from "@ocelli/formats/onnx";
import { describe, expect, it } from "vitest";
import { onnx } from "../src/index.js";
import { plain } from "../src/lower/index.js";
import { prediction, trainingStep } from "./nets.js";

const supported = new Set(
  Object.entries(primitives).flatMap(([name, op]) =>
    plain[name as keyof typeof primitives] === "decompose" ? [] : [op],
  ),
) as ReadonlySet<unknown>;

/** How often each operator occurs in a program's model. */
function operators(program: Parameters<typeof trace>[0]): Record<string, number> {
  const { inputs, state, outputs, updates } = trace(program);
  const named = { ...outputs, ...updates };
  const results = optimize(Object.values(named), { supports: (op) => supported.has(op) });
  const b: GraphBuilder = lowerGraph(
    {
      inputs: new Map([...inputs, ...state]),
      outputs: new Map(Object.keys(named).map((name, i) => [`out:${name}`, results[i] as Tensor])),
    },
    plain,
  );
  const counts: Record<string, number> = {};
  for (const { opType } of b.build().graph.nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("lowered programs", () => {
  it("have as many operators as before: a training step", () => {
    expect(operators(trainingStep())).toMatchSnapshot();
  });

  it("have as many operators as before: a prediction", () => {
    expect(operators(prediction())).toMatchSnapshot();
  });
});

describe("random numbers", () => {
  const shape = [3, 5];
  const key = hostTensor(Uint32Array.of(7, 9), [2]);
  const expected = (): number[] => Array.from(hostRandomBits([7, 9], 15, 4), (word) => (word >>> 8) * 2 ** -24);

  it("are the same drawn on the host and in the graph", async () => {
    const device = await onnx({ provider: "cpu" });
    const fed = await device.compile({
      inputs: { key: { shape: [2], dtype: "uint32" } },
      build: (inputs) => ({ outputs: { u: randomUniform(inputs.key as Tensor, shape, 4) } }),
    });
    const u = (await (await fed.run({ key })).u!.read()) as HostTensor;
    expect(Array.from(toNumbers(u))).toEqual(expected());
    const [inside] = await device.run([randomUniform(constant(key), shape, 4)]);
    expect(Array.from(toNumbers(inside as HostTensor))).toEqual(expected());
    await device.dispose();
  });
});
