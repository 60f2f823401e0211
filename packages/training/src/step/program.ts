import {
  accuracy,
  add,
  cast,
  equal,
  full,
  gradients,
  logicalNot,
  mul,
  type Spec,
  type Specs,
  select,
  type Tensor,
  type Tensors,
  type Traceable,
} from "@ocelli/core";
import { Context, keySpec, logitsOf } from "@ocelli/layers";
import { gated, type LossGradients, scaledGradients } from "../loss-scale.js";
import type { BatchTensors } from "../transform.js";
import { planStep, type StepOptions, type StepPlan, skippedEntry } from "./plan.js";
import type { StepObserver } from "./statistics.js";

/** Which of a step's programs. */
export interface StepVariant {
  /** Whether the parameters change, or gradients are merely added up. */
  readonly updating: boolean;
  readonly observer?: StepObserver | undefined;
}

/** The step as a traceable program: with `accumulate`, its last batch. Inputs: the batch, `key`, the step's numbers. */
export function trainingProgram<Out>(options: StepOptions<Out>, batch: Specs): Traceable {
  return stepProgram(planStep(options), batch, { updating: true });
}

/** The numbers that the program of step `step` (from 1) takes. */
export function stepNumbers<Out>({ options }: StepPlan<Out>, step: number, lr: number): Record<string, number> {
  const { optimizer, average } = options;
  const scalars = Object.entries(optimizer.scalars(step, lr)).map(([name, value]) => [`scalar:${name}`, value]);
  return { ...Object.fromEntries(scalars), ...(average && { average: average.weight(step) }) };
}

export function stepProgram<Out>(plan: StepPlan<Out>, batch: Specs, variant: StepVariant): Traceable {
  const { model, optimizer } = plan.options;
  const numbers = variant.updating ? Object.keys(stepNumbers(plan, 1, optimizer.lr)) : [];
  const scalar: Spec = { shape: [], dtype: "float32" };
  const kept = Object.entries(plan.entries).map(([name, { shape, dtype }]) => [name, { shape, dtype }]);
  return {
    inputs: { ...batch, key: keySpec, ...Object.fromEntries(numbers.map((name) => [name, scalar])) },
    state: { ...model.stateSpecs(), ...Object.fromEntries(kept) },
    build: (inputs, state) => buildStep(plan, variant, inputs, state),
  };
}

/** A step being built. */
interface Built<Out> {
  readonly plan: StepPlan<Out>;
  readonly inputs: Tensors;
  readonly state: Tensors;
  /** New values of buffers. */
  readonly buffers: Tensors;
  readonly backward: LossGradients;
}

interface Changes {
  readonly updates: Tensors;
  /** Of the step, before clipping. */
  readonly grads: readonly Tensor[];
  readonly reported?: Tensors | undefined;
}

function buildStep<Out>(
  plan: StepPlan<Out>,
  { updating, observer }: StepVariant,
  inputs: Tensors,
  state: Tensors,
): ReturnType<Traceable["build"]> {
  const { model, loss: lossOf, transform, metrics = defaultMetrics<Out>(), recompute } = plan.options;
  const { frozen, scaling } = plan;
  const key = inputs.key as Tensor;
  const ctx = new Context(model, { state, training: true, key, around: recompute, frozen, taps: observer?.tap });
  const given = inputs as BatchTensors;
  const batch = transform === undefined ? given : transform.apply(given, ctx);
  const output = ctx.call(model, batch.images);
  const labels = batch.labels as Tensor;
  const loss = lossOf(output, labels);
  const names = [...plan.parameters.keys()];
  const params = names.map((name) => state[`params/${name}`] as Tensor);
  const backward = scaling ? scaledGradients(scaling, { loss, params, state }) : { grads: gradients(loss, params) };
  const built: Built<Out> = { plan, inputs, state, buffers: ctx.updates, backward };
  const { updates, grads, reported } = updating ? updated(built) : accumulated(built);
  const metered = Object.entries(metrics).map(([name, metric]) => [name, metric(output, labels)]);
  return {
    outputs: {
      loss,
      ...backward.reported,
      ...reported,
      ...Object.fromEntries(metered),
      ...(observer && { statistics: observer.tensor({ names, params, grads, updates }) }),
    },
    updates,
  };
}

