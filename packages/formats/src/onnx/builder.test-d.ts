import { assertType, describe, it } from "vitest";
import { float, GraphBuilder, type Value } from "./index.js";

describe("GraphBuilder", () => {
  const b = new GraphBuilder();
  const x = b.input("x", { dtype: "float32", shape: ["N", 3] });

  it("takes values, not names", () => {
    assertType<Value>(b.node("Relu", [x]));
    assertType<Value[]>(b.nodes("Split", [x, ""], { axis: 0 }, { outputs: 2 }));
    // @ts-expect-error a plain string is no value of the graph
    b.node("Relu", ["x"]);
  });

  it("knows attributes and element types", () => {
    b.node("LeakyRelu", [x], { alpha: float(0.1), other: undefined });
    // @ts-expect-error null is no attribute
    b.node("LeakyRelu", [x], { alpha: null });
    // @ts-expect-error ONNX's name for it is float32 here, as a graph's
    b.input("y", { dtype: "float", shape: [] });
  });
});
