import type { State, StateDict } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { imageBytes } from "../data/dataset.js";
import { loader } from "../data/loader.js";
import type { LabelledImages } from "../data/source.js";
import { type Evaluation, type Evaluator, evaluator } from "../evaluate.js";
import { averagedValues } from "../step/average.js";
import type { FitOptions } from "./options.js";

/** Evaluates between steps what a run is trained for: the state as it is, or the averages in it. */
export class RunEvaluator<Out> {
  readonly #options: FitOptions<Out>;
  #evaluator: Evaluator | undefined;
  /** Holds the averages where parameters belong. */
  #averaged: State | undefined;

  constructor(options: FitOptions<Out>) {
    this.#options = options;
  }

  /** @param values what the state holds; undefined when the signal cut it short */
  async evaluate(data: LabelledImages, values: StateDict): Promise<Evaluation | undefined> {
    const { device, model, transform, lossPerSample, batchSize, signal } = this.#options;
    const state = await this.#stateOf(values);
    this.#evaluator ??= evaluator(device, state, { model, transform, lossPerSample });
    const batches = loader(data, { batchSize: evaluationBatch(data, batchSize) }).epoch(0);
    try {
      return await this.#evaluator(untilAborted(batches, signal));
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      throw error;
    }
  }

  async #stateOf(values: StateDict): Promise<State> {
    const { device, state, average } = this.#options;
    if (average === undefined) return state;
    const averages = averagedValues(values);
    if (this.#averaged === undefined) this.#averaged = await device.createState(averages);
    else await this.#averaged.write(averages);
    return this.#averaged;
  }

  dispose(): void {
    this.#evaluator?.[disposeKey]();
    this.#averaged?.dispose();
  }
}

const smallImage = 3 * 64 * 64;

/** Small images go by the hundred; of large ones as many as in a step are known to fit. */
function evaluationBatch(data: LabelledImages, batchSize: number): number {
  return imageBytes(data) <= smallImage ? Math.max(batchSize, 100) : batchSize;
}

async function* untilAborted<T>(batches: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> {
  for await (const batch of batches) {
    signal?.throwIfAborted();
    yield batch;
  }
}
