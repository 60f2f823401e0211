import { create, toBinary } from "@bufbuild/protobuf";
import { ArgumentError, DTypeError, FormatError, hostTensor, toNumbers } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { mutate, randomSource } from "../../test/random.js";
import { GraphBuilder } from "./builder.js";
import { decodeModel } from "./decode.js";
import { elementTypes } from "./element-type.js";
import { encodeModel } from "./encode.js";
import type { OnnxAttribute, OnnxModel, OnnxTensor } from "./model.js";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  ModelProtoSchema,
} from "./onnx_pb.js";
import { int64Tensor, tensorFromHost, tensorToHost } from "./tensor.js";

/** A file from protobuf's own objects, for what the writer never writes. */
function fileOf(graph: object, model: object = {}): Uint8Array {
  const init = { irVersion: 8n, opsetImport: [{ domain: "", version: 17n }], graph, ...model };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, init as never));
}

const weight: OnnxTensor = tensorFromHost(hostTensor([1, 2, 3, 4], [2, 2]), "w");
const inner = { name: "inner", nodes: [], inputs: [], outputs: [], values: [], initializers: [weight] };
const attributes: Record<string, OnnxAttribute> = {
  f: { kind: "float", value: 0.5 },
  i: { kind: "int", value: -3 },
  big: { kind: "int", value: 2n ** 63n - 1n },
  s: { kind: "string", value: "é" },
  t: { kind: "tensor", value: weight },
  g: { kind: "graph", value: inner },
  fs: { kind: "floats", value: [0.5, -1] },
  is: { kind: "ints", value: [1, -(2n ** 63n)] },
  ss: { kind: "strings", value: ["a", ""] },
  ts: { kind: "tensors", value: [weight] },
  gs: { kind: "graphs", value: [inner] },
  r: { kind: "reference", value: "alpha", type: "float" },
  none: { kind: "ints", value: [] },
};

const model: OnnxModel = {
  irVersion: 8,
  opsets: { "": 17, "com.microsoft": 1 },
  producer: "p",
  producerVersion: "1",
  domain: "d",
  version: 3,
  doc: "text",
  metadata: { key: "value" },
  graph: {
    name: "g",
    nodes: [{ opType: "Op", domain: "com.microsoft", name: "n", inputs: ["x", "", "w"], outputs: ["y"], attributes }],
    inputs: [{ name: "x", dtype: "float16", shape: ["N", 3, ""] }, { name: "unknown" }],
    outputs: [{ name: "y", dtype: "int64", shape: undefined }],
    values: [{ name: "z", dtype: "bool", shape: [] }],
    initializers: [
      weight,
      { name: "names", dtype: "string", shape: [2], bytes: new Uint8Array(0), strings: ["cat", "é"] },
      { name: "far", dtype: "float32", shape: [9], bytes: new Uint8Array(0), external: { location: "w.bin" } },
      { name: "nibbles", dtype: "int4", shape: [3], bytes: Uint8Array.of(1, 2) },
    ],
  },
  functions: [
    {
      name: "F",
      domain: "mine",
      inputs: ["a"],
      outputs: ["b"],
      attributes: ["alpha"],
      defaults: { beta: { kind: "float", value: 2 } },
      nodes: [{ opType: "Relu", domain: "", name: "", inputs: ["a"], outputs: ["b"], attributes: {} }],
      opsets: { "": 17 },
    },
  ],
};

describe("encodeModel and decodeModel", () => {
  it("give back what was written", () => {
    const bytes = encodeModel(model);
    expect(decodeModel(bytes)).toEqual(model);
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes);
  });

  it("view the tensors' bytes", () => {
    const bytes = encodeModel(model);
    expect(decodeModel(bytes).graph.initializers[0]?.bytes.buffer).toBe(bytes.buffer);
  });

  it("refuse to write what is no tensor", () => {
    const graph = { ...model.graph, inputs: [{ name: "s", notTensor: "sequence" as const }] };
    expect(() => encodeModel({ ...model, graph })).toThrow(ArgumentError);
  });
});

