import {
  abs,
  cast,
  type Device,
  equal,
  type Handle,
  type HostTensor,
  hostTensor,
  logicalNot,
  max,
  narrow,
  type Program,
  randomKey,
  reshape,
  type State,
  softmax,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { Context, Dropout, keySpec, type Module, StochasticDepth, type TapRecord } from "@ocelli/layers";
import type { BatchTensors, ImageDataset, Transform } from "@ocelli/training";

/** One of the networks that the trained one consists of, looking at one test image. */
export interface Thinned {
  /** Layer by layer what is kept, 1 or 0: units, or a block. */
  readonly masks: readonly (readonly number[])[];
  /** Its class for the image, and the probability that it gives it. */
  readonly answer: number;
  readonly probability: number;
}

/** Networks drawn at random from the trained one. */
export interface Ensemble {
  /** A test image, 28 x 28, 0..255, and its class. */
  readonly image: Uint8Array;
  readonly label: number;
  /** The first few. */
  readonly members: readonly Thinned[];
  /** How many were drawn. */
  readonly size: number;
  /** Mean accuracy of one of them on the test images. */
  readonly one: number;
  /** Accuracy of the mean of their probabilities. */
  readonly averaged: number;
}

interface Subject {
  readonly model: Module<Tensor>;
  readonly transform: Transform;
  readonly test: ImageDataset;
}

const size = 24;
const shown = 8;
/** Of so many test images, the first ones, it is known what was kept. */
const candidates = 10;

/** Runs the network as in training, so often with chances of its own, and shows the image on which they differ most. */
export async function ensembleOf(device: Device, state: State, subject: Subject): Promise<Ensemble> {
  const { images, labels, shape, count } = subject.test;
  using program = await device.compile(thinnedProgram(subject));
  const all: Draw[] = [];
  for (let seed = 0; seed < size; seed++)
    all.push(await draw(program, state, { images: hostTensor(images, [count, ...shape]), seed }));
  const mean = all[0]?.probabilities.map(
    (_, i) => all.reduce((sum, { probabilities }) => sum + (probabilities[i] as number), 0) / size,
  );
  const at = leastAgreed(all.slice(0, shown));
  return {
    image: images.slice(at * 28 * 28, (at + 1) * 28 * 28),
    label: labels[at] as number,
    members: all.slice(0, shown).map(({ masks, probabilities }) => ({
      // Whole blocks are dropped for all images at once.
      masks: masks.map((rows) => (rows[at] ?? rows[0]) as readonly number[]),
      ...answerTo(probabilities, at),
    })),
    size,
    one: all.reduce((sum, { probabilities }) => sum + accuracyOf(probabilities, labels), 0) / size,
    averaged: accuracyOf(mean as Float64Array, labels),
  };
}

/** Class probabilities of all images, and what was kept for the first. */
function thinnedProgram({ model, transform, test }: Subject): Parameters<Device["compile"]>[0] {
  return {
    inputs: { images: { shape: [test.count, ...test.shape], dtype: "uint8" }, key: keySpec },
    state: model.stateSpecs(),
    build: ({ images, key }, state) => {
      const masks: Tensor[] = [];
      const taps = ({ module, output }: TapRecord): void => {
        if (module instanceof Dropout || module instanceof StochasticDepth) masks.push(keptOf(output as Tensor));
      };
      const ctx = new Context(model, { state, training: true, key: key as Tensor, taps });
      const batch = transform.apply({ images } as BatchTensors, ctx);
      const probabilities = softmax(ctx.call(model, batch.images));
      return { outputs: { probabilities, ...Object.fromEntries(masks.map((mask, i) => [`mask${i}`, mask])) } };
    },
  };
}

/**
 * What of a layer's output is not 0, `[images, parts]`: of vectors each unit, for the first images; of maps all as one. Before a ReLU, nothing that was kept
 * is 0 by itself.
 */
function keptOf(output: Tensor): Tensor {
  const values = output.shape.length === 2 ? narrow(output, 0, 0, candidates) : reshape(max(abs(output)), [1, 1]);
  return cast(logicalNot(equal(values, 0)), "float32");
}

/** One network drawn. */
interface Draw {
  /** `[images, classes]` */
  readonly probabilities: Float64Array;
  /** Layer by layer, image by image, part by part. */
  readonly masks: readonly (readonly (readonly number[])[])[];
}

async function draw(
  program: Program,
  state: State,
  { images, seed }: { readonly images: HostTensor; readonly seed: number },
): Promise<Draw> {
  const key = hostTensor(Uint32Array.from(randomKey(seed)));
  const { probabilities, ...masks } = await program.run({ images, key }, state);
  return {
    probabilities: toNumbers(await (probabilities as Handle).read()),
    masks: await Promise.all(Object.values(masks).map(async (mask) => rowsOf(await mask.read()))),
  };
}

function rowsOf(matrix: HostTensor): number[][] {
  const [rows, columns] = matrix.shape as readonly [number, number];
  const values = [...toNumbers(matrix)];
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
}

/** Of the candidates, the image that is given the most different answers, or the least sure ones. */
function leastAgreed(draws: readonly Draw[]): number {
  const doubt = (i: number): number => {
    const answers = draws.map(({ probabilities }) => answerTo(probabilities, i));
    const sureness = answers.reduce((sum, { probability }) => sum + probability, 0) / answers.length;
    return new Set(answers.map(({ answer }) => answer)).size - sureness;
  };
  const doubts = Array.from({ length: candidates }, (_, i) => doubt(i));
  return doubts.indexOf(Math.max(...doubts));
}

/** `[classes]` of image `i`. */
const rowOf = (probabilities: Float64Array, i: number): Float64Array => probabilities.subarray(10 * i, 10 * i + 10);

function answerTo(probabilities: Float64Array, i: number): Pick<Thinned, "answer" | "probability"> {
  const row = rowOf(probabilities, i);
  const probability = Math.max(...row);
  return { answer: row.indexOf(probability), probability };
}

const accuracyOf = (probabilities: Float64Array, labels: ArrayLike<number>): number =>
  Array.from(labels).filter((label, i) => answerTo(probabilities, i).answer === label).length / labels.length;
