import { ArgumentError, type Handle, hostTensor, input, sizeOf, type Tensor, toNumbers } from "@ocelli/core";
import { onnx } from "@ocelli/kernels-cuda-onnx";
import {
  type Context,
  flattenStateDict,
  Linear,
  loadStateDict,
  Module,
  modelProgram,
  Sequential,
  traceModule,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { describeOnAdapter } from "../../kernels-webgpu/test/adapter.js";
import { createModel, features, modelEntry, modelNames, replaceHead, type ZooModel } from "../src/index.js";

const image = [2, 3, 32, 32] as const;
const x = input("x", { shape: image, dtype: "float32" });
const pixels = hostTensor(
  Float32Array.from({ length: sizeOf(image) }, (_, i) => ((i * 37) % 101) / 50 - 1),
  image,
);

describe("features", () => {
  it("has the model's own state, name by name", () => {
    const model = createModel("resnet20_cifar");
    const view = features(model, ["layer2", "layer3.0"]);
    expect(Object.keys(view.stateSpecs())).toEqual(Object.keys(model.stateSpecs()));
    const values = model.initialState({ seed: 3 });
    expect(loadStateDict(view, flattenStateDict(model, values))).toEqual(values);
  });

  it("gives the outputs of the named modules, in both modes", () => {
    const view = features(createModel("resnet20_cifar"), ["layer1.2.conv1", "layer2", "linear"]);
    for (const training of [false, true]) {
      const { output, updates } = traceModule(view, x, { training });
      expect(output["layer1.2.conv1"].shape).toEqual([2, 16, 32, 32]);
      expect(output.layer2.shape).toEqual([2, 32, 16, 16]);
      expect(output.linear.shape).toEqual([2, 10]);
      expect(Object.keys(output)).toHaveLength(3);
      expect(Object.keys(updates).length > 0).toBe(training);
    }
  });

  it("tells the context's own taps the model's names, and leaves them as they were", () => {
    const seen: string[] = [];
    traceModule(features(createModel("resnet20_cifar"), ["conv1"]), x, { taps: ({ path }) => seen.push(path) });
    const plain: string[] = [];
    traceModule(createModel("resnet20_cifar"), x, { taps: ({ path }) => plain.push(path) });
    expect(seen).toEqual(plain);
  });

  it("works inside another model, several times", () => {
    class Detector extends Module {
      readonly backbone = features(createModel("resnet20_cifar"), ["layer3"]);
      readonly head = new Linear(8, 2);
      override forward(images: Tensor, ctx: Context): Tensor {
        ctx.call(this.backbone, images);
        return ctx.call(this.head, ctx.call(this.backbone, images).layer3);
      }
    }
    expect(new Detector().parameters().has("backbone.layer3.0.conv1.weight")).toBe(true);
    expect(traceModule(new Detector(), x).output.shape).toEqual([2, 64, 8, 2]);
  });

  it("refuses names that the model does not have, and modules that are not used", () => {
    const model = createModel("resnet20_cifar");
    expect(() => features(model, ["layer4"])).toThrow(ArgumentError);
    expect(() => features(model, ["layer4"])).toThrow('features: the model has no module "layer4". Did you mean');
    expect(() => features(model, ["encoder"])).toThrow(/There are conv1, .* and what is in them\./);
    expect(() => features(model, [""])).toThrow(ArgumentError);
    expect(() => features(model, [])).toThrow(/at least one/);
    class Unused extends Sequential {
      readonly spare = new Linear(1, 1);
      override forward(images: Tensor): Tensor {
        return images;
      }
    }
    expect(() => traceModule(features(new Unused(), ["spare"]), x)).toThrow(
      "features: spare is not used in evaluation",
    );
  });

  const sameOn = async (device: Awaited<ReturnType<typeof onnx>>): Promise<void> => {
    const model = createModel("resnet20_cifar");
    const names = ["layer2", "linear"] as const;
    const values = model.initialState({ seed: 3 });
    using state = await device.createState(values);
    const spec = { shape: image, dtype: "float32" as const };
    const program = await device.compile(modelProgram(features(model, names), spec));
    const handles = await program.run({ input: pixels }, state);
    const layer2 = await (handles.layer2 as Handle).read();
    expect(layer2.shape).toEqual([2, 32, 16, 16]);
    const whole = await (await device.compile(modelProgram(model, spec))).run({ input: pixels }, state);
    const logits = toNumbers(await (whole.logits as Handle).read());
    const linear = toNumbers(await (handles.linear as Handle).read());
    for (const [i, value] of logits.entries()) expect(linear[i]).toBeCloseTo(value, 4);
  };

  it("runs on ONNX, with the model's state", async () => {
    await using device = await onnx({ threads: 1 });
    await sameOn(device);
  });

  describeOnAdapter("on WebGPU", () => {
    it("runs with the model's state", async () => {
      const { webgpu } = await import("@ocelli/kernels-webgpu");
      await using device = await webgpu();
      await sameOn(device);
    }, 60_000);
  });
});

describe("replaceHead", () => {
  it.each(modelNames)("%s: without its head, and with another", (name) => {
    const { head, input: size } = modelEntry(name);
    const images = input("x", { shape: [1, ...size], dtype: "float32" });
    const names = Object.keys(createModel(name).stateSpecs());
    const model: ZooModel = replaceHead(createModel(name) as ZooModel, head);
    const rest = names.filter((key) => !key.slice(key.indexOf("/") + 1).startsWith(`${head}.`));
    expect(Object.keys(model.stateSpecs())).toEqual(rest);
    expect(() => traceModule(model, images)).not.toThrow();
    const own = new Linear(3, 4);
    expect(replaceHead(model, head, own).modules().get(head)).toBe(own);
  });

  it("gives what the head would read", () => {
    const { output } = traceModule(replaceHead(createModel("resnet20_cifar"), "linear"), x);
    expect(output.shape).toEqual([2, 64]);
    const five = replaceHead(createModel("resnet20_cifar"), "linear", new Linear(64, 5));
    expect(traceModule(five, x).output.shape).toEqual([2, 5]);
  });

  it("takes published values but for the head", () => {
    const model = createModel("resnet20_cifar");
    const flat = flattenStateDict(model, model.initialState({ seed: 1 }));
    const headless = replaceHead(createModel("resnet20_cifar"), "linear");
    const { params } = loadStateDict(headless, flat, { except: ["linear"] });
    expect(params?.["conv1.weight"]).toEqual(flat["conv1.weight"]);
    const five = createModel("resnet20_cifar", { numClasses: 5 });
    expect(loadStateDict(five, flat, { except: ["linear"] }).params?.["linear.weight"]?.shape).toEqual([5, 64]);
  });

  it("refuses a path that the model does not have", () => {
    expect(() => replaceHead(createModel("resnet20_cifar"), "liner")).toThrow(
      'replaceHead: the model has no module "liner". Did you mean linear?',
    );
    expect(() => replaceHead(createModel("resnet20_cifar"), "")).toThrow(ArgumentError);
  });
});
