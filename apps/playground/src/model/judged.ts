import type { StateDict } from "@ocelli/core";
import { averagedValues } from "@ocelli/training";

/** Parameters and buffers; of a training with averages those, by which its epochs were judged. */
export function judged(values: StateDict): StateDict {
  const { params = {}, buffers = {} } = values.ema === undefined ? values : averagedValues(values);
  return { params, buffers };
}
