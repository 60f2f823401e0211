import type { Recipe } from "./entry.js";

// Each as its paper has it; `note` says what is left out, what is a choice and what a number is derived from. A model's file names its
// own, so that a program with one network carries no other: hence no spread here, which bundlers keep.

/** A recipe that is another one but for some parts. */
const like = (recipe: Recipe, changes: Partial<Recipe>): Recipe => ({ ...recipe, ...changes });

/** Of the linear classifier on 28x28 digits. */
export const linearRecipe: Recipe = {
  batchSize: 64,
  epochs: 5,
  optimizer: { name: "sgd", options: { lr: 0.005, momentum: 0.9 } },
  schedule: { name: "multiStep", options: { milestones: [3, 4], gamma: 0.2 } },
  source: "ocelli",
};

export const mlpRecipe: Recipe = {
  batchSize: 64,
  epochs: 10,
  optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "multiStep", options: { milestones: [6, 8], gamma: 0.2 } },
  initialisation: "He et al. 2015",
  source: "ocelli",
  note: "LeCun et al. 1998 train with a second-order method, one sample at a time; this is plain momentum instead.",
};

export const lenet1Recipe: Recipe = {
  batchSize: 32,
  epochs: 10,
  optimizer: { name: "sgd", options: { lr: 0.005, momentum: 0.9 } },
  schedule: { name: "multiStep", options: { milestones: [6, 8], gamma: 0.3 } },
  source: "ocelli",
  note: "The paper trains one sample at a time with a diagonal second-order method; this is plain momentum instead.",
};

export const lenet5Recipe: Recipe = {
  batchSize: 32,
  epochs: 5,
  optimizer: { name: "sgd", options: { lr: 0.002, momentum: 0.9 } },
  schedule: { name: "multiStep", options: { milestones: [3, 4], gamma: 0.3 } },
  initialisation: "uniform within 2.4 / fan-in",
  source: "ocelli",
  note: "LeCun et al. 1998 train 20 passes, one sample at a time, with a diagonal second-order method; this is plain momentum instead. Their loss is the model's own.",
};

/** Of LeNet-5 as it is built today. */
export const lenetRecipe: Recipe = {
  batchSize: 64,
  epochs: 5,
  optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "multiStep", options: { milestones: [3, 4], gamma: 0.2 } },
  source: "ocelli",
};

export const alexnetRecipe: Recipe = {
  batchSize: 128,
  epochs: 90,
  optimizer: { name: "sgd", options: { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "plateau", options: { monitor: "error", factor: 0.1, patience: 5, min: 1e-3 } },
  augment: "alexnet",
  initialisation: "N(0, 0.01); biases of 1 in convolutions 2, 4 and 5 and in the hidden fully-connected layers",
  dropout: "0.5 in the first two fully-connected layers",
  source: "Krizhevsky et al. 2012, sections 4 and 5",
  note: "The rate is divided by 10 when the validation error stops improving, three times in about 90 epochs; how long it waits is a choice.",
};

export const zfnetRecipe: Recipe = {
  batchSize: 128,
  epochs: 70,
  optimizer: { name: "sgd", options: { lr: 0.01, momentum: 0.9 } },
  schedule: { name: "plateau", options: { monitor: "error", factor: 0.1, patience: 5 } },
  augment: "zfnet",
  initialisation: "weights of 0.01, biases of 0",
  dropout: "0.5 in layers 6 and 7",
  source: "Zeiler and Fergus 2014, section 3.1",
  note: "The rate is lowered by hand when the validation error stops improving; factor and patience are choices. Left out: filters of conv1 whose root mean square exceeds 0.1 are scaled back to it.",
};

export const ninRecipe: Recipe = {
  batchSize: 128,
  epochs: 230,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 } },
  schedule: { name: "multiStep", options: { milestones: [200, 215], gamma: 0.1 } },
  augment: "cifar",
  dropout: "0.5 behind all mlpconv layers but the last",
  source: "Lin et al. 2014, section 4.1",
  note: "The paper prints the batch, the momentum method and that the rate falls by 10 twice, when the training accuracy stops improving; rate, decay and milestones are choices. Left out: global contrast normalisation and ZCA whitening. Shifts and mirroring are those of its 8.81 %; 10.41 % are without.",
};

