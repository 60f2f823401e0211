import {
  ArgumentError,
  type Device,
  flattenState,
  type Handle,
  type HostTensor,
  type Program,
  type Spec,
  type State,
  type StateDict,
  softmax,
  type Tensor,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, logitsOf, type Module } from "@ocelli/layers";
import type { BatchTensors, Transform } from "./transform.js";

export interface PredictorOptions<Out = Tensor> {
  readonly model: Module<Tensor, Out>;
  readonly transform?: Transform | undefined;
  /** What to hand back. Default: class probabilities from the logits. */
  readonly output?: "probabilities" | "logits";
}

/** Images `[N, C, H, W]` (what the transform takes; uint8 with the usual one) -> `[N, classes]`. One program a shape. */
export interface Predictor extends Disposable {
  (images: HostTensor): Promise<HostTensor>;
  program(images: Spec): Promise<Program>;
}

/**
 * Freezes a copy of the state into inference programs, so that a device may fuse and repack it. Later training does not change it.
 * @param state values on the host, or a live state (read once)
 */
export async function predictor<Out = Tensor>(
  device: Device,
  state: State | StateDict,
  options: PredictorOptions<Out>,
): Promise<Predictor> {
  const values = "specs" in state ? await (state as State).read(["params", "buffers"]) : (state as StateDict);
  const frozen = Object.fromEntries(flattenState(values));
  const programs = new Map<string, Promise<Program>>();
  let disposed = false;
  const program = ({ shape, dtype }: Spec): Promise<Program> => {
    if (disposed) throw new ArgumentError("predictor: it was disposed");
    const key = `${dtype}[${shape.join()}]`;
    const found = programs.get(key) ?? device.compile(predictionProgram(options, { shape, dtype }), { frozen });
    programs.set(key, found);
    return found;
  };
  const predict = async (images: HostTensor): Promise<HostTensor> => {
    const handles = await (await program(images)).run({ images });
    return (handles.output as Handle).read();
  };
  const dispose = (): void => {
    disposed = true;
    for (const compiled of programs.values()) void compiled.then((done) => done[disposeKey]());
    programs.clear();
  };
  return Object.assign(predict, { program, [disposeKey]: dispose });
}

function predictionProgram<Out>(
  { model, transform, output = "probabilities" }: PredictorOptions<Out>,
  images: Spec,
): Parameters<Device["compile"]>[0] {
  return {
    inputs: { images },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const ctx = new Context(model, { state, training: false });
      const batch = transform === undefined ? (inputs as BatchTensors) : transform.apply(inputs as BatchTensors, ctx);
      const logits = logitsOf(ctx.call(model, batch.images));
      return { outputs: { output: output === "logits" ? logits : softmax(logits) } };
    },
  };
}
