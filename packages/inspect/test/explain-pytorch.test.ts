import { readFileSync } from "node:fs";
import { type Device, type HostTensor, hostTensor, type StateDict, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import { webgpu } from "@ocelli/kernels-webgpu";
import { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOnAdapter } from "../../kernels-webgpu/test/adapter.js";
import {
  deconvolution,
  type Explainer,
  explainer,
  gradCam,
  guidedBackpropagation,
  guidedGradCam,
  occlusion,
  saliency,
} from "../src/explain/index.js";

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Fixture {
  readonly state: Readonly<Record<string, Values>>;
  readonly images: Values;
  readonly classes: readonly number[];
  readonly predicted: readonly number[];
  readonly logits: Values;
  readonly saliency: Values;
  readonly signed: Values;
  readonly saliencyOfPredicted: Values;
  readonly guided: Values;
  readonly gradCam: Readonly<Record<string, Values>>;
  readonly gradCamOnImages: Values;
  readonly guidedGradCam: Values;
  readonly occlusion: {
    readonly size: number;
    readonly stride: number;
    readonly fill: readonly number[];
    readonly tops: readonly number[];
    readonly lefts: readonly number[];
    readonly map: Values;
  };
  readonly deconvolution: readonly {
    readonly layer: string;
    readonly channel: number;
    readonly count: number;
    readonly projections: readonly {
      readonly image: number;
      readonly row: number;
      readonly column: number;
      readonly activation: number;
      readonly pixels: Values;
    }[];
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/explain.json", import.meta.url), "utf8"),
) as unknown as Fixture;
const host = ({ values, shape }: Values): HostTensor => hostTensor(values, shape);
const images = host(fixture.images);
const { classes } = fixture;

const model = new Sequential(
  new Conv2d(3, 6, { kernelSize: 3, padding: 1 }),
  new BatchNorm2d(6),
  new ReLU(),
  new MaxPool2d({ kernelSize: 2 }),
  new Conv2d(6, 8, { kernelSize: 3, padding: 1 }),
  new ReLU(),
  new MaxPool2d({ kernelSize: 2 }),
  new Conv2d(8, 8, { kernelSize: 2 }),
  new ReLU(),
  new Flatten(),
  new Linear(32, 16),
  new ReLU(),
  new Linear(16, 5),
);

/** PyTorch's values; counters of batches, which the file leaves out, as they begin. */
function stateOf(): StateDict {
  const { params = {}, buffers = {} } = model.initialState({ seed: 0 });
  const given = (entries: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> =>
    Object.fromEntries(
      Object.entries(entries).map(([name, initial]) => {
        const known = fixture.state[name];
        return [name, known === undefined ? initial : host(known)];
      }),
    );
  return { params: given(params), buffers: given(buffers) };
}

/** Equal to a share of the largest value. */
function expectNear(found: HostTensor, { values, shape }: Values): void {
  expect(found.shape).toEqual(shape);
  const largest = Math.max(...values.map(Math.abs));
  expect(largest).toBeGreaterThan(1e-4);
  const distance = toNumbers(found).reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
  expect(distance / largest).toBeLessThan(1e-5);
}

const methods: Readonly<Record<string, (asked: Explainer) => Promise<void>>> = {
  saliency: async (asked) => {
    const found = await saliency(asked, images, { classes });
    expectNear(found.map, fixture.saliency);
    const scores = classes.map((index, i) => fixture.logits.values[i * 5 + index]!);
    for (const [i, score] of found.scores.entries()) expect(score).toBeCloseTo(scores[i]!, 5);
    const predicted = await saliency(asked, images);
    expect(predicted.classes).toEqual(fixture.predicted);
    expectNear(predicted.map, fixture.saliencyOfPredicted);
  },
  "signed saliency": async (asked) =>
    expectNear((await saliency(asked, images, { classes, signed: true })).map, fixture.signed),
  "guided backpropagation": async (asked) =>
    expectNear((await guidedBackpropagation(asked, images, { classes })).map, fixture.guided),
  "Grad-CAM of any layer": async (asked) => {
    for (const [layer, map] of Object.entries(fixture.gradCam))
      expectNear((await gradCam(asked, images, { classes, layer })).map, map);
    expect((await gradCam(asked, images)).layer).toBe("8");
  },
  "Grad-CAM on the images, and guided": async (asked) => {
    expectNear((await gradCam(asked, images, { classes, layer: "5" })).onImages, fixture.gradCamOnImages);
    expectNear((await guidedGradCam(asked, images, { classes, layer: "5" })).map, fixture.guidedGradCam);
  },
  occlusion: async (asked) => {
    const { size, stride, fill, tops, lefts, map } = fixture.occlusion;
    const found = await occlusion(asked, images, { classes, size, stride, fill, batch: 7 });
    expect(found).toMatchObject({ tops, lefts });
    expectNear(found.map, map);
  },
  "the deconvolution view": async (asked) => {
    for (const { projections, ...options } of fixture.deconvolution) {
      const found = await deconvolution(asked, images, options);
      expect(found).toHaveLength(projections.length);
      for (const [i, { pixels, activation, ...place }] of projections.entries()) {
        expect(found[i]).toMatchObject(place);
        expect(found[i]!.activation).toBeCloseTo(activation, 5);
        expectNear(found[i]!.pixels, pixels);
      }
    }
  },
};

function equalPyTorch(open: () => Promise<Device>, names: readonly string[]): void {
  let device: Device;
  let asked: Explainer;
  beforeAll(async () => {
    device = await open();
    asked = await explainer(device, { model, values: stateOf() });
  });
  afterAll(async () => {
    asked[Symbol.dispose]();
    await device.dispose();
  });
  it.each(names)("%s", (name) => methods[name]?.(asked));
}

const all = Object.keys(methods);
// Each program takes a software adapter seconds.
const some = ["guided backpropagation", "occlusion"];
describe("on the reference, explanations equal PyTorch's:", () => equalPyTorch(() => reference(), all));
describe("on ONNX, explanations equal PyTorch's:", () => equalPyTorch(() => onnx({ provider: "cpu" }), all));
describeOnAdapter("on WebGPU, explanations equal PyTorch's:", () => equalPyTorch(() => webgpu(), some));