/** Adds the gradients to those of the batches before. A batch whose gradients are not finite does not enter, but is counted. */
function accumulated<Out>({ plan, state, buffers, backward: { grads, good } }: Built<Out>): Changes {
  const sums = [...plan.parameters.keys()].map((name, i) => [`accumulators/${name}`, grads[i]] as [string, Tensor]);
  const grown = sums.map(([entry, grad]) => [entry, add(state[entry] as Tensor, grad)]);
  const updates = gated(good, { ...buffers, ...Object.fromEntries(grown) }, state);
  return { updates: good ? { ...updates, [skippedEntry]: skippedSoFar(good, state) } : updates, grads };
}

/** Batches of the unfinished step whose gradients are not finite, this one among them: int32 `[]`. */
const skippedSoFar = (good: Tensor, state: Tensors): Tensor =>
  add(state[skippedEntry] as Tensor, cast(logicalNot(good), "int32"));

/** The mean of the gradients of all the step's batches, whether all of them are finite, and what becomes of the sums. */
function meanGradients<Out>({ plan, state, backward: { grads, good } }: Built<Out>): LossGradients & Changes {
  const { accumulate, parameters, entries } = plan;
  const sums = [...parameters.keys()].map((name) => state[`accumulators/${name}`] as Tensor);
  const emptied = Object.entries(entries)
    .filter(([name]) => name.startsWith("accumulators/") || name === skippedEntry)
    .map(([name, { shape, dtype }]) => [name, full(shape, 0, dtype)]);
  const all = good && equal(skippedSoFar(good, state), 0);
  return {
    grads: sums.map((sum, i) => mul(add(sum, grads[i] as Tensor), 1 / accumulate)),
    ...(all && { good: all, reported: { skipped: select(all, 0, 1) } }),
    updates: Object.fromEntries(emptied),
  };
}

/** New parameters, and of all that follows them. With a loss scale, only if the gradients of all the step's batches are finite. */
function updated<Out>(built: Built<Out>): Changes {
  const { plan, inputs, state, buffers, backward } = built;
  const whole: LossGradients & Partial<Changes> = plan.accumulate > 1 ? meanGradients(built) : backward;
  const { grads, good } = whole;
  const clipped = plan.options.clip?.apply(grads);
  const trained = optimized(plan, { grads: clipped?.grads ?? grads, inputs, state });
  const averages = averaged(plan, { ...buffers, ...trained }, inputs, state);
  return {
    grads,
    reported: { ...whole.reported, ...clipped?.reported },
    updates: {
      ...gated(backward.good, buffers, state),
      ...gated(good, { ...trained, ...averages }, state),
      ...whole.updates,
      ...plan.scaling?.next(good as Tensor, state),
    },
  };
}

/** New values of parameters and slots. */
function optimized<Out>(
  { options: { optimizer }, parameters }: StepPlan<Out>,
  { grads, inputs, state }: { readonly grads: readonly Tensor[]; readonly inputs: Tensors; readonly state: Tensors },
): Tensors {
  const updates: Record<string, Tensor> = {};
  const scalars = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, tensor]) => (name.startsWith("scalar:") ? [[name.slice(7), tensor]] : [])),
  );
  for (const [i, [name, spec]] of [...parameters].entries()) {
    const param = state[`params/${name}`] as Tensor;
    const slotNames = Object.keys(optimizer.slots(spec, name));
    const slots = Object.fromEntries(slotNames.map((slot) => [slot, state[`optimizer/${name}.${slot}`] as Tensor]));
    const next = optimizer.update({ name, param, grad: grads[i] as Tensor, slots, scalars });
    updates[`params/${name}`] = next.param;
    for (const slot of slotNames) updates[`optimizer/${name}.${slot}`] = next.slots[slot] as Tensor;
  }
  return updates;
}

/** New averages, of what `updates` makes of the state. */
function averaged<Out>(
  { options, entries }: StepPlan<Out>,
  updates: Tensors,
  inputs: Tensors,
  state: Tensors,
): Tensors {
  const averages: Record<string, Tensor> = {};
  for (const [name, { from }] of Object.entries(entries)) {
    if (from === undefined || options.average === undefined) continue;
    const value = (updates[from] ?? state[from]) as Tensor;
    averages[name] = options.average.blend(state[name] as Tensor, value, inputs.average as Tensor);
  }
  return averages;
}

function defaultMetrics<Out>(): Readonly<Record<string, (output: Out, labels: Tensor) => Tensor>> {
  return { accuracy: (output, labels) => accuracy(logitsOf(output), labels) };
}
