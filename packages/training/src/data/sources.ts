import { cifar10Dataset, cifar100Dataset } from "./cifar.js";
import { digitClasses, fashionMnistClasses } from "./classes.js";
import type { ImageDataset } from "./dataset.js";
import { idxDataset, type NamedBytes } from "./idx.js";

/** One file of a dataset, under its canonical name. */
export interface SourceFile {
  /** Without `.gz`. */
  readonly name: string;
  /** Other names it is seen under. */
  readonly aliases?: readonly string[];
  /** May be missing, as long as one file of the same split is there. */
  readonly partial?: boolean;
  readonly split: "train" | "test";
  readonly kind: "images" | "labels" | "records";
}

/** A file on the mirrors: a gz of one file, or a tar.gz of all. */
export interface Download {
  readonly name: string;
  readonly md5: string;
}

/** Where a dataset comes from and how its files become images. */
export interface DatasetSource {
  readonly name: string;
  readonly files: readonly SourceFile[];
  /** Folders below a data folder in which the files are looked for; "" is the data folder itself. */
  readonly folders: readonly string[];
  readonly mirrors: readonly string[];
  readonly downloads: readonly Download[];
  /** Most bytes that one file may have. */
  readonly maxBytes: number;
  readonly read: (name: string, files: ReadonlyMap<SourceFile, NamedBytes>) => Promise<ImageDataset>;
}

const mib = 2 ** 20;

function idxSource(
  options: Pick<DatasetSource, "name" | "folders" | "mirrors"> & {
    readonly md5: readonly [string, string, string, string];
    readonly classes: readonly string[];
  },
): DatasetSource {
  const files = (["train", "test"] as const).flatMap((split): SourceFile[] => {
    const prefix = split === "train" ? "train" : "t10k";
    return [
      { name: `${prefix}-images-idx3-ubyte`, aliases: [`${prefix}-images.idx3-ubyte`], split, kind: "images" },
      { name: `${prefix}-labels-idx1-ubyte`, aliases: [`${prefix}-labels.idx1-ubyte`], split, kind: "labels" },
    ];
  });
  const { name, folders, mirrors, md5, classes } = options;
  const downloads = files.map((file, i) => ({ name: `${file.name}.gz`, md5: md5[i] as string }));
  const read: DatasetSource["read"] = (setName, bytes) => {
    const of = (kind: SourceFile["kind"]) => [...bytes].find(([file]) => file.kind === kind)?.[1] as NamedBytes;
    return idxDataset({ name: setName, images: of("images"), labels: of("labels"), classes });
  };
  return { name, files, folders, mirrors, downloads, maxBytes: 256 * mib, read };
}

const mnist = idxSource({
  name: "mnist",
  folders: ["mnist", "MNIST/raw", "MNIST", ""],
  mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"],
  md5: [
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
  ],
  classes: digitClasses,
});

const fashionMnist = idxSource({
  name: "fashion-mnist",
  // Its files are named like MNIST's: folders that say which come first.
  folders: ["fashion-mnist", "FashionMNIST/raw", "FashionMNIST", ""],
  mirrors: [
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
  ],
  md5: [
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
  ],
  classes: fashionMnistClasses,
});

const cifarMirrors = ["https://www.cs.toronto.edu/~kriz"];

const cifar10: DatasetSource = {
  name: "cifar10",
  files: [
    ...[1, 2, 3, 4, 5].map((n): SourceFile => {
      return { name: `data_batch_${n}.bin`, split: "train", kind: "records", partial: true };
    }),
    { name: "test_batch.bin", split: "test", kind: "records" },
  ],
  folders: ["cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", ""],
  mirrors: cifarMirrors,
  downloads: [{ name: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530" }],
  maxBytes: 256 * mib,
  read: async (name, files) => cifar10Dataset(name, [...files.values()]),
};

const cifar100: DatasetSource = {
  name: "cifar100",
  files: [
    { name: "train.bin", split: "train", kind: "records" },
    { name: "test.bin", split: "test", kind: "records" },
  ],
  folders: ["cifar100", "cifar-100-binary", "cifar100/cifar-100-binary", ""],
  mirrors: cifarMirrors,
  downloads: [{ name: "cifar-100-binary.tar.gz", md5: "03b5dce01913d631647c71ecec9e9cb8" }],
  maxBytes: 256 * mib,
  read: async (name, files) => cifar100Dataset(name, [...files.values()]),
};

/** Datasets that are files. */
export const sources = { mnist, "fashion-mnist": fashionMnist, cifar10, cifar100 } satisfies Record<
  string,
  DatasetSource
>;
