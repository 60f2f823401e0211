import { rangeOf } from "../../../model/pictures.js";
import type { Maps } from "../../../workers/try/api.js";

/** A channel's map, and how strong it is. */
export interface ChannelMap {
  readonly channel: number;
  /** A view of the layer's values. */
  readonly values: Float32Array;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

export type Order = "strongest" | "index";

/** The maps `[C, h, w]` of a layer: the largest mean first, or in the order of the channels. */
export function channelMaps({ shape, values }: Maps, order: Order): readonly ChannelMap[] {
  const [channels, height, width] = shape as readonly [number, number, number];
  const area = height * width;
  const maps = Array.from({ length: channels }, (_, channel): ChannelMap => {
    const own = values.subarray(channel * area, (channel + 1) * area);
    return { channel, values: own, mean: own.reduce((sum, value) => sum + value, 0) / area, ...rangeOf(own) };
  });
  return order === "index" ? maps : maps.sort((a, b) => b.mean - a.mean || a.channel - b.channel);
}
