import type { ModelTable } from "../entry.js";
import { alexnetModels } from "./alexnet.js";
import { baselineModels } from "./baselines.js";
import { densenetModels } from "./densenet.js";
import { fractalnetModels } from "./fractalnet.js";
import { googlenetModels } from "./googlenet.js";
import { googlenet2014Models } from "./googlenet-2014.js";
import { inceptionResNetModels } from "./inception-resnet.js";
import { inceptionV2Models } from "./inception-v2.js";
import { inceptionV3Models } from "./inception-v3.js";
import { inceptionV4Models } from "./inception-v4.js";
import { lenetModels } from "./lenet.js";
import { ninModels } from "./nin.js";
import { preActModels } from "./preact-resnet.js";
import { residualModels } from "./resnet.js";
import { residualCifarModels } from "./resnet-cifar.js";
import { resNeXtModels } from "./resnext.js";
import { squeezenetModels } from "./squeezenet.js";
import { stochasticDepthModels } from "./stochastic-depth.js";
import { vggModels } from "./vgg.js";
import { wideResNetModels } from "./wide-resnet.js";
import { zfnetModels } from "./zfnet.js";

/** Every model, by name, in the order of the field's history. A literal table: listing it builds nothing. */
export const models = {
  ...baselineModels,
  ...lenetModels,
  ...alexnetModels,
  ...zfnetModels,
  ...ninModels,
  ...vggModels,
  ...googlenet2014Models,
  ...googlenetModels,
  ...inceptionV2Models,
  ...inceptionV3Models,
  ...squeezenetModels,
  ...residualModels,
  ...residualCifarModels,
  ...inceptionV4Models,
  ...inceptionResNetModels,
  ...preActModels,
  ...stochasticDepthModels,
  ...wideResNetModels,
  ...resNeXtModels,
  ...densenetModels,
  ...fractalnetModels,
} as const satisfies ModelTable;

export type ModelName = keyof typeof models;
