import { hostTensor, input, toNumbers } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { summary } from "@ocelli/inspect";
import { traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { createModel, LinearClassifier, Mlp } from "../src/index.js";
import { logitsShape } from "./trace.js";

describe("the baselines", () => {
  it("cost one multiply-add a weight", () => {
    expect(summary(createModel("linear"), [1, 28, 28]).totals.macs).toBe(7840);
    expect(summary(createModel("mlp"), [1, 28, 28]).totals.macs).toBe(784 * 300 + 300 * 100 + 100 * 10);
  });

  it("take images of any size and number of channels", () => {
    for (const name of ["linear", "mlp"] as const) {
      expect(logitsShape(name, { inChannels: 3, numClasses: 7, inputSize: 5 })).toEqual([2, 7]);
      expect(
        createModel(name, { inputSize: [4, 6] })
          .parameters()
          .values()
          .next().value?.shape[1],
      ).toBe(24);
    }
  });

  it("refuse sizes that are none, and images of another size than theirs", () => {
    expect(() => new LinearClassifier({ inputSize: 0 })).toThrow(/inputSize is 0; it needs one or two integers >= 1/);
    expect(() => new Mlp([3, 0])).toThrow(/outFeatures is 0/);
    const x = input("x", { shape: [2, 1, 32, 32], dtype: "float32" });
    expect(() => traceModule(createModel("mlp"), x)).toThrow(/input has 1024 features; the layer was made for 784/);
  });

  it("mlp is linear layers with ReLU between them: a network of two units, by hand", () => {
    const x = input("x", { shape: [1, 1, 1, 2], dtype: "float32" });
    const { output } = traceModule(new Mlp([2], { inputSize: [1, 2], numClasses: 1 }), x);
    const feeds = new Map([
      ["state:params/hidden.0.weight", hostTensor(Float32Array.of(1, -2, 3, 1), [2, 2])],
      ["state:params/hidden.0.bias", hostTensor(Float32Array.of(0.5, -1), [2])],
      ["state:params/output.weight", hostTensor(Float32Array.of(7, -2), [1, 2])],
      ["state:params/output.bias", hostTensor(Float32Array.of(4), [1])],
      ["x", hostTensor(Float32Array.of(1, 2), [1, 1, 1, 2])],
    ]);
    const [logits] = evaluate([output], feeds);
    // Units: relu(1 - 4 + 0.5) = 0 and relu(3 + 2 - 1) = 4; the logit is -2 * 4 + 4. Without ReLU it would be -21.5.
    expect([...(logits instanceof Float64Array ? logits : toNumbers(logits as never))]).toEqual([-4]);
  });
});
