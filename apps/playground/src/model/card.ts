import { ArgumentError, FormatError } from "@ocelli/core";
import { type Named, normalize } from "@ocelli/training";
import { type BuiltModel, buildModel } from "./build.js";
import { checkedModel, checkedTransform, imageShape, record, text, wrong } from "./checked.js";
import { imageBefore } from "./code.js";
import { asData } from "./named.js";
import type { ImageShape, ModelSpec } from "./spec.js";

/** All that is to be known of a network besides its values: what its files say of themselves. */
export interface NetworkCard {
  readonly title: string;
  readonly spec: ModelSpec;
  readonly classes: readonly string[];
  /** What pixels (0..255) go through before the first layer. */
  readonly transform: Named;
  /** 0 to 1, on the data it was judged by; null: not known. */
  readonly accuracy: number | null;
}

/** What a file says; often it is silent about the rest. */
export type FileCard = Pick<NetworkCard, "spec"> & Partial<NetworkCard>;

/**
 * Metadata of safetensors and ONNX files: the card under `network`, and under `ocelli` what the command reads, if the network is one of
 * the zoo's.
 */
export function cardMetadata(card: NetworkCard): Record<string, string> {
  const { title, spec, classes, transform, accuracy } = card;
  const network = JSON.stringify({ title, spec, classes, transform, accuracy } satisfies NetworkCard);
  if (spec.kind !== "zoo") return { network };
  const { kind, name, ...options } = spec;
  const ocelli = JSON.stringify({ model: name, options, classes, image: pixelsOf(card), transform });
  return { network, ocelli };
}

/** Of an architecture without a history. @throws ArgumentError, ShapeError */
export function plainCard(spec: ModelSpec): NetworkCard {
  const built = buildModel(spec);
  const { title, numClasses } = built;
  return { title, spec, classes: numbered(numClasses), transform: usualTransform(built), accuracy: null };
}

export const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `${i}`);

/** What the model's publisher does to pixels; where nothing is known of so many channels, values around 0. */
export function usualTransform({ entry, input: [channels] }: BuiltModel): Named {
  const { mean, std, pad } = entry?.preprocessing ?? {};
  const known = mean?.length === channels && std?.length === channels;
  return asData(
    normalize({
      mean: known ? mean : [0.5],
      std: known ? std : [0.25],
      ...(pad !== undefined && { pad }),
    }),
  );
}

/** `[C, H, W]` of the pixels that the transform makes into the network's input. */
export const pixelsOf = ({ spec, transform }: Pick<NetworkCard, "spec" | "transform">): ImageShape =>
  imageBefore(transform, buildModel(spec).input);

/** What a file's metadata say of the network; undefined: nothing. @throws FormatError for what is wrong with it */
export function cardOf(metadata: Readonly<Record<string, string>>, file: string): FileCard | undefined {
  for (const [entry, read] of Object.entries(readers)) {
    const said = metadata[entry];
    if (said === undefined) continue;
    const where = `${file}: the metadata's entry "${entry}"`;
    try {
      return read(parsed(said), where);
    } catch (error) {
      // Of a network that the playground cannot make, it may still read the values into another one.
      throw new FormatError(`${where} cannot be used: ${(error as Error).message}`, { cause: error });
    }
  }
  return undefined;
}

/** By the entry's name, the most telling one first. */
const readers: Readonly<Record<string, (value: unknown, where: string) => FileCard>> = {
  network: (value) => {
    const { title, spec, classes, transform, accuracy } = record(value, "network");
    return { ...fileCard(checkedModel(spec), { classes, transform, accuracy }), title: text(title, "title") };
  },
  // Written by the command: what a run was, ...
  run: (value) => {
    const { model, classes, transform } = record(value, "run");
    const { name, options } = record(model, "run.model");
    return fileCard(zooModel(name, options), { classes, transform });
  },
  // ... and what an exported file says.
  ocelli: (value) => {
    const { model, options, classes, transform } = record(value, "ocelli");
    return fileCard(zooModel(model, options), { classes, transform });
  },
};

function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    throw new ArgumentError("it is not JSON");
  }
}

/** The command's options may have a size for height and one for width. */
function zooModel(name: unknown, options: unknown): ModelSpec {
  const { inputSize, ...rest } = record(options, "options");
  const size = Array.isArray(inputSize) && inputSize[0] === inputSize[1] ? inputSize[0] : inputSize;
  return checkedModel({ kind: "zoo", name, ...rest, ...(size !== undefined && { inputSize: size }) });
}

function fileCard(
  spec: ModelSpec,
  { classes, transform, accuracy }: { readonly [Name in "classes" | "transform" | "accuracy"]?: unknown },
): FileCard {
  const named = classes === undefined || (Array.isArray(classes) && classes.length === 0) ? undefined : classes;
  return {
    spec,
    ...(named !== undefined && { classes: checkedClasses(named, buildModel(spec).numClasses) }),
    ...(transform !== undefined && { transform: fittingTransform(checkedTransform(transform, "transform"), spec) }),
    ...(typeof accuracy === "number" && accuracy >= 0 && accuracy <= 1 && { accuracy }),
  };
}

/** @throws ArgumentError unless there are as many names as classes */
export function checkedClasses(value: unknown, count: number): readonly string[] {
  if (!Array.isArray(value) || value.length !== count)
    throw new ArgumentError(
      `there are ${Array.isArray(value) ? value.length : "no"} names of classes; the network has ${count} classes`,
    );
  return value.map((name, i) => text(name, `class ${i}`));
}

/** @throws ShapeError or ArgumentError where the network does not take what the transform makes */
export function fittingTransform(transform: Named, spec: ModelSpec): Named {
  const image = imageBefore(transform, buildModel(spec).input);
  try {
    imageShape(image, "the image");
  } catch {
    throw wrong("the image before the transform", image, "one pixel or more on each side");
  }
  return transform;
}
