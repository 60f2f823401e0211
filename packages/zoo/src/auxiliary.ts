import { ArgumentError, add, crossEntropyPerSample, mul, Tensor } from "@ocelli/core";
import type { AuxiliaryOutput, ModelOutput } from "./entry.js";

/** How much each auxiliary classifier weighs in the loss, by its name in the output: `{ aux1: 0.3, aux2: 0.3 }`. */
export type AuxiliaryWeights = Readonly<Partial<Record<Exclude<keyof AuxiliaryOutput, "logits">, number>>>;

/**
 * The loss of a network with auxiliary classifiers: from its output and labels int32 `[N]` the cross-entropy of each sample `[N]`, in
 * training with the auxiliary classifiers' own, weighted. In evaluation, where the output is the logits alone, plain cross-entropy.
 * @throws ArgumentError when the output lacks a classifier that has a weight
 */
export function auxiliaryLoss(weights: AuxiliaryWeights): (output: ModelOutput, labels: Tensor) => Tensor {
  const weighed = Object.entries(weights) as [keyof AuxiliaryWeights, number][];
  return (output, labels) => {
    if (output instanceof Tensor) return crossEntropyPerSample(output, labels);
    return weighed.reduce(
      (loss, [name, weight]) => {
        const logits = output[name];
        if (logits === undefined) {
          const names = Object.keys(output).join(", ");
          throw new ArgumentError(`auxiliaryLoss: the output has ${names}; the weights need ${name}`, { name });
        }
        return add(loss, mul(weight, crossEntropyPerSample(logits, labels)));
      },
      crossEntropyPerSample(output.logits, labels),
    );
  };
}
