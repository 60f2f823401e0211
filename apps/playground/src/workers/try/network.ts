import type { Device, State, StateDict } from "@ocelli/core";
import { loadStateDict } from "@ocelli/layers";
import { centerFrame, type Frame, type Named } from "@ocelli/training";
import { formatPercent } from "../../format.js";
import { type BuiltModel, buildModel } from "../../model/build.js";
import { usualTransform } from "../../model/card.js";
import { judged } from "../../model/judged.js";
import { aboutSaved, readSaved } from "../../store/saved.js";
import { type NetworkSource, readBuiltIn } from "../../store/source.js";

/** A network with its values, before a device has compiled anything of it. */
export interface OpenedNetwork {
  readonly built: BuiltModel;
  readonly title: string;
  /** On the host, or on the device: then it is whoever opened it who disposes of it. */
  readonly values: StateDict | State;
  readonly transform: Named;
  /** Of the classes that have any. */
  readonly classes: readonly string[];
  readonly accuracy: string | undefined;
}

/** @throws ArgumentError, FormatError, StorageError, StateError */
export async function openNetwork(source: NetworkSource, device: Device): Promise<OpenedNetwork> {
  if (source.kind === "digits") return openBuiltIn(source.url);
  if (source.kind === "saved") return openSaved(source);
  const built = buildModel(source.spec);
  const values = await device.init(built.model, { seed: 0 });
  return { built, title: built.title, values, transform: usualTransform(built), classes: [], accuracy: undefined };
}

async function openBuiltIn(url: string): Promise<OpenedNetwork> {
  const { about, values } = await readBuiltIn(url);
  const { title, spec, transform, classes, accuracy, mnistAccuracy } = about;
  const built = buildModel(spec);
  return {
    built,
    title,
    transform,
    classes,
    values: loadStateDict(built.model, values),
    accuracy: `${formatPercent(accuracy)} of 10,000 built-in digits it was not trained on; ${formatPercent(mnistAccuracy)} of MNIST's test set, a kind it never saw`,
  };
}

async function openSaved(source: Extract<NetworkSource, { readonly kind: "saved" }>): Promise<OpenedNetwork> {
  const saved = await aboutSaved(source);
  const built = buildModel(saved.spec);
  const { params, buffers } = judged((await readSaved(source, "best")).values);
  return {
    built,
    title: saved.title,
    values: loadStateDict(built.model, { ...params, ...buffers }),
    transform: saved.transform,
    classes: saved.classes,
    accuracy: saved.accuracy === null ? undefined : `${formatPercent(saved.accuracy)} of what it was judged by`,
  };
}

/** What is cut out of a picture for the network: the middle, as its publisher does it. */
export function frameOf({ entry, input: [, height, width] }: BuiltModel): Frame & { readonly shorter: number } {
  const least = Math.max(height, width);
  const { resize } = entry?.preprocessing ?? {};
  const shorter = resize === undefined ? least : Math.round((resize * height) / (entry?.input[1] ?? height));
  const resized = Math.max(least, shorter);
  return { ...centerFrame({ size: [height, width], resize: resized }), shorter: resized };
}

/** How a picture is made fit, and what becomes of its pixels, for the reader. */
export function preparation(built: BuiltModel, transform: Named): { readonly cut: string; readonly pixels: string } {
  const [channels, height, width] = built.input;
  const { shorter } = frameOf(built);
  const whole = shorter === height && shorter === width ? "" : ` of ${height} × ${width}`;
  const grey = channels === 1 ? ", made grey" : "";
  return {
    cut: `The shorter side is brought to ${shorter} pixels and the middle${whole} cut out${grey}.`,
    pixels: `The first layer is given ${words(transform)}.`,
  };
}

function words({ name, options }: Named): string {
  if (name !== "normalize") return `what the transform “${name}” makes of them`;
  const { mean, std } = options as { readonly mean: readonly number[]; readonly std: readonly number[] };
  const list = (values: readonly number[]): string => [...new Set(values)].map((value) => `${value}`).join(", ");
  return `(pixel − mean) / deviation, pixels from 0 to 1, mean ${list(mean)}, deviation ${list(std)}`;
}
