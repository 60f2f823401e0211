import {
  ArgumentError,
  type Device,
  flattenState,
  type Handle,
  type HostTensor,
  hostTensor,
  type Program,
  randomKey,
  type Spec,
  type State,
  sizeOf,
  type Tensor,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { release } from "./release.js";
import { notMade, planStep, type StepOptions, type StepPlan } from "./step/plan.js";
import { stepNumbers, stepProgram } from "./step/program.js";
import type { StatisticsHandle, StepObserver, StepStatistics } from "./step/statistics.js";

/** What a step needs of a batch (a loader's `Batch` fits). */
export interface HostBatch {
  /** What the transform takes: uint8 `[N, C, H, W]` as a rule. */
  readonly images: HostTensor;
  /** int32 `[N]` */
  readonly labels: HostTensor;
}

export interface TrainStepOptions<Out = Tensor> extends StepOptions<Out> {
  /** Names all random numbers of the run; batch k under seed s always draws the same. */
  readonly seed?: number;
  /** Batches already taken (a resumed run). */
  readonly startStep?: number;
}

/**
 * Handles of the loss and the metrics of one step. With loss scaling also `skipped` (1 if a gradient was not finite, else 0; of the call that
 * changes parameters, whether it left them), and
 * `lossScale` (what the step was scaled by) if the scale is dynamic. The loss is the unscaled one. With `clipNorm` also `gradientNorm`,
 * in calls that change parameters.
 */
export type StepResult = Readonly<Record<string, Handle>> & {
  readonly loss: Handle;
  /** Of calls that ask for them. */
  readonly statistics?: StatisticsHandle;
};

export interface StepCallOptions {
  /** Overrides the optimizer's. */
  readonly lr?: number | undefined;
  /** Measures this step, in a program of its own: `stepStatistics()`. */
  readonly statistics?: StepStatistics | undefined;
}

/** Its programs are kept until it is disposed. */
export interface TrainStep extends Disposable {
  /**
   * Queues one step; resolves when it is queued (at most two are in flight). With `accumulate`, every so many calls make a step.
   * @throws ArgumentError for a batch without images or labels, or a learning rate that is none; StateError when the state is not the model's
   */
  (batch: HostBatch, options?: StepCallOptions): Promise<StepResult>;
  /** Batches taken. */
  readonly count: number;
  /** The compiled program that the next call would run, for batches like this one. */
  program(batch: HostBatch): Promise<Program>;
}

interface Compiled {
  readonly program: Promise<Program>;
  readonly observer: StepObserver | undefined;
}

/**
 * The whole training step as one program: transform, forward, loss, backward, update, new batch-norm statistics. Traced once for each
 * shape of batch. What the step keeps besides the model (the optimizer's slots, a dynamic loss scale, accumulators, averages) is added to
 * `state` before the first step, unless a checkpoint brought it.
 * @throws ArgumentError for options that make no step
 */
export function trainStep<Out = Tensor>(device: Device, state: State, options: TrainStepOptions<Out>): TrainStep {
  const plan = planStep(options);
  const { accumulate } = plan;
  const { optimizer, seed = 0 } = options;
  const programs = new Map<string, Compiled>();
  let count = options.startStep ?? 0;
  if (!Number.isSafeInteger(count) || count < 0)
    throw new ArgumentError(`trainStep: startStep is ${count}; it needs an integer >= 0`);
  let ready: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const isLast = (): boolean => (count + 1) % accumulate === 0;

  const compiled = (batch: HostBatch, statistics?: StepStatistics): Compiled => {
    if (statistics !== undefined && statistics?.key === undefined) throw notMade("statistics", "stepStatistics()");
    const updating = isLast();
    const specs = specsOf(batch);
    const key = JSON.stringify([specs, updating, statistics?.key]);
    let found = programs.get(key);
    if (found === undefined) {
      const observer = statistics?.observe();
      found = { program: device.compile(stepProgram(plan, specs, { updating, observer })), observer };
      programs.set(key, found);
      found.program.catch(() => programs.delete(key));
    }
    return found;
  };

  const take = async (given: HostBatch, { lr = optimizer.lr, statistics }: StepCallOptions): Promise<StepResult> => {
    const batch = checkedBatch(given);
    if (!(Number.isFinite(lr) && lr >= 0))
      throw new ArgumentError(`trainStep: lr is ${lr}; it needs a finite number >= 0`, { lr });
    ready ??= addMissing(state, plan);
    await ready;
    const { program, observer } = compiled(batch, statistics);
    const run = await program;
    const numbers = isLast() ? stepNumbers(plan, Math.floor(count / accumulate) + 1, lr) : {};
    const scalars = Object.entries(numbers).map(([name, value]) => [name, hostTensor([value], [])]);
    const key = hostTensor(Uint32Array.from(randomKey(seed, count++)));
    const handles = await run.run({ ...batch, key, ...Object.fromEntries(scalars) }, state);
    const named = observer && { statistics: observer.named(handles.statistics as Handle) };
    return { ...handles, ...named } as StepResult;
  };

  const step = (batch: HostBatch, given: StepCallOptions = {}): Promise<StepResult> => {
    // In the order of the calls, also where one of them has to wait for its program.
    const result = last.then(() => take(batch, given));
    last = result.catch(() => undefined);
    return result;
  };

  const program = (batch: HostBatch): Promise<Program> => compiled(batch).program;
  const dispose = (): void => release([...programs.values()].map((made) => made.program));
  return Object.defineProperty(Object.assign(step, { program, count, [disposeKey]: dispose }), "count", {
    get: () => count,
  });
}

function specsOf({ images, labels }: HostBatch): Record<string, Spec> {
  const spec = ({ dtype, shape }: HostTensor): Spec => ({ dtype, shape });
  return { images: spec(images), labels: spec(labels) };
}

/** The two tensors alone: a loader's batch carries more. */
function checkedBatch({ images, labels }: HostBatch): { images: HostTensor; labels: HostTensor } {
  if (images === undefined || labels === undefined) {
    throw new ArgumentError("trainStep: the batch lacks images or labels; it needs both as host tensors");
  }
  return { images, labels };
}

/** An optimizer's slots of one parameter come together: those of another optimizer are no reason to begin afresh. */
const partOf = (name: string): string => (name.startsWith("optimizer/") ? name.slice(0, name.lastIndexOf(".")) : name);

/** Adds what a step needs and the state has not got. */
async function addMissing<Out>(state: State, { entries }: StepPlan<Out>): Promise<void> {
  const known = new Set([...state.specs.keys()].map(partOf));
  const missing = Object.entries(entries).filter(([name]) => !known.has(partOf(name)));
  // Averages begin as what they are averages of.
  const begun = missing.some(([, { from }]) => from)
    ? flattenState(await state.read(["params", "buffers"]))
    : undefined;
  const fresh: Record<string, Record<string, HostTensor>> = {};
  for (const [qualified, { shape, dtype, initial = 0, from = "" }] of missing) {
    const at = qualified.indexOf("/");
    const collection = qualified.slice(0, at);
    fresh[collection] ??= {};
    fresh[collection][qualified.slice(at + 1)] =
      begun?.get(from) ?? hostTensor(new Float32Array(sizeOf(shape)).fill(initial), shape, dtype);
  }
  if (missing.length > 0) await state.write(fresh);
}
