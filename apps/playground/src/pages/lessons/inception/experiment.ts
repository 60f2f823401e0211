import { summary } from "@ocelli/inspect";
import { Conv2d } from "@ocelli/layers";
import { Inception, NaiveInception } from "@ocelli/zoo";
import type { Experiment } from "../../../workers/lesson/experiment.js";

export interface Options {
  /** Filters of the 1x1 convolutions in front of the 3x3 and the 5x5, and behind the pooling. */
  readonly reduce3x3: number;
  readonly reduce5x5: number;
  readonly poolProject: number;
}

/** A convolution of a module. */
export interface Term {
  /** The zoo's name of it. */
  readonly path: string;
  readonly filters: number;
  readonly macs: number;
}

export interface Cost {
  readonly terms: readonly Term[];
  readonly macs: number;
  readonly parameters: number;
  /** Channels that come out. */
  readonly channels: number;
}

export interface Frame {
  readonly naive: Cost;
  readonly reduced: Cost;
  /** The module of the slide, whatever the sliders say. */
  readonly slide: Cost;
  /** How often each of the slide's terms has to be counted for its printed total; every such way. */
  readonly waysToTotal: readonly Counts[];
  /** What the slide prints, in millions. */
  readonly printed: number;
}

/** By a term's multiply-adds: terms of one size cannot be told apart. */
export type Counts = readonly { readonly macs: number; readonly times: number; readonly paths: readonly string[] }[];

/** `[C, H, W]` that the course's module reads. */
const image = [256, 28, 28] as const;
const filters = { conv1x1: 128, conv3x3: 192, conv5x5: 96 };
const slideReductions: Options = { reduce3x3: 64, reduce5x5: 64, poolProject: 64 };

const printed = 358;

export const experiment: Experiment<Options, Frame> = async function* (reductions) {
  const slide = costOf(new Inception(image[0], { ...filters, ...slideReductions }));
  yield {
    naive: costOf(new NaiveInception(image[0], filters)),
    reduced: costOf(new Inception(image[0], { ...filters, ...reductions })),
    slide,
    waysToTotal: waysToTotal(slide.terms, printed),
    printed,
  };
};

function costOf(module: Inception | NaiveInception): Cost {
  const { rows, totals } = summary(module, image);
  // By class, not by the rows' names of it: a bundler shortens those.
  const modules = module.modules();
  const channels = rows.find(({ path }) => path === "")?.outputShape?.[0] as number;
  const terms = rows
    .filter(({ path }) => modules.get(path) instanceof Conv2d)
    .map(({ path, outputShape, macs }) => ({ path, filters: outputShape?.[0] as number, macs }));
  return { terms, macs: totals.macs, parameters: totals.parameters, channels };
}

/** All ways to count each term any whole number of times, and at least once, such that the sum rounds to `millions`. */
export function waysToTotal(terms: readonly Term[], millions: number): Counts[] {
  const sizes = [...new Set(terms.map(({ macs }) => macs))].sort((a, b) => b - a);
  const groups = sizes.map((macs) => ({
    macs,
    paths: terms.filter((term) => term.macs === macs).map(({ path }) => path),
  }));
  const [low, high] = [(millions - 0.5) * 1e6, (millions + 0.5) * 1e6];
  const ways: Counts[] = [];
  const count = (at: number, sum: number, chosen: Counts): void => {
    const group = groups[at];
    if (group === undefined) {
      if (sum >= low && sum < high) ways.push(chosen);
      return;
    }
    for (let times = group.paths.length; sum + times * group.macs < high; times++)
      count(at + 1, sum + times * group.macs, [...chosen, { ...group, times }]);
  };
  count(0, 0, []);
  return ways;
}
