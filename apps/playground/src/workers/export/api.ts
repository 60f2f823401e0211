import type { Preprocessing } from "@ocelli/zoo";
import type { FileCard, NetworkCard } from "../../model/card.js";
import type { Program } from "../../model/code.js";
import type { ImageShape, ModelSpec } from "../../model/spec.js";
import type { SavedNetwork } from "../../store/networks.js";
import type { NetworkSource } from "../../store/source.js";
import type { DeviceReport } from "../device.js";
import type { ExportFormat } from "./encode.js";

export type { ExportFormat };

/** A network that can be taken away. */
export interface Described {
  readonly source: NetworkSource;
  readonly card: NetworkCard;
  readonly parameters: number;
  /** Whether a training can go on from its checkpoint: then that holds the optimizer's state, too. */
  readonly resumable: boolean;
  /** Of an image as the network takes it, and of the pixels before its transform. */
  readonly input: ImageShape;
  readonly pixels: ImageShape;
  /** How many bytes a file will have, or about as many. */
  readonly bytes: { readonly [Format in ExportFormat]: number };
  /** A program of the same network, and the name of the file of values that it reads. */
  readonly program: Program;
  readonly weights: string;
}

export interface EncodeRequest {
  readonly source: NetworkSource;
  readonly card: NetworkCard;
  readonly format: ExportFormat;
  /** ONNX: see `EncodeOptions`. */
  readonly withTransform: boolean;
}

/** What the network says to pixels that any program can make: so one sees whether a file was put to use rightly. */
export interface Answers {
  readonly logits: readonly number[];
  readonly device: DeviceReport;
}

/** A file that somebody brought along, as read. */
export interface OpenedFile {
  readonly name: string;
  readonly tensors: number;
  /** What is odd about it, and no error. */
  readonly notes: readonly string[];
  /** What it says of itself. Undefined: somebody has to say which network it is of. */
  readonly card: FileCard | undefined;
  /** Networks of the zoo that its values fit; of a file that says its own, that one. */
  readonly fitting: readonly { readonly spec: ModelSpec; readonly title: string }[];
}

/** A network that the values of a file fit, and what there is to decide about it. */
export interface Fitted {
  readonly spec: ModelSpec;
  readonly title: string;
  readonly numClasses: number;
  readonly channels: number;
  /** As it was published with, if it was. */
  readonly preprocessing: Preprocessing;
}

/** What became of a network that was brought along. */
export interface Kept {
  readonly network: SavedNetwork;
  /** Where the site's storage did not take it: the file to hold it by (see `HeldNetwork`), and why. */
  readonly held?: { readonly file: Blob; readonly why: string };
}

/** What the export worker does. Errors keep their class's name and their message. */
export interface ExportApi {
  /** @throws ArgumentError, ShapeError, FormatError, StorageError */
  describe(source: NetworkSource): Promise<Described>;
  /** @throws StateError, FormatError, StorageError */
  encode(request: EncodeRequest): Promise<Uint8Array<ArrayBuffer>>;
  /** The logits of `patternPixels`. @throws DeviceError */
  answers(request: Pick<EncodeRequest, "source" | "card">): Promise<Answers>;
  /** Reads a file, which takes the place of the one before. @throws FormatError, DTypeError */
  open(file: File): Promise<OpenedFile>;
  /** The network that the open file's values fit: the given one, with as many classes as the file has. @throws StateError that lists what does not fit */
  fit(spec: ModelSpec): Promise<Fitted>;
  /** Stores the open file's values, whole or not at all. @throws StateError */
  keep(card: NetworkCard): Promise<Kept>;
  /** Forgets the open file. */
  close(): Promise<void>;
}
