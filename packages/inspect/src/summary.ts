import { ArgumentError, byteSize, input, type Shape, sizeOf, Tensor } from "@ocelli/core";
import { type Module, type TapRecord, traceModule } from "@ocelli/layers";
import { type CallCost, costsOfCalls, tensorsIn } from "./calls.js";
import { Parts } from "./parts.js";
import { type ReceptiveField2d, receptiveFields } from "./receptive-field.js";

export interface LayerRow {
  /** The module's name from the root; "" for the root. */
  readonly path: string;
  /** Its class. */
  readonly type: string;
  /** Whether evaluation calls it: auxiliary classifiers are called in training alone. */
  readonly used: boolean;
  /** Of one image; null when the module returns something else than a tensor, or is not called. */
  readonly outputShape: Shape | null;
  /** Of the module itself, without those inside. Shared ones count where they stand first. */
  readonly parameters: number;
  /** The parameters but for biases. */
  readonly weights: number;
  /** Those named `bias`. */
  readonly biases: number;
  /** Multiply-adds of matrix products and convolutions. */
  readonly macs: number;
  /** Floating-point operations: 2 for each multiply-add, 1 for each result of other arithmetic. */
  readonly flops: number;
  /** Of the output, whether or not it has memory of its own. */
  readonly activationBytes: number;
  /** Values that the layer adds to memory: none for views, and for element-wise operations that write over their input. */
  readonly storedValues: number;
  readonly storedBytes: number;
  /** Bytes of what the layer reads (inputs and weights) and writes when it runs alone. */
  readonly bytesMoved: number;
  /** Arithmetic intensity: FLOPs for each byte moved. */
  readonly intensity: number;
  /** Height and width, in input pixels, of what one output pixel sees; null for what is no feature map. */
  readonly receptiveField: readonly [number, number] | null;
  /** Input pixels between the fields of neighbouring output pixels, vertically and horizontally. */
  readonly stride: readonly [number, number] | null;
  /** Centre of the first output pixel's field; 0 is the centre of the first input pixel. */
  readonly centre: readonly [number, number] | null;
}

export interface Totals {
  readonly parameters: number;
  readonly weights: number;
  readonly biases: number;
  /** Of the parameters, as float32. */
  readonly parameterBytes: number;
  /** Values that training changes but no gradient does. */
  readonly bufferValues: number;
  readonly macs: number;
  readonly flops: number;
  /** Of all layers' outputs, those inside the rows of a `depth` included. */
  readonly activationBytes: number;
  /** Of the input and all rows: what a forward pass writes when element-wise layers work in place. */
  readonly storedValues: number;
  readonly storedBytes: number;
  readonly bytesMoved: number;
  readonly intensity: number;
}

export interface Summary {
  /** Shape of one image. */
  readonly input: Shape;
  /** Images that the costs are for. */
  readonly batch: number;
  readonly rows: readonly LayerRow[];
  readonly totals: Totals;
}

export interface SummaryOptions {
  /** All costs are for so many images. Default 1. */
  readonly batch?: number;
  /** One row for each module of this depth, with all inside it added up; 0 is the model as a whole. Default: every layer. */
  readonly depth?: number;
}

/**
 * What a model consists of and costs in evaluation, layer by layer, for images of shape `[C, H, W]`. Nothing is computed: shapes suffice.
 * A row stands for each call of a module that has no modules inside, has parameters of its own, or computes something itself (a block
 * that adds its shortcut); every parameter and every operation belongs to exactly one row, so that rows add up to the totals. Modules that
 * evaluation does not call come last. Only `activationBytes` counts outputs again that lie in the memory of others.
 * @throws ShapeError when the model does not take the input, with the layer; ArgumentError for options that are no counts
 */
export function summary(
  model: Module<Tensor, unknown>,
  image: Shape,
  { batch = 1, depth = Number.POSITIVE_INFINITY }: SummaryOptions = {},
): Summary {
  checkOptions(image, batch, depth);
  const x = input("input", { shape: [batch, ...image], dtype: "float32" });
  const calls: TapRecord[] = [];
  const { output } = traceModule(model, x, { taps: (record) => calls.push(record) });
  const parts = new Parts(model, depth);
  const fields = receptiveFields(tensorsIn(output), x);
  const rows = new Rows(parts, fields);
  const costs = costsOfCalls(calls, tensorsIn(output), x);
  for (const [i, call] of calls.entries()) rows.add(call, costs[i] as CallCost);
  rows.addUnused();
  const totals = { ...totalsOf(rows.finished, x), bufferValues: parts.bufferValues, activationBytes: rows.outputBytes };
  return { input: image, batch, rows: rows.finished, totals };
}

