import { fromNumbers, type HostTensor, type Spec, sizeOf, type TypedArray } from "@ocelli/core";
import type { Runtime, RuntimeTensor } from "./runtime.js";

/** A tensor of the runtime on the host's own memory: valid while that is left as it is. */
export function wrap(runtime: Runtime, { dtype, shape, data }: HostTensor): RuntimeTensor {
  return new runtime.Tensor(dtype, data as never, shape);
}

/** A tensor of the runtime with memory of its own. */
export function copyIn(runtime: Runtime, host: HostTensor): RuntimeTensor {
  return wrap(runtime, { ...host, data: host.data.slice() });
}

/** Memory for a value, zeroed. */
export function blank(runtime: Runtime, { dtype, shape }: Spec): RuntimeTensor {
  return wrap(runtime, fromNumbers(new Float64Array(sizeOf(shape)), shape, dtype));
}

/** A copy of a tensor's value on the host. */
export function copyOut(tensor: RuntimeTensor, { dtype, shape }: Spec): HostTensor {
  const data = (tensor.data as TypedArray).slice();
  // Where the language has half floats, the runtime gives them in an array type of their own.
  return { dtype, shape, data: dtype === "float16" ? new Uint16Array(data.buffer) : data };
}
