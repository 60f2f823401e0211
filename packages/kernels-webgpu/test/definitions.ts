/** What the ops that only this device's rewriting makes are by others: the reference computes them so. */
import { add, div, mul, type Op, sqrt, sub, sum, type Tensor } from "@ocelli/core";
import { alongChannels, batchAxes, batchCount } from "@ocelli/core/backend";
import { batchNormGradSumsOp, batchNormStatsOp } from "../src/kernels/batch-norm.js";

const channelSum = (x: Tensor): Tensor => sum(x, { axes: batchAxes(x.shape) });

function define<A>(op: Op<A>, decompose: NonNullable<Op<A>["decompose"]>): void {
  Object.assign(op, { decompose });
}

define(batchNormStatsOp, ([x]) => {
  const { shape } = x!;
  const mean = mul(channelSum(x!), 1 / batchCount(shape));
  const centred = sub(x!, alongChannels(mean, shape));
  return [mean, mul(channelSum(mul(centred, centred)), 1 / batchCount(shape))];
});

define(batchNormGradSumsOp, ([dy, x, mean, variance], { eps }) => {
  const centred = sub(x!, alongChannels(mean!, x!.shape));
  return [div(channelSum(mul(dy!, centred)), sqrt(add(variance!, eps))), channelSum(dy!)];
});
