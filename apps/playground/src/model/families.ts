import { ArgumentError, nearMatches } from "@ocelli/core";
import { CifarDenseNet, DenseNet, FractalNet, modelEntry, SqueezeNet, VGG } from "@ocelli/zoo";
import { choiceField, every, type Family, family, numberField, switchField } from "./family.js";
import { residualFamilies } from "./residual-families.js";
import { construct, literal } from "./written.js";

export type { BuiltFamily, Family, FamilyField, FamilyValue } from "./family.js";

/** Layers with weights of the paper's columns. */
const vggDepths = { A: 11, "A-LRN": 11, B: 13, C: 16, D: 16, E: 19 } as const;
type VggConfiguration = keyof typeof vggDepths;

const vgg = family(
  {
    name: "vgg",
    title: "VGG",
    kin: modelEntry("vgg16"),
    fields: [
      choiceField(
        "configuration",
        "Configuration",
        Object.fromEntries(Object.entries(vggDepths).map(([name, depth]) => [name, `${name}: ${depth} layers`])),
        "D",
        "The columns of the paper's table 1",
      ),
      switchField("batchNorm", "Batch normalisation", false),
    ],
  },
  ({ configuration, batchNorm }, options) => ({
    title: `VGG-${vggDepths[configuration as VggConfiguration]} (${configuration})${batchNorm ? " BN" : ""}`,
    entry: modelEntry(batchNorm ? "vgg16_bn" : "vgg16"),
    model: construct({ VGG }, literal(configuration), literal({ ...options, ...(batchNorm && { batchNorm }) })),
  }),
);

const bypasses = { none: "None", simple: "Simple: identity", complex: "Complex: 1×1 convolutions too" };

const squeezenet = family(
  {
    name: "squeezenet",
    title: "SqueezeNet",
    kin: modelEntry("squeezenet1_0"),
    fields: [
      choiceField("version", "Version", { "1.0": "1.0, as in the paper", "1.1": "1.1, pools earlier" }, "1.0"),
      choiceField("bypass", "Bypass", bypasses, "none", "Around fire modules"),
    ],
  },
  ({ version, bypass }, options) => ({
    title: `SqueezeNet ${version}${bypass === "none" ? "" : `, ${bypass} bypass`}`,
    entry: modelEntry(version === "1.1" ? "squeezenet1_1" : "squeezenet1_0"),
    model: construct({ SqueezeNet }, literal(version), literal({ ...options, ...(bypass !== "none" && { bypass }) })),
  }),
);

const densenetCifar = family(
  {
    name: "densenet-cifar",
    title: "DenseNet for small images",
    kin: modelEntry("densenet40_12_cifar"),
    fields: [
      numberField("depth", "Depth", 40, { allowed: every(6, 10, 250), hint: "6n + 4 layers, in three blocks" }),
      numberField("growthRate", "Growth rate", 12, { min: 1, max: 64, hint: "Channels that each layer adds" }),
      switchField("bc", "Bottlenecks and compression (BC)", false),
      numberField("dropRate", "Dropout", 0, { min: 0, max: 0.9, step: 0.05 }),
    ],
  },
  ({ depth, growthRate, bc, dropRate }, options) => ({
    title: `DenseNet${bc ? "-BC" : ""}-${depth}, k = ${growthRate}`,
    entry: modelEntry(bc ? "densenet_bc100_12_cifar" : "densenet40_12_cifar"),
    model: construct(
      { CifarDenseNet },
      literal(Number(depth)),
      literal(Number(growthRate)),
      literal({ ...options, ...(bc && { bc }), ...(dropRate !== 0 && { dropRate }) }),
    ),
  }),
);

const densenet = family(
  {
    name: "densenet-imagenet",
    title: "DenseNet for large images",
    kin: modelEntry("densenet121"),
    fields: [
      ...[6, 12, 24, 16].map((count, i) =>
        numberField(`block${i + 1}`, `Layers in block ${i + 1}`, count, { min: 1, max: 64 }),
      ),
      numberField("growthRate", "Growth rate", 32, { min: 1, max: 64, hint: "Channels that each layer adds" }),
    ],
  },
  ({ growthRate, ...values }, options) => {
    const blocks = [1, 2, 3, 4].map((i) => Number(values[`block${i}`]));
    // Two layers each, three transitions, the first and the last.
    const depth = 2 * blocks.reduce((sum, count) => sum + count, 0) + 5;
    return {
      title: `DenseNet-${depth}, k = ${growthRate}`,
      entry: modelEntry("densenet121"),
      model: construct({ DenseNet }, literal({ blocks, growthRate, ...options })),
    };
  },
);

const fractalnet = family(
  {
    name: "fractalnet",
    title: "FractalNet for small images",
    kin: modelEntry("fractalnet20_cifar"),
    fields: [
      numberField("blocks", "Blocks", 5, { min: 1, max: 5, hint: "Each halves the image: 5 for 32 pixels" }),
      numberField("columns", "Columns", 3, { min: 1, max: 5, hint: "The longest has 2^(columns - 1) layers" }),
      numberField("channels", "Channels of the first block", 64, { allowed: [8, 16, 32, 64, 128] }),
    ],
  },
  ({ blocks, columns, channels }, options) => {
    const first = Number(channels);
    // Doubled from block to block, the last one like the one before, as in the paper.
    const widths = [1, 2, 4, 8, 8].slice(0, Number(blocks)).map((factor) => first * factor);
    return {
      title: `FractalNet-${Number(blocks) * 2 ** (Number(columns) - 1)}`,
      entry: modelEntry("fractalnet20_cifar"),
      model: construct({ FractalNet }, literal({ channels: widths, columns, ...options })),
    };
  },
);

/** In the order of the field's history. */
export const families: readonly Family[] = [vgg, squeezenet, ...residualFamilies, densenet, densenetCifar, fractalnet];

/** @throws ArgumentError with near matches for an unknown name */
export function familyOf(name: string): Family {
  const found = families.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = families.map((one) => one.name);
  const near = nearMatches(name, names);
  throw new ArgumentError(
    `model: the family "${name}" is unknown. There are ${(near.length > 0 ? near : names).join(", ")}.`,
    { name },
  );
}