export const ninImagenetRecipe: Recipe = {
  batchSize: 64,
  epochs: 23,
  optimizer: { name: "sgd", options: { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "step", options: { stepSize: 10, gamma: 0.1 } },
  noDecay: true,
  augment: "zfnet",
  dropout: "0.5 before the last mlpconv layer",
  source: "the authors' solver file",
  note: "450,000 steps, the rate divided by 10 every 200,000; biases do not decay. Left out: they learn twice as fast.",
};

export const vggRecipe: Recipe = {
  batchSize: 256,
  epochs: 74,
  optimizer: { name: "sgd", options: { lr: 0.01, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "plateau", options: { monitor: "error", factor: 0.1, patience: 5, min: 1e-3 } },
  augment: "vgg",
  initialisation: "N(0, 0.1^2) for A, with whose layers deeper networks start; or Glorot",
  dropout: "0.5 in the first two fully-connected layers",
  source: "Simonyan and Zisserman 2015, section 3.1",
  note: "The rate is divided by 10 when the validation accuracy stops improving, three times in 370,000 steps (74 epochs); how long it waits is a choice.",
};

export const googlenetRecipe: Recipe = {
  batchSize: 32,
  epochs: 775,
  optimizer: { name: "sgd", options: { lr: 0.0015, momentum: 0.9 } },
  schedule: { name: "step", options: { stepSize: 8, gamma: 0.96 } },
  augment: "googlenet",
  dropout: "0.4 before the classifier, 0.7 in the auxiliary ones",
  source: "Szegedy et al. 2015, section 6",
  note: "The paper gives neither batch size nor initial rate nor length: those here are what Ioffe and Szegedy 2015 report for this network (31.0 million steps). Left out: asynchronous steps; Polyak averages as the final weights, of a length that is not printed (--ema makes such).",
};

export const inceptionV2Recipe: Recipe = {
  batchSize: 32,
  epochs: 150,
  optimizer: { name: "sgd", options: { lr: 0.045, momentum: 0.9 } },
  // GoogLeNet's 4 % every 8 epochs, six times faster.
  schedule: { name: "step", options: { stepSize: 8, gamma: 0.783 } },
  augment: "googlenet",
  source: "Ioffe and Szegedy 2015, section 4.2",
  note: "BN-x30: thirty times GoogLeNet's initial rate, 6 million steps; BN-x5 starts from 0.0075. Left out: the L2 weight, reduced by a factor of 5 of what is not said.",
};

export const inceptionV3Recipe: Recipe = {
  batchSize: 32,
  epochs: 100,
  optimizer: { name: "rmsprop", options: { lr: 0.045, alpha: 0.9, eps: 1 } },
  schedule: { name: "step", options: { stepSize: 2, gamma: 0.94 } },
  augment: "googlenet",
  labelSmoothing: 0.1,
  clip: { name: "clipNorm", options: { max: 2 } },
  average: { name: "ema", options: { decay: 0.9999, warmup: true } },
  source: "Szegedy et al. 2016, sections 7 and 8",
  note: "50 replicas with a batch of 32 each. The paper evaluates a running average of the weights; its decay is that of the authors' code. There epsilon stands under the root.",
};

export const inceptionV4Recipe: Recipe = {
  batchSize: 32,
  epochs: 160,
  optimizer: { name: "rmsprop", options: { lr: 0.045, alpha: 0.9, eps: 1 } },
  schedule: { name: "step", options: { stepSize: 2, gamma: 0.94 } },
  augment: "googlenet",
  average: { name: "ema", options: { decay: 0.9999, warmup: true } },
  dropout: "0.2 before the classifier",
  source: "Szegedy et al. 2017, section 4",
  note: "On 20 replicas. The paper gives no batch size (32 is Inception v3's), no length (its curves end at about 160 epochs) and no decay of its running average (0.9999 is that of the authors' code, where epsilon stands under the root).",
};

export const squeezenetRecipe: Recipe = {
  batchSize: 512,
  epochs: 68,
  optimizer: { name: "sgd", options: { lr: 0.04, momentum: 0.9, weightDecay: 2e-4 } },
  schedule: { name: "polynomial", options: { power: 1 } },
  augment: "zfnet",
  initialisation: "Glorot, uniform; N(0, 0.01) in the last convolution",
  dropout: "0.5 behind fire9",
  source: "Iandola et al. 2016, section 3.3, and the authors' solver file",
  note: "The rate falls linearly from 0.04 to 0 over 170,000 steps; batch, momentum and decay are from the solver file.",
};

export const resnetRecipe: Recipe = {
  batchSize: 256,
  epochs: 120,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 } },
  schedule: { name: "plateau", options: { monitor: "error", factor: 0.1, patience: 5 } },
  augment: "resnet",
  initialisation: "He et al. 2015",
  dropout: "none",
  source: "He et al. 2016, section 3.4",
  note: "Up to 600,000 iterations; the rate is divided by 10 when the error plateaus, how long it waits is a choice. The per-pixel mean is a mean by channel here.",
};

