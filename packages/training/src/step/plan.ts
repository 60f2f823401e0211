import { ArgumentError, type Tensor } from "@ocelli/core";
import { type Around, type Buffer, inventory, type Module, type Parameter } from "@ocelli/layers";
import { checkPatterns, checkUsed, globs } from "../glob.js";
import { type LossScale, type LossScaling, lossScaling } from "../loss-scale.js";
import type { Optimizer, Slot } from "../optim/index.js";
import type { Transform } from "../transform.js";
import type { Average } from "./average.js";
import type { Clip } from "./clip.js";

/** What a step consists of. */
export interface StepOptions<Out = Tensor> {
  readonly model: Module<Tensor, Out>;
  readonly optimizer: Optimizer;
  /** A scalar from the model's output and the labels: int32 `[N]`, or what the transform makes of them (soft ones, of mixup). */
  readonly loss: (output: Out, labels: Tensor) => Tensor;
  /** Runs on the device before the model; images are cast and normalised here. */
  readonly transform?: Transform | undefined;
  /** Further scalars to report. Default: `accuracy`. */
  readonly metrics?: Readonly<Record<string, (output: Out, labels: Tensor) => Tensor>>;
  /**
   * Differentiates `scale * loss` and divides the gradients by the scale, so that small ones survive float16. A step with a gradient that
   * is not finite changes nothing but the scale. `"dynamic"`, or its options: the scale follows the gradients. Default: no scaling.
   */
  readonly lossScale?: LossScale | undefined;
  /** Modules whose results are computed again in the backward pass instead of kept: `recomputing(model, paths)` of `@ocelli/layers`. */
  readonly recompute?: Around | undefined;
  /** Bounds the gradients (without their loss scale): `clipNorm(1)`, `clipValue(0.5)`. */
  readonly clip?: Clip | undefined;
  /**
   * Batches whose gradients make one step, by their mean. Default 1. Running statistics follow every batch. The sums of an unfinished
   * step are the state's collection `accumulators`.
   */
  readonly accumulate?: number | undefined;
  /** Averages the parameters over the steps, in the state's collection `ema`: `ema({ decay: 0.999 })`, `swa({ start: 1000 })`. */
  readonly average?: Average | undefined;
  /**
   * Names of parameters that stay as they are: `["features.*"]`; `*` stands for anything, dots too. They have no gradient and no slots, and
   * a batch-norm whose scale and shift are among them runs as in evaluation. A pattern for names of running statistics freezes those alone.
   */
  readonly freeze?: readonly string[] | undefined;
}

/** Options checked once, and what follows from them. */
export interface StepPlan<Out> {
  readonly options: StepOptions<Out>;
  /** What is trained, by name. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly frozen: ReadonlySet<Parameter | Buffer>;
  readonly scaling: LossScaling | undefined;
  readonly accumulate: number;
  /** State besides the model's, by qualified name. */
  readonly entries: Readonly<Record<string, StepEntry>>;
}

/** `from` is the qualified name of what it begins as, and averages. */
type StepEntry = Slot & { readonly from?: string };

/** Batches that did not count for the unfinished step, because a gradient was not finite. */
export const skippedEntry = "lossScale/skipped";

/** @throws ArgumentError for options that make no step */
export function planStep<Out>(options: StepOptions<Out>): StepPlan<Out> {
  const { model, optimizer, accumulate = 1, average, clip, freeze = [] } = options;
  if (!Number.isSafeInteger(accumulate) || accumulate < 1)
    throw new ArgumentError(`trainStep: accumulate is ${accumulate}; it needs a whole number of batches, 1 or more`);
  if (typeof optimizer?.update !== "function") throw notMade("optimizer", "sgd({ lr: 0.1 })");
  if (typeof options.loss !== "function")
    throw new ArgumentError(`trainStep: loss is ${options.loss}; it needs a function of output and labels`);
  if (clip !== undefined && typeof clip?.apply !== "function") throw notMade("clip", "clipNorm(1)");
  if (average !== undefined && typeof average?.blend !== "function") throw notMade("average", "ema({ decay: 0.999 })");
  const all = model.parameters();
  optimizer.check?.(all);
  const frozen = frozenEntries(model, freeze);
  const parameters = new Map([...all].filter(([, parameter]) => !frozen.has(parameter)));
  if (parameters.size === 0 && freeze.length > 0)
    throw new ArgumentError(`trainStep: freeze is ${JSON.stringify(freeze)}, which leaves nothing to train`);
  const scaling = lossScaling(options.lossScale);
  const entries: Record<string, StepEntry> = { ...scaling?.entries, ...average?.entries(parameters, model.buffers()) };
  for (const [name, spec] of parameters) {
    const { shape, dtype } = spec;
    for (const [slot, kept] of Object.entries(optimizer.slots(spec, name))) entries[`optimizer/${name}.${slot}`] = kept;
    if (accumulate > 1) entries[`accumulators/${name}`] = { shape, dtype };
  }
  if (accumulate > 1 && scaling) entries[skippedEntry] = { shape: [], dtype: "int32" };
  return { options, parameters, frozen, scaling, accumulate, entries };
}

/** An option that only a function makes. */
export const notMade = (option: string, example: string): ArgumentError =>
  new ArgumentError(`trainStep: ${option} needs a value made by a function: ${example}`);

function frozenEntries(model: Module<never, unknown>, patterns: readonly string[]): Set<Parameter | Buffer> {
  checkPatterns("freeze", patterns);
  const { parameters, buffers } = inventory(model);
  const entries = [...parameters, ...buffers];
  checkUsed(
    "freeze",
    patterns,
    entries.map(([name]) => name),
  );
  const fits = globs(patterns);
  return new Set(entries.flatMap(([name, entry]) => (fits(name) ? [entry] : [])));
}
