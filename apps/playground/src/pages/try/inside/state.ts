import type { LayerOutput } from "@ocelli/inspect/explain";
import { signal } from "@preact/signals";
import type { LoadedNetwork } from "../../../workers/try/api.js";

export type Method = "maps" | "saliency" | "guided" | "grad-cam" | "occlusion" | "deconvolution";

export const method = signal<Method>("maps");
/** The class that is explained; undefined: the one that the network names. */
export const explained = signal<number | undefined>(undefined);
/** The layer that is looked at, of maps and deconvolution alike, and that of Grad-CAM; undefined: what is usual. */
export const layer = signal<string | undefined>(undefined);
export const gradCamLayer = signal<string | undefined>(undefined);
/** The channel that is projected back; undefined: the strongest. */
export const channel = signal<number | undefined>(undefined);

/** Of another network, classes and layers are others. */
export function forget(): void {
  explained.value = undefined;
  layer.value = undefined;
  gradCamLayer.value = undefined;
  channel.value = undefined;
}

/** The layers that give maps. */
export const mapLayers = ({ layers }: LoadedNetwork): readonly LayerOutput[] => layers.filter(({ map }) => map);

/** The layer with that path, else the first that has a map, else the first of all. */
export function layerOf(network: LoadedNetwork, path: string | undefined): LayerOutput | undefined {
  const { layers } = network;
  return layers.find((one) => one.path === path) ?? mapLayers(network)[0] ?? layers[0];
}
