import type { State } from "@ocelli/core";
import { type CachedFeatures, cachedFeatures, isImageSource, whyNotCached } from "@ocelli/training";
import type { ModelOutput } from "@ocelli/zoo";
import { breathing } from "./breath.js";
import { isFixed } from "./data.js";
import { fitOptionsOf, type Parts } from "./opened.js";

type Features = CachedFeatures<ModelOutput>;

/**
 * What the frozen part of a network makes of each image, worked out when it is first wanted: then training and judging run the rest alone.
 * It is the same after a pause and on another device, and so is worked out once.
 */
export class FrozenFeatures {
  #known: Features | undefined;

  /**
   * For `fit`, in place of its options of these names; none where nothing is frozen, or the frozen part does not make the same of an image in
   * every epoch. @throws the signal's reason when that was aborted
   */
  async of(
    parts: Parts & { readonly state: State },
    { signal, tell }: { readonly signal: AbortSignal; readonly tell: (doing: string) => void },
  ): Promise<Features | undefined> {
    if (parts.freeze === undefined || this.#known !== undefined) return this.#known;
    const options = { ...fitOptionsOf(parts), freeze: parts.freeze, device: parts.device, signal };
    const moves = isImageSource(options.train) && !isFixed(parts.data.preset.frame);
    if (moves || whyNotCached(options) !== undefined) return undefined;
    this.#known = await cachedFeatures({
      ...options,
      train: breathing(options.train),
      values: await parts.state.read(),
      onProgress: ({ done, images }) => tell(`looking at the pictures once, ${done} of ${images}`),
    });
    return this.#known;
  }
}
