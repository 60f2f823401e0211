import type { Device, State } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { type TrainStep, type TrainStepOptions, trainStep } from "@ocelli/training";

/** A network, its values and its step, freed together by `using`. */
export interface Trained extends Disposable {
  readonly state: State;
  readonly step: TrainStep;
}

/** Begins with fresh values: one seed gives networks whose parameters have the same names the same values. */
export async function trained<Out>(device: Device, options: TrainStepOptions<Out>): Promise<Trained> {
  const state = await device.init(options.model, { seed: options.seed ?? 0 });
  const step = trainStep(device, state, options);
  return {
    state,
    step,
    [disposeKey]: () => {
      step[disposeKey]();
      state.dispose();
    },
  };
}

/** Several things that `using` frees as one. */
export const together = (things: readonly Disposable[]): Disposable => ({
  [disposeKey]: () => {
    for (const thing of things) thing[disposeKey]();
  },
});
