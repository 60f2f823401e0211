/**
 * Pooling. Forward, a thread a window; backward, a thread an input pixel (or a few of them), which gathers from the windows that it lies
 * in, so that nothing is added up atomically.
 */
import { type Shape, sizeOf } from "@ocelli/core";
import { type AvgPoolAttrs, type PoolAttrs, windowSizes } from "@ocelli/core/backend";
import type { Dispatch, Kernel, Site, Target } from "../kernel.js";
import { foldLines, linesOf } from "./lines.js";
import { lowest, sumOf } from "./reduce.js";
import { each } from "./threads.js";

/** Windows along one image axis. */
interface Axis {
  readonly size: number;
  readonly count: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
  readonly dilation: number;
}

/** Windows over the images of `[N, C, H, W]`. */
interface Windows {
  readonly planes: number;
  readonly rows: Axis;
  readonly columns: Axis;
}

type Geometry = Pick<PoolAttrs, "kernel" | "stride" | "padding"> & Partial<Pick<PoolAttrs, "dilation">>;

function windowsOf(x: Shape, y: Shape, { kernel, stride, padding, dilation = [1, 1] }: Geometry): Windows {
  const axis = (i: 0 | 1): Axis => ({
    size: x[2 + i]!,
    count: y[2 + i]!,
    kernel: kernel[i],
    stride: stride[i],
    before: padding[2 * i]!,
    after: padding[2 * i + 1]!,
    dilation: dilation[i],
  });
  return { planes: x[0]! * x[1]!, rows: axis(0), columns: axis(1) };
}

/** From a window's first pixel to its last. */
const reach = ({ kernel, dilation }: Axis): number => (kernel - 1) * dilation;

const bothAxes = ({ rows, columns }: Windows, holds: (axis: Axis) => boolean): boolean => holds(rows) && holds(columns);

/** Whether no pixel lies in two windows, or between the taps of one and in another. */
const disjoint = (windows: Windows): boolean => bothAxes(windows, (axis) => reach(axis) < axis.stride);

/** Whether a pixel is read about once: its value may then be computed while reading. */
const readOnce = ({ kernel, stride }: Geometry): boolean => kernel[0] * kernel[1] <= stride[0] * stride[1];

/** Whether every window's every pixel lies in the image. */
const inside = (axis: Axis): boolean => axis.before === 0 && (axis.count - 1) * axis.stride + reach(axis) < axis.size;

/** Whether dilation keeps some window off the image altogether. */
function missesImage({ size, count, kernel, stride, before, dilation }: Axis): boolean {
  const sees = (window: number): boolean =>
    Array.from({ length: kernel }, (_, k) => window * stride - before + k * dilation).some((p) => p >= 0 && p < size);
  return Array.from({ length: count }, (_, window) => window).some((window) => !sees(window));
}

/** Statements that take a number apart: column `x`, row `y`, `plane`. */
const split = (columns: number, rows: number): string => `  let x = i % ${columns}u;
  let y = i / ${columns}u % ${rows}u;
  let plane = i / ${columns * rows}u;
`;

interface Loop {
  /** Statements before a row of the window, for a pixel (which lies at `at`), and after the row. */
  readonly before?: string;
  readonly pixel: string;
  readonly after?: string;
}

/** A loop over the pixels of window (`plane`, `y`, `x`) that lie in the image. */
function overWindow({ rows, columns }: Windows, { before = "", pixel, after = "" }: Loop): string {
  const skip = (axis: Axis, at: string): string =>
    inside(axis) ? "" : `if (${at} < 0 || ${at} >= ${axis.size}) { continue; }`;
  const first = (axis: Axis, at: string): string => `i32(${at} * ${axis.stride}u) - ${axis.before}`;
  return `  for (var ky = 0; ky < ${rows.kernel}; ky++) {
    let iy = ${first(rows, "y")} + ky * ${rows.dilation};
    ${skip(rows, "iy")}
    ${before}
    for (var kx = 0; kx < ${columns.kernel}; kx++) {
      let ix = ${first(columns, "x")} + kx * ${columns.dilation};
      ${skip(columns, "ix")}
      let at = (plane * ${rows.size}u + u32(iy)) * ${columns.size}u + u32(ix);
      ${pixel}
    }
    ${after}
  }
`;
}

const windowCount = ({ planes, rows, columns }: Windows): number => planes * rows.count * columns.count;

const nowhere = "0xffffffffu";

const noWinner = `  var best = ${lowest.f32};
  var winner = ${nowhere};
`;

