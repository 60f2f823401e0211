import { familyOf } from "./families.js";
import type { ModelSpec } from "./spec.js";

/** How people write the names of the zoo's models: the first pattern that fits. */
const written: readonly (readonly [RegExp, string])[] = [
  [/^linear$/, "Softmax regression"],
  [/^mlp$/, "Multi-layer perceptron"],
  [/^lenet1$/, "LeNet-1"],
  [/^lenet5$/, "LeNet-5 (1998)"],
  [/^lenet5_modern$/, "LeNet-5"],
  [/^alexnet$/, "AlexNet"],
  [/^alexnet_2012$/, "AlexNet (2012)"],
  [/^alexnet_cs231n$/, "AlexNet (CS231n)"],
  [/^zfnet$/, "ZFNet"],
  [/^zfnet512$/, "ZFNet 512"],
  [/^nin_cifar10$/, "NiN for CIFAR-10"],
  [/^nin_imagenet$/, "NiN"],
  [/^vgg(\d+)$/, "VGG-$1"],
  [/^vgg(\d+)_bn$/, "VGG-$1 BN"],
  [/^vgg(\d+)_lrn$/, "VGG-$1 LRN"],
  [/^vgg16_c$/, "VGG-16 (C)"],
  [/^googlenet$/, "GoogLeNet"],
  [/^googlenet_2014$/, "GoogLeNet (2014)"],
  [/^inception_v(\d)$/, "Inception v$1"],
  [/^inception_resnet_v(\d)$/, "Inception-ResNet v$1"],
  [/^squeezenet(\d)_(\d)$/, "SqueezeNet $1.$2"],
  [/^squeezenet\d_\d_(simple|complex)_bypass$/, "SqueezeNet, $1 bypass"],
  [/^plain(\d+)(_cifar)?$/, "Plain-$1"],
  [/^resnet(\d+)(_cifar)?$/, "ResNet-$1"],
  [/^resnet(\d+)_2015$/, "ResNet-$1 (2015)"],
  [/^resnet(\d+)_stochastic_cifar$/, "ResNet-$1 with stochastic depth"],
  [/^preact_resnet(\d+)(_cifar)?$/, "PreAct ResNet-$1"],
  [/^wide_resnet(\d+)_(\d+)$/, "Wide ResNet-$1-$2"],
  [/^wrn_(\d+)_(\d+)$/, "WRN-$1-$2"],
  [/^resnext(\d+)_(\d+x\d+d)(_cifar)?$/, "ResNeXt-$1, $2"],
  [/^densenet(\d+)$/, "DenseNet-$1"],
  [/^densenet(\d+)_(\d+)_cifar$/, "DenseNet-$1, k = $2"],
  [/^densenet_bc(\d+)_(\d+)_cifar$/, "DenseNet-BC-$1, k = $2"],
  [/^fractalnet(\d+)(_cifar)?$/, "FractalNet-$1"],
];

/** "LeNet-5" for lenet5_modern. A name that nobody has thought of yet stays as it is. */
export function displayName(model: string): string {
  const [pattern, name] = written.find(([one]) => one.test(model)) ?? [];
  return pattern === undefined || name === undefined ? model : model.replace(pattern, name);
}

/** Of any network, without making it. */
export const titleOf = (spec: ModelSpec): string =>
  spec.kind === "zoo"
    ? displayName(spec.name)
    : spec.kind === "layers"
      ? spec.name
      : [familyOf(spec.family).title, Object.values(spec.values).join(", ")].join(" ").trim();
