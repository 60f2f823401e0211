import { ArgumentError, add, log, maximum, mul, OcelliError, reshape, softmax, sum, type Tensor } from "@ocelli/core";
import { type Context, logitsOf, type Module } from "@ocelli/layers";
import type { BatchTensors, Transform } from "../transform.js";
import type { Views } from "./views.js";

/** A network and what its images go through on the device. */
export interface Viewing<Out> {
  readonly model: Module<Tensor, Out>;
  readonly transform?: Transform | undefined;
  /** What the network is shown of each image. Default: the image as it is. */
  readonly views?: Views | undefined;
}

/**
 * A model's output for images as they travel, `[N, C, H, W]`. With views the logarithm of their mean class probabilities, `[N, classes]`:
 * logits whose softmax is that mean.
 * @throws ArgumentError for a model that does not take views of their size
 */
export function outputOf<Out>({ model, transform, views }: Viewing<Out>, images: Tensor, ctx: Context): Out | Tensor {
  // Views are cut out already.
  const made = views === undefined ? transform : (transform?.uncut ?? transform);
  const output = (seen: Tensor): Out =>
    ctx.call(model, made === undefined ? seen : made.apply({ images: seen } as BatchTensors, ctx).images);
  if (views === undefined) return output(images);
  const n = images.shape[0] as number;
  const stacks = views.apply(images);
  const sums = stacks.map((stack) => {
    const probabilities = softmax(logitsOf(explained(views, stack, () => output(stack))));
    return sum(reshape(probabilities, [-1, n, probabilities.shape[1] as number]), { axes: 0 });
  });
  const count = stacks.reduce((total, { shape }) => total + (shape[0] as number) / n, 0);
  const mean = mul(sums.reduce(add), 1 / count);
  // The smallest normal float32: a probability of 0 has no logarithm.
  return log(maximum(mean, 1.2e-38));
}

/** Runs what a model makes of views; an error about their shape says what would go. */
function explained<T>({ name }: Views, stack: Tensor, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    const [, , h, w] = stack.shape;
    throw new ArgumentError(
      `views: the model does not take images of ${h}x${w}, which the views ${name} show it. Only networks that end in global pooling take any size.\n  ${error.message.replaceAll("\n", "\n  ")}`,
      { ...error.fields },
    );
  }
}
