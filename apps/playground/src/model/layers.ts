import { ArgumentError, crossEntropyPerSample, input, nearMatches, type Shape } from "@ocelli/core";
import {
  Conv2d,
  Flatten,
  Linear,
  logitsOf,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
  traceModule,
} from "@ocelli/layers";
import type { BuiltModel } from "./build.js";
import type { LayerSpec, LayersSpec } from "./spec.js";

/** A number of a layer: what the editor shows. */
export interface LayerField {
  readonly name: string;
  readonly label: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** A kind of layer that a chain may have. */
export interface LayerKind {
  readonly of: string;
  readonly title: string;
  readonly fields: readonly LayerField[];
  /** `shape`: of what comes in, one image's. */
  build(options: Readonly<Record<string, number>>, shape: Shape): Module;
  /** TypeScript that makes the same layer. */
  code(
    options: Readonly<Record<string, number>>,
    shape: Shape,
  ): { readonly imports: readonly string[]; readonly expression: string };
}

const number = (name: string, label: string, value: number, [min, max]: readonly [number, number]): LayerField => ({
  name,
  label,
  default: value,
  min,
  max,
});

const channelsOf = (shape: Shape): number => shape[0] as number;

export const layerKinds: readonly LayerKind[] = [
  {
    of: "conv",
    title: "Convolution",
    fields: [
      number("channels", "Channels", 16, [1, 1024]),
      number("kernelSize", "Kernel", 3, [1, 11]),
      number("stride", "Stride", 1, [1, 4]),
      number("padding", "Padding", 1, [0, 5]),
    ],
    build: ({ channels = 16, kernelSize = 3, stride = 1, padding = 1 }, shape) =>
      new Conv2d(channelsOf(shape), channels, { kernelSize, stride, padding }),
    code: ({ channels = 16, kernelSize = 3, stride = 1, padding = 1 }, shape) => ({
      imports: ["Conv2d"],
      expression: `new Conv2d(${channelsOf(shape)}, ${channels}, ${JSON.stringify({ kernelSize, stride, padding })})`,
    }),
  },
  {
    of: "relu",
    title: "ReLU",
    fields: [],
    build: () => new ReLU(),
    code: () => ({ imports: ["ReLU"], expression: "new ReLU()" }),
  },
  {
    of: "max-pool",
    title: "Max pooling",
    fields: [number("kernelSize", "Kernel", 2, [2, 5]), number("stride", "Stride", 2, [1, 4])],
    build: ({ kernelSize = 2, stride = 2 }) => new MaxPool2d({ kernelSize, stride }),
    code: ({ kernelSize = 2, stride = 2 }) => ({
      imports: ["MaxPool2d"],
      expression: `new MaxPool2d(${JSON.stringify({ kernelSize, stride })})`,
    }),
  },
  {
    of: "flatten",
    title: "Flatten",
    fields: [],
    build: () => new Flatten(),
    code: () => ({ imports: ["Flatten"], expression: "new Flatten()" }),
  },
  {
    of: "linear",
    title: "Fully connected",
    fields: [number("features", "Features", 64, [1, 4096])],
    build: ({ features = 64 }, shape) => new Linear(channelsOf(shape), features),
    code: ({ features = 64 }, shape) => ({
      imports: ["Linear"],
      expression: `new Linear(${channelsOf(shape)}, ${features})`,
    }),
  },
];

/** @throws ArgumentError with near matches */
export function layerKind(of: string): LayerKind {
  const found = layerKinds.find((kind) => kind.of === of);
  if (found !== undefined) return found;
  const near = nearMatches(
    of,
    layerKinds.map((kind) => kind.of),
  );
  throw new ArgumentError(
    `model: there is no layer "${of}"${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ""}`,
    { of },
  );
}

/** A layer of the chain as built, with the shape of one image behind it. */
export interface ChainLayer {
  readonly spec: LayerSpec;
  readonly before: Shape;
  readonly layer: Module;
  readonly after: Shape;
}

/** @throws ShapeError or ArgumentError that begins with the layer's place in the chain */
export function chainOf({ input: image, layers }: Pick<LayersSpec, "input" | "layers">): ChainLayer[] {
  const chain: ChainLayer[] = [];
  let before: Shape = image;
  for (const [i, spec] of layers.entries()) {
    try {
      const layer = layerKind(spec.of).build(spec.options as Record<string, number>, before);
      const after = shapeAfter(layer, before);
      chain.push({ spec, before, layer, after });
      before = after;
    } catch (error) {
      throw new ArgumentError(`layer ${i + 1} (${spec.of}): ${(error as Error).message}`, { layer: i, cause: error });
    }
  }
  return chain;
}

function shapeAfter(layer: Module, shape: Shape): Shape {
  const { output } = traceModule(layer, input("image", { shape: [1, ...shape], dtype: "float32" }));
  return output.shape.slice(1);
}

/** The chain and, behind it, what makes the logits: maps are flattened first. */
export function buildLayers(spec: LayersSpec): BuiltModel {
  const chain = chainOf(spec);
  const last = chain.at(-1)?.after ?? spec.input;
  const features = last.reduce((a, b) => a * b, 1);
  const head = [...(last.length > 1 ? [new Flatten()] : []), new Linear(features, spec.numClasses)];
  const modules = [...chain.map(({ layer }) => layer), ...head];
  return {
    title: spec.name,
    model: new Sequential(...modules),
    input: spec.input,
    numClasses: spec.numClasses,
    head: `${modules.length - 1}`,
    entry: undefined,
    lossPerSample:
      (base = crossEntropyPerSample) =>
      (output, labels) =>
        base(logitsOf(output), labels),
  };
}
