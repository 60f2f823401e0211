import type { RandomKey } from "@ocelli/core";
import type { Named } from "../named.js";

/** Height and width in pixels. */
export type Size = readonly [height: number, width: number];

/** A rectangle of whole pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * How a picture of any size becomes one of `size`: it is brought to `resize` first (left out: stays as it is), `crop` is cut out of that,
 * and brought to the frame's size where it has another.
 */
export interface Framing {
  readonly resize?: Size | undefined;
  readonly crop: Box;
}

/**
 * Which part of a picture file a network sees. Worked out on the host from the picture's size and random bits by counter, and carried
 * out by whoever decodes: `sharp` in Node, a canvas in browsers. So what reaches the device is a batch of one size.
 */
export interface Frame extends Named {
  readonly size: Size;
  /** Key: of the run, the epoch and the picture. Frames that leave nothing to chance take no notice of it. */
  place(picture: Size, key: RandomKey): Framing;
}
