import { ArgumentError, byteSize, costOf, input, type Shape, sizeOf, Tensor, topologicalOrder } from "@ocelli/core";
import { type AnyModule, Buffer, type Module, Parameter, type TapRecord, traceModule } from "@ocelli/layers";
import { receptiveFields } from "./receptive-field.js";

export interface LayerRow {
  /** The module's name from the root; "" for the root. */
  readonly path: string;
  /** Its class. */
  readonly type: string;
  /** Of one image; null when the module returns something else than a tensor. */
  readonly outputShape: Shape | null;
  /** Of the module itself, without those inside. Shared ones count where they stand first. */
  readonly parameters: number;
  /** Multiply-adds for one image. */
  readonly macs: number;
  /** Of the output, for one image. */
  readonly activationBytes: number;
  /** Height and width, in input pixels, of what one output pixel sees; null for what is no feature map. */
  readonly receptiveField: readonly [number, number] | null;
}

export interface Summary {
  /** Shape of one image. */
  readonly input: Shape;
  readonly rows: readonly LayerRow[];
  readonly totals: {
    readonly parameters: number;
    /** Values that training changes but no gradient does. */
    readonly bufferValues: number;
    readonly macs: number;
    /** Of all rows. */
    readonly activationBytes: number;
    /** Of the parameters, as float32. */
    readonly parameterBytes: number;
  };
}

/**
 * What a model consists of and costs, layer by layer, for one image of shape `[C, H, W]`. Nothing is computed: shapes suffice.
 * A row stands for each call of a module that has no modules inside, or parameters of its own.
 * @throws ShapeError when the model does not take the input
 */
export function summary(model: Module<Tensor, unknown>, image: Shape): Summary {
  if (image.length !== 3)
    throw new ArgumentError(`summary: the input has ${image.length} dimensions; it needs [C, H, W]`, { image });
  const x = input("input", { shape: [1, ...image], dtype: "float32" });
  const calls: TapRecord[] = [];
  const { output } = traceModule(model, x, { taps: (record) => calls.push(record) });
  const ends = [output, ...calls.map((call) => call.output)].flatMap((value) =>
    value instanceof Tensor ? [value] : [],
  );
  const fields = receptiveFields(ends, x);
  const macs = macsByScope(ends);
  const counted = new Set<object>();
  const rows = calls.filter(isRow).map(({ path, module, output: y }): LayerRow => {
    const tensor = y instanceof Tensor ? y : null;
    const field = tensor === null ? undefined : fields.get(tensor);
    const own = takeOnce(macs, path);
    return {
      path,
      type: module.constructor.name,
      outputShape: tensor === null ? null : tensor.shape.slice(1),
      parameters: countOwn(module, counted),
      macs: own,
      activationBytes: tensor === null ? 0 : byteSize(tensor),
      receptiveField: field === undefined ? null : [field.vertical.size, field.horizontal.size],
    };
  });
  return { input: image, rows, totals: totalsOf(model, rows, macsOf(ends)) };
}

function totalsOf(model: AnyModule, rows: readonly LayerRow[], macs: number): Summary["totals"] {
  const count = (entries: Iterable<{ readonly shape: Shape }>): number =>
    [...entries].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const parameters = count(model.parameters().values());
  return {
    parameters,
    bufferValues: count(model.buffers().values()),
    macs,
    activationBytes: rows.reduce((sum, row) => sum + row.activationBytes, 0),
    parameterBytes: 4 * parameters,
  };
}

/** A leaf, or a module with state of its own. */
function isRow({ module }: TapRecord): boolean {
  return (
    module.modules().size === 1 ||
    Object.values(module).some((value) => value instanceof Parameter || value instanceof Buffer)
  );
}

function countOwn(module: AnyModule, counted: Set<object>): number {
  let count = 0;
  for (const value of Object.values(module) as unknown[]) {
    if (!(value instanceof Parameter) || counted.has(value)) continue;
    counted.add(value);
    count += sizeOf(value.shape);
  }
  return count;
}

function macsOf(outputs: readonly Tensor[]): number {
  return topologicalOrder(outputs).reduce((sum, node) => sum + costOf(node).macs, 0);
}

function macsByScope(outputs: readonly Tensor[]): Map<string, number> {
  const macs = new Map<string, number>();
  for (const node of topologicalOrder(outputs)) macs.set(node.scope, (macs.get(node.scope) ?? 0) + costOf(node).macs);
  return macs;
}

/** A module called twice has one path; its cost stands in its first row. */
function takeOnce(macs: Map<string, number>, path: string): number {
  const own = macs.get(path) ?? 0;
  macs.delete(path);
  return own;
}
