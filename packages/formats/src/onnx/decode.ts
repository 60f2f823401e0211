import { fromBinary, isFieldSet } from "@bufbuild/protobuf";
import { formatError } from "../bytes.js";
import { decodeElementType, decodeEntries, decodeRecord, decodeTensor, decodeText } from "./decode-tensor.js";
import type {
  AttributeKind,
  OnnxAttribute,
  OnnxDim,
  OnnxFunction,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxValue,
} from "./model.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type OperatorSetIdProto,
  type TensorShapeProto_Dimension,
  type ValueInfoProto,
} from "./onnx_pb.js";

/**
 * Reads an ONNX file. Tensors view `bytes`; numbers that stand in other fields than `raw_data` are copied out. Not checked:
 * that operators exist, and that every name is defined before it is used.
 * @param options.name what errors call the file
 * @throws FormatError for bytes that are no ONNX model, tensors whose data does not fill their shape, sparse constants, and
 *   attributes of kinds that neural networks do not use (sparse tensors, types)
 */
export function decodeModel(bytes: Uint8Array, { name = "onnx" }: { readonly name?: string } = {}): OnnxModel {
  const message = parse(bytes, name);
  return new Decoder(name).model(message);
}

function parse(bytes: Uint8Array, file: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw formatError(file, `these ${bytes.length} bytes are no ONNX model: ${(cause as Error).message}`, { cause });
  }
}

const notTensors = {
  sequenceType: "sequence",
  mapType: "map",
  optionalType: "optional",
  sparseTensorType: "sparse tensor",
  opaqueType: "opaque",
} as const;

