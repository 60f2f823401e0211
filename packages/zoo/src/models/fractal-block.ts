/**
 * What FractalNets are made of (fractalnet.ts): Larsson, Maire, Shakhnarovich: "FractalNet: Ultra-Deep Neural Networks without Residuals",
 * ICLR 2017.
 */
import {
  ArgumentError,
  add,
  cast,
  div,
  equal,
  floor,
  greater,
  greaterEqual,
  maximum,
  mul,
  narrow,
  oneHot,
  relu,
  reshape,
  select,
  sum,
  Tensor,
} from "@ocelli/core";
import { BatchNorm2d, type Context, Conv2d, Dropout, kaimingUniform, MaxPool2d, Module } from "@ocelli/layers";
import { initialised } from "../initialise.js";

/** What Caffe, in which the authors worked, calls Xavier: uniform, with a variance of 1 / fan-in. */
export const xavier = kaimingUniform({ nonlinearity: "linear" });

/**
 * 3x3 convolution, batch-norm, ReLU: `[N, C, H, W]` -> `[N, O, H, W]`. The paper does not say where dropout goes; it is between convolution
 * and batch-norm, where the authors' network generator puts it. The convolution has no bias, since batch-norm has one.
 */
export class FractalLayer extends Module {
  readonly conv: Conv2d;
  readonly dropout: Dropout;
  readonly bn: BatchNorm2d;

  constructor(inChannels: number, outChannels: number, dropRate: number) {
    super();
    this.conv = initialised(new Conv2d(inChannels, outChannels, { kernelSize: 3, padding: 1, bias: false }), xavier);
    this.dropout = new Dropout(dropRate);
    this.bn = new BatchNorm2d(outChannels);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.conv, this.dropout, this.bn, relu);
  }
}

/** The path that a whole network keeps in one step, as numbers 0 or 1. */
export interface GlobalPath {
  /** 1: only one column is kept. 0: each join draws for itself. `[]` */
  readonly active: Tensor;
  /** 1 for that column, 0 for the others. `[columns]` */
  readonly column: Tensor;
}

export interface FractalBlockOptions {
  /** C: column i has 2^i layers. Default 3. */
  readonly columns?: number;
  /** Share of a layer's features that dropout sets to 0. Default 0. */
  readonly dropRate?: number;
  /** Share of each join's inputs that drop-path drops in training. Default 0.15. */
  readonly dropPath?: number;
  /** End in 2x2 max pooling. It comes before the last join, as in the authors' networks. Default false. */
  readonly pool?: boolean;
}

/** Masks of one step, as numbers 0 or 1. */
interface Drops {
  /** For each time, which of the columns that end there the join keeps. `[columns that end]` */
  readonly joins: readonly Tensor[];
  /** For each column and layer, whether anything of it reaches the block's end. `[]` */
  readonly alive: readonly (readonly Tensor[])[];
}

/**
 * f_C: `f_1(z) = conv(z)`, `f_c+1(z) = join(f_c(f_c(z)), conv(z))`; neighbouring joins are one. Written by columns: at time t of 2^(C-1) the
 * columns whose layer ends are joined by the mean of those that drop-path keeps. `[N, C, H, W]` -> `[N, O, H, W]`.
 *
 * Every layer is computed whatever is dropped; joins choose. Layers that do not reach the end have gradients of 0, and their statistics
 * stay as they are.
 */
export class FractalBlock extends Module<Tensor | { readonly x: Tensor; readonly path: GlobalPath }> {
  readonly columns: readonly (readonly FractalLayer[])[];
  readonly pool: MaxPool2d | null;
  readonly dropPath: number;

  /** @throws ArgumentError unless columns is a positive integer and 0 <= dropPath <= 1 */
  constructor(
    inChannels: number,
    outChannels: number,
    { columns = 3, dropRate = 0, dropPath = 0.15, pool = false }: FractalBlockOptions = {},
  ) {
    super();
    if (!(Number.isInteger(columns) && columns > 0 && dropPath >= 0 && dropPath <= 1)) {
      throw new ArgumentError(
        `FractalBlock: columns is ${columns} and dropPath ${dropPath}; it needs a positive integer and a share from 0 to 1`,
        { columns, dropPath },
      );
    }
    this.columns = Array.from({ length: columns }, (_, c) =>
      Array.from(
        { length: 2 ** c },
        (_, i) => new FractalLayer(i === 0 ? inChannels : outChannels, outChannels, dropRate),
      ),
    );
    this.pool = pool ? new MaxPool2d({ kernelSize: 2 }) : null;
    this.dropPath = dropPath;
  }

