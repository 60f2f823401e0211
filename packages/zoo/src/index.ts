export { type AuxiliaryWeights, auxiliaryLoss, ownLoss } from "./auxiliary.js";
export {
  checkTrainingSize,
  createModel,
  type LeastInputSizeOptions,
  leastInputSize,
  lossPerSampleOf,
  modelEntry,
  modelNames,
} from "./create.js";
export type {
  AuxiliaryOutput,
  ModelEntry,
  ModelOptions,
  ModelOutput,
  PerSampleLoss,
  Preprocessing,
  PublishedError,
  Recipe,
  RecipeOptimizer,
  RecipePart,
  RecipeValue,
  WeightsEntry,
  ZooModel,
} from "./entry.js";
export { sizeOfInput } from "./entry.js";
export { Features, features } from "./features.js";
export { replaceHead } from "./head.js";
export { AlexNet, AlexNet2012, type AlexNet2012Options, responseNorm } from "./models/alexnet.js";
export { LinearClassifier, Mlp } from "./models/baselines.js";
export {
  CifarDenseNet,
  type CifarDenseNetOptions,
  DenseBlock,
  DenseLayer,
  DenseNet,
  type DenseNetOptions,
  type DenseOptions,
  Transition,
  upgradeDenseNetKeys,
} from "./models/densenet.js";
export { FractalBlock, type FractalBlockOptions, FractalLayer, type GlobalPath } from "./models/fractal-block.js";
export { FractalColumn, FractalNet, type FractalNetOptions } from "./models/fractalnet.js";
export { GoogLeNet, GoogLeNetAux, GoogLeNetInception } from "./models/googlenet.js";
export {
  AuxiliaryClassifier,
  GoogLeNet2014,
  type GoogLeNet2014Options,
  Inception,
  type InceptionOptions,
  NaiveInception,
  type NaiveInceptionOptions,
} from "./models/googlenet-2014.js";
export { BasicConv2d, type BasicConv2dOptions } from "./models/inception-conv.js";
export {
  InceptionResNetA,
  InceptionResNetB,
  InceptionResNetC,
  type InceptionResNetOptions,
  InceptionResNetReductionB,
  InceptionResNetV1,
  InceptionResNetV1Stem,
  InceptionResNetV2,
  InceptionResNetV2Stem,
} from "./models/inception-resnet.js";
export {
  InceptionV2,
  InceptionV2Block,
  type InceptionV2BlockOptions,
  InceptionV2Reduction,
  type InceptionV2ReductionOptions,
} from "./models/inception-v2.js";
export {
  InceptionV3,
  InceptionV3A,
  InceptionV3Aux,
  InceptionV3B,
  InceptionV3C,
  InceptionV3D,
  InceptionV3E,
} from "./models/inception-v3.js";
export {
  InceptionA,
  InceptionB,
  InceptionC,
  InceptionV4,
  InceptionV4Stem,
  ReductionA,
  type ReductionAOptions,
  ReductionB,
} from "./models/inception-v4.js";
export { type ModelName, models } from "./models/index.js";
export {
  LeNet1,
  LeNet5,
  LeNet5Modern,
  lenet1LossPerSample,
  RbfOutput,
  Subsampling,
  TableConv,
} from "./models/lenet.js";
export { MlpConv, NinCifar, NinImageNet } from "./models/nin.js";
export {
  CifarPreActResNet,
  PreActBlock,
  type PreActBlockOptions,
  PreActBottleneck,
  type PreActResidualBlock,
  PreActResNet,
} from "./models/preact-resnet.js";
export {
  BasicBlock,
  Bottleneck,
  PlainBlock,
  type ResidualBlock,
  type ResidualBlockOptions,
  ResNet,
  type ResNetOptions,
  type Shortcut,
  shortcutA,
} from "./models/resnet.js";
export { type BlockPlace, CifarResNet, type CifarResNetOptions } from "./models/resnet-cifar.js";
export { CifarResNeXt, type CifarResNeXtOptions } from "./models/resnext.js";
export { type Bypass, Fire, type FireOptions, SqueezeNet, type SqueezeNetOptions } from "./models/squeezenet.js";
export { StochasticBlock, StochasticResNet, type StochasticResNetOptions } from "./models/stochastic-depth.js";
export { VGG, type VGGOptions, vggConfigurations } from "./models/vgg.js";
export { WideBlock, type WideBlockOptions, WideResNet, type WideResNetOptions } from "./models/wide-resnet.js";
export { ZfNet, type ZfNetWidths } from "./models/zfnet.js";
export { type RecipeName, recipes } from "./recipes.js";
export {
  type FetchedWeights,
  type FetchWeightsOptions,
  fetchWeights,
  type WeightsCache,
  WeightsError,
  weightsEntry,
} from "./weights.js";
