import { gradients, input, recompute, sizeOf, sum, type Tensor, topologicalOrder } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import {
  type Around,
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  Module,
  Recompute,
  ReLU,
  recomputing,
  Sequential,
  type TapRecord,
  traceModule,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const x = input("x", { shape: [2, 3, 5, 4], dtype: "float32" });
const body = (): Sequential =>
  new Sequential(new Conv2d(3, 4, { kernelSize: 3 }), new BatchNorm2d(4), new ReLU(), new Dropout(0.4));

/** The same layers without the wrapper, under the same names. */
class Plain extends Module {
  readonly body = body();

  override forward(y: Tensor, ctx: Context): Tensor {
    return ctx.call(this.body, y);
  }
}

/** The same by the function. */
class Inside extends Plain {
  override forward(y: Tensor, ctx: Context): Tensor {
    return recompute(() => ctx.call(this.body, y));
  }
}

interface Step {
  readonly tensors: readonly Tensor[];
  readonly values: readonly number[][];
  readonly taps: readonly string[];
}

function step(model: Module, around?: Around): Step {
  const taps: string[] = [];
  const specs = model.stateSpecs();
  const state = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, input(name, spec)]));
  const { output, updates } = traceModule(model, x, {
    state,
    training: true,
    around,
    taps: ({ path }: TapRecord) => void taps.push(path),
  });
  const params = Object.entries(state).flatMap(([name, value]) => (name.startsWith("params/") ? [value] : []));
  const tensors = [output, ...Object.values(updates), ...gradients(sum(output), [...params, x])];
  const feeds = new Map([["key", Float64Array.of(5, 6)]]);
  for (const [name, { shape }] of [["x", x] as const, ...Object.entries(specs)]) {
    feeds.set(
      name,
      Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(3 * i + name.length)),
    );
  }
  return { tensors, values: evaluate(tensors, feeds).map((v) => [...v]), taps };
}

describe("Recompute", () => {
  const barriers = ({ tensors }: Step): number =>
    topologicalOrder(tensors).filter(({ op }) => op.name === "barrier").length;

  it("has the values, statistics, gradients and taps of its layers: by module, by function, by name", () => {
    const plain = step(new Plain());
    expect(barriers(plain)).toBe(0);
    const named = new Plain();
    for (const again of [
      step(new Recompute(body())),
      step(new Inside()),
      step(named, recomputing(named, ["body"])),
      step(named, recomputing(named, ["body.0..body.2"])),
      step(named, recomputing(named, ["body", "body.1..body.3"])),
      step(named, recomputing(named, ["body", "body.1"])),
      step(named, recomputing(named, [""])),
    ]) {
      expect(again.values).toEqual(plain.values);
      expect(again.taps).toEqual(plain.taps);
      expect(barriers(again)).toBeGreaterThan(0);
    }
  });

  it("in evaluation, and of functions, is what it holds", () => {
    expect(traceModule(new Recompute((y) => y), x).output).toBe(x);
    expect(
      topologicalOrder([traceModule(new Recompute(body()), x).output]).some(({ op }) => op.name === "barrier"),
    ).toBe(false);
  });

  it("by name leaves names and other modules as they are, and knows the model's names", () => {
    const model = new Plain();
    expect(barriers(step(model, recomputing(model, [])))).toBe(0);
    const behind = (paths: string[]): string[] => {
      const again = topologicalOrder(step(model, recomputing(model, paths)).tensors).filter(
        ({ op, inputs }) => op.name !== "barrier" && inputs.some(({ node }) => node.op.name === "barrier"),
      );
      return [...new Set(again.map(({ scope }) => scope))];
    };
    expect(behind(["body.1"])).toEqual(["body.1"]);
    expect(behind(["body.0..body.2"])).toEqual(["body.0"]);
    for (const wrong of ["body.2..body.0", "body..body.1", "body.0..body"])
      expect(() => recomputing(model, [wrong])).toThrow(
        `${wrong} needs two modules in the same one, the earlier one first`,
      );
    expect(() => recomputing(model, ["bdoy.1"])).toThrow(
      'recomputing: Plain has no module "bdoy.1"; did you mean body.1?',
    );
  });
});
