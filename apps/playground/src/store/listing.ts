import { computed, signal } from "@preact/signals";
import { Newest } from "../newest.js";
import { listNetworks, onNetworks, renameNetwork, type SavedNetwork } from "./networks.js";
import type { HeldNetwork, SavedSource } from "./source.js";

const listing = new Newest<readonly SavedNetwork[]>();
const listed = computed(() => listing.state.value.value);
const heldNow = signal<readonly HeldNetwork[]>([]);

/** Why the site's storage cannot be read. */
export const storageProblem = computed(() => listing.state.value.error?.message);

/** Networks that can be chosen: first those that are only held in memory, then those in the site's storage. Undefined: not listed yet. */
export const networks = computed((): readonly SavedNetwork[] | undefined => {
  const kept = storageProblem.value === undefined ? listed.value : [];
  // What the storage took of a training before it was full is older.
  return kept && [...heldNow.value.map(({ about }) => about), ...kept.filter(({ id }) => !isHeld(id))];
});

/** Keeps `networks` in step with what all tabs and workers do, until the function that it gives is called. */
export function followNetworks(): () => void {
  const list = (): void => listing.ask(listNetworks);
  list();
  return onNetworks(list);
}

/** Holds a network in memory, as long as the page is open: the site's storage did not take it. */
export function hold(network: HeldNetwork): void {
  heldNow.value = [network, ...heldNow.value.filter(({ about }) => about.id !== network.about.id)];
}

const heldOf = (id: string): HeldNetwork | undefined => heldNow.value.find(({ about }) => about.id === id);

export const isHeld = (id: string): boolean => heldOf(id) !== undefined;

/** Bytes of the file of one that is held. */
export const heldBytes = (id: string): number | undefined => heldOf(id)?.file.size;

export function savedSource(id: string): SavedSource {
  const held = heldOf(id);
  return { kind: "saved", id, ...(held !== undefined && { held }) };
}

/** Gives a network another name, wherever it is. @throws ArgumentError when it is gone; StorageError */
export async function rename(id: string, title: string): Promise<void> {
  const held = heldOf(id);
  if (held === undefined) await renameNetwork(id, title);
  else hold({ ...held, about: { ...held.about, title } });
}

/** Lets one go that is held. */
export function letGo(id: string): void {
  heldNow.value = heldNow.value.filter(({ about }) => about.id !== id);
}
