import { computed, signal } from "@preact/signals";
import type { ModelSpec } from "../../model/spec.js";
import { currentModel, currentNetwork } from "../../state.js";
import { networks, savedSource } from "../../store/listing.js";
import type { SavedNetwork } from "../../store/networks.js";
import { builtInSource, type NetworkSource } from "../../store/source.js";

/** What was chosen where no kept network is: the network that the site brings along, or the architecture that all pages share. */
export const otherwise = signal<"digits" | "random">("digits");

const builtIn = builtInSource();

/** The network that is taken away. */
export const source = computed<NetworkSource>(() => {
  const id = currentNetwork.value;
  if (id !== undefined) return savedSource(id);
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
  networks.value?.find(({ id }) => id === currentNetwork.value),
);

export const takeModel = (spec: ModelSpec): void => {
  currentModel.value = spec;
};