/** Looks through window (`plane`, `y`, `x`) by `rK`, where K is `read`: `winner` is where its first maximum lies, `best` its value. */
const search = (windows: Windows, read: number): string =>
  overWindow(windows, {
    pixel: `let value = r${read}(at);
      if (winner == ${nowhere} || value > best) { best = value; winner = at; }`,
  });

const findWinner = (windows: Windows, read: number): string => noWinner + search(windows, read);

/** A thread a window, over an input `[N, C, H, W]` and an output `[N, C, H', W']`. */
function forward({ node, inputs, outputs }: Site, attrs: Geometry, write: (windows: Windows) => string): Dispatch[] {
  const windows = windowsOf(inputs[0]!.shape, outputs[0]!.shape, attrs);
  const body = split(windows.columns.count, windows.rows.count) + write(windows);
  return [each({ name: node.op.name, count: windowCount(windows), reads: [0], writes: [0], body })];
}

function largest(windows: Windows): string {
  if (missesImage(windows.rows) || missesImage(windows.columns)) {
    // WGSL refuses infinity as a constant.
    const infinity = "  var minusInfinity = 0xff800000u;\n";
    return `${findWinner(windows, 0)}${infinity}  w0(i, select(best, bitcast<f32>(minusInfinity), winner == ${nowhere}));`;
  }
  const loop = overWindow(windows, { pixel: "best = max(best, r0(at));" });
  return `  var best = ${lowest.f32};\n${loop}  w0(i, best);`;
}

/** Maximum of each window; -infinity for a window off the image. */
export const maxPool2d: Kernel = {
  inlines: ({ attrs }) => [readOnce(attrs)],
  dispatches: (site) => forward(site, site.attrs, largest),
};

/** Flat position of each window's first maximum; 0 for a window off the image. */
export const maxPool2dArgmax: Kernel = {
  inlines: ({ attrs }) => [readOnce(attrs)],
  dispatches: (site) =>
    forward(site, site.attrs, (windows) => {
      return `${findWinner(windows, 0)}  w0(i, select(i32(winner), 0, winner == ${nowhere}));`;
    }),
};

/** `total`: the sum of `term` over the windows `o` that the pixel (`plane`, `y`, `x`) lies in or between the taps of. */
function overCovering({ rows, columns }: Windows, term: string): string {
  const range = (axis: Axis, at: string): string => `  let ${at}Pad = ${at} + ${axis.before}u;
  let ${at}First = (max(${at}Pad, ${reach(axis)}u) - ${reach(axis)}u + ${axis.stride - 1}u) / ${axis.stride}u;
  let ${at}Last = min(${at}Pad / ${axis.stride}u, ${axis.count - 1}u);
`;
  return `${range(rows, "y")}${range(columns, "x")}  var total = 0.0;
  for (var oy = yFirst; oy <= yLast; oy++) {
    for (var ox = xFirst; ox <= xLast; ox++) {
      let o = (plane * ${rows.count}u + oy) * ${columns.count}u + ox;
      ${term}
    }
  }
`;
}

const pixelCount = ({ planes, rows, columns }: Windows): number => planes * rows.size * columns.size;

/** Windows that share no pixel: a thread finds a window's maximum and writes all pixels up to the next window's. */
function gradOfDisjoint(name: string, windows: Windows): Dispatch {
  const { planes, rows, columns } = windows;
  const cells = ({ size, before, stride }: Axis): number => Math.ceil((size + before) / stride);
  const [down, along] = [cells(rows), cells(columns)];
  const body = `${split(along, down)}${noWinner}  var gradient = 0.0;
  if (y < ${rows.count}u && x < ${columns.count}u) {
${search(windows, 1)}    gradient = r0((plane * ${rows.count}u + y) * ${columns.count}u + x);
  }
  for (var sy = 0; sy < ${rows.stride}; sy++) {
    let iy = i32(y * ${rows.stride}u) - ${rows.before} + sy;
    if (iy < 0 || iy >= ${rows.size}) { continue; }
    for (var sx = 0; sx < ${columns.stride}; sx++) {
      let ix = i32(x * ${columns.stride}u) - ${columns.before} + sx;
      if (ix < 0 || ix >= ${columns.size}) { continue; }
      let at = (plane * ${rows.size}u + u32(iy)) * ${columns.size}u + u32(ix);
      w0(at, select(0.0, gradient, at == winner));
    }
  }`;
  return each({ name, count: planes * down * along, reads: [0, 1], writes: [0], body });
}

