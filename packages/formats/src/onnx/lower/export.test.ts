import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  add,
  avgPool2d,
  batchNormInference,
  broadcastTo,
  concat,
  conv2d,
  fromNumbers,
  gradients,
  type HostTensor,
  hostTensor,
  input,
  localResponseNorm,
  matmul,
  maxPool2d,
  mean,
  mul,
  narrow,
  pad,
  relu,
  reshape,
  softmax,
  sum,
  type Tensor,
} from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import * as node from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { decodeModel } from "../decode.js";
import { type Exportable, exportGraph } from "../export.js";

const ort = (node as unknown as { default?: typeof node }).default ?? node;

function numbers(shape: readonly number[], seed: number, scale = 1): HostTensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return fromNumbers(
    Float64Array.from({ length: size }, (_, i) => scale * Math.sin(seed + 1.7 * i)),
    shape,
    "float32",
  );
}

const state = {
  "conv1.weight": numbers([8, 3, 3, 3], 1, 0.3),
  "bn.weight": numbers([8], 2),
  "bn.bias": numbers([8], 3),
  "bn.mean": numbers([8], 4, 0.1),
  "bn.variance": hostTensor(new Float32Array(8).fill(1), [8]),
  "conv2.weight": numbers([6, 4, 3, 3], 5, 0.3),
  "fc.weight": numbers([5, 14], 6, 0.3),
  "fc.bias": hostTensor(new Float32Array(5), [5]),
};

/** Shortcuts, groups, ceil mode, concatenation, normalisation over channels, and a flattened end. */
const network: Exportable = {
  inputs: { image: { shape: ["N", 3, 10, 11], dtype: "float32" } },
  state,
  build: ({ image }, p) => {
    const first = conv2d(image as Tensor, p["conv1.weight"] as Tensor, { padding: 1 });
    const [w, b, m, v] = ["weight", "bias", "mean", "variance"].map((name) => p[`bn.${name}`] as Tensor);
    const a = relu(batchNormInference(first, w as Tensor, b as Tensor, m as Tensor, v as Tensor));
    const pooled = maxPool2d(a, { kernelSize: 3, stride: 2, ceilMode: true });
    const shortcut = pad(narrow(narrow(pooled, 2, 0, undefined, 2), 1, 0, 4), {
      low: [0, 1, 0, 0],
      high: [0, 1, 0, 0],
    });
    const second = conv2d(pooled, p["conv2.weight"] as Tensor, { stride: [2, 1], padding: 1, groups: 2 });
    const normal = localResponseNorm(
      concat([add(second, shortcut), pooled.shape[2] === 5 ? narrow(pooled, 2, 0, 3) : second], 1),
      { size: 5 },
    );
    const features = mean(avgPool2d(normal, { kernelSize: 2, stride: 1, padding: 1 }), { axes: [2, 3] });
    const flat = reshape(features, [features.shape[0] as number, 14]);
    const logits = add(matmul(flat, p["fc.weight"] as Tensor, { transposeB: true }), p["fc.bias"] as Tensor);
    return { logits, probabilities: softmax(logits), total: sum(mul(logits, 2), { axes: 0 }) };
  },
};

async function runFile(bytes: Uint8Array, feeds: Record<string, HostTensor>): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(
    ([name, { dtype, shape, data }]) =>
      [name, new ort.Tensor(dtype as "float32", data as Float32Array, shape)] as const,
  );
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
}

function expected(program: Exportable, feeds: Record<string, HostTensor>): Record<string, ArrayLike<number>> {
  const leaf = ([name, host]: [string, HostTensor]) => [name, input(name, host)] as const;
  const inputs = Object.fromEntries(Object.entries(feeds).map(leaf));
  const built = program.build(inputs, Object.fromEntries(Object.entries(program.state ?? {}).map(leaf)));
  const outputs = built as Record<string, Tensor>;
  const values = evaluate(Object.values(outputs), new Map(Object.entries({ ...feeds, ...program.state })));
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, values[i] as ArrayLike<number>]));
}

