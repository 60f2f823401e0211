import { ArgumentError, type Device, DeviceError, hostTensor, type StateDict, sizeOf } from "@ocelli/core";
import { loadStateDict, type Module } from "@ocelli/layers";
import { freshProgress, makeTransform, type Progress, predictor } from "@ocelli/training";
import { StorageError } from "@ocelli/training/web";
import * as Comlink from "comlink";
import { buildModel, parameterCount } from "../../model/build.js";
import { fittingTransform, type NetworkCard, pixelsOf, plainCard } from "../../model/card.js";
import { programOf } from "../../model/code.js";
import { fileName } from "../../model/file-name.js";
import { judged } from "../../model/judged.js";
import type { ModelSpec } from "../../model/spec.js";
import { whyNotStored } from "../../store/files.js";
import {
  checkWeightsFile,
  fittingModels,
  readWeights,
  specFor,
  valuesFor,
  type WeightsFile,
} from "../../store/import.js";
import {
  checkpointsOf,
  deleteNetwork,
  importNetwork,
  networkFormat,
  newId,
  type SavedNetwork,
} from "../../store/networks.js";
import { aboutSaved, readSaved } from "../../store/saved.js";
import { type NetworkSource, readBuiltIn } from "../../store/source.js";
import { DeviceSlot } from "../device.js";
import type { Answers, Described, EncodeRequest, ExportApi, Fitted, Kept, OpenedFile } from "./api.js";
import { encodeNetwork, expectedBytes, networkFile } from "./encode.js";
import { patternPixels } from "./pattern.js";

interface Stored {
  readonly values: StateDict;
  readonly progress?: Progress | undefined;
}

class ExportWorker implements ExportApi {
  readonly #slot = new DeviceSlot();
  #file: WeightsFile | undefined;
  /** Counts openings and closings: what was asked for before the last one comes too late. */
  #turn = 0;

  async describe(source: NetworkSource): Promise<Described> {
    const card = await cardOf(source);
    const { model, input } = buildModel(card.spec);
    const bytes = expectedBytes(card.spec);
    const last = source.kind === "saved" && source.held === undefined ? await lastCheckpoint(source.id) : undefined;
    const weights = `${fileName(card.title)}.safetensors`;
    return {
      source,
      card,
      parameters: parameterCount(model),
      resumable: last !== undefined && "source" in card && card.source === "trained",
      input,
      pixels: pixelsOf(card),
      bytes: { onnx: bytes, safetensors: bytes, pytorch: bytes, checkpoint: last?.bytes ?? bytes },
      program: programOf(card, { program: "predict.mts", weights }),
      weights,
    };
  }

  async encode({ source, card, format, withTransform }: EncodeRequest): Promise<Uint8Array<ArrayBuffer>> {
    const { values, progress } = await read(source, format === "checkpoint" ? "last" : "best");
    const bytes = new Uint8Array(encodeNetwork(format, card, values, { withTransform, progress }));
    return Comlink.transfer(bytes, [bytes.buffer]);
  }

  async answers({ source, card }: Pick<EncodeRequest, "source" | "card">): Promise<Answers> {
    const { values } = await read(source, "best");
    try {
      const { device, report } = await this.#slot.open();
      return { logits: await logitsOf(card, judged(values), device), device: report };
    } catch (error) {
      // One that was lost may be had again the next time.
      if (error instanceof DeviceError) await this.#slot.close();
      throw error;
    }
  }

  async open(file: File): Promise<OpenedFile> {
    this.#file = undefined;
    const mine = ++this.#turn;
    checkWeightsFile(file);
    const read = await readWeights(new Uint8Array(await file.arrayBuffer()), file.name);
    const { name, tensors, notes, card } = read;
    // A file that says its network and does not hold its values is damaged, or lies.
    if (card !== undefined) valuesFor(read, card.spec);
    // Another one may have been opened meanwhile.
    if (mine === this.#turn) this.#file = read;
    const fitting = card === undefined ? fittingModels(read) : [card.spec];
    return {
      name,
      tensors: tensors.size,
      notes,
      card,
      fitting: fitting.map((spec) => ({ spec, title: buildModel(spec).title })),
    };
  }

  async fit(spec: ModelSpec): Promise<Fitted> {
    const file = this.#opened();
    const adapted = specFor(file, spec);
    valuesFor(file, adapted);
    const { title, numClasses, input, entry } = buildModel(adapted);
    return { spec: adapted, title, numClasses, channels: input[0], preprocessing: entry?.preprocessing ?? {} };
  }

  async keep(card: NetworkCard): Promise<Kept> {
    const { title, spec, classes, transform, accuracy } = card;
    const values = valuesFor(this.#opened(), spec);
    const network: SavedNetwork = {
      format: networkFormat,
      id: newId(),
      title,
      spec,
      classes,
      transform: fittingTransform(transform, spec),
      created: Date.now(),
      source: "imported",
      accuracy,
    };
    const unsaved = await tryStoring(network, values);
    this.#file = undefined;
    if (unsaved === undefined) return { network };
    const file = networkFile({ ...card, transform: network.transform }, values);
    return { network, held: { file, why: unsaved } };
  }

  async close(): Promise<void> {
    this.#turn++;
    this.#file = undefined;
  }

  #opened(): WeightsFile {
    if (this.#file === undefined) throw new ArgumentError("No file is open. Choose it again.");
    return this.#file;
  }
}

/** Stores a network; or says why the storage does not take it, and then nothing of it stays there. */
async function tryStoring(network: SavedNetwork, values: StateDict): Promise<string | undefined> {
  try {
    await importNetwork(network, values, freshProgress);
    return undefined;
  } catch (error) {
    await deleteNetwork(network.id).catch(() => undefined);
    if (!(error instanceof StorageError)) throw error;
    return whyNotStored(error);
  }
}

/** What the network says to the pattern. */
async function logitsOf(card: NetworkCard, values: StateDict, device: Device): Promise<number[]> {
  const model = buildModel(card.spec).model as Module;
  const shape = pixelsOf(card);
  const pixels = patternPixels(sizeOf(shape));
  using predict = await predictor(device, values, {
    model,
    transform: makeTransform(card.transform),
    output: "logits",
  });
  const { data } = await predict(hostTensor(pixels, [1, ...shape]));
  return Array.from(data, Number);
}

async function cardOf(source: NetworkSource): Promise<NetworkCard | SavedNetwork> {
  if (source.kind === "random") return plainCard(source.spec);
  return source.kind === "digits" ? (await readBuiltIn(source.url)).about : aboutSaved(source);
}

/** Which values: those of the best epoch, as long as there is one, or those that the training goes on from. */
async function read(source: NetworkSource, wanted: "best" | "last"): Promise<Stored> {
  if (source.kind === "random") return { values: buildModel(source.spec).model.initialState({ seed: 0 }) };
  if (source.kind === "saved") return readSaved(source, wanted);
  const { about, values } = await readBuiltIn(source.url);
  return { values: loadStateDict(buildModel(about.spec).model, values) };
}

const lastCheckpoint = async (id: string) => (await checkpointsOf(id)).find(({ name }) => name === "last");

Comlink.expose(new ExportWorker());
