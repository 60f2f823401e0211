import type { HostTensor } from "@ocelli/core";
import { readSafetensors, toHostTensor } from "@ocelli/formats";
import type { NetworkCard } from "../model/card.js";
import type { ModelSpec } from "../model/spec.js";
import type { SavedNetwork } from "./networks.js";

/** A network that the site's storage did not take: it lives as long as its page. */
export interface HeldNetwork {
  readonly about: SavedNetwork;
  /** A safetensors file, as `encodeNetwork` writes it: workers hand such a thing on without copying. */
  readonly file: Blob;
}

/** Where a network's values come from. */
export type NetworkSource =
  /** The one that the site brings along; the address of its file. */
  | { readonly kind: "digits"; readonly url: string }
  /** In the site's storage: see `networks.ts`; or not there but `held` by the page. */
  | { readonly kind: "saved"; readonly id: string; readonly held?: HeldNetwork }
  /** Values by chance, as before a training. */
  | { readonly kind: "random"; readonly spec: ModelSpec };

/** One that is kept or held. */
export type SavedSource = Extract<NetworkSource, { readonly kind: "saved" }>;

/** The network that the site brings along. Pages ask: workers do not know where the site begins. */
export const builtInSource = (): NetworkSource => ({
  kind: "digits",
  url: new URL("networks/digits.safetensors", document.baseURI).href,
});

/** What the file of that network says of it, in its metadata under `network`. */
export interface BuiltInNetwork extends NetworkCard {
  /** Of 10,000 digits as the built-in data have them, which it was not trained on: 0 to 1. */
  readonly accuracy: number;
  /** Of MNIST's test set, of which it has seen nothing: 0 to 1. */
  readonly mnistAccuracy: number;
}

/** What lies in that file. @throws FormatError; Error where the file is missing */
export async function readBuiltIn(url: string): Promise<{
  readonly about: BuiltInNetwork;
  readonly values: Readonly<Record<string, HostTensor>>;
}> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url}: the site answers ${response.status}. Reload the page, or choose another network.`);
  const name = "the network that the site brings along";
  const { tensors, metadata } = readSafetensors(new Uint8Array(await response.arrayBuffer()), { name });
  const values = Object.fromEntries(
    [...tensors].map(([key, tensor]) => [key, toHostTensor(tensor, `${name}: ${key}`)]),
  );
  return { about: JSON.parse(metadata.network as string) as BuiltInNetwork, values };
}
