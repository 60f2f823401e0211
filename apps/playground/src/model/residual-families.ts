import {
  BasicBlock,
  type BlockPlace,
  Bottleneck,
  CifarPreActResNet,
  CifarResNet,
  CifarResNeXt,
  modelEntry,
  PlainBlock,
  PreActBlock,
  PreActBottleneck,
  PreActResNet,
  ResNet,
  type Shortcut,
  StochasticResNet,
  WideResNet,
} from "@ocelli/zoo";
import { choiceField, every, type Family, type FamilyValues, family, numberField } from "./family.js";
import { construct, literal, reference, type Written } from "./written.js";

const blockKinds = { basic: "Basic: two 3×3", bottleneck: "Bottleneck: 1×1, 3×3, 1×1" };

const stageFields = [2, 2, 2, 2].map((count, i) =>
  numberField(`stage${i + 1}`, `Blocks in stage ${i + 1}`, count, { min: 1, max: 48 }),
);

const stagesOf = (values: FamilyValues): number[] => [1, 2, 3, 4].map((i) => Number(values[`stage${i}`]));

/** Layers with weights: those of the blocks, the first and the last. */
const depthOf = (values: FamilyValues): number =>
  stagesOf(values).reduce((sum, count) => sum + count, 0) * (values.block === "basic" ? 2 : 3) + 2;

/** A function has to be written down beside itself: a bundler changes its text. */
const plainBlock: Written<(place: BlockPlace) => PlainBlock> = {
  value: ({ inChannels, outChannels, stride }) => new PlainBlock(inChannels, outChannels, { stride }),
  text: "({ inChannels, outChannels, stride }) => new PlainBlock(inChannels, outChannels, { stride })",
  imports: ["PlainBlock"],
};

const projected: Written<(place: BlockPlace) => BasicBlock> = {
  value: ({ inChannels, outChannels, stride }) =>
    new BasicBlock(inChannels, outChannels, { stride, shortcut: "B" satisfies Shortcut }),
  text: '({ inChannels, outChannels, stride }) => new BasicBlock(inChannels, outChannels, { stride, shortcut: "B" })',
  imports: ["BasicBlock"],
};

/** Options with a function among them. */
function withBlock(options: object, block: Written<unknown>): Written<object> {
  const { value, text } = literal(options);
  return {
    value: { ...value, block: block.value },
    text: text === "{}" ? `{ block: ${block.text} }` : `{ block: ${block.text}, ${text.slice(2)}`,
    imports: block.imports,
  };
}

const resnetCifar = family(
  {
    name: "resnet-cifar",
    title: "ResNet for small images",
    kin: modelEntry("resnet20_cifar"),
    fields: [
      numberField("depth", "Depth", 20, {
        allowed: [...every(6, 8, 56), 74, 110, 164, 218, 1202],
        hint: "6n + 2 layers with weights",
      }),
      choiceField(
        "shortcut",
        "Shortcut",
        { A: "A: no parameters", B: "B: 1×1 convolution", none: "None: a plain network" },
        "A",
        "Around each block; where channels change, A fills up with zeros.",
      ),
    ],
  },
  ({ depth, shortcut }, options) => {
    const n = (Number(depth) - 2) / 6;
    const own = shortcut === "A" ? literal(options) : withBlock(options, shortcut === "none" ? plainBlock : projected);
    return {
      title: shortcut === "none" ? `Plain-${depth}` : `ResNet-${depth}${shortcut === "B" ? " (B)" : ""}`,
      entry: modelEntry("resnet20_cifar"),
      model: construct({ CifarResNet }, literal(n), own),
    };
  },
);

const resnetImagenet = family(
  {
    name: "resnet-imagenet",
    title: "ResNet for large images",
    kin: modelEntry("resnet18"),
    fields: [
      choiceField("block", "Block", blockKinds, "basic"),
      ...stageFields,
      numberField("groups", "Groups", 1, {
        allowed: [1, 2, 4, 8, 16, 32, 64],
        hint: "Of bottlenecks: ResNeXt's paths",
      }),
      numberField("widthPerGroup", "Width of a group", 64, { min: 1, max: 256, hint: "Of bottlenecks" }),
    ],
  },
  (values, options) => {
    const basic = values.block === "basic";
    const [groups, widthPerGroup] = [Number(values.groups), Number(values.widthPerGroup)];
    const grouped = { ...options, ...(groups !== 1 && { groups }), ...(widthPerGroup !== 64 && { widthPerGroup }) };
    return {
      title: `ResNet-${depthOf(values)}`,
      entry: modelEntry(basic ? "resnet18" : "resnet50"),
      model: construct(
        { ResNet },
        basic ? reference({ BasicBlock }) : reference({ Bottleneck }),
        literal(stagesOf(values)),
        literal(basic ? options : grouped),
      ),
    };
  },
);

