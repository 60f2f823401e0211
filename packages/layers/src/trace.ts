import { ArgumentError, input, type Spec, type Specs, Tensor, type Tensors, type Traceable } from "@ocelli/core";
import { Context, type ContextOptions } from "./context.js";
import type { Module } from "./module.js";

/** Spec of a random key. */
export const keySpec: Spec = { shape: [2], dtype: "uint32" };

/** A model's pass, built. */
export interface ModelTrace<Out> {
  readonly output: Out;
  /** New values of buffers, by qualified name. */
  readonly updates: Tensors;
}

/**
 * Builds one pass of a model. State that is not given becomes inputs `state:params/...`, and a key that training lacks the input
 * `key`: shapes, costs and summaries need no more.
 */
export function traceModule<In, Out>(
  model: Module<In, Out>,
  x: NoInfer<In>,
  { state, training = false, key, taps, around, frozen }: Partial<ContextOptions> = {},
): ModelTrace<Out> {
  const ctx = new Context(model, {
    state: state ?? stateInputs(model.stateSpecs()),
    training,
    key: key ?? (training ? input("key", keySpec) : undefined),
    taps,
    around,
    frozen,
  });
  const output = ctx.call(model, x);
  return { output, updates: ctx.updates };
}

const stateInputs = (specs: Specs): Tensors =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, input(`state:${name}`, spec)]));

export interface ModelProgramOptions<In> {
  /** Default false. In training the program has the further input `key` (uint32 `[2]`), and updates the buffers. */
  readonly training?: boolean;
  /** Makes what the model takes from the program's inputs: to cast and normalise images on the device, say. */
  readonly transform?: (inputs: Tensors) => In;
  readonly taps?: ContextOptions["taps"];
}

/**
 * A model as a program for `device.compile`. Outputs: `logits`, or the model's own names when it returns several.
 *
 * @param inputs one spec, which becomes the input `input`; or named specs, which the model is handed as a record
 * @throws ArgumentError when the model returns neither a tensor nor a record of tensors, or an input has the name `key` in training
 */
export function modelProgram<In, Out>(
  model: Module<In, Out>,
  inputs: Spec | Specs,
  { training = false, transform, taps }: ModelProgramOptions<NoInfer<In>> = {},
): Traceable {
  const single = isSpec(inputs);
  const named: Specs = single ? { input: inputs } : inputs;
  if (training && named.key !== undefined)
    throw new ArgumentError('modelProgram: an input has the name "key", which is the random key\'s');
  return {
    inputs: training ? { ...named, key: keySpec } : named,
    state: model.stateSpecs(),
    build: ({ key, ...given }, state) => {
      const values: Tensors = training || key === undefined ? given : { key, ...given };
      const x = transform ? transform(values) : ((single ? values.input : values) as In);
      const { output, updates } = traceModule(model, x, { state, training, key: training ? key : undefined, taps });
      return { outputs: namedOutputs(output), updates };
    },
  };
}

function isSpec(inputs: Spec | Specs): inputs is Spec {
  return Array.isArray(inputs.shape);
}

/** A model's output as a record: `logits` when it is one tensor. @throws ArgumentError for anything but tensors */
export function namedOutputs(output: unknown): Tensors {
  if (output instanceof Tensor) return { logits: output };
  const entries = typeof output === "object" && output !== null ? Object.entries(output) : [];
  const given = entries.filter(([, value]) => value !== undefined && value !== null);
  const wrong = given.find(([, value]) => !(value instanceof Tensor));
  if (given.length === 0 || wrong !== undefined) {
    const what = wrong === undefined ? String(output) : `a record whose ${wrong[0]} is no tensor`;
    throw new ArgumentError(`modelProgram: the model returned ${what}; it needs a tensor or a record of tensors`);
  }
  return Object.fromEntries(given as [string, Tensor][]);
}

/** The logits of a model's output: the output itself, or its `logits`. */
export function logitsOf(output: unknown): Tensor {
  return ((output as { readonly logits?: Tensor }).logits ?? output) as Tensor;
}
