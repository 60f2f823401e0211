import { type AugmentPresetName, augmentPresets } from "@ocelli/training";
import type { Choice } from "../../../ui/index.js";

interface PresetText {
  readonly label: string;
  /** What happens to the pictures, in a sentence. */
  readonly about: string;
  readonly group: "Nothing by chance" | "Small pictures" | "Photographs";
}

const small = "Small pictures";
const photographs = "Photographs";

const texts: Readonly<Record<AugmentPresetName, PresetText>> = {
  plain: { label: "None", about: "Pictures are shown as they are.", group: "Nothing by chance" },
  mnist: { label: "Digits", about: "Moved, turned, scaled and slanted a little.", group: small },
  cifar: { label: "CIFAR", about: "Padded and cut at random, mirrored.", group: small },
  cutout: { label: "CIFAR with cutout", about: "A square half as wide as the picture is blanked out.", group: small },
  "random-erasing": { label: "CIFAR with random erasing", about: "A random part is filled with noise.", group: small },
  mixup: { label: "CIFAR with mixup", about: "Two pictures and their labels are blended.", group: small },
  cutmix: {
    label: "CIFAR with CutMix",
    about: "A part is replaced by that of another picture, labels in proportion.",
    group: small,
  },
  "autoaugment-cifar10": {
    label: "AutoAugment (CIFAR-10)",
    about: "A learned list of colour changes and warps.",
    group: small,
  },
  "autoaugment-svhn": {
    label: "AutoAugment (street numbers)",
    about: "As above, without mirroring: a number has a left and a right.",
    group: small,
  },
  alexnet: { label: "AlexNet", about: "A part at random, mirrored, colours moved a little.", group: photographs },
  zfnet: { label: "ZFNet", about: "A part at random, mirrored.", group: photographs },
  vgg: { label: "VGG", about: "A part at random, near or far, mirrored, colours moved.", group: photographs },
  googlenet: {
    label: "GoogLeNet",
    about: "A part of 8 % to 100 % of the area, mirrored, colours changed.",
    group: photographs,
  },
  resnet: { label: "ResNet", about: "A part at random, near or far, mirrored, colours moved.", group: photographs },
  densenet: {
    label: "DenseNet",
    about: "A part of 8 % to 100 % of the area, mirrored, all colours changed.",
    group: photographs,
  },
  torchvision: { label: "torchvision", about: "A part of 8 % to 100 % of the area, mirrored.", group: photographs },
  "autoaugment-imagenet": {
    label: "AutoAugment (ImageNet)",
    about: "A learned list of colour changes and warps.",
    group: photographs,
  },
  randaugment: { label: "RandAugment", about: "Two changes drawn from a list.", group: photographs },
};

export const presetChoices: readonly Choice[] = (Object.keys(augmentPresets) as AugmentPresetName[]).map((value) => ({
  value,
  label: texts[value].label,
  group: texts[value].group,
}));

/** A preset in a sentence; nothing for a name that is none. */
export const presetText = (name: string): string | undefined => (texts as Record<string, PresetText>)[name]?.about;
