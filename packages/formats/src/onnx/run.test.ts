import { execFileSync } from "node:child_process";
import { hostTensor } from "@ocelli/core";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../test/random.js";
import { float } from "./attributes.js";
import { GraphBuilder, type Value } from "./builder.js";

const ort = await import("onnxruntime-node").catch((error: Error) => {
  console.log(`skipped: running ONNX models, because onnxruntime-node does not load: ${error.message}`);
  return undefined;
});

/** Python with the `onnx` package, where the machine has it. It is never required. */
function findChecker(): string | undefined {
  try {
    execFileSync("/usr/bin/python3", ["-c", "import onnx"], { stdio: "pipe" });
    return "/usr/bin/python3";
  } catch {
    console.log("skipped: ONNX's own checker, because /usr/bin/python3 cannot import onnx");
    return undefined;
  }
}

const checker = findChecker();

function check(bytes: Uint8Array): void {
  const script =
    "import sys, onnx; onnx.checker.check_model(onnx.load_from_string(sys.stdin.buffer.read()), full_check=True)";
  execFileSync(checker as string, ["-c", script], { input: bytes, stdio: "pipe" });
}

function float32(data: Float32Array, dims: number[]): Tensor {
  return new (ort as NonNullable<typeof ort>).Tensor("float32", data, dims);
}

async function run(bytes: Uint8Array, feeds: Record<string, Tensor>): Promise<InferenceSession.OnnxValueMapType> {
  const session = await (ort as NonNullable<typeof ort>).InferenceSession.create(bytes);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

const random = randomSource(3);
const numbers = (count: number) => Float32Array.from({ length: count }, () => random(2001) / 1000 - 1);
const x = numbers(2 * 2 * 5 * 4);
const convWeight = numbers(3 * 2 * 3 * 3);
const convBias = numbers(3);
const gemmWeight = numbers(4 * 18);
const gemmBias = numbers(4);

/** Conv (padding 1, stride 2), Relu, Reshape and Gemm. */
function network(): Uint8Array {
  const b = new GraphBuilder();
  const input = b.input("x", { dtype: "float32", shape: ["N", 2, 5, 4] });
  const weight = b.initializer(hostTensor(convWeight, [3, 2, 3, 3]), "conv.weight");
  const bias = b.initializer(hostTensor(convBias), "conv.bias");
  const conv = b.node("Conv", [input, weight, bias], { pads: [1, 1, 1, 1], strides: [2, 2] }, { name: "conv" });
  const flat = b.node("Reshape", [b.node("Relu", [conv]), b.int64([0, -1])]);
  const fc = [
    b.initializer(hostTensor(gemmWeight, [4, 18]), "fc.weight"),
    b.initializer(hostTensor(gemmBias), "fc.bias"),
  ];
  const logits = b.node("Gemm", [flat, ...fc], { transB: true, alpha: float(0.5) }, { name: "fc" });
  b.output("logits", logits, { dtype: "float32", shape: ["N", 4] });
  b.output("hidden", flat, { dtype: "float32", shape: ["N", 18] });
  return b.encode({ name: "network", metadata: { made: "by a test" } });
}

function expected(): number[] {
  const out: number[] = [];
  const at = (n: number, c: number, i: number, j: number) =>
    i < 0 || j < 0 || i >= 5 || j >= 4 ? 0 : (x[((n * 2 + c) * 5 + i) * 4 + j] as number);
  for (let n = 0; n < 2; n++) {
    const hidden: number[] = [];
    for (let o = 0; o < 3; o++) {
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 2; j++) {
          let sum = convBias[o] as number;
          for (let k = 0; k < 18; k++) {
            const [c, di, dj] = [Math.floor(k / 9), Math.floor(k / 3) % 3, k % 3];
            sum += at(n, c, 2 * i + di - 1, 2 * j + dj - 1) * (convWeight[o * 18 + k] as number);
          }
          hidden.push(Math.max(0, sum));
        }
      }
    }
    for (let o = 0; o < 4; o++) {
      const product = hidden.reduce((sum, value, k) => sum + value * (gemmWeight[o * 18 + k] as number), 0);
      out.push(0.5 * product + (gemmBias[o] as number));
    }
  }
  return out;
}

