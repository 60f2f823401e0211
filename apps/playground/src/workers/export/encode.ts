import { ArgumentError, type HostTensor, type StateDict, sizeOf } from "@ocelli/core";
import { type FileTensor, fromHostTensor, writePyTorch, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { encodeCheckpoint, exportOnnx, freshProgress, makeTransform, type Progress } from "@ocelli/training";
import { buildModel } from "../../model/build.js";
import { cardMetadata, type NetworkCard, pixelsOf } from "../../model/card.js";
import { judged } from "../../model/judged.js";

/** Files that a network can be taken away in. */
export type ExportFormat = "onnx" | "safetensors" | "pytorch" | "checkpoint";

export interface EncodeOptions {
  /** ONNX only: the file takes pixels, uint8, and does to them what they go through. */
  readonly withTransform?: boolean | undefined;
  /** Of checkpoints: where the training stood. */
  readonly progress?: Progress | undefined;
}

/**
 * A network as the bytes of a file.
 * @param values parameters and buffers; a checkpoint holds all that there is
 */
export function encodeNetwork(
  format: ExportFormat,
  card: NetworkCard,
  values: StateDict,
  options: EncodeOptions = {},
): Uint8Array {
  return encoders[format](card, values, options);
}

/** A network as a file that pages hold and hand on without copying. */
export const networkFile = (card: NetworkCard, values: StateDict): Blob =>
  new Blob([encodeNetwork("safetensors", card, values) as Uint8Array<ArrayBuffer>]);

type Encoder = (card: NetworkCard, values: StateDict, options: EncodeOptions) => Uint8Array;

const encoders: Readonly<Record<ExportFormat, Encoder>> = {
  onnx: (card, values, { withTransform = false }) => {
    const { model, input, entry } = buildModel(card.spec);
    return exportOnnx(model, judged(values), {
      input: ["N", ...(withTransform ? pixelsOf(card) : input)],
      transform: withTransform ? makeTransform(card.transform) : undefined,
      name: card.title,
      producer: "ocelli playground",
      metadata: { ...cardMetadata(card), classes: JSON.stringify(card.classes) },
      doc: entry === undefined ? card.title : `${entry.summary}. ${entry.citation}`,
    });
  },
  safetensors: (card, values) => writeSafetensors(tensorsOf(card, values), { ...cardMetadata(card), format: "pt" }),
  pytorch: (card, values) => writePyTorch(tensorsOf(card, values)),
  checkpoint: (card, values, { progress = freshProgress }) =>
    encodeCheckpoint({ values, progress }, cardMetadata(card)),
};

function tensorsOf({ spec }: NetworkCard, values: StateDict): Map<string, FileTensor> {
  const flat = Object.entries(flattenStateDict(buildModel(spec).model, judged(values)));
  // PyTorch counts in int64.
  const asFile = (host: HostTensor): FileTensor => fromHostTensor(host, host.dtype === "int32" ? { dtype: "I64" } : {});
  return new Map(flat.map(([name, host]) => [name, asFile(host)]));
}

/** About how many bytes a file will have: its values, which are nearly all of it. @throws ArgumentError, ShapeError */
export function expectedBytes(spec: NetworkCard["spec"]): number {
  const specs = Object.values(buildModel(spec).model.stateSpecs());
  if (specs.length === 0) throw new ArgumentError("the network has no values");
  return specs.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
}
