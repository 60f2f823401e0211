import { input, mean, mul, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { BatchNorm2d, Buffer, type Context, Module, type Parameter, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const x = input("x", { shape: [2, 2, 1, 2], dtype: "float32" });
const feeds = new Map([
  ["x", Float64Array.of(1, 2, -1, 0, 5, 3, 4, 2)],
  ["state:params/weight", Float64Array.of(1, 2)],
  ["state:params/bias", Float64Array.of(0.5, 0)],
  ["state:buffers/running_mean", Float64Array.of(3, 1)],
  ["state:buffers/running_var", Float64Array.of(4, 9)],
  ["state:buffers/num_batches_tracked", Float64Array.of(7)],
]);

const valuesOf = (tensor: Tensor): number[] => [...(evaluate([tensor], feeds)[0] as Float64Array)];

describe("a batch-norm with frozen parts, in training", () => {
  const norm = new BatchNorm2d(2);
  const evaluated = valuesOf(traceModule(norm, x).output);
  const [weight, bias] = [norm.weight, norm.bias] as [Parameter, Parameter];
  const [mean, variance] = [norm.running_mean, norm.running_var] as [Buffer, Buffer];

  it.each<[string, (Parameter | Buffer)[]]>([
    ["scale and shift", [weight, bias]],
    ["statistics", [mean]],
    ["the variance", [variance]],
  ])("uses its statistics and keeps them: %s", (_, frozen) => {
    const { output, updates } = traceModule(norm, x, { training: true, frozen: new Set(frozen) });
    expect(valuesOf(output)).toEqual(evaluated);
    expect(updates).toEqual({});
  });

  it.each<[string, (Parameter | Buffer)[]]>([
    ["nothing", []],
    ["the scale alone", [weight]],
    ["another layer's", [new BatchNorm2d(2).running_mean as Buffer]],
  ])("trains as ever: %s", (_, frozen) => {
    const { output, updates } = traceModule(norm, x, { training: true, frozen: new Set(frozen) });
    expect(valuesOf(output)).not.toEqual(evaluated);
    expect(Object.keys(updates)).toHaveLength(3);
  });

  it("without a scale and a shift follows the batches, unless its statistics are frozen", () => {
    const plain = new BatchNorm2d(2, { affine: false });
    const tracked = (frozen: Buffer[]) =>
      Object.keys(traceModule(plain, x, { training: true, frozen: new Set(frozen) }).updates).length;
    expect(tracked([])).toBe(3);
    expect(tracked([plain.running_mean as Buffer])).toBe(0);
  });
});

/** Keeps the last batch's mean. */
class Watching extends Module {
  readonly seen = new Buffer([]);
  override forward(given: Tensor, ctx: Context): Tensor {
    ctx.update(this.seen, mean(given));
    return mul(given, ctx.get(this.seen));
  }
}

describe("a frozen buffer", () => {
  it("keeps its value, whatever module it is of", () => {
    const module = new Watching();
    const state = new Map([...feeds, ["state:buffers/seen", Float64Array.of(10)]]);
    const run = (frozen: Buffer[]) => {
      const { output, updates } = traceModule(module, x, { training: true, frozen: new Set(frozen) });
      return [Object.keys(updates), (evaluate([output], state)[0] as Float64Array)[0]];
    };
    expect(run([])).toEqual([["buffers/seen"], 2]);
    expect(run([module.seen])).toEqual([[], 10]);
  });
});
