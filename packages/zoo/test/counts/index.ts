import type { ModelName } from "../../src/index.js";
import { alexnetCounts } from "./alexnet.js";
import { baselineCounts } from "./baselines.js";
import { densenetCounts } from "./densenet.js";
import { fractalnetCounts } from "./fractalnet.js";
import { googlenetCounts } from "./googlenet.js";
import { inceptionCounts } from "./inception.js";
import { lenetCounts } from "./lenet.js";
import { ninCounts } from "./nin.js";
import { preActCounts } from "./preact-resnet.js";
import { residualCounts } from "./resnet.js";
import { residualCifarCounts } from "./resnet-cifar.js";
import { resNeXtCounts } from "./resnext.js";
import { squeezenetCounts } from "./squeezenet.js";
import { stochasticDepthCounts } from "./stochastic-depth.js";
import { vggCounts } from "./vgg.js";
import { wideResNetCounts } from "./wide-resnet.js";
import { zfnetCounts } from "./zfnet.js";

/** Parameter counts of all models by closed forms of the papers, written without looking at the code. */
export const counts: Readonly<Record<ModelName, number>> = {
  ...baselineCounts,
  ...lenetCounts,
  ...alexnetCounts,
  ...zfnetCounts,
  ...ninCounts,
  ...vggCounts,
  ...googlenetCounts,
  ...inceptionCounts,
  ...squeezenetCounts,
  ...residualCounts,
  ...residualCifarCounts,
  ...preActCounts,
  ...stochasticDepthCounts,
  ...wideResNetCounts,
  ...resNeXtCounts,
  ...densenetCounts,
  ...fractalnetCounts,
};