export const resnetCifarRecipe: Recipe = {
  batchSize: 128,
  epochs: 164,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 } },
  schedule: { name: "multiStep", options: { milestones: [82, 123], gamma: 0.1 } },
  augment: "cifar",
  initialisation: "He et al. 2015",
  dropout: "none",
  source: "He et al. 2016, section 4.2",
  note: "64,000 iterations (164 epochs of 50,000 images), the rate divided by 10 after 32,000 and 48,000. The per-pixel mean is a mean by channel here.",
};

/** At a tenth of the rate in the first epoch, which is about 400 iterations. */
const warmed = {
  name: "product",
  options: {
    schedules: [
      { name: "multiStep", options: { milestones: [1], gamma: 10 } },
      { name: "multiStep", options: { milestones: [82, 123], gamma: 0.1 } },
    ],
  },
} as const;

const slow = { name: "sgd", options: { lr: 0.01, momentum: 0.9, weightDecay: 1e-4 } } as const;

export const resnet110CifarRecipe: Recipe = /* @__PURE__ */ like(resnetCifarRecipe, {
  optimizer: slow,
  schedule: warmed,
  note: "As for the shallower ones, but at 0.01 until the training error is below 80 % (about 400 iterations), which the first epoch stands for.",
});

export const preactResnetRecipe: Recipe = /* @__PURE__ */ like(resnetRecipe, {
  epochs: 90,
  schedule: { name: "multiStep", options: { milestones: [30, 60], gamma: 0.1 } },
  source: "He et al. 2016b, section 5",
  note: "For its errors the paper trains with scale augmentation, or with scale and aspect ratio augmentation (googlenet).",
});

export const preactResnetCifarRecipe: Recipe = /* @__PURE__ */ like(resnetCifarRecipe, {
  optimizer: slow,
  schedule: warmed,
  source: "He et al. 2016b, appendix",
  note: "64,000 iterations, the first 400 of them at 0.01, which the first epoch stands for. The per-pixel mean is a mean by channel here.",
});

export const stochasticDepthRecipe: Recipe = /* @__PURE__ */ like(resnetCifarRecipe, {
  epochs: 500,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: true } },
  schedule: { name: "multiStep", options: { milestones: [250, 375], gamma: 0.1 } },
  dropout: "none; blocks are dropped by chance",
  source: "Huang et al. 2016, section 4",
  note: "The best validation epoch counts.",
});

/** Of torchvision's reference script: ResNets and what is trained like them. */
export const torchvisionRecipe: Recipe = {
  batchSize: 256,
  epochs: 90,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 } },
  schedule: { name: "step", options: { stepSize: 30, gamma: 0.1 } },
  augment: "torchvision",
  source: "torchvision's reference script for classification",
};

/** The same at the rate for networks without batch normalisation, and for VGG with it. */
export const torchvisionVggRecipe: Recipe = /* @__PURE__ */ like(torchvisionRecipe, {
  optimizer: { name: "sgd", options: { lr: 0.01, momentum: 0.9, weightDecay: 1e-4 } },
});

export const wideResnetRecipe: Recipe = /* @__PURE__ */ like(torchvisionRecipe, {
  initialisation: "He et al. 2015",
  source: "Zagoruyko and Komodakis 2016, section 3.2",
  note: "Trained as the ResNets of the authors' framework; the numbers are torchvision's.",
});

export const wideResnetCifarRecipe: Recipe = {
  batchSize: 128,
  epochs: 200,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 5e-4, nesterov: true } },
  schedule: { name: "multiStep", options: { milestones: [60, 120, 160], gamma: 0.2 } },
  augment: "cifar",
  initialisation: "He et al. 2015",
  dropout: "none, or 0.3 inside the blocks",
  source: "Zagoruyko and Komodakis 2016, section 3",
  note: "The paper pads with reflected pixels; here they are black.",
};

