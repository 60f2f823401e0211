import type { Compared, Comparison } from "./compare.js";
import { formatBytes, formatCount, formatCsv } from "./units.js";

const title: Readonly<Record<string, string>> = {
  imagenet: "ImageNet",
  cifar10: "CIFAR-10",
  cifar100: "CIFAR-100",
  mnist: "MNIST",
};

/** A data set's name as its makers write it. */
export function datasetTitle(dataset: string): string {
  return title[dataset] ?? dataset;
}

const percent = (error: number | undefined): string => (error === undefined ? "-" : error.toFixed(2));

/** A table for a terminal, with what its marks mean below. */
export function formatComparison({ dataset, models }: Comparison): string {
  const mark = ({ error }: Compared): string => (error?.singleView === false ? "*" : "");
  const rows = [
    ["model", "input", "parameters", "mult-adds", "FLOPs", "activations", "memory", "top-1", "top-5", ""],
    ...models.map((model) => [
      model.name,
      model.input.join("x"),
      formatCount(model.parameters),
      formatCount(model.macs),
      formatCount(model.flops),
      formatBytes(model.activationBytes),
      formatBytes(model.memoryBytes),
      percent(model.error?.top1),
      percent(model.error?.top5),
      mark(model),
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 || i === row.length - 1 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join("  ")
      .replace(/ {2}(\*?) *$/, "$1")
      .trimEnd(),
  );
  const notes = [
    "An image each. activations: bytes of the input and of what each layer writes. memory: peak of inference, parameters included.",
    `top-1, top-5: published errors on ${datasetTitle(dataset)} in percent, each image seen once.`,
    ...(models.some((model) => mark(model) === "*")
      ? ["* mean of many views of each image: lower than, and not comparable with, the others."]
      : []),
    "Where each is printed: --json.",
  ];
  const rule = "-".repeat(Math.max(...lines.map((line) => line.length)));
  return [lines[0], rule, ...lines.slice(1), rule, ...notes].join("\n");
}

const csvHeader = [
  ...["model", "input", "parameters", "multiply_adds", "flops", "activation_bytes", "memory_bytes"],
  ...["dataset", "top1_error", "top5_error", "single_view", "protocol", "source"],
];

/** The models as comma-separated values with a header; a model without published error has empty cells. */
export function comparisonCsv({ models }: Comparison): string {
  const lines = models.map(({ name, input, parameters, macs, flops, activationBytes, memoryBytes, error }) => [
    ...[name, input.join("x"), parameters, macs, flops, activationBytes, memoryBytes],
    ...[error?.dataset, error?.top1, error?.top5, error?.singleView, error?.protocol, error?.source],
  ]);
  return formatCsv([csvHeader, ...lines]);
}
