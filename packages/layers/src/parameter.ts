import type { DType, Shape } from "@ocelli/core";
import { ArgumentError, checkShape } from "@ocelli/core";
import { type Initializer, zeros } from "./init.js";

/** A trainable value of a module: a description, without memory. Devices make the values (`device.init(model)`). */
export class Parameter {
  readonly shape: Shape;
  readonly dtype = "float32";
  /** Makes the first value. May be replaced until the state is made: models apply their paper's initialisation that way. */
  init: Initializer;

  /** @throws ShapeError */
  constructor(shape: Shape, init: Initializer) {
    checkShape(shape, "Parameter");
    this.shape = [...shape];
    this.init = init;
  }
}

export interface BufferOptions {
  /** Default float32. */
  readonly dtype?: DType;
  /** Default zeros. */
  readonly init?: Initializer;
  /** Files may lack it; it then starts from `init`. */
  readonly optional?: boolean;
}

/** A value of a module that training changes but no gradient does: running statistics, counts. A description, without memory. */
export class Buffer {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly optional: boolean;
  init: Initializer;

  /** @throws ShapeError; ArgumentError for float16, which state is never kept in */
  constructor(shape: Shape, { dtype = "float32", init = zeros, optional = false }: BufferOptions = {}) {
    checkShape(shape, "Buffer");
    if (dtype === "float16") throw new ArgumentError("Buffer: dtype is float16; state is kept in float32");
    this.shape = [...shape];
    this.dtype = dtype;
    this.init = init;
    this.optional = optional;
  }
}