/** `total` after three times `total += i + step`, with a body that uses a value from outside. */
function loop(): Uint8Array {
  const b = new GraphBuilder();
  const step = b.input("step", { dtype: "float32", shape: [] });
  const body = b.subgraph();
  const i = body.input("i", { dtype: "int64", shape: [] });
  const go = body.input("go", { dtype: "bool", shape: [] });
  const total = body.input("total", { dtype: "float32", shape: [] });
  const count = body.node("Cast", [i], { to: 1 });
  body.output("go_out", go, { dtype: "bool", shape: [] });
  body.output("total_out", body.node("Add", [total, body.node("Add", [count, step])]), { dtype: "float32", shape: [] });
  const start = b.scalar(10, "float32");
  b.output("total", b.node("Loop", [b.scalar(3, "int64"), "", start], { body }), { dtype: "float32", shape: [] });
  return b.encode();
}

/** Every constant dtype, and operators of another domain. */
function assorted(): Uint8Array {
  const b = new GraphBuilder();
  const dtypes = ["float32", "float16", "int32", "uint32", "uint8", "bool", "int64"] as const;
  for (const dtype of dtypes) b.output(dtype, b.scalar(1, dtype));
  const input = b.input("x", { dtype: "float32", shape: [1, 1, 2, 2] });
  const [pooled, index] = b.nodes("MaxPool", [input], { kernel_shape: [2, 2] }, { outputs: 2 }) as [Value, Value];
  b.output("pooled", pooled, { dtype: "float32", shape: [1, 1, 1, 1] });
  b.output("index", index, { dtype: "int64", shape: [1, 1, 1, 1] });
  return b.encode();
}

function fused(): Uint8Array {
  const b = new GraphBuilder();
  const input = b.input("x", { dtype: "float32", shape: [2, 2] });
  const y = b.node("FusedMatMul", [input, input], { transB: 1, alpha: float(2) }, { domain: "com.microsoft" });
  b.output("y", y, { dtype: "float32", shape: [2, 2] });
  return b.encode();
}

describe.skipIf(ort === undefined)("models in ONNX Runtime", () => {
  it("compute Conv, Relu, Reshape and Gemm", async () => {
    const { logits, hidden } = await run(network(), { x: float32(x, [2, 2, 5, 4]) });
    expect(logits?.dims).toEqual([2, 4]);
    expect(hidden?.dims).toEqual([2, 18]);
    for (const [index, value] of expected().entries()) expect(logits?.data[index]).toBeCloseTo(value, 5);
  });

  it("run a Loop whose body uses values from outside", async () => {
    const { total } = await run(loop(), { step: float32(Float32Array.of(0.5), []) });
    expect(total?.data[0]).toBe(10 + 0 + 1 + 2 + 3 * 0.5);
  });

  it("give back constants of every dtype, and second outputs", async () => {
    const out = await run(assorted(), { x: float32(Float32Array.of(1, 4, 3, 2), [1, 1, 2, 2]) });
    expect(out.int64?.data[0]).toBe(1n);
    expect(out.bool?.data[0]).toBe(1);
    for (const name of ["float32", "int32", "uint32", "uint8"]) expect(out[name]?.data[0]).toBe(1);
    expect(out.pooled?.data[0]).toBe(4);
    expect(out.index?.data[0]).toBe(1n);
  });

  it("use operators of com.microsoft", async () => {
    const { y } = await run(fused(), { x: float32(Float32Array.of(1, 2, 3, 4), [2, 2]) });
    expect(y?.data).toEqual(Float32Array.of(10, 22, 22, 50));
  });
});

describe.skipIf(checker === undefined)("models before ONNX's own checker", () => {
  it.each([
    ["a network", network],
    ["a loop", loop],
    ["constants", assorted],
  ])("%s", (_, make) => {
    check(make());
  });
});
