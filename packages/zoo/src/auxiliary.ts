import { ArgumentError, add, crossEntropyPerSample, mul, Tensor } from "@ocelli/core";
import { logitsOf } from "@ocelli/layers";
import type { AuxiliaryOutput, ModelOutput, PerSampleLoss } from "./entry.js";

/** How much each auxiliary classifier weighs in the loss, by its name in the output: `{ aux1: 0.3, aux2: 0.3 }`. */
export type AuxiliaryWeights = Readonly<Partial<Record<Exclude<keyof AuxiliaryOutput, "logits">, number>>>;

/** Loss of each sample `[N]` from a model's output; `base` takes the place of the model's own. */
type OutputLoss = (output: ModelOutput, labels: Tensor, base?: PerSampleLoss) => Tensor;

/** The loss of a network with one classifier: `own`, unless another is given with the output. */
export function ownLoss(own: PerSampleLoss): OutputLoss {
  return (output, labels, base = own) => base(logitsOf(output), labels);
}

/**
 * The loss of a network with auxiliary classifiers: from its output and the labels the cross-entropy (or another loss, `base`) of each
 * sample `[N]`, in training with the auxiliary classifiers' own, weighted. In evaluation, where the output is the logits alone, theirs.
 * @throws ArgumentError when the output lacks a classifier that has a weight
 */
export function auxiliaryLoss(weights: AuxiliaryWeights): OutputLoss {
  const weighed = Object.entries(weights) as [keyof AuxiliaryWeights, number][];
  return (output, labels, base = crossEntropyPerSample) => {
    if (output instanceof Tensor) return base(output, labels);
    return weighed.reduce(
      (loss, [name, weight]) => {
        const logits = output[name];
        if (logits === undefined) {
          const names = Object.keys(output).join(", ");
          throw new ArgumentError(`auxiliaryLoss: the output has ${names}; the weights need ${name}`, { name });
        }
        return add(loss, mul(weight, base(logits, labels)));
      },
      base(output.logits, labels),
    );
  };
}
