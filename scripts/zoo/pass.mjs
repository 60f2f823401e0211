// A training pass of a zoo model: its loss and the gradients of all parameters.
import { gradients, mean } from "@ocelli/core";
import { traceModule } from "@ocelli/layers";
import { lossPerSampleOf } from "@ocelli/zoo";

/** Builds the pass. `updates` are the new statistics of batch-norm. */
export function trainingPass(model, entry, { images, labels, key }, state) {
  const { output, updates } = traceModule(model, images, { state, training: true, key });
  const loss = mean(lossPerSampleOf(entry)(output, labels));
  const names = [...model.parameters().keys()];
  const found = gradients(
    loss,
    names.map((name) => state[`params/${name}`]),
  );
  return { loss, grads: names.map((name, i) => [name, found[i]]), updates };
}
