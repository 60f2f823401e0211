import { describe, expect, it } from "vitest";
import { gradients } from "./gradients.js";
import { hostTensor } from "./host.js";
import { apply, defineOp, type OpDefinition } from "./op.js";
import { add, cast, relu } from "./ops/elementwise.js";
import { input } from "./ops/leaf.js";
import { sum } from "./ops/reduce.js";
import { reference } from "./reference/index.js";
import type { Tensor } from "./tensor.js";

const x = input("x", { shape: [2], dtype: "float32" });
const given = { x: hostTensor([1, 2]) };

async function run(tensor: Tensor): Promise<unknown> {
  await using device = await reference();
  const program = await device.compile({
    inputs: { x: { shape: [2], dtype: "float32" } },
    build: (inputs) => ({ outputs: { y: apply(tensor.node.op, [inputs.x as Tensor]) } }),
  });
  return (await program.run(given)).y;
}

const wrong = (decompose: OpDefinition["decompose"]) =>
  defineOp({ name: "wrong", infer: () => ({ shape: [1], dtype: "float32" }), vjp: "decompose", decompose: decompose! });

describe("an op's definition", () => {
  it("is held to the shape rule", async () => {
    const grows = apply(
      wrong(([t]) => t!),
      [x],
    );
    await expect(run(grows)).rejects.toThrow("wrong: its decompose gives float32[2]; its infer says float32[1]");
    expect(() => gradients(sum(grows), [x])).toThrow("its decompose gives float32[2]; its infer says float32[1]");
  });

  it("is held to the dtype and the count of outputs", async () => {
    await expect(
      run(
        apply(
          wrong(([t]) => cast(sum(t!, { keepDims: true }), "int32")),
          [x],
        ),
      ),
    ).rejects.toThrow(/gives int32\[1\]/);
    await expect(
      run(
        apply(
          wrong(([t]) => [t!, t!]),
          [x],
        ),
      ),
    ).rejects.toThrow(/gives float32\[2\], float32\[2\]/);
  });
});

describe("an op's inputs", () => {
  it("have to be tensors of a graph, as many as it takes", () => {
    const host = hostTensor([1, 2]) as unknown as Tensor;
    expect(() => relu(host)).toThrow(/relu: input 0 is no tensor of a graph; .*constant\(hostTensor/);
    expect(() => relu(3 as unknown as Tensor)).toThrow(/relu: input 0 is no tensor/);
    expect(() => add(undefined as unknown as Tensor, x)).toThrow(/add: an operand is neither a number nor a tensor/);
    expect(() => apply(add(x, 1).node.op, [x])).toThrow(/add: got 1 inputs; it needs 2 \(a, b\)/);
  });
});
