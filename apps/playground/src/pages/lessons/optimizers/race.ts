import {
  constant,
  crossEntropy,
  type Device,
  type Handle,
  hostTensor,
  item,
  slice,
  sum,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { type Context, Flatten, Linear, Module, Parameter, Sequential, Tanh } from "@ocelli/layers";
import {
  channelStatistics,
  digits,
  type HostBatch,
  loader,
  makeOptimizer,
  normalize,
  type TrainStepOptions,
} from "@ocelli/training";
import { endless } from "../../../workers/lesson/endless.js";
import type { Lab } from "../../../workers/lesson/experiment.js";
import { type Trained, trained } from "../../../workers/lesson/trained.js";
import type { Frame, HeightMap } from "./experiment.js";
import { heights } from "./heights.js";
import { networkRates, type Rates, racers, ruleOf } from "./racers.js";
import type { Surface } from "./surfaces.js";

/** All rules on one loss, each with values of its own that begin alike. */
export interface Race {
  readonly racers: readonly Trained[];
  /** What there is to see now; then everyone takes a step. */
  readonly take: () => Promise<Pick<Frame, "losses" | "positions">>;
}

/** A point that is trained: its "network" has two parameters and looks at no image. */
class Point extends Module {
  readonly position: Parameter;
  readonly #height: (x: Tensor, y: Tensor) => Tensor;

  constructor({ name, start }: Surface) {
    super();
    this.position = new Parameter([2], () => Float32Array.from(start));
    this.#height = heights[name];
  }

  /** `[1]`: the loss. */
  override forward(_: Tensor, ctx: Context): Tensor {
    const position = ctx.get(this.position);
    return this.#height(slice(position, [0], [1]), slice(position, [1], [2]));
  }
}

const nothing: HostBatch = {
  images: hostTensor(new Float32Array(1), [1, 1, 1, 1]),
  labels: hostTensor(new Int32Array(1), [1]),
};

export async function onSurface(lab: Lab, surface: Surface, factor: number): Promise<Race> {
  const field = await fieldOf(await lab.exact(), surface.rates, factor, {
    model: new Point(surface),
    loss: (height) => sum(height),
    metrics: {},
  });
  const take = async () => {
    const positions = await Promise.all(field.map(positionOf));
    return { positions, losses: await Promise.all(field.map((racer) => lossOf(racer, nothing))) };
  };
  return { racers: field, take };
}

async function positionOf({ state }: Trained): Promise<readonly [number, number]> {
  const { params } = await state.read(["params"]);
  const [x, y] = toNumbers(params?.position as Parameters<typeof toNumbers>[0]);
  return [x as number, y as number];
}

/** A step; the loss before it, or null where that is no number any more. */
async function lossOf({ step }: Trained, batch: HostBatch): Promise<number | null> {
  const loss = item(await (await step(batch)).loss.read());
  return Number.isFinite(loss) ? loss : null;
}

type Course = Pick<TrainStepOptions, "model" | "loss" | "metrics" | "transform">;

/** One network for each rule, with the same values at first. */
const fieldOf = async (device: Device, rates: Rates, factor: number, course: Course): Promise<Trained[]> => {
  const field: Trained[] = [];
  for (const racer of racers)
    field.push(await trained(device, { ...course, seed: 1, optimizer: makeOptimizer(ruleOf(racer, rates, factor)) }));
  return field;
};

/** 500 digits, two layers, batches of 50: everyone sees the same ones in the same order. */
export async function onNetwork(lab: Lab, factor: number): Promise<Race> {
  const data = digits({ count: 500 });
  const model = new Sequential(new Flatten(), new Linear(28 * 28, 32), new Tanh(), new Linear(32, 10));
  const field = await fieldOf(await lab.fast(), networkRates, factor, {
    model,
    loss: crossEntropy,
    transform: normalize(channelStatistics(data)),
  });
  const batches = endless(loader(data, { batchSize: 50, shuffle: true }));
  const take = async () => {
    const { value } = await batches.next();
    return { losses: await Promise.all(field.map((racer) => lossOf(racer, value))) };
  };
  return { racers: field, take };
}

const side = 200;

export async function mapOf(lab: Lab, { name, x, y }: Surface): Promise<HeightMap> {
  const along = ([low, high]: readonly [number, number], i: number): number => low + ((i + 0.5) / side) * (high - low);
  const grid = (value: (i: number) => number): Tensor =>
    constant(hostTensor(Float32Array.from({ length: side * side }, (_, i) => value(i))));
  const xs = grid((i) => along(x, i % side));
  // Rows from the top, where y is largest.
  const ys = grid((i) => along(y, side - 1 - Math.floor(i / side)));
  const [found] = await (await lab.exact()).run([heights[name](xs, ys)]);
  return { side, heights: Float32Array.from(toNumbers(found as Awaited<ReturnType<Handle["read"]>>)) };
}
