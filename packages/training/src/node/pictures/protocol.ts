import type { Plan } from "../../augment/decode-plan.js";
import type { Size } from "../../augment/frame.js";

/** What a decoding thread is asked for. */
export type Job = {
  readonly id: number;
  readonly files: readonly string[];
  /** Pictures of more are refused before they are decoded. */
  readonly maxPixels: number;
} & (
  | { readonly kind: "measure" }
  | { readonly kind: "decode"; readonly plans: readonly Plan[]; readonly size: Size; readonly channels: number }
);

/** What it answers: for `measure` `sizes`, height and width of each upright picture; for `decode` `images`, `[files, C, H, W]`. */
export interface Reply {
  readonly id: number;
  readonly sizes: Uint32Array;
  readonly images: Uint8Array;
  /** Pictures that could not be read, and why: sizes 0, pixels black. */
  readonly broken: readonly { readonly at: number; readonly reason: string }[];
}
