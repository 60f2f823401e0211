import { computed, signal } from "@preact/signals";
import type { ModelSpec } from "../../model/spec.js";
import { currentModel, currentNetwork } from "../../state.js";
import { listNetworks, type SavedNetwork } from "../../store/networks.js";
import { builtInSource, type NetworkSource } from "../../store/source.js";

/** What is kept in the browser; undefined: not listed yet. */
export const saved = signal<readonly SavedNetwork[] | undefined>(undefined);

/** Why nothing can be kept, or nothing of it listed. */
export const storageProblem = signal<string | undefined>(undefined);

/** Goes up whenever what is kept has changed. */
export const changes = signal(0);

export async function refresh(): Promise<void> {
  try {
    saved.value = await listNetworks();
    storageProblem.value = undefined;
  } catch (error) {
    saved.value = [];
    storageProblem.value = (error as Error).message;
  }
  changes.value++;
}

/** What was chosen where no kept network is: the network that the site brings along, or the architecture that all pages share. */
export const otherwise = signal<"digits" | "random">("digits");

const builtIn = builtInSource();

/** The network that is taken away. */
export const source = computed<NetworkSource>(() => {
  const id = currentNetwork.value;
  if (id !== undefined) return { kind: "saved", id };
  return otherwise.value === "digits" ? builtIn : { kind: "random", spec: currentModel.value };
});

/** Tells sources apart. */
export const sourceKey = computed(() => JSON.stringify(source.value));

export function choose(name: string): void {
  const other = name === "digits" || name === "random";
  currentNetwork.value = other ? undefined : name;
  if (other) otherwise.value = name;
}

/** The network that is chosen, if it is a kept one. */
export const chosen = computed<SavedNetwork | undefined>(() =>
  saved.value?.find(({ id }) => id === currentNetwork.value),
);

export const takeModel = (spec: ModelSpec): void => {
  currentModel.value = spec;
};
