import {
  ArgumentError,
  type Device,
  type HostTensor,
  type State,
  type StateDict,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { predictor } from "../predictor.js";
import type { Viewing } from "./output.js";

/** A network of an ensemble, with its values: on the host, or a live state (read once). */
export interface Member<Out extends Tensor | { readonly logits: Tensor } = Tensor> extends Viewing<Out> {
  readonly values: State | StateDict;
}

/** Images `[N, C, H, W]` -> class probabilities `[N, classes]`. */
export interface Ensemble extends Disposable {
  (images: HostTensor): Promise<HostTensor>;
}

/**
 * Several networks, or checkpoints of one, that predict together: the mean of their class probabilities (Krizhevsky et al. 2012 average
 * up to seven). Each member has its own transform and views; all are given the same images.
 * @throws ArgumentError without members, and, when images come, for members with different numbers of classes
 */
export async function ensemble<Out extends Tensor | { readonly logits: Tensor } = Tensor>(
  device: Device,
  members: readonly Member<Out>[],
): Promise<Ensemble> {
  if (!Array.isArray(members) || members.length === 0)
    throw new ArgumentError("ensemble: there are no members; it needs an array of { values, model, transform }");
  const predictors = await Promise.all(members.map(({ values, ...viewing }) => predictor(device, values, viewing)));
  const predict = async (images: HostTensor): Promise<HostTensor> => {
    const all: HostTensor[] = [];
    // One after another: members that ran at once would only share the processor.
    for (const member of predictors) all.push(await member(images));
    return meanProbabilities(all);
  };
  const dispose = (): void => {
    for (const member of predictors) member[disposeKey]();
  };
  return Object.assign(predict, { [disposeKey]: dispose });
}

/** The mean of class probabilities `[N, classes]` that several networks gave. @throws ArgumentError when their shapes differ */
export function meanProbabilities(all: readonly HostTensor[]): HostTensor {
  const [first] = all;
  if (first === undefined) throw new ArgumentError("meanProbabilities: there are no probabilities");
  const sums = new Float64Array(first.data.length);
  for (const one of all) {
    if (one.shape.join() !== first.shape.join()) {
      throw new ArgumentError(
        `ensemble: the members give probabilities of [${first.shape.join(", ")}] and [${one.shape.join(", ")}]; they need the same classes`,
      );
    }
    for (const [i, value] of toNumbers(one).entries()) sums[i] = (sums[i] as number) + value;
  }
  return { dtype: "float32", shape: first.shape, data: Float32Array.from(sums, (sum) => sum / all.length) };
}
