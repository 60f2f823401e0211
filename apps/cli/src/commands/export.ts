import type { HostTensor } from "@ocelli/core";
import { type FileTensor, fromHostTensor, writePyTorch, writeSafetensors } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import type { Transform } from "@ocelli/training";
import { writeAtomic } from "@ocelli/training/node";
import { UsageError } from "../errors.js";
import { type Io, note, print, printJson } from "../io.js";
import type { ImageShape, LoadedModel, ModelFlags, Passport } from "../model.js";
import { checkOutput } from "../output.js";
import { openModel } from "../published.js";
import { colors, formatInteger, labelled } from "../terminal.js";
import { ocelliVersion } from "../versions.js";
import { type WeightsFormat, weightsFormat } from "../weights-file.js";

export interface ExportFlags extends ModelFlags {
  readonly to: "onnx" | "safetensors" | "pth";
  readonly output: string;
  /** The ONNX file takes images as they are, and normalises them itself. */
  readonly withTransform?: boolean;
  readonly json?: boolean;
}

/** What was written. */
export interface Exported {
  readonly file: string;
  readonly format: ExportFlags["to"];
  readonly bytes: number;
  /** Names, dtypes and shapes; none but for ONNX. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

const formatOf: Readonly<Record<ExportFlags["to"], WeightsFormat>> = {
  onnx: "onnx",
  safetensors: "safetensors",
  pth: "pytorch",
};

/** `ocelli export RUN --to onnx|safetensors|pth -o FILE` */
export async function exportModel(io: Io, path: string, flags: ExportFlags): Promise<void> {
  if (flags.withTransform && flags.to !== "onnx")
    throw new UsageError(`--with-transform is for --to onnx: ${flags.to} holds weights only`);
  const ending = weightsFormat(flags.output);
  if (ending !== undefined && ending !== formatOf[flags.to])
    throw new UsageError(`-o ${flags.output}: its ending is that of another format than --to ${flags.to}`);
  const loaded = await openModel(io, path, flags);
  const exported = await writeExport(loaded, flags);
  if (flags.to === "pth" && flags.model === undefined) noteForgotten(io, flags.output, loaded);
  if (flags.json) return printJson(io, exported);
  const { file, bytes, inputs, outputs } = exported;
  const named = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([name, spec]) => `${name}  ${spec}`)
      .join("\n");
  const origin = flags.withTransform ? "pixels 0 to 255" : `= ${normalisation(loaded.transform)}`;
  const rows: [string, string][] = [
    ["wrote", `${file}, ${formatInteger(bytes)} bytes`],
    ["from", loaded.file],
  ];
  if (flags.to === "onnx") rows.push(["input", `${named(inputs)}  ${origin}`], ["output", named(outputs)]);
  for (const line of labelled(rows, colors(io).dim)) print(io, line);
}

/** Writes the file: beside its place first, then renamed. */
export async function writeExport(
  loaded: LoadedModel,
  { to, output, withTransform = false }: Omit<ExportFlags, "json">,
): Promise<Exported> {
  await checkOutput(output);
  if (to !== "onnx") {
    const bytes =
      to === "pth"
        ? writePyTorch(tensorsOf(loaded))
        : writeSafetensors(tensorsOf(loaded), { ...metadataOf(loaded, false), format: "pt" });
    await writeAtomic(output, bytes);
    return { file: output, format: to, bytes: bytes.length, inputs: {}, outputs: {} };
  }
  const { exportOnnx } = await import("@ocelli/training");
  const { model, values, entry, transform } = loaded;
  if (withTransform && transform === undefined)
    throw new UsageError("--with-transform: the weights do not say how images were normalised");
  const input = inputShape(loaded, withTransform);
  const bytes = exportOnnx(model, values, {
    input,
    transform: withTransform ? transform : undefined,
    name: loaded.name,
    producer: "ocelli",
    producerVersion: ocelliVersion(),
    metadata: metadataOf(loaded, withTransform),
    doc: `${entry.summary}. ${entry.citation}`,
  });
  await writeAtomic(output, bytes);
  const [name, dtype] = withTransform ? ["images", "uint8"] : ["input", "float32"];
  const inputs = { [name as string]: `${dtype}[${input.join(", ")}]` };
  const outputs = { logits: `float32[N, ${loaded.options.numClasses ?? entry.numClasses}]` };
  return { file: output, format: to, bytes: bytes.length, inputs, outputs };
}

/** With the transform inside, the pictures come without the border that it adds. */
function inputShape({ image, entry }: LoadedModel, withTransform: boolean): ["N", ...ImageShape] {
  const border = withTransform ? 0 : 2 * (entry.preprocessing.pad ?? 0);
  const [channels, height, width] = image;
  return ["N", channels, height + border, width + border];
}

/** PyTorch's files have no place for it. */
export function noteForgotten(io: Io, file: string, { name }: LoadedModel): void {
  note(io, `note: ${file} does not say its model, classes and normalisation; it will need --model ${name}`);
}

function tensorsOf({ model, values }: LoadedModel): Map<string, FileTensor> {
  const flat = Object.entries(flattenStateDict(model, values));
  // PyTorch counts in int64.
  const asFile = (host: HostTensor) => fromHostTensor(host, host.dtype === "int32" ? { dtype: "I64" } : {});
  return new Map(flat.map(([name, host]) => [name, asFile(host)]));
}

/** What the file says about itself. */
export function metadataOf(loaded: LoadedModel, withTransform: boolean): Record<string, string> {
  const { name, options, classes = [], image, imageKnown, resize, transform } = loaded;
  const passport: Passport = {
    model: name,
    options,
    classes,
    ...(imageKnown ? { image } : {}),
    ...(resize === undefined ? {} : { resize }),
    ...(transform === undefined ? {} : { transform: { name: transform.name, options: transform.options } }),
  };
  const input = withTransform ? "uint8 pixels 0..255" : normalisation(transform);
  return { ocelli: JSON.stringify(passport), classes: JSON.stringify(classes), input };
}

/** How a picture becomes the float input, in words. */
function normalisation(transform: Transform | undefined): string {
  if (transform?.name !== "normalize") return "pixels as the weights' training normalised them";
  const { mean, std, pad = 0 } = transform.options as { mean: readonly number[]; std: readonly number[]; pad?: number };
  const list = (values: readonly number[]): string => {
    const texts = values.map((value) => `${Number(value.toPrecision(6))}`);
    return texts.length === 1 ? (texts[0] as string) : `[${texts.join(", ")}]`;
  };
  const border = pad === 0 ? "" : `, after a border of ${pad} black pixels`;
  return `(pixel / 255 - ${list(mean)}) / ${list(std)}${border}`;
}
