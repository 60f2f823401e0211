import { ArgumentError, hostTensor, ShapeError } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { float } from "./attributes.js";
import { GraphBuilder, type Value } from "./builder.js";
import { decodeModel } from "./decode.js";
import { OnnxSizeError } from "./model.js";
import { int64Tensor } from "./tensor.js";

const spec = (...shape: (number | string)[]) => ({ dtype: "float32" as const, shape });

describe("GraphBuilder", () => {
  it("names inputs and outputs as told, and what lies between shortly and in order", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec("N", 4));
    const y = b.node("Relu", [b.node("Neg", [x])]);
    b.output("y", b.node("Abs", [y]), spec("N", 4));
    const { graph, opsets, irVersion } = b.build();
    expect(opsets).toEqual({ "": 17 });
    expect(irVersion).toBe(8);
    expect(graph.inputs).toEqual([{ name: "x", ...spec("N", 4) }]);
    expect(graph.outputs).toEqual([{ name: "y", ...spec("N", 4) }]);
    expect(graph.nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, ...outputs])).toEqual([
      ["Neg", "x", "n2"],
      ["Relu", "n2", "n3"],
      ["Abs", "n3", "y"],
    ]);
  });

  it("keeps its own names away from the user's", () => {
    const b = new GraphBuilder();
    const x = b.input("n2", spec(1));
    const y = b.node("Relu", [x]);
    b.output("n3", b.node("Neg", [y]), spec(1));
    b.input("n2_", spec(1));
    const [relu, neg] = b.build().graph.nodes;
    expect(relu).toMatchObject({ inputs: ["n2"], outputs: ["n2__"] });
    expect(neg).toMatchObject({ inputs: ["n2__"], outputs: ["n3"] });
  });

  it("gives the same bytes for the same calls, and again for a second build", () => {
    const make = () => {
      const b = new GraphBuilder();
      const x = b.input("x", spec(2, 3));
      b.output("y", b.node("Reshape", [x, b.int64([3, 2])]), spec(3, 2));
      return b;
    };
    const b = make();
    expect(b.encode()).toEqual(make().encode());
    expect(b.encode()).toEqual(b.encode());
  });

  it("stores small equal constants once and drops those that nothing uses", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(2, 3));
    const shape = b.int64([3, 2]);
    expect(b.int64([3, 2])).toBe(shape);
    expect(b.int64([3, 2], [2, 1])).not.toBe(shape);
    expect(b.scalar(1, "int64")).not.toBe(b.int64([1]));
    expect(b.scalar(0, "float32")).not.toBe(b.scalar(-0, "float32"));
    expect(b.scalar(1, "float32")).not.toBe(b.scalar(1, "int32"));
    const large = hostTensor(new Float32Array(1000));
    expect(b.initializer(large)).not.toBe(b.initializer(large));
    b.initializer(hostTensor([1]), "kept");
    b.output("y", b.node("Reshape", [x, shape]), spec(3, 2));
    expect(b.build().graph.initializers.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["n2", "int64", [2]],
      ["kept", "float32", [1]],
    ]);
  });

  it("makes scalars of every dtype", () => {
    const b = new GraphBuilder();
    for (const dtype of ["float32", "float16", "int32", "uint32", "uint8", "bool", "int64"] as const) {
      b.output(dtype, b.node("Identity", [b.scalar(1, dtype)]), { dtype, shape: [] });
    }
    const sizes = b.build().graph.initializers.map(({ dtype, shape, bytes }) => [dtype, shape.length, [...bytes]]);
    expect(sizes).toEqual([
      ["float32", 0, [0, 0, 0x80, 0x3f]],
      ["float16", 0, [0, 0x3c]],
      ["int32", 0, [1, 0, 0, 0]],
      ["uint32", 0, [1, 0, 0, 0]],
      ["uint8", 0, [1]],
      ["bool", 0, [1]],
      ["int64", 0, [1, 0, 0, 0, 0, 0, 0, 0]],
    ]);
  });

  it("puts an Identity where an output has a name already", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(1));
    const w = b.initializer(hostTensor([1]), "w");
    const y = b.node("Relu", [x]);
    b.output("same", x);
    b.output("weight", w);
    b.output("y", y);
    b.output("y2", y);
    const { nodes, outputs } = b.build().graph;
    expect(nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, ...outputs])).toEqual([
      ["Relu", "x", "y"],
      ["Identity", "x", "same"],
      ["Identity", "w", "weight"],
      ["Identity", "y", "y2"],
    ]);
    expect(outputs).toEqual([
      { name: "same", ...spec(1) },
      { name: "weight", ...spec(1) },
      { name: "y" },
      { name: "y2" },
    ]);
  });

  it("imports the operator sets that are used", () => {
    const b = new GraphBuilder({ opsets: { "": 15, mine: 3 } });
    const x = b.input("x", spec(1));
    const y = b.node("FusedMatMul", [x, x], { alpha: float(2) }, { domain: "com.microsoft" });
    b.output("y", b.node("Thing", [y], {}, { domain: "mine" }));
    b.node("Relu", [y], {}, { domain: "ai.onnx" });
    expect(b.opset()).toBe(15);
    expect(b.opset("other")).toBe(1);
    const { opsets, graph } = b.build();
    expect(opsets).toEqual({ "": 15, mine: 3, "com.microsoft": 1 });
    expect(graph.nodes.map(({ domain }) => domain)).toEqual(["com.microsoft", "mine", ""]);
  });

  it("adds nodes with several outputs, absent inputs and names", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(1, 1, 4, 4));
    const [y, indices] = b.nodes(
      "MaxPool",
      [x],
      { kernel_shape: [2, 2], ceil_mode: undefined },
      { outputs: 2, name: "pool1" },
    );
    b.output("y", y as Value);
    b.output("indices", indices as Value, { dtype: "int64", shape: [1, 1, 3, 3] });
    b.node("Clip", [x, "", b.scalar(1, "float32"), ""]);
    b.node("Clip", [x, "", ""]);
    const [pool, clip, bare] = b.build().graph.nodes;
    expect(pool).toMatchObject({ name: "pool1", outputs: ["y", "indices"] });
    expect(Object.keys(pool?.attributes ?? {})).toEqual(["kernel_shape"]);
    expect(clip?.inputs).toEqual(["x", "", "n4"]);
    expect(bare?.inputs).toEqual(["x"]);
  });

  it("describes values in between, once", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(1));
    const y = b.describe(b.describe(b.node("Relu", [x]), spec(1)), spec(1));
    const z = b.describe(b.node("Neg", [y]), spec(1));
    b.output("z", z);
    const { graph } = b.build();
    expect(graph.values).toEqual([{ name: "n2", ...spec(1) }]);
    expect(graph.outputs).toEqual([{ name: "z", ...spec(1) }]);
  });

  it("nests graphs, whose names never meet", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(1));
    const condition = b.input("condition", { dtype: "bool", shape: [] });
    const branch = (op: string) => {
      const g = b.subgraph();
      g.output("out", op === "" ? x : g.node(op, [x]), spec(1));
      return g;
    };
    b.output("y", b.node("If", [condition], { then_branch: branch("Relu"), else_branch: branch("") }), spec(1));
    const attributes = decodeModel(b.encode()).graph.nodes[0]?.attributes;
    expect(attributes?.then_branch).toMatchObject({
      kind: "graph",
      value: { name: "then_branch", nodes: [{ opType: "Relu", inputs: ["x"], outputs: ["g3.out"] }] },
    });
    expect(attributes?.else_branch).toMatchObject({ value: { nodes: [{ opType: "Identity", inputs: ["x"] }] } });
    expect(() => b.subgraph().build()).toThrow(ArgumentError);
  });

  it("refuses names that are taken and values of other graphs", () => {
    const b = new GraphBuilder();
    const x = b.input("x", spec(1));
    expect(() => b.input("x", spec(1))).toThrow('the name "x" is taken');
    expect(() => b.initializer(hostTensor([1]), "x")).toThrow(ArgumentError);
    expect(() => b.output("x", b.node("Relu", [x]))).toThrow(ArgumentError);
    expect(() => b.input("", spec(1))).toThrow("empty name");
    const inner = b.subgraph();
    const value = inner.node("Relu", [x]);
    expect(() => b.node("Neg", [value], {}, { name: "layer1" })).toThrow(
      `Neg layer1: input 0, "${value}", is no value of this graph`,
    );
  });

  it("refuses int64 constants that are none", () => {
    const b = new GraphBuilder();
    expect(() => b.int64([0.5])).toThrow(ArgumentError);
    expect(() => b.int64([2 ** 53])).toThrow(ArgumentError);
    expect(() => b.int64([1, 2], [3])).toThrow(ShapeError);
    expect(int64Tensor(BigInt64Array.of(-1n)).bytes).toEqual(new Uint8Array(8).fill(255));
  });

  it("refuses models beyond protobuf's 2 GiB before it makes them", () => {
    const b = new GraphBuilder();
    // One block of memory counted many times: nothing of this size is allocated.
    const bytes = new Uint8Array(2 ** 26);
    const block = { name: "", dtype: "uint8", shape: [2 ** 26], bytes } as const;
    for (let i = 0; i < 32; i++) b.initializer(block, `w${i}`);
    expect(() => b.encode()).toThrow(OnnxSizeError);
    expect(() => b.encode()).toThrow("the model takes 2147483648 bytes; one file holds at most 2147483647");
  });

  it("writes a chain of 20,000 nodes", () => {
    const b = new GraphBuilder();
    let x = b.input("x", spec(1));
    for (let i = 0; i < 20_000; i++) x = b.node("Relu", [x]);
    b.output("y", x, spec(1));
    expect(decodeModel(b.encode()).graph.nodes).toHaveLength(20_000);
  });
});
