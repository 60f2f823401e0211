import {
  gradients,
  type Handle,
  hostTensor,
  mul,
  randomKey,
  randomUniform,
  slice,
  sub,
  sum,
  type Tensor,
  toNumbers,
} from "@ocelli/core";
import { disposeKey } from "@ocelli/core/backend";
import { summary } from "@ocelli/inspect";
import { Conv2d, kaimingNormal, keySpec, type Module, ReLU, Sequential, traceModule } from "@ocelli/layers";
import type { Experiment, Lab } from "../../../workers/lesson/experiment.js";
import { together } from "../../../workers/lesson/trained.js";

export interface Options {
  /** In and out of every convolution. */
  readonly channels: number;
}

/** One of the two ways to see 7x7 pixels, as @ocelli/inspect counts it. */
export interface Design {
  readonly name: string;
  readonly layers: readonly { readonly kernel: number; readonly field: number }[];
  readonly weights: number;
  readonly biases: number;
  /** Multiply-adds for one image of `mapSize` x `mapSize`. */
  readonly macs: number;
  readonly nonlinearities: number;
}

export interface Frame {
  readonly designs: readonly Design[];
  /** Random networks behind `influence`. */
  readonly networks: number;
  /**
   * Of each design: how strongly the middle output pixel depends on each input pixel, `[side * side]`: root mean square of the gradient over the random networks, the
   * largest 1.
   */
  readonly influence: readonly (readonly number[])[];
}

/** Height and width of the map that both are counted on: that of VGG's third stage at 224 pixels. */
const mapSize = 56;
/** Of the picture of influence: wide enough that it ends within. */
export const side = 11;
const networks = 24;

const kernels: Readonly<Record<string, readonly number[]>> = { "Three 3x3": [3, 3, 3], "One 7x7": [7] };

const stack = (sizes: readonly number[], channels: number): Module<Tensor> =>
  new Sequential(
    ...sizes.flatMap((kernelSize) => {
      const conv = new Conv2d(channels, channels, { kernelSize, padding: (kernelSize - 1) / 2 });
      conv.weight.init = kaimingNormal({ nonlinearity: "relu" });
      return [conv, new ReLU()];
    }),
  );

export const experiment: Experiment<Options, Frame> = async function* ({ channels }, lab) {
  const designs = Object.entries(kernels).map(([name, sizes]) => designOf(name, sizes, channels));
  const gauges = await Promise.all(Object.values(kernels).map((sizes) => gauge(sizes, lab)));
  using _ = together(gauges);
  const squares = gauges.map(() => new Float64Array(side * side));
  yield { designs, networks: 0, influence: squares.map(relativeRoots) };
  for (let seed = 0; seed < networks; seed++) {
    for (const [i, measure] of gauges.entries()) {
      const square = await measure(seed);
      for (const [at, value] of square.entries()) (squares[i] as Float64Array)[at]! += value;
    }
    yield { designs, networks: seed + 1, influence: squares.map(relativeRoots) };
  }
};

function designOf(name: string, sizes: readonly number[], channels: number): Design {
  const model = stack(sizes, channels);
  const { rows, totals } = summary(model, [channels, mapSize, mapSize]);
  // By class, not by the rows' names of it: a bundler shortens those.
  const modules = model.modules();
  const convolutions = rows.filter(({ path }) => modules.get(path) instanceof Conv2d);
  return {
    name,
    layers: convolutions.map(({ receptiveField }, i) => ({
      kernel: sizes[i] as number,
      field: receptiveField?.[0] as number,
    })),
    weights: totals.weights,
    biases: totals.biases,
    macs: totals.macs,
    nonlinearities: rows.filter(({ path }) => modules.get(path) instanceof ReLU).length,
  };
}

/** Told a seed: each input pixel's squared gradient, its channels added up, of a random network on noise. */
interface Gauge extends Disposable {
  (seed: number): Promise<Float64Array>;
}

/** The gradient is that of the middle output pixel, its channels added up. */
async function gauge(sizes: readonly number[], lab: Lab): Promise<Gauge> {
  const device = await lab.exact();
  const channels = 4;
  const model = stack(sizes, channels);
  const program = await device.compile({
    inputs: { key: keySpec },
    state: model.stateSpecs(),
    build: ({ key }, state) => {
      const image = sub(randomUniform(key as Tensor, [1, channels, side, side], 0), 0.5);
      const { output } = traceModule(model, image, { state });
      const middle = (side - 1) / 2;
      const pixel = slice(output, [0, 0, middle, middle], [1, channels, middle + 1, middle + 1]);
      const [gradient] = gradients(sum(pixel), [image]) as [Tensor];
      return { outputs: { square: sum(mul(gradient, gradient), { axes: [0, 1] }) } };
    },
  });
  const measure = async (seed: number): Promise<Float64Array> => {
    using state = await device.init(model, { seed });
    const { square } = await program.run({ key: hostTensor(Uint32Array.from(randomKey(seed))) }, state);
    return toNumbers(await (square as Handle).read());
  };
  return Object.assign(measure, { [disposeKey]: () => program[disposeKey]() });
}

function relativeRoots(squares: Float64Array): number[] {
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  return Array.from(squares, (square) => (most === 0 ? 0 : Math.sqrt(square / most)));
}
