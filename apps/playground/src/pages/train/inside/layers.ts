import { useEffect, useState } from "preact/hooks";
import type { LayerInfo } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { outline } from "../session/run.js";

/** The network's layers; nothing until they are known. */
export function useLayers(): readonly LayerInfo[] {
  const [layers, setLayers] = useState<readonly LayerInfo[]>([]);
  const run = outline.value?.id;
  useEffect(() => {
    let gone = false;
    trainer()
      .layers()
      .then(
        (found) => gone || setLayers(found),
        // The looks themselves say what is wrong.
        () => gone || setLayers([]),
      );
    return () => {
      gone = true;
    };
  }, [run]);
  return layers;
}

export const layerLabel = ({ path, kind, shape }: LayerInfo): string =>
  `${path === "" ? "the whole network" : path} (${kind}, ${shape.join(" × ")})`;
