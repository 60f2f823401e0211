import type { densenetModels } from "../../src/models/densenet.js";

const sum = (count: number, term: (i: number) => number): number =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);

/**
 * Layer i of a block with c channels in front holds BN(c + ik) and either a 3x3 convolution to k, or a 1x1 convolution to 4k, BN(4k) and a
 * 3x3 convolution to k: per channel of input 2 + 9k, or 2 + 4k and 8k + 36k^2 besides. Sums over i are arithmetic series.
 */
const block = (layers: number, c: number, k: number, bottleneck: boolean): number => {
  const inputs = layers * c + (k * layers * (layers - 1)) / 2;
  return bottleneck ? inputs * (2 + 4 * k) + layers * (8 * k + 36 * k * k) : inputs * (2 + 9 * k);
};

interface Plan {
  readonly blocks: readonly number[];
  readonly k: number;
  readonly stem: number;
  readonly first: number;
  readonly bottleneck: boolean;
  readonly classes: number;
}

/** Stem, blocks, transitions of 2c + c * theta c, the last BN and the classifier. */
function network({ blocks, k, stem, first, bottleneck, classes }: Plan): number {
  const theta = bottleneck ? 0.5 : 1;
  const into = [first];
  const out = blocks.map((layers, i) => {
    const wide = (into[i] as number) + layers * k;
    into.push(wide * theta);
    return wide;
  });
  const last = out[out.length - 1] as number;
  const transitions = sum(blocks.length - 1, (i) => {
    const c = out[i] as number;
    return 2 * c + theta * c * c;
  });
  const inside = sum(blocks.length, (i) => block(blocks[i] as number, into[i] as number, k, bottleneck));
  return stem + inside + transitions + 2 * last + (last + 1) * classes;
}

const imagenet = (k: number, blocks: readonly number[]): number => {
  // 7x7 from 3 to 2k channels, and its BN.
  return network({ blocks, k, first: 2 * k, stem: 147 * 2 * k + 4 * k, bottleneck: true, classes: 1000 });
};
const cifar = (k: number, layers: number, bottleneck: boolean): number => {
  const first = bottleneck ? 2 * k : 16;
  return network({ blocks: [layers, layers, layers], k, first, stem: 27 * first, bottleneck, classes: 10 });
};

export const densenetCounts: Readonly<Record<keyof typeof densenetModels, number>> = {
  // Table 2: 1.0M, 0.8M, 25.6M.
  densenet40_12_cifar: cifar(12, 12, false),
  densenet_bc100_12_cifar: cifar(12, 16, true),
  densenet_bc190_40_cifar: cifar(40, 31, true),
  // torchvision: 7,978,856, 28,681,000, 14,149,480 and 20,013,928.
  densenet121: imagenet(32, [6, 12, 24, 16]),
  densenet161: imagenet(48, [6, 12, 36, 24]),
  densenet169: imagenet(32, [6, 12, 32, 32]),
  densenet201: imagenet(32, [6, 12, 48, 32]),
  densenet264: imagenet(32, [6, 12, 64, 48]),
};
