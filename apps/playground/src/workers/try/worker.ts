import { type Device, type HostTensor, hostTensor, State } from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import {
  deconvolution,
  type Explainer,
  explainer,
  featureMaps,
  gradCam,
  guidedBackpropagation,
  occlusion,
  predict,
  saliency,
} from "@ocelli/inspect/explain";
import { digits, makeTransform } from "@ocelli/training";
import * as Comlink from "comlink";
import { type BuiltModel, parameterCount } from "../../model/build.js";
import type { NetworkSource } from "../../store/source.js";
import { type DeviceReport, DeviceSlot } from "../device.js";
import type {
  Answer,
  DeconvolutionQuestion,
  GivenPicture,
  LoadedNetwork,
  Maps,
  OcclusionQuestion,
  OnPixels,
  PixelQuestion,
  Projected,
  Seen,
  TryApi,
} from "./api.js";
import { type OpenedNetwork, openNetwork, preparation } from "./network.js";
import { pixelsFor, previewOf } from "./picture.js";

/** The network that is asked now. */
interface Current {
  readonly key: number;
  readonly built: BuiltModel;
  readonly explainer: Explainer;
  readonly dispose: () => void;
  /** Whether it has given an answer. */
  warm: boolean;
}

class StaleError extends Error {
  override readonly name = "StaleError";
}

class TryWorker implements TryApi {
  readonly #slot = new DeviceSlot();
  #current: Current | undefined;
  #loads = 0;
  /** Questions under way: the network stays until they have their answers. */
  readonly #asked = new Set<Promise<unknown>>();
  #loading: Promise<unknown> = Promise.resolve();
  #occlusion: AbortController | undefined;

  async open(): Promise<DeviceReport> {
    return (await this.#slot.open()).report;
  }

  load(source: NetworkSource): Promise<LoadedNetwork> {
    const key = ++this.#loads;
    const loaded = this.#loading.then(() => this.#load(key, source));
    this.#loading = loaded.catch(() => undefined);
    return loaded;
  }

  async see(key: number, picture: GivenPicture): Promise<Seen> {
    return this.#ask(key, async ({ built }) => {
      const pixels = await pixelsFor(built, picture);
      const preview = await previewOf(picture);
      const seen: Seen = { key, pixels, shape: built.input, preview };
      return preview === undefined ? seen : Comlink.transfer(seen, [preview]);
    });
  }

  answer(key: number, pixels: Uint8Array): Promise<Answer> {
    return this.#ask(key, async (current) => {
      const start = performance.now();
      const { top } = await predict(current.explainer, imagesOf(current, pixels));
      const milliseconds = current.warm ? performance.now() - start : undefined;
      current.warm = true;
      return { top: top[0] as Answer["top"], milliseconds };
    });
  }

  featureMaps(key: number, pixels: Uint8Array, layer: string): Promise<Maps> {
    return this.#ask(key, async (current) => {
      const { [layer]: maps } = await featureMaps(current.explainer, imagesOf(current, pixels), [layer]);
      const { shape, data } = maps as HostTensor;
      return sent({ layer, shape: shape.slice(1), values: data as Float32Array });
    });
  }

  pixels(key: number, pixels: Uint8Array, { method, classIndex, layer }: PixelQuestion): Promise<OnPixels> {
    return this.#ask(key, async (current) => {
      const images = imagesOf(current, pixels);
      const options = { classes: classIndex, layer };
      if (method === "grad-cam") {
        const { onImages, ...explained } = await gradCam(current.explainer, images, options);
        return onPixels(onImages, explained);
      }
      const explain = method === "saliency" ? saliency : guidedBackpropagation;
      const { map, ...explained } = await explain(current.explainer, images, options);
      return onPixels(map, explained);
    });
  }

  occlusion(
    key: number,
    pixels: Uint8Array,
    { classIndex, size }: OcclusionQuestion,
    onProgress: (share: number) => void,
  ): Promise<OnPixels> {
    this.#occlusion?.abort();
    const controller = new AbortController();
    this.#occlusion = controller;
    return this.#ask(key, async (current) => {
      const { onImages, classes, whole } = await occlusion(current.explainer, imagesOf(current, pixels), {
        classes: classIndex,
        size,
        signal: controller.signal,
        onProgress: ({ done, total }) => onProgress(done / total),
      });
      return onPixels(onImages, { classes, scores: whole });
    });
  }

  async cancelOcclusion(): Promise<void> {
    this.#occlusion?.abort();
  }

  deconvolution(key: number, pixels: Uint8Array, { layer, channel: given }: DeconvolutionQuestion): Promise<Projected> {
    return this.#ask(key, async (current) => {
      const images = imagesOf(current, pixels);
      const channel = given ?? (await strongestChannel(current.explainer, images, layer));
      const [strongest] = await deconvolution(current.explainer, images, { layer, channel });
      const { pixels: projected, activation, row, column } = strongest as NonNullable<typeof strongest>;
      const { shape, data } = projected;
      return sent({ shape, values: data as Float32Array, channel, activation, row, column });
    });
  }

  async exampleDigits(seed: number): Promise<readonly Uint8Array[]> {
    const { images, labels } = digits({ split: "test", count: 10, seed });
    return Array.from({ length: 10 }, (_, digit) => {
      const at = labels.indexOf(digit);
      return images.slice(784 * at, 784 * (at + 1));
    });
  }

  async #load(key: number, source: NetworkSource): Promise<LoadedNetwork> {
    const { device } = await this.#slot.open();
    // Somebody chose another one meanwhile.
    if (key !== this.#loads) throw new StaleError();
    this.#occlusion?.abort();
    await Promise.allSettled(this.#asked);
    this.#current?.dispose();
    this.#current = undefined;
    const opened = await openNetwork(source, device);
    this.#current = await readied(device, key, opened);
    return described(source, this.#current, opened);
  }

  async #ask<T>(key: number, question: (current: Current) => Promise<T>): Promise<T> {
    const current = this.#current;
    if (current?.key !== key) throw new StaleError();
    const answer = question(current);
    this.#asked.add(answer);
    try {
      return await answer;
    } finally {
      this.#asked.delete(answer);
    }
  }
}

