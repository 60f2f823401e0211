import { signal } from "@preact/signals";
import * as Comlink from "comlink";
import type { TrainApi, TrainEvent } from "./api.js";

const listeners = new Set<(event: TrainEvent) => void>();
/** Why the worker answers nothing, or not all, any more. */
export const broken = signal<string | undefined>(undefined);

let remote: Comlink.Remote<TrainApi> | undefined;

/** The site's training worker, made when it is first asked for: pages come and go, and it goes on. */
export function trainer(): Comlink.Remote<TrainApi> {
  if (remote !== undefined) return remote;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "train" });
  worker.addEventListener("error", ({ message }) => {
    broken.value = `The program that trains broke down: ${message || "it could not be loaded, or lacks memory"}. Reload the page; what was saved is kept.`;
  });
  const made = Comlink.wrap<TrainApi>(worker);
  remote = made;
  const tell = (event: TrainEvent): void => {
    for (const listener of listeners) listener(event);
  };
  void made.listen(Comlink.proxy(tell));
  return made;
}

/** Told whatever happens until the function that it gives is called. */
export function onTrain(listener: (event: TrainEvent) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
