import { normalizeAxis, reshape, ShapeError, sizeOf, type Tensor } from "@ocelli/core";
import { Module } from "./module.js";

/** Returns its input. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Joins all dimensions from `startAxis` (default 1) on: `[N, C, H, W] -> [N, C * H * W]`. */
export class Flatten extends Module {
  readonly startAxis: number;

  constructor(startAxis = 1) {
    super();
    this.startAxis = startAxis;
  }

  override forward(x: Tensor): Tensor {
    if (x.shape.length === 0) {
      throw new ShapeError("Flatten: input has no dimensions; it needs at least one", { input: x.shape });
    }
    const start = normalizeAxis(this.startAxis, x.shape.length, "Flatten");
    return reshape(x, [...x.shape.slice(0, start), sizeOf(x.shape.slice(start))]);
  }
}
