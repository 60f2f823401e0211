import type { MatmulAttrs } from "@ocelli/core/backend";
import type { Kernel, Site } from "../kernel.js";
import { dispatchesOf, type Tile, tilesFor } from "./tiles.js";
import { matmulWalk, type Walk } from "./walk.js";

const walkOf = ({ inputs, attrs }: Site): Walk => matmulWalk(inputs[0]!, inputs[1]!, attrs as MatmulAttrs);

export const matmul: Kernel<Tile> = {
  variants: (site) => tilesFor(walkOf(site), site),
  dispatches: (site, tile) => dispatchesOf(walkOf(site), tile, site),
};
