import { ArgumentError, type HostTensor } from "@ocelli/core";
import type { OnnxAttribute, OnnxTensor } from "./model.js";
import { tensorFromHost } from "./tensor.js";

/**
 * What a call site writes for an attribute. Plain integers, booleans (0 or 1) and arrays of integers are ONNX ints, text is a
 * string, a tensor a tensor; floats need {@link float} or {@link floats}, because 1 does not say which it is. `undefined`
 * leaves the attribute out.
 */
export type AttrInput =
  | number
  | bigint
  | boolean
  | string
  | readonly number[]
  | readonly string[]
  | HostTensor
  | OnnxTensor
  | OnnxAttribute
  | undefined;

/** An attribute of type FLOAT. */
export function float(value: number): OnnxAttribute {
  return { kind: "float", value };
}

/** An attribute of type FLOATS. */
export function floats(value: readonly number[]): OnnxAttribute {
  return { kind: "floats", value };
}

/** An attribute of type INT, where its name would suggest a float. */
export function int(value: number): OnnxAttribute {
  return { kind: "int", value: checkInteger(value, "int") };
}

/** An attribute of type INTS. */
export function ints(value: readonly number[]): OnnxAttribute {
  for (const item of value) checkInteger(item, "ints");
  return { kind: "ints", value };
}

/** Attributes that are floats in every operator that has them. A plain `alpha: 1` there is a mistake that runtimes report late. */
const floatNames: ReadonlySet<string> = new Set([
  "activation_alpha",
  "activation_beta",
  "activation_params",
  "alpha",
  "beta",
  "bias",
  "cubic_coeff_a",
  "epsilon",
  "extrapolation_value",
  "gamma",
  "high",
  "lambd",
  "low",
  "momentum",
  "ratio",
  "scales",
  "spatial_scale",
  "value_float",
  "value_floats",
]);

/** @throws ArgumentError for a number that may be meant as a float */
export function toAttribute(name: string, value: Exclude<AttrInput, undefined>, where: string): OnnxAttribute {
  if (typeof value === "string") return { kind: "string", value };
  if (typeof value === "boolean") return { kind: "int", value: value ? 1 : 0 };
  if (typeof value === "bigint") return { kind: "int", value };
  if (typeof value === "number") {
    checkNotFloat(name, String(value), "float", "int", where);
    return { kind: "int", value: checkInteger(value, `${where}: ${name}`, "float") };
  }
  if (isArray(value)) return listAttribute(name, value, where);
  if ("kind" in value) return value;
  return { kind: "tensor", value: "data" in value ? tensorFromHost(value) : value };
}

/** `Array.isArray`, which does not see readonly arrays in a union. */
function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function listAttribute(name: string, value: readonly (number | string)[], where: string): OnnxAttribute {
  if (value.length > 0 && value.every((item) => typeof item === "string")) return { kind: "strings", value };
  checkNotFloat(name, `[${value.join(", ")}]`, "floats", "ints", where);
  const numbers = value as readonly number[];
  for (const item of numbers) checkInteger(item, `${where}: ${name}`, "floats");
  return { kind: "ints", value: numbers };
}

function checkNotFloat(name: string, text: string, float: string, int: string, where: string): void {
  if (!floatNames.has(name)) return;
  throw new ArgumentError(
    `${where}: ${name} is a float in ONNX's operators; write ${float}(${text}), or ${int}(${text})`,
  );
}

function checkInteger(value: number, where: string, helper?: string): number {
  if (Number.isSafeInteger(value)) return value;
  const hint = helper === undefined ? "" : `; for a float, write ${helper}(...)`;
  throw new ArgumentError(`${where}: ${value} is not a safe integer${hint}`, { value });
}
