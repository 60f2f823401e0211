import { ArgumentError } from "@ocelli/core";
import type { ModelEntry, ModelOptions, ZooModel } from "@ocelli/zoo";
import type { Written } from "./written.js";

export type FamilyValue = number | string | boolean;

export type FamilyValues = Readonly<Record<string, FamilyValue>>;

/** A number, a choice or a switch of a family: what the editor shows. */
export interface FamilyField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly kind: "number" | "choice" | "switch";
  readonly default: FamilyValue;
  /** Of numbers: the ones that work, where they do not follow each other. */
  readonly allowed?: readonly number[];
  /** Of other numbers. */
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  /** Of choices. */
  readonly choices?: readonly { readonly value: string; readonly label: string }[];
}

export interface BuiltFamily {
  readonly title: string;
  readonly model: ZooModel;
  /** The nearest model of the zoo: citation, recipe, input. */
  readonly entry: ModelEntry;
}

/** Networks of one paper that differ in numbers. */
export interface Family {
  readonly name: string;
  readonly title: string;
  /** A model of the zoo that is one of them, or near: all take its images, and are of its paper. */
  readonly kin: ModelEntry;
  readonly fields: readonly FamilyField[];
  build(values: FamilyValues, options: ModelOptions): BuiltFamily;
  /** TypeScript that makes the same model; its imports are from @ocelli/zoo. */
  code(
    values: FamilyValues,
    options: ModelOptions,
  ): { readonly imports: readonly string[]; readonly expression: string };
}

interface Made {
  readonly title: string;
  readonly entry: ModelEntry;
  readonly model: Written<ZooModel>;
}

/** Values come from addresses, too. @throws ArgumentError that says what the field takes */
function checked(title: string, field: FamilyField, value: FamilyValue = field.default): FamilyValue {
  const { name, kind, allowed, choices, min = 0, max = Number.MAX_SAFE_INTEGER, step = 1 } = field;
  const fault = (needed: string): ArgumentError =>
    new ArgumentError(`${title}: ${field.label.toLowerCase()} is ${JSON.stringify(value)}; it needs ${needed}`, {
      field: name,
      value,
    });
  if (kind === "switch") {
    if (typeof value !== "boolean") throw fault("true or false");
  } else if (kind === "choice") {
    const names = (choices ?? []).map((choice) => choice.value);
    if (!names.includes(value as string)) throw fault(`one of ${names.join(", ")}`);
  } else if (allowed !== undefined) {
    if (!allowed.includes(value as number)) throw fault(`one of ${allowed.join(", ")}`);
  } else if (typeof value !== "number" || !(value >= min && value <= max) || (step === 1 && !Number.isInteger(value)))
    throw fault(`a ${step === 1 ? "whole " : ""}number from ${min} to ${max}`);
  return value;
}

/** A family from the one function that makes its networks, given all its fields. */
export function family(
  about: Pick<Family, "name" | "title" | "fields" | "kin">,
  make: (values: FamilyValues, options: ModelOptions) => Made,
): Family {
  const complete = (values: FamilyValues): FamilyValues =>
    Object.fromEntries(about.fields.map((field) => [field.name, checked(about.title, field, values[field.name])]));
  return {
    ...about,
    build: (values, options) => {
      const { title, entry, model } = make(complete(values), options);
      return { title, entry, model: model.value };
    },
    code: (values, options) => {
      const { imports, text } = make(complete(values), options).model;
      return { imports, expression: text };
    },
  };
}

/** `first`, `first + step` ... up to `last`. */
export const every = (step: number, first: number, last: number): readonly number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);

export const numberField = (
  name: string,
  label: string,
  value: number,
  rest: Pick<FamilyField, "allowed" | "min" | "max" | "step" | "hint">,
): FamilyField => ({ name, label, kind: "number", default: value, ...rest });

export const choiceField = (
  name: string,
  label: string,
  choices: Readonly<Record<string, string>>,
  value: string,
  hint?: string,
): FamilyField => ({
  name,
  label,
  kind: "choice",
  default: value,
  choices: Object.entries(choices).map(([of, text]) => ({ value: of, label: text })),
  ...(hint !== undefined && { hint }),
});

export const switchField = (name: string, label: string, value: boolean): FamilyField => ({
  name,
  label,
  kind: "switch",
  default: value,
});
