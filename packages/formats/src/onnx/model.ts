import { FormatError, type Shape } from "@ocelli/core";
import type { ElementType } from "./element-type.js";

/** A dimension: its size, its symbolic name, or "" where nothing is known of it. */
export type OnnxDim = number | string;

/** An input, an output, or a value in between of which more than the name is known. */
export interface OnnxValue {
  readonly name: string;
  /** Undefined where the file does not say, and for what is no tensor. */
  readonly dtype?: ElementType | undefined;
  /** Undefined: not even the rank is known. */
  readonly shape?: readonly OnnxDim[] | undefined;
  /** What it is, where it is no tensor. Such values are read but not written. */
  readonly notTensor?: "sequence" | "map" | "optional" | "sparse tensor" | "opaque" | undefined;
}

/** A constant tensor. */
export interface OnnxTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: Shape;
  /** Row-major, little-endian, at any alignment (from a reader: a view of the file). Empty for `string` and external data. */
  readonly bytes: Uint8Array;
  /** The elements, where `dtype` is `string`. */
  readonly strings?: readonly string[] | undefined;
  /** Where the data lies outside of the model (`location`, `offset`, `length`). Not read here. */
  readonly external?: Readonly<Record<string, string>> | undefined;
}

/** An attribute's value. Integers beyond 2^53 are read as bigint. */
export type OnnxAttribute =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: OnnxTensor }
  | { readonly kind: "graph"; readonly value: OnnxGraph }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly (number | bigint)[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensors"; readonly value: readonly OnnxTensor[] }
  | { readonly kind: "graphs"; readonly value: readonly OnnxGraph[] }
  /** Inside a function: the value of the function's own attribute `value`. */
  | { readonly kind: "reference"; readonly value: string; readonly type: AttributeKind };

/** Kinds of attributes that carry a value. */
export type AttributeKind =
  | "float"
  | "int"
  | "string"
  | "tensor"
  | "graph"
  | "floats"
  | "ints"
  | "strings"
  | "tensors"
  | "graphs";

/** One application of an operator. */
export interface OnnxNode {
  readonly opType: string;
  /** "" is ONNX's own. */
  readonly domain: string;
  /** For people and error messages; may be "" and need not be unique. */
  readonly name: string;
  /** Names of values; "" for an optional one that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly name: string;
  /** In an order in which they can be computed. */
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** What is known of values in between. */
  readonly values: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
}

/** An operator defined by other operators, inside the model. */
export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes without a default, and those with one. */
  readonly attributes: readonly string[];
  readonly defaults: Readonly<Record<string, OnnxAttribute>>;
  readonly nodes: readonly OnnxNode[];
  readonly opsets: Readonly<Record<string, number>>;
}

/** A model file in plain objects. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version of each operator set that is used, by domain; "" is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly version: number;
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: OnnxGraph;
  readonly functions: readonly OnnxFunction[];
}

/** A model that is larger than a protobuf message can be. Keep some of its tensors outside of it, as inputs. */
export class OnnxSizeError extends FormatError {}

/** What a {@link OnnxValue} of a tensor is made from. A core `Tensor` or `Spec` is one. */
export interface ValueSpec {
  readonly dtype: ElementType;
  readonly shape: readonly OnnxDim[];
}

/** The description of a tensor that comes in, goes out or is passed on. */
export function valueInfo(name: string, { dtype, shape }: ValueSpec): OnnxValue {
  return { name, dtype, shape: [...shape] };
}