/** Windows that overlap: each one's winner first, then each pixel adds up the gradients of those that it won. */
function gradOfOverlapping(name: string, windows: Windows): Dispatch[] {
  const count = windowCount(windows);
  const winners = { temp: "winners", dtype: "uint32", size: count } as const satisfies Target;
  const { rows, columns } = windows;
  return [
    each({
      name: `${name}.winners`,
      count,
      reads: [1],
      writes: [winners],
      body: `${split(columns.count, rows.count)}${findWinner(windows, 0)}  w0(i, winner);`,
    }),
    each({
      name,
      count: pixelCount(windows),
      reads: [0, winners],
      writes: [0],
      body: `${split(columns.size, rows.size)}${overCovering(windows, "if (r1(o) == i) { total += r0(o); }")}  w0(i, total);`,
    }),
  ];
}

/** The gradient goes to each window's first maximum. Inputs: dy, the pooled input, the pooled output. */
export const maxPool2dGrad: Kernel = {
  inlines: (node) => {
    const [dy, x] = node.inputs;
    const once = disjoint(windowsOf(x!.shape, dy!.shape, node.attrs));
    // The output is not read at all, so it need not be kept for this.
    return [once, once, true];
  },
  dispatches: ({ node, inputs, attrs }) => {
    const windows = windowsOf(inputs[1]!.shape, inputs[0]!.shape, attrs as PoolAttrs);
    return disjoint(windows) ? [gradOfDisjoint(node.op.name, windows)] : gradOfOverlapping(node.op.name, windows);
  },
};

/** WGSL of the number of pixels that the mean of window (`y`, `x`) divides by. */
function divisor({ rows, columns }: Windows, countPad: boolean, y: string, x: string): string {
  const along = ({ size, count, kernel, stride, before, after }: Axis, at: string): string => {
    const sizes = new Set(windowSizes(count, size, kernel, stride, before, after, countPad));
    if (sizes.size === 1) return `${[...sizes][0]}`;
    const start = `i32(${at} * ${stride}u) - ${before}`;
    return countPad
      ? `(min(${kernel}, ${size + after} - (${start})))`
      : `(min(${start} + ${kernel}, ${size}) - max(${start}, 0))`;
  };
  return `f32(${along(rows, y)} * ${along(columns, x)})`;
}

/** Whether one window covers the image exactly: then the mean is a reduction. */
const global = (windows: Windows): boolean =>
  bothAxes(windows, (axis) => axis.count === 1 && axis.kernel === axis.size && axis.before === 0);

/** Mean of each window. */
export const avgPool2d: Kernel = {
  inlines: (node) => {
    const windows = windowsOf(node.inputs[0]!.shape, node.outputs[0]!.shape, node.attrs);
    return [readOnce(node.attrs) || global(windows)];
  },
  dispatches: (site) => {
    const { node, inputs, outputs, limits } = site;
    const attrs = site.attrs as AvgPoolAttrs;
    const { shape } = inputs[0]!;
    if (global(windowsOf(shape, outputs[0]!.shape, attrs))) {
      const finish = { line: `    w0(place, total.sum / ${sizeOf(attrs.kernel)}.0);` };
      const lines = linesOf(shape, [2, 3]);
      return foldLines({ name: node.op.name, limits, lines, fold: sumOf("f32"), reads: [0], writes: [0], finish });
    }
    return forward(site, attrs, (windows) => {
      // Row by row, so that sums of large windows are no long chains.
      const loop = { before: "var row = 0.0;", pixel: "row += r0(at);", after: "total += row;" };
      const count = divisor(windows, attrs.countIncludePad, "y", "x");
      return `  var total = 0.0;\n${overWindow(windows, loop)}  w0(i, total / ${count});`;
    });
  },
};

/** Spreads each window's gradient evenly over its pixels. */
export const avgPool2dGrad: Kernel = {
  dispatches: ({ node, inputs, outputs, attrs }) => {
    const { countIncludePad } = attrs as AvgPoolAttrs;
    const windows = windowsOf(outputs[0]!.shape, inputs[0]!.shape, attrs as AvgPoolAttrs);
    const term = `total += r0(o) / ${divisor(windows, countIncludePad, "oy", "ox")};`;
    const body = `${split(windows.columns.size, windows.rows.size)}${overCovering(windows, term)}  w0(i, total);`;
    return [each({ name: node.op.name, count: pixelCount(windows), reads: [0], writes: [0], body })];
  },
};