function checkOptions(image: Shape, batch: number, depth: number): void {
  if (image.length !== 3)
    throw new ArgumentError(`summary: the input has ${image.length} dimensions; it needs [C, H, W]`, { image });
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new ArgumentError(`summary: batch is ${batch}; it needs a whole number, 1 or more`, { batch });
  if (!(depth >= 0 && (Number.isSafeInteger(depth) || depth === Number.POSITIVE_INFINITY)))
    throw new ArgumentError(`summary: depth is ${depth}; it needs a whole number, 0 or more`, { depth });
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Fields of a row that are sums over calls. */
const sums = ["macs", "flops", "storedValues", "storedBytes", "bytesMoved"] as const;

class Rows {
  readonly #parts: Parts;
  readonly #fields: ReadonlyMap<Tensor, ReceptiveField2d>;
  readonly #rows: Mutable<LayerRow>[] = [];
  /** The row that calls inside a module of the last depth go to, until that module's own call ends. */
  readonly #open = new Map<string, Mutable<LayerRow>>();
  readonly #called = new Set<string>();
  /** Of everything that has a row where each layer has one. */
  outputBytes = 0;

  constructor(parts: Parts, fields: ReadonlyMap<Tensor, ReceptiveField2d>) {
    this.#parts = parts;
    this.#fields = fields;
  }

  add({ path, output }: TapRecord, cost: CallCost): void {
    const at = this.#parts.shownAs(path);
    const fresh = !this.#called.has(path);
    this.#called.add(path);
    const counts = this.#parts.parametersOf(path);
    const matters = this.#parts.isLeaf(path) || this.#parts.hasState(path) || sums.some((key) => cost[key] > 0);
    if (matters && output instanceof Tensor) this.outputBytes += byteSize(output);
    let row = this.#open.get(at);
    if (row === undefined && !matters) return;
    row ??= this.#start(at);
    for (const key of sums) row[key] += cost[key];
    if (fresh) addParameters(row, counts);
    this.#show(row, output);
    if (at === path) this.#open.delete(at);
    else this.#open.set(at, row);
  }

  #start(path: string, used = true): Mutable<LayerRow> {
    const row = emptyRow(path, this.#parts.typeOf(path), used);
    this.#rows.push(row);
    return row;
  }

  /** The output of the last call in a row is the row's. */
  #show(row: Mutable<LayerRow>, output: unknown): void {
    const tensor = output instanceof Tensor ? output : undefined;
    const field = tensor && this.#fields.get(tensor);
    const both = (of: (axis: ReceptiveField2d["vertical"]) => number): readonly [number, number] | null =>
      field ? [of(field.vertical), of(field.horizontal)] : null;
    row.outputShape = tensor?.shape.slice(1) ?? null;
    row.activationBytes = tensor ? byteSize(tensor) : 0;
    row.receptiveField = both(({ size }) => size);
    row.stride = both(({ jump }) => jump);
    row.centre = both(({ start }) => start);
  }

  /** Modules with parameters that no call reached: part of a row where one collects them, else rows of their own. */
  addUnused(): void {
    const shown = new Map(this.#rows.map((row) => [row.path, row]));
    for (const path of this.#parts.paths) {
      const counts = this.#parts.parametersOf(path);
      if (this.#called.has(path) || counts.weights + counts.biases === 0) continue;
      const at = this.#parts.shownAs(path);
      const row = shown.get(at) ?? this.#start(at, false);
      shown.set(at, row);
      addParameters(row, counts);
    }
  }

  get finished(): readonly LayerRow[] {
    for (const row of this.#rows) row.intensity = row.bytesMoved === 0 ? 0 : row.flops / row.bytesMoved;
    return this.#rows;
  }
}

function addParameters(row: Mutable<LayerRow>, { weights, biases }: { readonly weights: number; biases: number }) {
  row.weights += weights;
  row.biases += biases;
  row.parameters += weights + biases;
}

const emptyRow = (path: string, type: string, used: boolean): Mutable<LayerRow> => ({
  path,
  type,
  used,
  outputShape: null,
  parameters: 0,
  weights: 0,
  biases: 0,
  macs: 0,
  flops: 0,
  activationBytes: 0,
  storedValues: 0,
  storedBytes: 0,
  bytesMoved: 0,
  intensity: 0,
  receptiveField: null,
  stride: null,
  centre: null,
});

function totalsOf(rows: readonly LayerRow[], x: Tensor): Omit<Totals, "activationBytes" | "bufferValues"> {
  const sum = (key: keyof Totals & keyof LayerRow): number => rows.reduce((total, row) => total + row[key], 0);
  const [flops, bytesMoved] = [sum("flops"), sum("bytesMoved")];
  const parameters = sum("parameters");
  return {
    parameters,
    weights: sum("weights"),
    biases: sum("biases"),
    parameterBytes: 4 * parameters,
    macs: sum("macs"),
    flops,
    storedValues: sizeOf(x.shape) + sum("storedValues"),
    storedBytes: byteSize(x) + sum("storedBytes"),
    bytesMoved,
    intensity: bytesMoved === 0 ? 0 : flops / bytesMoved,
  };
}