describe("decodeModel on other writers' files", () => {
  it.each<[keyof typeof elementTypes, object, number[]]>([
    ["float32", { floatData: [0.5, -1] }, [0.5, -1]],
    ["float64", { doubleData: [0.5, -1] }, [0.5, -1]],
    ["int64", { int64Data: [-1n, 2n] }, [-1, 2]],
    ["uint64", { uint64Data: [1n, 2n] }, [1, 2]],
    ["uint32", { uint64Data: [1n, 4294967295n] }, [1, 4294967295]],
    ["int32", { int32Data: [-1, 2] }, [-1, 2]],
    ["int16", { int32Data: [-1, 2] }, [-1, 2]],
    ["uint16", { int32Data: [65535, 2] }, [65535, 2]],
    ["int8", { int32Data: [-1, 2] }, [-1, 2]],
    ["uint8", { int32Data: [255, 2] }, [255, 2]],
    ["bool", { int32Data: [1, 0] }, [1, 0]],
    ["float16", { int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ["bfloat16", { int32Data: [0x3f80, 0xc000] }, [1, -2]],
  ])("reads %s from its number field", (dtype, data, values) => {
    const file = fileOf({ initializer: [{ name: "w", dims: [2n], dataType: elementTypes[dtype], ...data }] });
    const [tensor] = decodeModel(file).graph.initializers;
    expect(tensor?.dtype).toBe(dtype);
    expect([...toNumbers(tensorToHost(tensor as OnnxTensor))]).toEqual(values);
  });

  it("guesses the type of attributes that name none", () => {
    const attribute = [
      { name: "f", f: 0 },
      { name: "i", i: 0n },
      { name: "s", s: Uint8Array.of(65) },
      { name: "ints", ints: [1n] },
      { name: "floats", floats: [1] },
      { name: "strings", strings: [Uint8Array.of(66)] },
      { name: "none" },
    ];
    expect(decodeModel(fileOf({ node: [{ opType: "Op", attribute }] })).graph.nodes[0]?.attributes).toEqual({
      f: { kind: "float", value: 0 },
      i: { kind: "int", value: 0 },
      s: { kind: "string", value: "A" },
      ints: { kind: "ints", value: [1] },
      floats: { kind: "floats", value: [1] },
      strings: { kind: "strings", value: ["B"] },
      none: { kind: "ints", value: [] },
    });
  });

  it("knows both names of ONNX's own domain, and sizes of -1", () => {
    const shape = { dim: [{ value: { case: "dimValue", value: -1n } }] };
    const input = [{ name: "x", type: { value: { case: "tensorType", value: { elemType: 1, shape } } } }];
    const opsetImport = [{ domain: "ai.onnx", version: 17n }, { version: 17n }];
    const { opsets, graph } = decodeModel(
      fileOf({ node: [{ opType: "Relu", domain: "ai.onnx" }], input }, { opsetImport }),
    );
    expect(opsets).toEqual({ "": 17 });
    expect(graph.nodes[0]?.domain).toBe("");
    expect(graph.inputs[0]?.shape).toEqual([""]);
  });

  it("says what a value is that is no tensor", () => {
    const input = [{ name: "x", type: { value: { case: "sequenceType", value: {} } } }];
    expect(decodeModel(fileOf({ input })).graph.inputs).toEqual([{ name: "x", notTensor: "sequence" }]);
  });
});

describe("decodeModel on damaged files", () => {
  const tensor = { name: "w", dims: [2n], dataType: 1, rawData: new Uint8Array(8) };
  const withTensor = (changes: object) => fileOf({ initializer: [{ ...tensor, ...changes }] });
  const withAttribute = (...attribute: object[]) => fileOf({ node: [{ opType: "Op", name: "n", attribute }] });

  it.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "they hold no graph"],
    ["text", new TextEncoder().encode("<html></html>"), "these 13 bytes are no ONNX model"],
    ["no version", fileOf({}, { irVersion: undefined }), "ir_version is 0"],
    [
      "an absurd version",
      fileOf({}, { irVersion: 2n ** 60n }),
      "ir_version is 1152921504606846976; it must be below 2^53",
    ],
    ["no operator set", fileOf({}, { opsetImport: [] }), "no operator set is named"],
    [
      "two versions of one",
      fileOf({}, { opsetImport: [{ version: 1n }, { version: 2n }] }),
      'domain "" has versions 1 and 2',
    ],
    ["too few bytes", withTensor({ rawData: new Uint8Array(7) }), 'tensor "w" has 7 bytes; float32[2] needs 8'],
    ["too many numbers", withTensor({ rawData: undefined, floatData: [1, 2, 3] }), "has 12 bytes; float32[2] needs 8"],
    ["a negative size", withTensor({ dims: [-2n] }), "shape [-2]"],
    ["sizes whose product overflows", withTensor({ dims: [2n ** 40n, 2n ** 40n] }), "countable sizes"],
    ["an unknown element type", withTensor({ dataType: 99 }), "element type 99 is not one of ONNX's"],
    ["no element type", withTensor({ dataType: undefined }), "element type 0"],
    ["too few strings", withTensor({ dataType: 8 }), "has 0 strings; its shape needs 2"],
    ["a segment", withTensor({ segment: {} }), "segment"],
    ["sparse tensors", fileOf({ sparseInitializer: [{}] }), "sparse"],
    ["a node without operator", fileOf({ node: [{}] }), "graph: node 0: has no operator"],
    [
      "an attribute twice",
      withAttribute({ name: "a", i: 1n }, { name: "a", i: 1n }),
      'graph: node 0 (Op n): the key "a" occurs twice',
    ],
    [
      "an attribute without its tensor",
      withAttribute({ name: "a", type: AttributeType.TENSOR }),
      "the tensor is missing",
    ],
    ["an attribute without its graph", withAttribute({ name: "a", type: AttributeType.GRAPH }), "the graph is missing"],
    [
      "an attribute of another kind",
      withAttribute({ name: "a", type: AttributeType.TYPE_PROTO }),
      "TYPE_PROTO, is not read",
    ],
    [
      "text that is no UTF-8",
      withAttribute({ name: "a", s: Uint8Array.of(255) }),
      'attribute "a": a string is not UTF-8',
    ],
    ["metadata twice", fileOf({}, { metadataProps: [{ key: "a" }, { key: "a" }] }), 'the key "a" occurs twice'],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeModel(bytes, { name: "m.onnx" })).toThrow(FormatError);
    expect(() => decodeModel(bytes, { name: "m.onnx" })).toThrow("m.onnx: ");
    expect(() => decodeModel(bytes, { name: "m.onnx" })).toThrow(message);
  });

  it("reads where data lies outside, but makes no tensor of it", () => {
    const file = withTensor({
      rawData: undefined,
      dataLocation: DataLocation.EXTERNAL,
      externalData: [{ key: "location", value: "a.bin" }],
    });
    const [external] = decodeModel(file).graph.initializers;
    expect(external?.external).toEqual({ location: "a.bin" });
    expect(() => tensorToHost(external as OnnxTensor, "m.onnx")).toThrow(FormatError);
    expect(() => tensorToHost(external as OnnxTensor, "m.onnx")).toThrow(
      'm.onnx: tensor "w": its data lies in another file (a.bin)',
    );
  });

  it("makes no tensor of what a graph cannot hold", () => {
    const text = { name: "s", dtype: "string", shape: [], bytes: new Uint8Array(0), strings: [""] } as const;
    expect(() => tensorToHost(text)).toThrow(DTypeError);
    expect(() => tensorToHost(int64Tensor(BigInt64Array.of(2n ** 40n), [1], "big"))).toThrow(
      'onnx: tensor "big": element 0',
    );
  });

  it("limits depth", () => {
    let graph = {};
    for (let i = 0; i < 60; i++) graph = { node: [{ opType: "If", attribute: [{ name: "then_branch", g: graph }] }] };
    expect(() => decodeModel(fileOf(graph))).toThrow(FormatError);
  });

  it("throws FormatError for every truncation but one that cuts whole fields off the end", () => {
    const bytes = new Uint8Array(encodeModel({ ...model, metadata: {}, functions: [] }));
    let parsed = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeModel(bytes.subarray(0, length));
        parsed++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    // After the graph there are two operator sets; only the second can be missed by nobody.
    expect(parsed).toBeLessThanOrEqual(1);
  });

  it("parses or throws FormatError for 20,000 random changes", () => {
    const b = new GraphBuilder();
    const x = b.input("x", { dtype: "float32", shape: ["N", 4] });
    b.output("y", b.node("Gemm", [x, b.initializer(hostTensor([1, 2, 3, 4], [4, 1]), "w")]), {
      dtype: "float32",
      shape: ["N", 1],
    });
    const files = [b.encode(), encodeModel(model)];
    const random = randomSource(2);
    let parsed = 0;
    for (let i = 0; i < 20_000; i++) {
      try {
        decodeModel(mutate(files[i % 2] as Uint8Array, random));
        parsed++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    expect(parsed).toBeGreaterThan(200);
    // Machines that test do other things at the same time.
  }, 60_000);
});
