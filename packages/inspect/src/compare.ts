import type { Shape, Tensor } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import { peakMemory } from "./memory.js";
import { summary } from "./summary.js";

/** An error rate in percent, as its source prints it. */
export interface ErrorFigure {
  readonly dataset: string;
  readonly top1?: number;
  readonly top5?: number;
  /** How it was measured: "validation, single crop 224". */
  readonly protocol: string;
  readonly source: string;
}

/** What is compared. An entry of a model zoo, with its name, is one. */
export interface ComparedModel {
  readonly name: string;
  readonly summary?: string;
  readonly citation?: string;
  /** Shape of one image: channels, height, width. */
  readonly input: Shape;
  readonly build: () => Module<Tensor, unknown>;
  /** By papers. */
  readonly published?: readonly ErrorFigure[];
  /** By those who offer trained values. */
  readonly weights?: readonly { readonly published: ErrorFigure }[];
}

export interface ComparedLayer {
  readonly path: string;
  readonly type: string;
  readonly parameters: number;
  readonly macs: number;
  /** What the layer adds to memory, for one image. */
  readonly storedBytes: number;
}

/** What a model costs for one image, beside the error that it reaches. */
export interface Compared {
  readonly name: string;
  readonly summary: string;
  readonly citation: string;
  readonly input: Shape;
  readonly parameters: number;
  /** Multiply-adds. */
  readonly macs: number;
  readonly flops: number;
  /** Of the input and all layers, element-wise ones in place. */
  readonly activationBytes: number;
  /** Peak of inference, parameters included. */
  readonly memoryBytes: number;
  /** On the data set of the comparison; undefined where none is published. */
  readonly error: ChosenError | undefined;
  readonly layers: readonly ComparedLayer[];
}

export interface ChosenError extends ErrorFigure {
  /** Whether each image was looked at once. Means over many crops are one or two points better, and comparable among themselves only. */
  readonly singleView: boolean;
}

export interface Comparison {
  readonly dataset: string;
  /** In the order given. */
  readonly models: readonly Compared[];
}

export interface CompareOptions {
  /** Whose errors stand beside the costs. Default `imagenet`. */
  readonly dataset?: string;
}

/**
 * Models side by side: what each costs for one image of its own size, layer by layer and in all, and its published error. Nothing is
 * computed. @throws ShapeError when a model does not take its input
 */
export function compare(models: readonly ComparedModel[], { dataset = "imagenet" }: CompareOptions = {}): Comparison {
  return {
    dataset,
    models: models.map((item): Compared => {
      const { name, summary: what = "", citation = "", input } = item;
      const model = item.build();
      const { rows, totals } = summary(model, input);
      return {
        name,
        summary: what,
        citation,
        input,
        parameters: totals.parameters,
        macs: totals.macs,
        flops: totals.flops,
        activationBytes: totals.storedBytes,
        memoryBytes: peakMemory(model, input).total,
        error: chooseError(item, dataset),
        layers: rows.map(({ path, type, parameters, macs, storedBytes }) => ({
          path,
          type,
          parameters,
          macs,
          storedBytes,
        })),
      };
    }),
  };
}

const manyViews = /\b(\d+|ten|many|multi) ?-?crops?\b|\bdense\b|\bmulti-?scale\b|\bensemble\b/i;

/** Whether a protocol looks at each image once: `1 crop` and `single crop`, not `10 crops` or a dense evaluation. */
export function isSingleView(protocol: string): boolean {
  return !manyViews.test(protocol.replaceAll(/\b(1|one|single)[- ]crop\b/gi, ""));
}

/**
 * The one figure of several that goes into a comparison: of one view where there is one, the papers' before those of weights, the best of
 * a paper, the first of weights (later ones come of newer recipes, not of the model).
 */
export function chooseError(
  { published = [], weights = [] }: Pick<ComparedModel, "published" | "weights">,
  dataset: string,
): ChosenError | undefined {
  const of = (figures: readonly ErrorFigure[]): ChosenError[] =>
    figures
      .filter((figure) => figure.dataset === dataset)
      .map((figure) => ({ ...figure, singleView: isSingleView(figure.protocol) }));
  const error = ({ top1, top5 }: ErrorFigure): readonly [number, number] => [top1 ?? 101, top5 ?? 101];
  const better = (a: ChosenError, b: ChosenError): number => error(a)[0] - error(b)[0] || error(a)[1] - error(b)[1];
  const candidates = [...of(published).sort(better), ...of(weights.map((entry) => entry.published))];
  return (
    candidates.find(({ singleView, top1 }) => singleView && top1 !== undefined) ??
    candidates.find(({ top1 }) => top1 !== undefined) ??
    candidates.find(({ singleView }) => singleView) ??
    candidates[0]
  );
}
