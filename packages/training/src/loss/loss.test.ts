import { readFileSync } from "node:fs";
import { constant, gradients, hostTensor, input, item, mean, type Tensor, toNumbers } from "@ocelli/core";
import { evaluate, reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { crossEntropyLoss, type Loss, losses, makeLoss, multiMarginLoss, rbfLoss } from "./index.js";

interface Fixture {
  readonly logits: number[];
  readonly labels: number[];
  readonly soft: number[];
  readonly cases: readonly {
    readonly name: string;
    readonly options: Record<string, number | number[]>;
    readonly soft: boolean;
    readonly loss: number;
    readonly grad: number[];
  }[];
}

// Made by fixtures/losses.py with PyTorch.
const fixture = JSON.parse(readFileSync(new URL("../../fixtures/losses.json", import.meta.url), "utf8")) as Fixture;
const hard = constant(hostTensor(Int32Array.from(fixture.labels)));
const soft = constant(hostTensor(fixture.soft, [5, 4]));

/** Mean loss and its gradient, in float64. */
function meanAndGradient(loss: Loss, logits: readonly number[], labels: Tensor): [number, number[]] {
  const x = input("x", { shape: [labels.shape[0] as number, 4], dtype: "float32" });
  const value = mean(loss.perSample(x, labels));
  const [loss64, grad] = evaluate([value, ...gradients(value, [x])], new Map([["x", Float64Array.from(logits)]]));
  return [loss64?.[0] as number, [...(grad as Float64Array)]];
}

describe("losses", () => {
  it.each(fixture.cases)("$name $options equals PyTorch's, soft labels $soft", (given) => {
    const [loss, grad] = meanAndGradient(makeLoss(given), fixture.logits, given.soft ? soft : hard);
    // Soft labels and weights are float32 here.
    expect(Math.abs(loss - given.loss)).toBeLessThan(1e-6 * Math.max(1, Math.abs(given.loss)));
    for (const [i, value] of given.grad.entries()) expect(Math.abs((grad[i] as number) - value)).toBeLessThan(1e-6);
  });

  it.each([...new Set(fixture.cases.map(({ name }) => name))])("%s comes back from its name and options", (name) => {
    for (const { options } of fixture.cases.filter((given) => given.name === name)) {
      const made = makeLoss({ name, options });
      const again = makeLoss(JSON.parse(JSON.stringify(made)));
      expect([again.name, again.options]).toEqual([made.name, made.options]);
      expect(made.options).toMatchObject(options);
    }
  });

  it("are all in the fixture", () => {
    expect([...new Set(fixture.cases.map(({ name }) => name))].sort()).toEqual(Object.keys(losses).sort());
  });

  it.each([makeLoss({ name: "crossEntropy", options: { labelSmoothing: 0.1 } }), rbfLoss(), multiMarginLoss()])(
    "$name stays finite for huge logits",
    (loss) => {
      const [value, grad] = meanAndGradient(
        loss,
        [1e4, -1e4, 0, 5, -1e5, -1e5, -1e5, -2e5],
        constant(hostTensor([1, 3], [2], "int32")),
      );
      expect(Number.isFinite(value)).toBe(true);
      expect(grad.every(Number.isFinite)).toBe(true);
      expect(grad.some((part) => part !== 0)).toBe(true);
    },
  );

  it("takes the mean weight over the labels that are classes: what fills up a batch changes nothing", () => {
    const loss = crossEntropyLoss({ classWeights: [0.5, 2, 1, 3] });
    const logits = constant(hostTensor(fixture.logits.slice(0, 12), [3, 4]));
    const perSample = (labels: number[], rows: number): number[] => [
      ...(evaluate(
        [
          loss.perSample(
            constant(hostTensor(fixture.logits.slice(0, 4 * rows), [rows, 4])),
            constant(hostTensor(labels, [rows], "int32")),
          ),
        ],
        new Map(),
      )[0] as Float64Array),
    ];
    expect(logits.shape).toEqual([3, 4]);
    const padded = perSample([0, 1, -1], 3);
    const plain = perSample([0, 1], 2);
    expect(padded[0]).toBeCloseTo(plain[0] as number, 12);
    expect(padded[1]).toBeCloseTo(plain[1] as number, 12);
    expect(padded[2]).toBeCloseTo(0, 12);
  });

  it("runs in float32 on a device", async () => {
    await using device = await reference({ precision: "float32" });
    const logits = constant(hostTensor(fixture.logits, [5, 4]));
    const [given] = fixture.cases;
    const [value] = await device.run([mean(crossEntropyLoss().perSample(logits, hard))]);
    expect(item(value as never)).toBeCloseTo(given?.loss as number, 5);
    expect(toNumbers(value as never)).toHaveLength(1);
  });
});

describe("options that are wrong", () => {
  it.each([
    [() => crossEntropyLoss({ labelSmoothing: 1 }), "labelSmoothing is 1; it needs a number of 0 or more and below 1"],
    [() => crossEntropyLoss({ labelSmoothing: "a lot" as never }), "labelSmoothing is a lot"],
    [() => crossEntropyLoss({ classWeights: [1, -1] }), "classWeights are [1, -1]; they need an array"],
    [() => crossEntropyLoss({ classWeights: [0, 0] }), "not all 0"],
    [() => crossEntropyLoss({ classWeights: "balanced" as never }), "classWeights are balanced"],
    [() => multiMarginLoss({ p: 3 }), "multiMarginLoss: p is 3; it needs 1 or 2"],
    [() => multiMarginLoss({ margin: Number.NaN }), "margin is NaN"],
    [() => rbfLoss({ garbage: Number.POSITIVE_INFINITY }), "garbage is Infinity"],
    [
      () => makeLoss({ name: "crossentropy", options: {} }),
      'loss: "crossentropy" is unknown; did you mean crossEntropy?',
    ],
    [
      () => crossEntropyLoss({ classWeights: [1, 2] }).perSample(soft, hard),
      "there are 2 classWeights; the logits have 4 classes",
    ],
    [() => multiMarginLoss().perSample(soft, soft), "there is no hinge of soft labels"],
    [
      () => crossEntropyLoss().perSample(soft, constant(hostTensor([1, 2]))),
      "labels float32[2]; they need [N, classes]",
    ],
  ])("%#: %s", (make, message) => {
    expect(make).toThrow(message);
  });
});