async function readied(device: Device, key: number, { built, values, transform }: OpenedNetwork): Promise<Current> {
  const owned = values instanceof State ? values : undefined;
  try {
    const asked = await explainer(device, { model: built.model, transform: makeTransform(transform), values });
    const dispose = (): void => {
      asked[disposeKey]();
      owned?.dispose();
    };
    // Now, and not at the first picture: whether the network takes such images.
    asked.layers(built.input);
    return { key, built, explainer: asked, dispose, warm: false };
  } catch (error) {
    owned?.dispose();
    throw error;
  }
}

function described(
  { kind }: NetworkSource,
  { key, built, explainer: asked }: Current,
  opened: OpenedNetwork,
): LoadedNetwork {
  const { layers, gradCamLayer, classes } = asked.layers(built.input);
  const count = classes ?? built.numClasses;
  return {
    key,
    kind,
    title: opened.title,
    classes: Array.from({ length: count }, (_, i) => opened.classes[i] ?? `class ${i}`),
    input: built.input,
    parameters: parameterCount(built.model),
    accuracy: opened.accuracy,
    preparation: preparation(built, opened.transform),
    layers,
    gradCamLayer,
  };
}

/** Of a layer with maps. */
async function strongestChannel(asked: Explainer, images: HostTensor, layer: string): Promise<number> {
  const { [layer]: maps } = await featureMaps(asked, images, [layer]);
  const { shape, data } = maps as HostTensor;
  const [, channels, height, width] = shape as [number, number, number, number];
  const strongest = (data as Float32Array).reduce((best, value, i) => (value > (data[best] as number) ? i : best), 0);
  return Math.min(channels - 1, Math.floor(strongest / (height * width)));
}

const imagesOf = ({ built }: Current, pixels: Uint8Array): HostTensor => hostTensor(pixels, [1, ...built.input]);

function onPixels(
  { shape, data }: HostTensor,
  { classes, scores }: { readonly classes: readonly number[]; readonly scores: readonly number[] },
): OnPixels {
  const [classIndex, score] = [classes[0] as number, scores[0] as number];
  return sent({ shape: shape.slice(1), values: data as Float32Array, classIndex, score });
}

/** Handed over, not copied. */
const sent = <T extends { readonly values: Float32Array }>(message: T): T =>
  Comlink.transfer(message, [message.values.buffer as ArrayBuffer]);

Comlink.expose(new TryWorker());