class Decoder {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  model(message: ModelProto): OnnxModel {
    if (message.graph === undefined) throw formatError(this.#file, "these bytes are no ONNX model: they hold no graph");
    const irVersion = this.#integer(message.irVersion, "ir_version");
    if (irVersion < 1) throw formatError(this.#file, `ir_version is ${irVersion}; it must be 1 or more`);
    return {
      irVersion,
      opsets: this.#opsets(message.opsetImport, "opset_import"),
      producer: message.producerName,
      producerVersion: message.producerVersion,
      domain: message.domain,
      version: this.#integer(message.modelVersion, "model_version"),
      doc: message.docString,
      metadata: decodeEntries(message.metadataProps, this.#file, "metadata_props"),
      graph: this.#graph(message.graph, "graph"),
      functions: message.functions.map((definition) => this.#function(definition)),
    };
  }

  #graph(message: GraphProto, where: string): OnnxGraph {
    if (message.sparseInitializer.length > 0)
      throw formatError(this.#file, `${where}: has sparse tensors; these are not read`);
    return {
      name: message.name,
      nodes: message.node.map((node, index) => this.#node(node, `${where}: node ${index}`)),
      inputs: message.input.map((value) => this.#value(value, where)),
      outputs: message.output.map((value) => this.#value(value, where)),
      values: message.valueInfo.map((value) => this.#value(value, where)),
      initializers: message.initializer.map((tensor) => decodeTensor(tensor, this.#file, where)),
    };
  }

  #function(message: FunctionProto): OnnxFunction {
    const where = `function ${JSON.stringify(message.name)}`;
    return {
      name: message.name,
      domain: message.domain,
      inputs: message.input,
      outputs: message.output,
      attributes: message.attribute,
      defaults: this.#attributes(message.attributeProto, where),
      nodes: message.node.map((node, index) => this.#node(node, `${where}: node ${index}`)),
      opsets: this.#opsets(message.opsetImport, where),
    };
  }

  #node(message: NodeProto, where: string): OnnxNode {
    const { opType, name } = message;
    if (opType === "") throw formatError(this.#file, `${where}: has no operator`);
    return {
      opType,
      domain: ownDomain(message.domain),
      name,
      inputs: message.input,
      outputs: message.output,
      attributes: this.#attributes(message.attribute, `${where} (${opType}${name === "" ? "" : ` ${name}`})`),
    };
  }

  #attributes(messages: readonly AttributeProto[], where: string): Record<string, OnnxAttribute> {
    const entries = messages.map((message) => {
      const place = `${where}: attribute ${JSON.stringify(message.name)}`;
      return [message.name, this.#attribute(message, place)] as const;
    });
    return decodeRecord(entries, this.#file, where);
  }

  #attribute(message: AttributeProto, where: string): OnnxAttribute {
    const type = isFieldSet(message, AttributeProtoSchema.field.type) ? message.type : guessType(message);
    const kind = attributeKinds.get(type);
    if (kind === undefined) throw formatError(this.#file, `${where}: its type, ${AttributeType[type]}, is not read`);
    if (message.refAttrName !== "") return { kind: "reference", value: message.refAttrName, type: kind };
    return this.#attributeValue(message, kind, where);
  }

  #attributeValue(message: AttributeProto, kind: AttributeKind, where: string): OnnxAttribute {
    const file = this.#file;
    switch (kind) {
      case "float":
        return { kind, value: message.f };
      case "int":
        return { kind, value: compact(message.i) };
      case "string":
        return { kind, value: decodeText(message.s, file, where) };
      case "floats":
        return { kind, value: message.floats };
      case "ints":
        return { kind, value: message.ints.map(compact) };
      case "strings":
        return { kind, value: message.strings.map((bytes) => decodeText(bytes, file, where)) };
      case "tensors":
        return { kind, value: message.tensors.map((tensor) => decodeTensor(tensor, file, where)) };
      case "graphs":
        return { kind, value: message.graphs.map((graph) => this.#graph(graph, where)) };
      case "tensor":
        if (message.t === undefined) throw formatError(file, `${where}: the tensor is missing`);
        return { kind, value: decodeTensor(message.t, file, where) };
      case "graph":
        if (message.g === undefined) throw formatError(file, `${where}: the graph is missing`);
        return { kind, value: this.#graph(message.g, where) };
    }
  }

  #value({ name, type }: ValueInfoProto, where: string): OnnxValue {
    const content = type?.value;
    if (content?.case === undefined) return { name };
    if (content.case !== "tensorType") return { name, notTensor: notTensors[content.case] };
    const place = `${where}: value ${JSON.stringify(name)}`;
    const { elemType, shape } = content.value;
    const dtype = elemType === 0 ? undefined : decodeElementType(elemType, this.#file, place);
    return { name, dtype, shape: shape?.dim.map((dim) => this.#dim(dim, place)) };
  }

  #dim({ value }: TensorShapeProto_Dimension, where: string): OnnxDim {
    if (value.case === undefined) return "";
    if (value.case === "dimParam") return value.value;
    // Several exporters write -1 for a size that is not known.
    return value.value < 0 ? "" : this.#integer(value.value, `${where}: a dimension`);
  }

  #opsets(messages: readonly OperatorSetIdProto[], where: string): Record<string, number> {
    if (messages.length === 0) throw formatError(this.#file, `${where}: no operator set is named`);
    const opsets = new Map<string, number>();
    for (const message of messages) {
      const domain = ownDomain(message.domain);
      const version = this.#integer(message.version, `${where}: a version`);
      const other = opsets.get(domain) ?? version;
      if (other !== version) {
        throw formatError(
          this.#file,
          `${where}: domain ${JSON.stringify(domain)} has versions ${other} and ${version}`,
        );
      }
      opsets.set(domain, version);
    }
    return Object.fromEntries(opsets);
  }

  #integer(value: bigint, where: string): number {
    const number = compact(value);
    if (typeof number === "number") return number;
    throw formatError(this.#file, `${where} is ${value}; it must be below 2^53`, { value });
  }
}

/** ONNX's own operators have two names for their domain. */
function ownDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function compact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const attributeKinds: ReadonlyMap<AttributeType, AttributeKind> = new Map([
  [AttributeType.FLOAT, "float"],
  [AttributeType.INT, "int"],
  [AttributeType.STRING, "string"],
  [AttributeType.TENSOR, "tensor"],
  [AttributeType.GRAPH, "graph"],
  [AttributeType.FLOATS, "floats"],
  [AttributeType.INTS, "ints"],
  [AttributeType.STRINGS, "strings"],
  [AttributeType.TENSORS, "tensors"],
  [AttributeType.GRAPHS, "graphs"],
]);

/** The first models of the format named no type: it is that of the field that is there. */
function guessType(message: AttributeProto): AttributeType {
  const { field } = AttributeProtoSchema;
  if (isFieldSet(message, field.f)) return AttributeType.FLOAT;
  if (isFieldSet(message, field.i)) return AttributeType.INT;
  if (isFieldSet(message, field.s)) return AttributeType.STRING;
  if (isFieldSet(message, field.t)) return AttributeType.TENSOR;
  if (isFieldSet(message, field.g)) return AttributeType.GRAPH;
  if (message.floats.length > 0) return AttributeType.FLOATS;
  if (message.strings.length > 0) return AttributeType.STRINGS;
  if (message.tensors.length > 0) return AttributeType.TENSORS;
  if (message.graphs.length > 0) return AttributeType.GRAPHS;
  // An empty list of integers (`axes = []`) leaves no field at all.
  return AttributeType.INTS;
}
