import { ArgumentError, nearMatches } from "@ocelli/core";
import { CifarResNet, type ModelEntry, type ModelOptions, modelEntry, type ZooModel } from "@ocelli/zoo";

/** A number, a choice or a switch of a family: what the editor shows. */
export interface FamilyField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly kind: "number" | "choice" | "switch";
  readonly default: number | string | boolean;
  /** Of numbers: the ones that work. */
  readonly allowed?: readonly number[];
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
  readonly fields: readonly FamilyField[];
  build(values: Readonly<Record<string, number | string | boolean>>, options: ModelOptions): BuiltFamily;
  /** TypeScript that makes the same model; its imports are from @ocelli/zoo. */
  code(
    values: Readonly<Record<string, number | string | boolean>>,
    options: ModelOptions,
  ): { readonly imports: readonly string[]; readonly expression: string };
}

const resnetCifar: Family = {
  name: "resnet-cifar",
  title: "ResNet for small images",
  fields: [
    {
      name: "depth",
      label: "Depth",
      hint: "6n + 2 layers",
      kind: "number",
      default: 20,
      allowed: [8, 14, 20, 26, 32, 38, 44, 50, 56, 110],
    },
  ],
  build: ({ depth = 20 }, options) => ({
    title: `ResNet-${depth}`,
    entry: modelEntry("resnet20_cifar"),
    model: new CifarResNet((Number(depth) - 2) / 6, options),
  }),
  code: ({ depth = 20 }, options) => ({
    imports: ["CifarResNet"],
    expression: `new CifarResNet(${(Number(depth) - 2) / 6}, ${JSON.stringify(options)})`,
  }),
};

export const families: readonly Family[] = [resnetCifar];

/** @throws ArgumentError with near matches for an unknown name */
export function familyOf(name: string): Family {
  const found = families.find((family) => family.name === name);
  if (found !== undefined) return found;
  const near = nearMatches(
    name,
    families.map((family) => family.name),
  );
  throw new ArgumentError(
    `model: the family "${name}" is unknown. There are ${(near.length > 0 ? near : families.map((one) => one.name)).join(", ")}.`,
    { name },
  );
}
