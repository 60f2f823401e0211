import * as Comlink from "comlink";
import { breakdownOf } from "../breakdown.js";
import type { TryApi } from "./api.js";

export interface TryClient {
  readonly api: Comlink.Remote<TryApi>;
  readonly end: () => void;
}

/** A worker of its own: whoever made it ends it. */
export function startWorker(onCrash: (message: string) => void): TryClient {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "try" });
  breakdownOf(worker).catch(({ message }: Error) => onCrash(message));
  return { api: Comlink.wrap<TryApi>(worker), end: () => worker.terminate() };
}
