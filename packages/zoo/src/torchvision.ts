import { imagenet, type Preprocessing, type WeightsEntry } from "./entry.js";

export interface TorchvisionFile {
  /** Default "imagenet1k_v1". */
  readonly name?: string;
  /** Name of the file, which ends with the first 8 digits of its SHA-256: "alexnet-owt-7be5be79". */
  readonly file: string;
  /** ImageNet accuracy in percent, top-1 and top-5, as torchvision documents it. */
  readonly accuracy: readonly [top1: number, top5: number];
  /** Default: shorter side to 256, centre crop of 224. */
  readonly preprocessing?: Preprocessing;
  /** Default 224. */
  readonly crop?: number;
}

/** A file of weights that torchvision publishes, trained on ImageNet. */
export function torchvisionWeights(options: TorchvisionFile): WeightsEntry {
  const { name = "imagenet1k_v1", file, accuracy, preprocessing = imagenet, crop = 224 } = options;
  const error = (percent: number): number => Number((100 - percent).toFixed(3));
  return {
    name,
    url: `https://download.pytorch.org/models/${file}.pth`,
    sha256: file.slice(-8),
    preprocessing,
    classes: "imagenet",
    licence: "BSD-3-Clause",
    published: {
      dataset: "imagenet",
      top1: error(accuracy[0]),
      top5: error(accuracy[1]),
      protocol: `validation, single crop ${crop}`,
      source: "torchvision's documentation of the weights",
    },
  };
}
