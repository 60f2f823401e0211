import {
  crossEntropy,
  type Device,
  gradients,
  type Handle,
  hostTensor,
  item,
  randomKey,
  type State,
  Tensor,
  type Tensors,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { Context, keySpec, type Module, type TapRecord } from "@ocelli/layers";
import type { BatchTensors, HostBatch, Transform } from "@ocelli/training";

/** A layer's output for a batch, and the gradient of the loss by it: all values. */
export interface Watched {
  readonly activations: Float64Array;
  readonly gradients: Float64Array;
}

/** Looks into a network at work: the layers' values on one batch, as training computes them, and nothing is changed. */
interface Watch extends Disposable {
  (state: State): Promise<{ readonly loss: number; readonly layers: readonly Watched[] }>;
}

interface Subject {
  readonly model: Module<Tensor>;
  /** Paths of the modules whose outputs are looked at. */
  readonly paths: readonly string[];
  readonly transform: Transform;
  readonly batch: HostBatch;
}

export async function watch(device: Device, subject: Subject): Promise<Watch> {
  const { images, labels } = subject.batch;
  const program = await device.compile(watchProgram(subject));
  const key = hostTensor(Uint32Array.from(randomKey(0)));
  const look = async (state: State) => {
    const handles = await program.run({ images, labels, key }, state);
    const read = async (name: string): Promise<Float64Array> => toNumbers(await (handles[name] as Handle).read());
    const layers: Watched[] = [];
    for (const path of subject.paths)
      layers.push({ activations: await read(`activations ${path}`), gradients: await read(`gradients ${path}`) });
    return { loss: item(await (handles.loss as Handle).read()), layers };
  };
  return Object.assign(look, { [disposeKey]: () => program[disposeKey]() });
}

function watchProgram({ model, paths, transform, batch }: Subject): Parameters<Device["compile"]>[0] {
  const { images, labels } = batch;
  return {
    inputs: { images, labels, key: keySpec },
    state: model.stateSpecs(),
    build: ({ key, ...given }, state) => {
      const outputs = new Map<string, Tensor>();
      const taps = ({ path, output }: TapRecord): void => {
        if (paths.includes(path) && output instanceof Tensor) outputs.set(path, output);
      };
      const ctx = new Context(model, { state, training: true, key: key as Tensor, taps });
      const { images, labels } = transform.apply(given as BatchTensors, ctx);
      const loss = crossEntropy(ctx.call(model, images), labels as Tensor);
      const grads = gradients(loss, [...outputs.values()]);
      return {
        outputs: {
          loss,
          ...named("activations", outputs.keys(), [...outputs.values()]),
          ...named("gradients", outputs.keys(), grads),
        },
      };
    },
  };
}

const named = (what: string, paths: Iterable<string>, tensors: readonly Tensor[]): Tensors =>
  Object.fromEntries([...paths].map((path, i) => [`${what} ${path}`, tensors[i] as Tensor]));
