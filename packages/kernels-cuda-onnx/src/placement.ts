import { GraphBuilder } from "@ocelli/formats/onnx";
import type { Runtime } from "./runtime.js";
import { Session, type SessionOptions } from "./session.js";
import { blank, wrap } from "./tensors.js";

/**
 * Whether a run may write into memory that it is given. WebAssembly runtimes take such memory and leave it untouched, so one addition
 * is tried at the start.
 */
export async function writesInPlace(runtime: Runtime, options: SessionOptions): Promise<boolean> {
  const spec = { dtype: "float32", shape: [2] } as const;
  const b = new GraphBuilder();
  b.output("y", b.node("Add", [b.input("x", spec), b.scalar(1, "float32")]), spec);
  const session = await Session.create(runtime, b.encode(), options);
  try {
    const target = blank(runtime, spec);
    const x = wrap(runtime, { ...spec, data: Float32Array.of(1, 2) });
    await session.run({ x }, { y: target });
    const [first, second] = target.data as Float32Array;
    return first === 2 && second === 3;
  } finally {
    await session.release();
  }
}
