export { cifar10Dataset, cifar100Dataset } from "./cifar.js";
export { cifar10Classes, cifar100Classes, cifar100Superclasses, digitClasses, fashionMnistClasses } from "./classes.js";
export {
  type ChannelStatistics,
  channelStatistics,
  classCounts,
  type ImageDataset,
  type ImageShape,
  type IndexRange,
  imageDataset,
  subset,
} from "./dataset.js";
export { type DigitsOptions, digits } from "./digits.js";
export { type IdxImages, idxDataset, type NamedBytes, parseIdxImages, parseIdxLabels } from "./idx.js";
export { type Batch, epochOrder, type Loader, type LoaderOptions, loader } from "./loader.js";
export type { ImageSource, ReadImages, ReadRequest } from "./source.js";
