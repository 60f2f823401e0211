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
  Tensor,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, logitsOf } from "@ocelli/layers";
import { outputOf, type Viewing } from "./evaluation/output.js";
import { release } from "./release.js";

/** What a model with classes returns. */
type WithLogits = Tensor | { readonly logits: Tensor };

export interface PredictorOptions<Out extends WithLogits = Tensor> extends Viewing<Out> {
  /** What to hand back. Default: class probabilities from the logits. With `views` the logits are the logarithm of the mean probabilities. */
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
 * @throws ArgumentError, when images come, for a model without logits and for images that are no host tensor
 */
export async function predictor<Out extends WithLogits = Tensor>(
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
    checkImages(images);
    const handles = await (await program(images)).run({ images });
    return (handles.output as Handle).read();
  };
  const dispose = (): void => {
    disposed = true;
    release(programs.values());
    programs.clear();
  };
  return Object.assign(predict, { program, [disposeKey]: dispose });
}

/** For those who write JavaScript: pixels without a shape would fail deep inside. */
function checkImages(images: unknown): void {
  const { shape, data } = (images ?? {}) as Partial<HostTensor>;
  if (Array.isArray(shape) && data !== undefined) return;
  const what = images === null || images === undefined ? images : `a ${images.constructor?.name ?? "record"}`;
  throw new ArgumentError(`predictor: the images are ${what}; it needs a host tensor, hostTensor(data, [N, C, H, W])`);
}

/** @throws ArgumentError for an output without logits */
function checkedLogits(output: unknown): Tensor {
  const logits = logitsOf(output ?? {});
  if (logits instanceof Tensor) return logits;
  const names = typeof output === "object" ? Object.keys(output ?? {}) : [];
  const what = names.length > 0 ? `a record of ${names.join(", ")}` : String(output);
  throw new ArgumentError(
    `predictor: the model returned ${what}; it needs logits, as a tensor or in a record. device.compile(modelProgram(model, spec)) runs models with other outputs`,
    { names },
  );
}

function predictionProgram<Out extends WithLogits>(
  options: PredictorOptions<Out>,
  images: Spec,
): Parameters<Device["compile"]>[0] {
  const { model, output = "probabilities" } = options;
  return {
    inputs: { images },
    state: model.stateSpecs(),
    build: (inputs, state) => {
      const ctx = new Context(model, { state, training: false });
      const logits = checkedLogits(outputOf(options, inputs.images as Tensor, ctx));
      return { outputs: { output: output === "logits" ? logits : softmax(logits) } };
    },
  };
}