  override forward(input: Tensor | { readonly x: Tensor; readonly path: GlobalPath }, ctx: Context): Tensor {
    const { x, path } = input instanceof Tensor ? { x: input, path: undefined } : input;
    const drops = ctx.training && (this.dropPath > 0 || path !== undefined) ? this.#draw(path, ctx) : undefined;
    const values = this.columns.map(() => x);
    for (let time = 0; time < this.#times; time++) {
      const first = this.#firstAt(time);
      const ended = values.slice(first).map((value, i) => {
        const index = this.#layerAt(time, first + i);
        const layer = this.columns[first + i]?.[index] as FractalLayer;
        const y = callWhile(drops?.alive[first + i]?.[index], layer, value, ctx);
        return this.pool !== null && time === this.#times - 1 ? ctx.call(this.pool, y) : y;
      });
      values.fill(join(ended, drops?.joins[time]), first);
    }
    return values[0] as Tensor;
  }

  get #times(): number {
    return 2 ** (this.columns.length - 1);
  }

  /** The first column that has a layer ending at `time`; all after it have one, too. */
  #firstAt(time: number): number {
    return this.columns.findIndex((layers) => (time + 1) % (this.#times / layers.length) === 0);
  }

  /** Which of the column's layers ends at `time`. */
  #layerAt(time: number, column: number): number {
    return ((time + 1) * 2 ** column) / this.#times - 1;
  }

  #draw(path: GlobalPath | undefined, ctx: Context): Drops {
    const { columns } = this;
    const count = columns.length;
    const joins = Array.from({ length: this.#times }, (_, time) => {
      const first = this.#firstAt(time);
      const local = someOf(count - first, this.dropPath, ctx);
      return path === undefined
        ? local
        : select(greater(path.active, 0.5), narrow(path.column, 0, first, count), local);
    });
    // Backwards: a layer is alive when its join keeps it and the joined value is; that is when one of its readers is.
    const alive: Tensor[][] = columns.map(() => []);
    for (let time = this.#times - 1; time >= 0; time--) {
      const first = this.#firstAt(time);
      const readers = alive.slice(first).flatMap((layers, i) => layers[this.#layerAt(time, first + i) + 1] ?? []);
      for (let c = first; c < count; c++) {
        const kept = reshape(narrow(joins[time] as Tensor, 0, c - first, c - first + 1), []);
        const layers = alive[c] as Tensor[];
        layers[this.#layerAt(time, c)] =
          readers.length === 0
            ? kept
            : mul(
                kept,
                readers.reduce((a, b) => maximum(a, b)),
              );
      }
    }
    return { joins, alive };
  }
}

/** Calls a layer whose output is read only where `alive`. Otherwise it sees zeros, so that no NaN comes back as its gradient. */
function callWhile(alive: Tensor | undefined, layer: FractalLayer, x: Tensor, ctx: Context): Tensor {
  if (alive === undefined) return ctx.call(layer, x);
  const kept = greater(alive, 0.5);
  return ctx.gate(kept, () => ctx.call(layer, select(kept, x, 0)));
}

/** `[count]` of 1, with 0 where chance drops; one of them at random when it would drop all. */
function someOf(count: number, share: number, ctx: Context): Tensor {
  const draws = ctx.randomUniform([count + 1]);
  const kept = cast(greaterEqual(narrow(draws, 0, 0, count), share), "float32");
  const survivor = reshape(oneHot(cast(floor(mul(narrow(draws, 0, count, count + 1), count)), "int32"), count), [
    count,
  ]);
  return select(equal(sum(kept), 0), survivor, kept);
}

/** Mean of the values that are kept. Chosen, not multiplied by 0: what is dropped may be NaN. */
function join(values: readonly Tensor[], keep: Tensor | undefined): Tensor {
  if (values.length === 1) return values[0] as Tensor;
  if (keep === undefined)
    return mul(
      values.reduce((a, b) => add(a, b)),
      1 / values.length,
    );
  const chosen = values.map((value, i) => select(greater(reshape(narrow(keep, 0, i, i + 1), []), 0.5), value, 0));
  // None survives where the network keeps a column that does not pass here; nothing reads that mean.
  return div(
    chosen.reduce((a, b) => add(a, b)),
    maximum(sum(keep), 1),
  );
}
