import { type Device, hostTensor, type Program, type Shape, type Spec, sizeOf, type Traceable } from "@ocelli/core";
import { optimize, primitives, trace } from "@ocelli/core/backend";
import { createModel, type ModelName, modelEntry } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import {
  deconvolution,
  explainer,
  gradCam,
  guidedBackpropagation,
  layersOf,
  occlusion,
  saliency,
} from "../src/explain/index.js";

const zeros = ({ shape, dtype }: Spec) => hostTensor(new Array<number>(sizeOf(shape)).fill(0), shape, dtype);

/** Builds every program, runs the passes that devices run, and computes nothing: results are zeros. */
const shapesOnly = {
  compile: async (program: Traceable): Promise<Program> => {
    const { outputs } = trace(program);
    const known = new Set<unknown>(Object.values(primitives));
    optimize(Object.values(outputs), { supports: (op) => known.has(op) });
    const handles = Object.entries(outputs).map(([name, spec]) => [name, { spec, read: async () => zeros(spec) }]);
    return { run: async () => Object.fromEntries(handles), [Symbol.dispose]: () => undefined } as unknown as Program;
  },
  createState: async () => ({ dispose: () => undefined }),
} as unknown as Device;

/** One of each family, and the layer that Grad-CAM looks at: the last maps that the papers' figures show. */
const families: Readonly<Partial<Record<ModelName, string>>> = {
  lenet5: "c3",
  alexnet: "features.11",
  zfnet: "conv5",
  vgg11: "features.19",
  googlenet: "inception5b",
  inception_v3: "Mixed_7c",
  squeezenet1_1: "classifier.2",
  resnet18: "layer4",
  resnet20_cifar: "layer3",
  densenet121: "features",
};

describe("layers of the zoo", () => {
  it.each(Object.entries(families))("%s: Grad-CAM looks at %s, and every method builds", async (name, layer) => {
    const image: Shape = modelEntry(name).input;
    const model = createModel(name as ModelName);
    const { layers, gradCamLayer, classes } = layersOf(model, image);
    expect(gradCamLayer).toBe(layer);
    expect(classes).toBeGreaterThan(1);
    expect(layers.every(({ path, type }) => path !== "" && type !== "")).toBe(true);
    const asked = await explainer(shapesOnly, { model, values: {} });
    const images = zeros({ shape: [1, ...image], dtype: "uint8" });
    const [, height, width] = image as [number, number, number];
    expect((await saliency(asked, images)).map.shape).toEqual([1, height, width]);
    expect((await guidedBackpropagation(asked, images)).map.shape).toEqual([1, ...image]);
    expect((await gradCam(asked, images)).onImages.shape).toEqual([1, height, width]);
    expect((await deconvolution(asked, images, { layer, channel: 0 }))[0]?.pixels.shape).toEqual(image);
    expect((await occlusion(asked, images, { size: height, stride: height })).map.shape).toEqual([1, 1, 1]);
  });
});