function python(): string | undefined {
  for (const command of ["/usr/bin/python3", "python3", "python"]) {
    try {
      execFileSync(command, ["-c", "import onnx.checker"], { stdio: "ignore" });
      return command;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

describe("an exported file", () => {
  const bytes = exportGraph(network);

  it.each([1, 3])("gives the reference's numbers at batch %i in a plain runtime", async (n) => {
    const feeds = { image: numbers([n, 3, 10, 11], 7 + n) };
    const [got, wanted] = [await runFile(bytes, feeds), expected(network, feeds)];
    for (const [name, values] of Object.entries(wanted)) {
      const worst = Math.max(...Array.from(values, (value, i) => Math.abs(value - (got[name]?.[i] as number))));
      expect(worst, name).toBeLessThan(1e-5 * Math.max(1, ...Array.from(values, Math.abs)));
    }
  });

  it("names the open size and the weights, and uses ONNX's own operators only", () => {
    const { graph, opsets } = decodeModel(bytes);
    expect(opsets).toEqual({ "": 17 });
    expect(graph.inputs).toMatchObject([{ name: "image", shape: ["N", 3, 10, 11] }]);
    expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["logits", ["N", 5]],
      ["probabilities", ["N", 5]],
      ["total", [5]],
    ]);
    const names = new Set(graph.initializers.map(({ name }) => name));
    for (const name of Object.keys(state)) expect(names.has(name), name).toBe(true);
  });

  const checker = python();
  it.skipIf(checker === undefined)(
    checker === undefined ? "passes onnx.checker (skipped: no Python with onnx here)" : "passes onnx.checker",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "ocelli-export-"));
      try {
        const path = join(folder, "model.onnx");
        writeFileSync(path, bytes);
        const script = "import onnx, sys; m = onnx.load(sys.argv[1]); onnx.checker.check_model(m, full_check=True)";
        execFileSync(checker as string, ["-c", script, path], { stdio: "pipe" });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it("may be a training graph, at a fixed size", async () => {
    const step: Exportable = {
      inputs: { image: { shape: [2, 3, 10, 11], dtype: "float32" } },
      state,
      build: (inputs, p) => {
        const { logits } = network.build(inputs, p) as Record<string, Tensor>;
        const [slope] = gradients(sum(mul(logits as Tensor, logits as Tensor)), [p["conv1.weight"] as Tensor]);
        return { slope: slope as Tensor };
      },
    };
    const feeds = { image: numbers([2, 3, 10, 11], 3) };
    const [got, wanted] = [await runFile(exportGraph(step), feeds), expected(step, feeds)];
    const scale = Math.max(...Array.from(wanted.slope as ArrayLike<number>, Math.abs));
    for (const [i, value] of Array.from(wanted.slope as ArrayLike<number>).entries()) {
      expect(Math.abs(value - (got.slope?.[i] as number))).toBeLessThan(1e-4 * scale);
    }
  });

  it("computes shapes from the input's where a constant would hold N", async () => {
    const program: Exportable = {
      inputs: { x: { shape: ["N", 2], dtype: "float32" } },
      build: ({ x }) => ({
        y: concat([x as Tensor, broadcastTo(reshape(mean(x as Tensor, { axes: 1 }), [-1, 1]), (x as Tensor).shape)], 1),
      }),
    };
    const feeds = { x: numbers([4, 2], 1) };
    const [got, wanted] = [await runFile(exportGraph(program), feeds), expected(program, feeds)];
    expect(Array.from(got.y as Float32Array)).toHaveLength(16);
    for (const [i, value] of Array.from(wanted.y as ArrayLike<number>).entries())
      expect(got.y?.[i]).toBeCloseTo(value, 5);
  });

  it("refuses a number that depends on N, naming the op", () => {
    const program: Exportable = {
      inputs: { x: { shape: ["N", 2], dtype: "float32" } },
      build: ({ x }) => mean(x as Tensor),
    };
    expect(() => exportGraph(program)).toThrow(/mul \(Mul\): a constant in it depends on N/);
  });
});
