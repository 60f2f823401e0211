import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ArgumentError } from "@ocelli/core";
import { encodeUtf8 } from "../bytes.js";
import { elementTypes } from "./element-type.js";
import {
  type AttributeKind,
  type OnnxAttribute,
  type OnnxFunction,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  OnnxSizeError,
  type OnnxTensor,
  type OnnxValue,
} from "./model.js";
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  type FunctionProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type OperatorSetIdProtoSchema,
  type StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "./onnx_pb.js";

/** Bytes that a protobuf message may have. */
export const maxModelBytes = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file. Equal models give equal bytes.
 * @throws OnnxSizeError at 2 GiB, the limit of protobuf
 * @throws ArgumentError for a value that is no tensor
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  // Asked first, because putting the message together takes several times its memory.
  checkSize(tensorBytes(model.graph));
  const message = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion),
    producerName: model.producer,
    producerVersion: model.producerVersion,
    domain: model.domain,
    modelVersion: BigInt(model.version),
    docString: model.doc,
    graph: graphInit(model.graph),
    opsetImport: opsetInits(model.opsets),
    metadataProps: entryInits(model.metadata),
    functions: model.functions.map(functionInit),
  });
  const bytes = toBinary(ModelProtoSchema, message);
  checkSize(bytes.length);
  return bytes;
}

function checkSize(bytes: number): void {
  if (bytes <= maxModelBytes) return;
  throw new OnnxSizeError(`onnx: the model takes ${bytes} bytes; one file holds at most ${maxModelBytes}`, {
    bytes,
    limit: maxModelBytes,
  });
}

function tensorBytes(graph: OnnxGraph): number {
  let sum = graph.initializers.reduce((total, { bytes }) => total + bytes.length, 0);
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes)) {
      if (attribute.kind === "tensor") sum += attribute.value.bytes.length;
      else if (attribute.kind === "graph") sum += tensorBytes(attribute.value);
    }
  }
  return sum;
}

function graphInit(graph: OnnxGraph): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: graph.name,
    node: graph.nodes.map(nodeInit),
    initializer: graph.initializers.map(tensorInit),
    input: graph.inputs.map(valueInit),
    output: graph.outputs.map(valueInit),
    valueInfo: graph.values.map(valueInit),
  };
}

function nodeInit(node: OnnxNode): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.opType,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: attributeInits(node.attributes),
    ...(node.name === "" ? {} : { name: node.name }),
    ...(node.domain === "" ? {} : { domain: node.domain }),
  };
}

function functionInit(definition: OnnxFunction): MessageInitShape<typeof FunctionProtoSchema> {
  return {
    name: definition.name,
    domain: definition.domain,
    input: [...definition.inputs],
    output: [...definition.outputs],
    attribute: [...definition.attributes],
    attributeProto: attributeInits(definition.defaults),
    node: definition.nodes.map(nodeInit),
    opsetImport: opsetInits(definition.opsets),
  };
}

function valueInit(value: OnnxValue): MessageInitShape<typeof ValueInfoProtoSchema> {
  if (value.notTensor !== undefined) {
    throw new ArgumentError(
      `onnx: value ${JSON.stringify(value.name)} is a ${value.notTensor}; only tensors are written`,
    );
  }
  if (value.dtype === undefined) return { name: value.name };
  const dim = value.shape?.map((size) => ({ value: dimInit(size) }));
  const tensor = { elemType: elementTypes[value.dtype], ...(dim === undefined ? {} : { shape: { dim } }) };
  return { name: value.name, type: { value: { case: "tensorType", value: tensor } } };
}

function dimInit(size: number | string) {
  if (size === "") return { case: undefined };
  if (typeof size === "string") return { case: "dimParam" as const, value: size };
  return { case: "dimValue" as const, value: BigInt(size) };
}

function tensorInit(tensor: OnnxTensor): MessageInitShape<typeof TensorProtoSchema> {
  const common = { name: tensor.name, dims: tensor.shape.map(BigInt), dataType: elementTypes[tensor.dtype] };
  if (tensor.external !== undefined) {
    return { ...common, externalData: entryInits(tensor.external), dataLocation: TensorProto_DataLocation.EXTERNAL };
  }
  if (tensor.dtype === "string") return { ...common, stringData: (tensor.strings ?? []).map(encodeUtf8) };
  return { ...common, rawData: tensor.bytes };
}

const attributeTypes = {
  float: AttributeProto_AttributeType.FLOAT,
  int: AttributeProto_AttributeType.INT,
  string: AttributeProto_AttributeType.STRING,
  tensor: AttributeProto_AttributeType.TENSOR,
  graph: AttributeProto_AttributeType.GRAPH,
  floats: AttributeProto_AttributeType.FLOATS,
  ints: AttributeProto_AttributeType.INTS,
  strings: AttributeProto_AttributeType.STRINGS,
  tensors: AttributeProto_AttributeType.TENSORS,
  graphs: AttributeProto_AttributeType.GRAPHS,
} as const satisfies Record<AttributeKind, AttributeProto_AttributeType>;

type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;

function attributeInits(attributes: Readonly<Record<string, OnnxAttribute>>): AttributeInit[] {
  return Object.entries(attributes).map(([name, attribute]) => {
    const kind = attribute.kind === "reference" ? attribute.type : attribute.kind;
    return { name, type: attributeTypes[kind], ...attributeValue(attribute) };
  });
}

function attributeValue(attribute: OnnxAttribute): AttributeInit {
  switch (attribute.kind) {
    case "float":
      return { f: attribute.value };
    case "int":
      return { i: BigInt(attribute.value) };
    case "string":
      return { s: encodeUtf8(attribute.value) };
    case "tensor":
      return { t: tensorInit(attribute.value) };
    case "graph":
      return { g: graphInit(attribute.value) };
    case "floats":
      return { floats: [...attribute.value] };
    case "ints":
      return { ints: attribute.value.map(BigInt) };
    case "strings":
      return { strings: attribute.value.map(encodeUtf8) };
    case "tensors":
      return { tensors: attribute.value.map(tensorInit) };
    case "graphs":
      return { graphs: attribute.value.map(graphInit) };
    case "reference":
      return { refAttrName: attribute.value };
  }
}

function opsetInits(opsets: Readonly<Record<string, number>>): MessageInitShape<typeof OperatorSetIdProtoSchema>[] {
  return Object.entries(opsets).map(([domain, version]) => ({ domain, version: BigInt(version) }));
}

function entryInits(
  entries: Readonly<Record<string, string>>,
): MessageInitShape<typeof StringStringEntryProtoSchema>[] {
  return Object.entries(entries).map(([key, value]) => ({ key, value }));
}
