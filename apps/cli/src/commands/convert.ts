import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { sizeOf } from "@ocelli/core";
import { type FileTensor, writePyTorch, writeSafetensors } from "@ocelli/formats";
import { inventory } from "@ocelli/layers";
import { writeAtomic } from "@ocelli/training/node";
import { UsageError } from "../errors.js";
import { type Io, note, print, printJson } from "../io.js";
import { checkpointOfRun, type LoadedModel, type ModelFlags, renaming } from "../model.js";
import { checkOutput } from "../output.js";
import { openModel } from "../published.js";
import { colors, formatInteger, labelled, listed } from "../terminal.js";
import {
  oddities,
  readWeights,
  renameTensors,
  type WeightsFile,
  type WeightsFormat,
  weightsEndings,
  weightsFormat,
} from "../weights-file.js";
import { metadataOf, noteForgotten, writeExport } from "./export.js";

export interface ConvertFlags extends Pick<ModelFlags, "model"> {
  readonly json?: boolean;
}

/** Weights alone, without a graph. */
type FileFormat = Exclude<WeightsFormat, "onnx">;

/** What was written. */
interface Converted {
  readonly file: string;
  readonly format: WeightsFormat;
  readonly bytes: number;
  readonly from: string;
  readonly tensors: number;
  /** Elements in all. */
  readonly values: number;
  readonly dtypes: readonly string[];
}

/**
 * `ocelli convert IN OUT`: the same tensors in another format, which the files' endings name. Where the model is known (a run, published
 * weights, --model, or the file says), the tensors have to be that model's, get its names, and the file says whose they are.
 */
export async function convert(io: Io, from: string, to: string, flags: ConvertFlags): Promise<void> {
  const format = weightsFormat(to);
  if (format === undefined) throw new UsageError(`${to}: the ending names the format: ${weightsEndings}`);
  checkOther(from, to);
  await checkOutput(to, "");
  const plain = format === "onnx" ? undefined : await withoutModel(from, flags);
  const result =
    plain === undefined
      ? await fromModel(io, await openModel(io, from, flags), { to, format }, flags)
      : await fromFile(io, plain, { from, to, format: format as FileFormat });
  if (flags.json) return printJson(io, result);
  const rows: [string, string][] = [
    ["wrote", `${to}, ${formatInteger(result.bytes)} bytes`],
    ["from", result.from],
    ["tensors", `${formatInteger(result.tensors)} (${listed(result.dtypes)}), ${formatInteger(result.values)} values`],
  ];
  for (const line of labelled(rows, colors(io).dim)) print(io, line);
}

function checkOther(from: string, to: string): void {
  if (resolve(from) === resolve(to)) throw new UsageError(`${to} is the very file that is read; name another`);
}

/** A file whose model nobody names. */
async function withoutModel(from: string, { model }: ConvertFlags): Promise<WeightsFile | undefined> {
  const isFile = (await stat(from).catch(() => undefined))?.isFile() ?? false;
  if (!isFile || model !== undefined || checkpointOfRun(from) !== undefined) return undefined;
  const weights = await readWeights(from);
  return weights.metadata.ocelli === undefined ? weights : undefined;
}

async function fromFile(
  io: Io,
  weights: WeightsFile,
  { from, to, format }: { readonly from: string; readonly to: string; readonly format: FileFormat },
): Promise<Converted> {
  noteLeftOut(io, from, weights.leftOut);
  for (const line of oddities(from, weights)) note(io, line);
  return write(weights.tensors, { from, to, format, metadata: weights.metadata });
}

/** The file's own tensors, not the values that the model got of them: dtypes stay as they are. */
async function fromModel(
  io: Io,
  loaded: LoadedModel,
  { to, format }: { readonly to: string; readonly format: WeightsFormat },
  { model }: ConvertFlags,
): Promise<Converted> {
  const from = loaded.file;
  checkOther(from, to);
  if (format === "onnx") {
    const { bytes } = await writeExport(loaded, { to: "onnx", output: to });
    return described(to, "onnx", bytes, from, (await readWeights(to)).tensors);
  }
  const { tensors: given, metadata, leftOut } = await readWeights(from);
  noteLeftOut(io, from, leftOut);
  const renamed = renameTensors(given, renaming(loaded.entry), from);
  const tensors = new Map<string, FileTensor>();
  for (const name of inventory(loaded.model).slots.keys()) {
    const tensor = renamed.get(name);
    if (tensor !== undefined) tensors.set(name, tensor);
  }
  // Whoever gave --model for a file that does not say has it in hand.
  if (format === "pytorch" && (model === undefined || metadata.ocelli !== undefined)) noteForgotten(io, to, loaded);
  return write(tensors, { from, to, format, metadata: { ...metadata, ...metadataOf(loaded, false) } });
}

function noteLeftOut(io: Io, from: string, leftOut: readonly string[]): void {
  if (leftOut.length === 0) return;
  const names = leftOut.slice(0, 3).map((name) => JSON.stringify(name));
  note(io, `note: ${from}: left out ${leftOut.length} initializers that are no plain numbers, first ${listed(names)}`);
}

async function write(
  tensors: ReadonlyMap<string, FileTensor>,
  {
    from,
    to,
    format,
    metadata,
  }: { from: string; to: string; format: FileFormat; metadata: Readonly<Record<string, string>> },
): Promise<Converted> {
  const bytes = format === "pytorch" ? writePyTorch(tensors) : writeSafetensors(tensors, { ...metadata, format: "pt" });
  await writeAtomic(to, bytes);
  return described(to, format, bytes.length, from, tensors);
}

function described(
  file: string,
  format: WeightsFormat,
  bytes: number,
  from: string,
  tensors: ReadonlyMap<string, FileTensor>,
): Converted {
  const all = [...tensors.values()];
  const values = all.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return {
    file,
    format,
    bytes,
    from,
    tensors: all.length,
    values,
    dtypes: [...new Set(all.map(({ dtype }) => dtype))],
  };
}
