import { constant, hostTensor, mul, sum, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { auxiliaryLoss, lossPerSampleOf, modelEntry } from "../src/index.js";

const logits = (...values: readonly number[]) => constant(hostTensor(Float32Array.from(values), [2, 2]));
const labels = constant(hostTensor(Int32Array.of(0, 1), [2]));

/** With two classes the cross-entropy is log(1 + exp(the other's logit - the label's)). */
const entropy = (margin: number): number => Math.log1p(Math.exp(-margin));

const valuesOf = (loss: ReturnType<ReturnType<typeof auxiliaryLoss>>): readonly number[] =>
  Array.from(evaluate([loss], new Map())[0] as unknown as ArrayLike<number>);

describe("auxiliaryLoss", () => {
  const loss = auxiliaryLoss({ aux1: 0.3, aux2: 0.5 });

  it("adds the auxiliary classifiers' cross-entropies, weighted, sample by sample", () => {
    const output = { logits: logits(1, 0, 0, 2), aux1: logits(0, 3, 0, 0.5), aux2: logits(4, 0, 1, 0) };
    const [first, second] = valuesOf(loss(output, labels));
    expect(first).toBeCloseTo(entropy(1) + 0.3 * entropy(-3) + 0.5 * entropy(4), 6);
    expect(second).toBeCloseTo(entropy(2) + 0.3 * entropy(0.5) + 0.5 * entropy(-1), 6);
  });

  it("is plain cross-entropy of logits alone, as in evaluation", () => {
    const [first, second] = valuesOf(loss(logits(1, 0, 0, 2), labels));
    expect(first).toBeCloseTo(entropy(1), 6);
    expect(second).toBeCloseTo(entropy(2), 6);
  });

  it("takes another loss in cross-entropy's place, for each classifier", () => {
    const output = { logits: logits(1, 0, 0, 2), aux1: logits(0, 3, 0, 0.5), aux2: logits(4, 0, 1, 0) };
    const first = (x: Tensor): Tensor => sum(mul(x, constant(hostTensor([1, 0], [1, 2]))), { axes: 1 });
    expect(valuesOf(loss(output, labels, first)).map((value) => Math.round(1000 * value))).toEqual([3000, 500]);
    const googlenet = lossPerSampleOf(modelEntry("googlenet"), first);
    expect(valuesOf(googlenet(output, labels)).map((value) => Math.round(1000 * value))).toEqual([2200, 300]);
    // Models of one classifier: LeNet-5 has a loss of its own, ResNet has none.
    for (const name of ["lenet5", "resnet18"]) {
      expect(valuesOf(lossPerSampleOf(modelEntry(name), first)(output.logits, labels))).toEqual([1, 0]);
    }
    const own = valuesOf(lossPerSampleOf(modelEntry("lenet5"))(output.logits, labels));
    expect(own[0]).toBeCloseTo(Math.log(Math.exp(-1) + Math.E + 1) - 1, 6);
  });

  it("says which classifier an output lacks", () => {
    const output = { logits: logits(1, 0, 0, 2), aux: logits(1, 0, 0, 2) };
    expect(() => loss(output, labels)).toThrow("auxiliaryLoss: the output has logits, aux; the weights need aux1");
  });
});
