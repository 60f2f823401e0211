import type { LocatedFile } from "@ocelli/training/web";
import type { ImageShape, ModelSpec } from "../../../model/spec.js";
import type { DataSpec } from "../../../model/training.js";
import type { DataListing, StoredData } from "../../../store/data.js";
import type { Picture } from "./looks.js";

export type { DataListing, StoredData };

export interface DataSummary {
  readonly title: string;
  readonly classes: readonly string[];
  /** Of one image as the network gets it, without the border that some networks add. */
  readonly image: ImageShape;
  /** Images. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** What judges each epoch. */
  readonly judged: "validation" | "test";
}

export interface AddDataRequest {
  /** Blobs with paths (`droppedFiles`, `directoryFiles` or an input's files), or with a `label`: pictures of a camera. */
  readonly files: readonly LocatedFile[];
  readonly name?: string;
  /** Left out: told from the files. */
  readonly kind?: "standard" | "pictures";
  /** Default "storage". */
  readonly keep?: "storage" | "memory";
  /** Adds pictures to a stored set of this name. Default: a new one. */
  readonly to?: string;
}

export interface AddProgress {
  readonly done: number;
  readonly total: number;
  readonly doing: "looking" | "storing";
}

export interface AddedData {
  readonly data: StoredData;
  /** Files that were left out, each with the reason. */
  readonly broken: readonly { readonly path: string; readonly reason: string }[];
}

export interface ExamplesRequest {
  readonly data: DataSpec;
  /** The network that they would train: pictures are shown at its size. Left out: 64 x 64. */
  readonly spec?: ModelSpec;
  /** Default 8. */
  readonly perClass?: number;
  /** So many classes at most. Default 20. */
  readonly atMost?: number;
}

export interface DataExamples {
  readonly summary: Pick<DataSummary, "title" | "classes" | "train" | "test">;
  readonly classes: readonly { readonly name: string; readonly count: number; readonly pictures: readonly Picture[] }[];
}

export interface AugmentRequest {
  readonly spec: ModelSpec;
  readonly data: DataSpec;
  /** Name of a preset: `augmentPresets`. */
  readonly augment: string;
  readonly seed: number;
  /** How many pictures besides the original. */
  readonly count: number;
  /** Position among the training images. Default 0. */
  readonly image?: number;
}
