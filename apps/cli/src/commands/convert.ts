import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { sizeOf } from "@ocelli/core";
import { type FileTensor, writePyTorch, writeSafetensors } from "@ocelli/formats";
import { inventory } from "@ocelli/layers";
import { writeAtomic } from "@ocelli/training/node";
import { UsageError } from "../errors.js";
import { type Io, note, print, printJson } from "../io.js";
import { loadModel, type ModelFlags, nonFiniteNote } from "../model.js";
import { colors, formatInteger, labelled, listed } from "../terminal.js";
import {
  nonFiniteTensor,
  readWeights,
  renameTensors,
  type WeightsFile,
  type WeightsFormat,
  weightsEndings,
  weightsFormat,
} from "../weights-file.js";
import { checkOutput, writeExport } from "./export.js";

export interface ConvertFlags extends Pick<ModelFlags, "model"> {
  readonly json?: boolean;
}

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

/** `ocelli convert IN OUT`: the same tensors in another format, which the files' endings name. */
export async function convert(io: Io, from: string, to: string, flags: ConvertFlags): Promise<void> {
  const format = weightsFormat(to);
  if (format === undefined) throw new UsageError(`${to}: the ending names the format: ${weightsEndings}`);
  if ((await stat(from)).isDirectory()) {
    throw new UsageError(`${from} is a folder; \`${io.command} export\` writes the weights of a run`);
  }
  if (resolve(from) === resolve(to)) throw new UsageError(`${to} is the very file that is read; name another`);
  await checkOutput(to, "");
  const weights = await readWeights(from);
  const warnings = notesOn(weights, from);
  for (const line of warnings) note(io, line);
  const result =
    format === "onnx" ? await toOnnx(from, to, flags) : await toWeights(weights, { from, to, format }, flags);
  if (flags.json) return printJson(io, result);
  const rows: [string, string][] = [
    ["wrote", `${to}, ${formatInteger(result.bytes)} bytes`],
    ["from", from],
    ["tensors", `${formatInteger(result.tensors)} (${listed(result.dtypes)}), ${formatInteger(result.values)} values`],
  ];
  for (const line of labelled(rows, colors(io).dim)) print(io, line);
}

function notesOn({ tensors, leftOut }: WeightsFile, from: string): string[] {
  const notes: string[] = [];
  if (leftOut.length > 0) {
    const names = leftOut.slice(0, 3).map((name) => JSON.stringify(name));
    notes.push(
      `note: ${from}: left out ${leftOut.length} initializers that are no plain numbers, first ${listed(names)}`,
    );
  }
  const bad = nonFiniteTensor(tensors);
  return bad === undefined ? notes : [...notes, nonFiniteNote(from, bad)];
}

/** Where the model is known (by --model, or the file says), the tensors have to be that model's, and get its names. */
async function toWeights(
  { tensors: given, metadata, format: source }: WeightsFile,
  { from, to, format }: { readonly from: string; readonly to: string; readonly format: "safetensors" | "pytorch" },
  { model }: ConvertFlags,
): Promise<Converted> {
  const known = model !== undefined || metadata.ocelli !== undefined;
  const tensors = known ? await fitting(given, source, from, model) : given;
  const bytes = format === "pytorch" ? writePyTorch(tensors) : writeSafetensors(tensors, { ...metadata, format: "pt" });
  await writeAtomic(to, bytes);
  return described(to, format, bytes.length, from, tensors);
}

async function fitting(
  tensors: ReadonlyMap<string, FileTensor>,
  source: WeightsFormat,
  from: string,
  model: string | undefined,
): Promise<ReadonlyMap<string, FileTensor>> {
  const loaded = await loadModel(from, { model });
  const renamed = renameTensors(tensors, (name) => loaded.entry.rename?.(name) ?? name, from);
  if (source !== "onnx") return renamed;
  const { slots } = inventory(loaded.model);
  return new Map([...renamed].filter(([name]) => slots.has(name)));
}

/** An ONNX file is a graph: the model that the weights belong to has to be known. */
async function toOnnx(from: string, to: string, flags: ConvertFlags): Promise<Converted> {
  const loaded = await loadModel(from, flags);
  const { bytes } = await writeExport(loaded, { to: "onnx", output: to });
  return described(to, "onnx", bytes, from, (await readWeights(to)).tensors);
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
