import { type HostTensor, hostTensor, toNumbers } from "@ocelli/core";
import { applyTransform, centerFrame, isImageSource, type LabelledImages, subset } from "@ocelli/training";
import { buildModel } from "../../model/build.js";
import type { DeviceSlot } from "../device.js";
import type { AugmentRequest, DataExamples, ExamplesRequest, Picture } from "./api.js";
import { describe, imagesOf, openTraining, type TrainData } from "./data.js";
import { fitted } from "./fitting.js";
import { picturesOf } from "./images.js";
import { handedOver, pictureOf } from "./pictures.js";

/** See `TrainApi.augmentPreview`. */
export async function augmentPreview(slot: DeviceSlot, request: AugmentRequest): Promise<readonly Picture[]> {
  const { spec, data: wanted, augment, seed, count, image = 0 } = request;
  const described = await describe(wanted, buildModel(spec));
  const { built } = fitted(spec, described.image, described.classes.length);
  const data = await openTraining(described, { network: built, augment, validation: 0, seed: 0 });
  const position = Math.min(image, data.train.count - 1);
  const [original] = await picturesOf(data.train, [position]);
  const images = await repeated(data.train, { position, count, seed });
  const labels = hostTensor(new Int32Array(count).fill(data.train.labels[position] as number), [count]);
  const { device } = await slot.open();
  const { preset } = data;
  const { images: seen } = await applyTransform(device, preset.transform, { images, labels }, { seed });
  const pictures = [original as Picture, ...unnormalized(seen as HostTensor, data)];
  return handedOver(pictures, pictures);
}

/** One image `count` times, each read with a chance of its own where reading has a part in it. */
async function repeated(
  train: LabelledImages,
  { position, count, seed }: { readonly position: number; readonly count: number; readonly seed: number },
): Promise<HostTensor> {
  const size = train.shape.reduce((a, b) => a * b, 1);
  const images = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    const bytes = isImageSource(train)
      ? await train.read({ indices: Int32Array.of(position), chance: { seed, epoch: i } })
      : subset(train, { from: position, to: position + 1 });
    images.set(bytes.images as Uint8Array, i * size);
  }
  return hostTensor(images, [count, ...train.shape]);
}

/** What the network would be given, as pixels again. */
function unnormalized({ shape, ...rest }: HostTensor, { normalization }: TrainData): Picture[] {
  const [count, channels, height, width] = shape as [number, number, number, number];
  const values = toNumbers({ shape, ...rest } as HostTensor);
  const plane = height * width;
  const { mean, std } = normalization;
  const pixels = Float32Array.from(values, (value, i) => {
    const channel = Math.floor(i / plane) % channels;
    return 255 * (value * (std[channel] ?? (std[0] as number)) + (mean[channel] ?? (mean[0] as number)));
  });
  const size = channels * plane;
  return Array.from({ length: count }, (_, i) =>
    pictureOf(pixels.subarray(i * size, (i + 1) * size), [channels, height, width]),
  );
}

/** See `TrainApi.examples`. */
export async function examplesOf({ data, spec, perClass = 8, atMost = 20 }: ExamplesRequest): Promise<DataExamples> {
  const network = spec && buildModel(spec);
  const described = await describe(data, network);
  const size = described.image[1];
  const frame = centerFrame({ size, resize: size });
  const { all: images } = imagesOf(described, { train: frame, eval: frame });
  const { title, classes, content } = described;
  const labels = [...images.labels];
  const rows = classes.slice(0, atMost).map(async (name, label) => {
    const positions = labels.flatMap((one, i) => (one === label ? [i] : []));
    return { name, count: positions.length, pictures: await picturesOf(images, positions.slice(0, perClass)) };
  });
  const shown = await Promise.all(rows);
  const test = content.kind === "standard" ? content.test.count : 0;
  const summary = { title, classes, train: images.count, test };
  return handedOver(
    { summary, classes: shown },
    shown.flatMap(({ pictures }) => pictures),
  );
}
