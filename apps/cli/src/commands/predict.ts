import type { HostTensor } from "@ocelli/core";
import { normalize, predictor, type Transform } from "@ocelli/training";
import { type DeviceFlags, openDevice } from "../device.js";
import { Failure } from "../errors.js";
import { checkPicture, readImage } from "../images.js";
import { type Io, note, print, printJson } from "../io.js";
import type { LoadedModel, ModelFlags } from "../model.js";
import { openModel } from "../published.js";
import { colors, formatPercent } from "../terminal.js";
import { given } from "./eval.js";

export interface PredictFlags extends ModelFlags, DeviceFlags {
  readonly top?: number;
  readonly invert?: boolean;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly json?: boolean;
}

interface Guess {
  readonly class: string;
  readonly index: number;
  readonly probability: number;
}

/** `ocelli predict RUN|WEIGHTS|MODEL IMAGE...`: the most likely classes of pictures. */
export async function predict(io: Io, path: string, images: readonly string[], flags: PredictFlags): Promise<void> {
  const { top = 3, invert = false, json = false } = flags;
  // Before weights are downloaded: a wrong name is told at once.
  for (const image of images) await checkPicture(image);
  const loaded = await openModel(io, path, flags);
  const transform = transformOf(io, loaded, flags);
  // Before a device is opened, as well.
  const { resize } = loaded;
  const pictures = await Promise.all(images.map((image) => readImage(image, loaded.image, { invert, resize })));
  const device = await openDevice(flags, (line) => note(io, line));
  try {
    const run = await predictor(device, loaded.values, { model: loaded.model, transform });
    for (const [i, { pixels, isLight }] of pictures.entries()) {
      const image = images[i] as string;
      const probabilities = await run(pixels);
      if (!Array.from(probabilities.data, Number).every(Number.isFinite))
        throw new Failure(`${loaded.file}: its weights give NaN for ${image}`);
      const guesses = best(probabilities, loaded.classes, top);
      if (json) printJson(io, { image, predictions: guesses });
      else printGuesses(io, image, guesses, images.length > 1);
      if (isLight && !invert && isDigits(loaded)) {
        note(io, `note: ${image} is dark on light; the model was trained on light on dark. --invert turns it around.`);
      }
    }
  } finally {
    await device.dispose();
  }
}

function transformOf(io: Io, loaded: LoadedModel, flags: PredictFlags): Transform {
  const { pad = 0 } = loaded.entry.preprocessing;
  const known = given(flags, pad) ?? loaded.transform;
  if (known !== undefined) return known;
  note(
    io,
    `note: ${loaded.file} does not say how images were normalised: pixels become 0..1. --mean and --std change that.`,
  );
  const each = (value: number): number[] => Array.from({ length: loaded.image[0] }, () => value);
  return normalize({ mean: each(0), std: each(1), pad });
}

/** MNIST and its like: pen strokes, white on black. */
function isDigits({ run, classes, image }: LoadedModel): boolean {
  return (
    image[0] === 1 &&
    (run?.data.name.includes("fashion") ? false : (classes?.every((name) => /^\d$/.test(name)) ?? true))
  );
}

export function best({ data }: HostTensor, classes: readonly string[] | undefined, count: number): Guess[] {
  return Array.from(data as ArrayLike<number>, (probability, index) => ({
    class: classes?.[index] ?? `${index}`,
    index,
    probability,
  }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, count);
}

function printGuesses(io: Io, image: string, guesses: readonly Guess[], several: boolean): void {
  const { bold } = colors(io);
  if (several) print(io, image);
  const width = Math.max(...guesses.map((guess) => guess.class.length));
  for (const [i, guess] of guesses.entries()) {
    const line = `${guess.class.padEnd(width)}  ${formatPercent(guess.probability, 1).padStart(7)}`;
    print(io, `${several ? "  " : ""}${i === 0 ? bold(line) : line}`);
  }
}
