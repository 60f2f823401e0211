import { crossEntropy, type Shape, type Traceable } from "@ocelli/core";
import type { Module } from "@ocelli/layers";
import { sgd, trainingProgram } from "@ocelli/training";
import { createModel } from "@ocelli/zoo";

/** A training step of a model of the zoo: SGD with momentum and weight decay. */
export function training(name: "lenet5_modern" | "resnet20_cifar", images: Shape): Traceable {
  const model = createModel(name) as Module;
  const optimizer = sgd({ lr: 0.1, momentum: 0.9, weightDecay: 1e-4 });
  const batch = {
    images: { shape: images, dtype: "float32" as const },
    labels: { shape: [images[0] as number], dtype: "int32" as const },
  };
  return trainingProgram({ model, optimizer, loss: crossEntropy, metrics: {} }, batch);
}