export const resnextRecipe: Recipe = /* @__PURE__ */ like(torchvisionRecipe, {
  augment: "googlenet",
  initialisation: "He et al. 2015",
  source: "Xie et al. 2017, section 4",
  note: "The rate is divided by 10 three times, on the schedule of the Torch residual networks.",
});

export const resnextCifarRecipe: Recipe = /* @__PURE__ */ like(resnetCifarRecipe, {
  epochs: 300,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 5e-4 } },
  schedule: { name: "multiStep", options: { milestones: [150, 225], gamma: 0.1 } },
  source: "Xie et al. 2017, section 5.3",
  note: "The numbers are those of its appendix.",
});

export const densenetRecipe: Recipe = {
  batchSize: 256,
  epochs: 90,
  optimizer: { name: "sgd", options: { lr: 0.1, momentum: 0.9, weightDecay: 1e-4, nesterov: true } },
  schedule: { name: "multiStep", options: { milestones: [30, 60], gamma: 0.1 } },
  augment: "densenet",
  initialisation: "He et al. 2015",
  dropout: "none",
  source: "Huang et al. 2017, section 4.2",
};

export const densenetCifarRecipe: Recipe = /* @__PURE__ */ like(densenetRecipe, {
  batchSize: 64,
  epochs: 300,
  schedule: { name: "multiStep", options: { milestones: [150, 225], gamma: 0.1 } },
  augment: "cifar",
  dropout: "none; without augmentation 0.2 behind every convolution but the first",
});

export const fractalnetRecipe: Recipe = {
  batchSize: 100,
  epochs: 400,
  optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9 } },
  schedule: { name: "multiStep", options: { milestones: [200, 300, 350, 375], gamma: 0.1 } },
  augment: "cifar",
  initialisation: "Glorot",
  dropout: "0, 0.1, 0.2, 0.3 and 0.4 in the five blocks, and drop-path of 0.15",
  source: "Larsson et al. 2017, section 4",
  note: "The rate is divided by 10 whenever half of the remaining epochs have passed.",
};

export const fractalnetImagenetRecipe: Recipe = /* @__PURE__ */ like(fractalnetRecipe, {
  batchSize: 32,
  epochs: 70,
  optimizer: { name: "sgd", options: { lr: 0.001, momentum: 0.9 } },
  schedule: { name: "multiStep", options: { milestones: [50, 65], gamma: 0.1 } },
  augment: "zfnet",
  dropout: "drop-path of 0.15",
  note: "Augmentation is a choice.",
});

/** Every recipe, by the name that `ocelli train --recipe` takes: that of the paper, as a rule. */
export const recipes = {
  linear: linearRecipe,
  mlp: mlpRecipe,
  lenet1: lenet1Recipe,
  lenet5: lenet5Recipe,
  lenet: lenetRecipe,
  alexnet: alexnetRecipe,
  zfnet: zfnetRecipe,
  nin: ninRecipe,
  "nin-imagenet": ninImagenetRecipe,
  vgg: vggRecipe,
  googlenet: googlenetRecipe,
  "inception-v2": inceptionV2Recipe,
  "inception-v3": inceptionV3Recipe,
  "inception-v4": inceptionV4Recipe,
  squeezenet: squeezenetRecipe,
  resnet: resnetRecipe,
  "resnet-cifar": resnetCifarRecipe,
  "resnet110-cifar": resnet110CifarRecipe,
  "preact-resnet": preactResnetRecipe,
  "preact-resnet-cifar": preactResnetCifarRecipe,
  "stochastic-depth": stochasticDepthRecipe,
  "wide-resnet": wideResnetRecipe,
  "wide-resnet-cifar": wideResnetCifarRecipe,
  resnext: resnextRecipe,
  "resnext-cifar": resnextCifarRecipe,
  densenet: densenetRecipe,
  "densenet-cifar": densenetCifarRecipe,
  fractalnet: fractalnetRecipe,
  "fractalnet-imagenet": fractalnetImagenetRecipe,
  torchvision: torchvisionRecipe,
  "torchvision-vgg": torchvisionVggRecipe,
} as const satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof recipes;
