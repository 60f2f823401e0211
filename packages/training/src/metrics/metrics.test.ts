import { constant, correct, hostTensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { confusionMatrix, perClass, runningMean, topK } from "./index.js";

describe("confusionMatrix", () => {
  it("counts [true, predicted]", () => {
    expect([...confusionMatrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 0, 2, 2], 3)]).toEqual([1, 1, 0, 0, 1, 0, 1, 0, 2]);
  });

  it("leaves out samples without a prediction", () => {
    expect([...confusionMatrix([0, 1], [-1, 1], 2)]).toEqual([0, 0, 0, 1]);
  });

  it.each([
    [[0], [0, 1], 2, "there are 1 labels and 2 predictions"],
    [[0, 2], [0, 1], 2, "label 2 of sample 1 is outside the 2 classes"],
    [[-1], [0], 2, "label -1 of sample 0"],
    [[0], [5], 2, "prediction 5 of sample 0 is outside the 2 classes"],
    [[0], [0.5], 2, "prediction 0.5"],
    [[0], [0], 0, "classes is 0"],
  ])("%#: %j %j %i", (labels, predicted, classes, message) => {
    expect(() => confusionMatrix(labels, predicted, classes)).toThrow(message);
  });
});

describe("perClass", () => {
  it("gives precision, recall, f1 and support", () => {
    // scikit-learn's precision_recall_fscore_support of the labels and predictions above.
    const [first, second, third] = perClass([1, 1, 0, 0, 1, 0, 1, 0, 2], 3);
    expect(first).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
    expect(second).toEqual({ precision: 0.5, recall: 1, f1: 2 / 3, support: 1 });
    expect(third).toEqual({ precision: 1, recall: 2 / 3, f1: 0.8, support: 3 });
  });

  it("is NaN where there is nothing to divide by, null in JSON", () => {
    const scores = perClass([2, 1, 0, 0, 0, 0, 0, 0, 0], 3);
    expect(scores[1]).toEqual({ precision: 0, recall: Number.NaN, f1: 0, support: 0 });
    expect(scores[2]).toEqual({ precision: Number.NaN, recall: Number.NaN, f1: Number.NaN, support: 0 });
    expect(JSON.stringify(scores[2])).toBe('{"precision":null,"recall":null,"f1":null,"support":0}');
  });

  it("says when the matrix is not of that size", () => {
    expect(() => perClass([1, 2, 3], 2)).toThrow("the matrix has 3 counts; 2 classes need 4");
  });
});

describe("runningMean", () => {
  it("weighs by the samples behind each value", () => {
    const loss = runningMean();
    expect(loss.mean).toBeNaN();
    loss.add(2, 3);
    loss.add(6);
    expect([loss.mean, loss.weight]).toEqual([3, 4]);
    loss.reset();
    loss.add(1, 10);
    expect(loss.mean).toBe(1);
    expect(() => loss.add(1, -1)).toThrow("weight is -1");
  });
});

describe("topK", () => {
  it("is whether the label is among the k largest, of equal ones the first", () => {
    const logits = constant(hostTensor([3, 2, 1, 0, 0, 5, 5, 1, 0, 5, 5, 1, 1, 2, Number.NaN, 9], [4, 4]));
    const labels = constant(hostTensor([2, 1, 2, 3], [4], "int32"));
    const hits = (k: number): number[] => [...(evaluate([topK(logits, labels, k)], new Map())[0] as Float64Array)];
    expect(hits(1)).toEqual([0, 1, 0, 0]);
    expect(hits(2)).toEqual([0, 1, 1, 0]);
    expect(hits(3)).toEqual([1, 1, 1, 0]);
    expect(hits(1).slice(0, 3)).toEqual([
      ...(evaluate([correct(logits, labels)], new Map())[0] as Float64Array).slice(0, 3),
    ]);
  });
});
