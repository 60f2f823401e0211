import { input, type Tensor } from "@ocelli/core";
import { evaluate } from "@ocelli/core/reference";
import { AdaptiveAvgPool2d, AdaptiveMaxPool2d, type Module, traceModule } from "@ocelli/layers";
import { describe, expect, it } from "vitest";

function values(pool: Module, shape: readonly number[], pixels: readonly number[]): number[] {
  const { output } = traceModule(pool, input("x", { shape, dtype: "float32" }));
  const [result] = evaluate([output as Tensor], new Map([["x", Float64Array.from(pixels)]]));
  return [...(result ?? [])];
}

// As torch.nn.functional.adaptive_avg_pool2d and adaptive_max_pool2d give.
describe("adaptive pooling to a larger map", () => {
  it("repeats a single pixel, as small images reach the classifier of VGG", () => {
    expect(values(new AdaptiveAvgPool2d(3), [1, 2, 1, 1], [5, 7])).toEqual([...Array(9).fill(5), ...Array(9).fill(7)]);
    expect(values(new AdaptiveMaxPool2d([2, 3]), [1, 1, 1, 1], [5])).toEqual(Array(6).fill(5));
  });

  it("takes means over windows that overlap", () => {
    expect(values(new AdaptiveAvgPool2d(3), [1, 1, 2, 2], [1, 2, 3, 4])).toEqual([1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4]);
    expect(values(new AdaptiveMaxPool2d(3), [1, 1, 2, 2], [1, 2, 3, 4])).toEqual([1, 2, 2, 3, 4, 4, 3, 4, 4]);
    expect(values(new AdaptiveAvgPool2d([4, 1]), [1, 1, 2, 2], [1, 2, 3, 4])).toEqual([1.5, 1.5, 3.5, 3.5]);
  });
});
