/** Local response normalisation: a thread does some neighbouring channels of a pixel, so that windows share what they read. */
import { sizeOf } from "@ocelli/core";
import type { LrnAttrs } from "@ocelli/core/backend";
import type { Dispatch, Kernel, Site } from "../kernel.js";
import { type Each, each } from "./threads.js";

/** WGSL of `value^-beta`; square roots for the exponents that papers use. */
function power(value: string, beta: number): string {
  if (beta === 0.5) return `inverseSqrt(${value})`;
  if (beta === 0.75) return `(inverseSqrt(${value}) * sqrt(inverseSqrt(${value})))`;
  return beta === 1 ? `(1.0 / ${value})` : `pow(${value}, ${-beta})`;
}

interface Part {
  readonly channels: number;
  /** Channels of one thread. */
  readonly own: number;
  /** Elements from one channel to the next. */
  readonly inner: number;
  /** Channels that a window has ahead of its own and behind it, as far as there are any. */
  readonly before: number;
  readonly after: number;
  /** Name of the dispatch, and how many threads it takes. */
  readonly threads: Pick<Each, "name" | "count">;
}

function partOf({ node, outputs }: Site, { size }: LrnAttrs): Part {
  const [images, channels, ...image] = outputs[0]!.shape as [number, number, ...number[]];
  const inner = sizeOf(image);
  const own = Math.min(8, channels);
  return {
    channels,
    own,
    inner,
    before: Math.min(Math.floor(size / 2), channels - 1),
    after: Math.min(Math.floor((size - 1) / 2), channels - 1),
    threads: { name: node.op.name, count: images * Math.ceil(channels / own) * inner },
  };
}

/** Statements: `base` is where the pixel's channel 0 lies, `first` the thread's first channel. */
function place({ channels, own, inner }: Part): string {
  const chunks = Math.ceil(channels / own);
  return `  let base = i / ${chunks * inner}u * ${channels * inner}u + i % ${inner}u;
  let first = i32(i / ${inner}u % ${chunks}u * ${own}u);
`;
}

/** A loop over `count` channels from `ahead` before the thread's first: `j` counts, and the channel's element lies at `at`. */
const overChannels = ({ channels, inner }: Part, ahead: number, count: number, statements: string): string => `
  for (var j = 0; j < ${count}; j++) {
    let c = first + j - ${ahead};
    if (c < 0 || c >= ${channels}) { continue; }
    let at = base + u32(c) * ${inner}u;
${statements}
  }
`;

/** `total`: the sum of the window's elements of an array that starts with the window of j = 0. */
const windowSum = ({ before, after }: Part, array: string): string => `    var total = 0.0;
    for (var o = 0; o <= ${before + after}; o++) { total += ${array}[j + o]; }
`;

const scaleOf = ({ size, alpha, k }: LrnAttrs): string => `    let scale = ${k} + ${alpha / size} * total;
`;

function forward(site: Site, attrs: LrnAttrs): Dispatch {
  const part = partOf(site, attrs);
  const { own, before, after, threads } = part;
  const seen = own + before + after;
  const body = `${place(part)}  var squares: array<f32, ${seen}>;
${overChannels(part, before, seen, "    let x = r0(at);\n    squares[j] = x * x;")}${overChannels(
  part,
  0,
  own,
  `${windowSum(part, "squares")}${scaleOf(attrs)}    w0(at, r0(at) * ${power("scale", attrs.beta)});`,
)}`;
  return each({ ...threads, reads: [0], writes: [0], body });
}

/**
 * With s the scale of the forward pass, `dx_j = dy_j s_j^-beta - 2 alpha beta / size x_j sum_i dy_i x_i s_i^(-beta - 1)` over the
 * channels i whose windows hold j: the forward window, mirrored.
 */
function backward(site: Site, attrs: LrnAttrs): Dispatch {
  const part = partOf(site, attrs);
  const { own, before, after, threads } = part;
  const { size, alpha, beta } = attrs;
  const crossing = own + before + after;
  const seen = crossing + before + after;
  const body = `${place(part)}  var squares: array<f32, ${seen}>;
  var powers: array<f32, ${crossing}>;
  var crossed: array<f32, ${crossing}>;
${overChannels(part, before + after, seen, "    let x = r1(at);\n    squares[j] = x * x;")}${overChannels(
  part,
  after,
  crossing,
  `${windowSum(part, "squares")}${scaleOf(attrs)}    powers[j] = ${power("scale", beta)};
    crossed[j] = r0(at) * r1(at) * powers[j] / scale;`,
)}${overChannels(
  part,
  0,
  own,
  `${windowSum(part, "crossed")}    w0(at, r0(at) * powers[j + ${after}] - ${(2 * alpha * beta) / size} * r1(at) * total);`,
)}`;
  return each({ ...threads, reads: [0, 1], writes: [0], body });
}

/** `x / (k + alpha / size * sum of x^2 over the window)^beta`, `[N, C, ...]`. */
export const localResponseNorm: Kernel = { dispatches: (site) => [forward(site, site.attrs as LrnAttrs)] };

/** Its gradient. Inputs: dy, x. */
export const localResponseNormGrad: Kernel = { dispatches: (site) => [backward(site, site.attrs as LrnAttrs)] };
