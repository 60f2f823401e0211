import { GraphBuilder } from "@ocelli/formats/onnx";
import type { Runtime } from "../../runtime.js";
import { Session, type SessionOptions } from "../../session.js";
import { wrap } from "../../tensors.js";
import { domain } from "./layout.js";

/**
 * The block of channels that the runtime packs with on this processor: 16 with AVX-512, 8 with AVX. Undefined where it packs none. A
 * tiny model reorders one image, and the order shows.
 */
export async function channelBlock(
  runtime: Runtime,
  options: Omit<SessionOptions, "optimize">,
): Promise<number | undefined> {
  const spec = { dtype: "float32", shape: [1, 32, 1, 2] } as const;
  const b = new GraphBuilder();
  // A view of the packed image that the runtime does not unpack on the way out.
  const packed = b.node("ReorderInput", [b.input("x", spec)], {}, domain);
  b.output("y", b.node("Reshape", [packed, b.int64([64])]), { dtype: "float32", shape: [64] });
  let session: Session | undefined;
  try {
    session = await Session.create(runtime, b.encode(), { ...options, optimize: false });
    const data = Float32Array.from({ length: 64 }, (_, i) => i);
    const { y } = await session.run({ x: wrap(runtime, { ...spec, data }) }, { y: null });
    const order = Array.from(y?.data as Float32Array);
    return [16, 8].find((block) => order.every((value, i) => value === expected(block, i)));
  } catch {
    // Builds without these operators refuse the model.
    return undefined;
  } finally {
    await session?.release();
  }
}

/** Element i of `[32 / block, 2, block]`, of an image whose elements are their own positions. */
function expected(block: number, i: number): number {
  const [lane, pixel, group] = [i % block, Math.floor(i / block) % 2, Math.floor(i / block / 2)];
  return (group * block + lane) * 2 + pixel;
}