const preActBlock = (block: unknown) =>
  block === "basic" ? reference({ PreActBlock }) : reference({ PreActBottleneck });

const preact = family(
  {
    name: "preact-imagenet",
    title: "Pre-activation ResNet for large images",
    kin: modelEntry("preact_resnet18"),
    fields: [choiceField("block", "Block", blockKinds, "basic"), ...stageFields],
  },
  (values, options) => ({
    title: `Pre-activation ResNet-${depthOf(values)}`,
    entry: modelEntry("preact_resnet18"),
    model: construct({ PreActResNet }, preActBlock(values.block), literal(stagesOf(values)), literal(options)),
  }),
);

const preactCifar = family(
  {
    name: "preact-cifar",
    title: "Pre-activation ResNet for small images",
    kin: modelEntry("preact_resnet110_cifar"),
    fields: [
      choiceField("block", "Block", blockKinds, "basic"),
      numberField("blocks", "Blocks in a stage", 3, { min: 1, max: 111, hint: "Three stages" }),
    ],
  },
  ({ block, blocks }, options) => ({
    title: `Pre-activation ResNet-${Number(blocks) * (block === "basic" ? 6 : 9) + 2}`,
    entry: modelEntry(block === "basic" ? "preact_resnet110_cifar" : "preact_resnet164_cifar"),
    model: construct({ CifarPreActResNet }, preActBlock(block), literal(Number(blocks)), literal(options)),
  }),
);

const stochastic = family(
  {
    name: "stochastic-depth",
    title: "ResNet with stochastic depth",
    kin: modelEntry("resnet110_stochastic_cifar"),
    fields: [
      numberField("depth", "Depth", 20, { allowed: [...every(6, 8, 56), 110, 1202], hint: "6n + 2 layers" }),
      numberField("last", "Survival of the last block", 0.5, { min: 0.1, max: 1, step: 0.05, hint: "Falls from 1" }),
    ],
  },
  ({ depth, last }, options) => ({
    title: `ResNet-${depth}, stochastic depth`,
    entry: modelEntry("resnet110_stochastic_cifar"),
    model: construct(
      { StochasticResNet },
      literal((Number(depth) - 2) / 6),
      literal({ ...options, ...(last !== 0.5 && { last }) }),
    ),
  }),
);

const wide = family(
  {
    name: "wide-resnet",
    title: "Wide ResNet",
    kin: modelEntry("wrn_16_8"),
    fields: [
      numberField("depth", "Depth", 16, { allowed: every(6, 10, 58), hint: "6n + 4 layers" }),
      numberField("widen", "Times wider", 4, { min: 1, max: 16 }),
      numberField("dropout", "Dropout", 0.3, { min: 0, max: 0.9, step: 0.05 }),
    ],
  },
  ({ depth, widen, dropout }, options) => ({
    title: `WRN-${depth}-${widen}`,
    entry: modelEntry("wrn_16_8"),
    model: construct({ WideResNet }, literal({ depth, widen, dropout, ...options })),
  }),
);

const resnext = family(
  {
    name: "resnext-cifar",
    title: "ResNeXt for small images",
    kin: modelEntry("resnext29_8x64d_cifar"),
    fields: [
      numberField("depth", "Depth", 29, { allowed: every(9, 11, 83), hint: "9n + 2 layers" }),
      numberField("cardinality", "Cardinality", 8, { allowed: [1, 2, 4, 8, 16, 32], hint: "Paths in a block" }),
      numberField("width", "Width of a path", 16, {
        allowed: [4, 8, 16, 32, 64],
        hint: "Channels, in the first stage",
      }),
    ],
  },
  ({ depth, cardinality, width }, options) => ({
    title: `ResNeXt-${depth}, ${cardinality}×${width}d`,
    entry: modelEntry("resnext29_8x64d_cifar"),
    model: construct({ CifarResNeXt }, literal({ cardinality, width, depth, ...options })),
  }),
);

export const residualFamilies: readonly Family[] = [
  resnetImagenet,
  resnetCifar,
  preact,
  preactCifar,
  stochastic,
  wide,
  resnext,
];
