import { cast, constant, gradients, hostTensor, mean, mul, type Tensor, type Tensors } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  Module,
  modelProgram,
  Sequential,
} from "@ocelli/layers";
import { describe, expect, it } from "vitest";

const image = { shape: [2, 1, 4, 3], dtype: "float32" } as const;
const net = () =>
  new Sequential(
    new Conv2d(1, 2, { kernelSize: 3 }),
    new BatchNorm2d(2),
    new Flatten(),
    new Dropout(),
    new Linear(4, 3),
  );
const pixels = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
const key = hostTensor(Uint32Array.of(1, 2));

describe("modelProgram", () => {
  it("runs on a device: training updates the buffers, evaluation does not", async () => {
    const device = await reference();
    const model = net();
    const state = await device.init(model, { seed: 3 });
    const train = await device.compile(modelProgram(model, image, { training: true }));
    const evaluate = await device.compile(modelProgram(model, image));
    const batch = hostTensor(pixels, image.shape);
    const first = await (await evaluate.run({ input: batch }, state)).logits!.read();
    expect(first.shape).toEqual([2, 3]);
    const before = await state.read();
    await (await train.run({ input: batch, key }, state)).logits!.read();
    const after = await state.read();
    expect(after.params).toEqual(before.params);
    expect(after.buffers?.["1.num_batches_tracked"]?.data).toEqual(Int32Array.of(1));
    expect(after.buffers?.["1.running_mean"]?.data).not.toEqual(before.buffers?.["1.running_mean"]?.data);
    const second = await (await evaluate.run({ input: batch }, state)).logits!.read();
    expect(second.data).not.toEqual(first.data);
    state.dispose();
    await device.dispose();
  });

  it("transforms inputs on the device, and takes frozen state", async () => {
    const device = await reference();
    const model = net();
    const { params = {}, buffers = {} } = model.initialState({ seed: 3 });
    const qualified = (prefix: string, values: typeof params) =>
      Object.entries(values).map(([name, v]) => [`${prefix}/${name}`, v]);
    const frozen = Object.fromEntries([...qualified("params", params), ...qualified("buffers", buffers)]);
    const bytes = { shape: image.shape, dtype: "uint8" } as const;
    const transform = ({ input }: Tensors): Tensor => mul(cast(input!, "float32"), 1 / 255);
    const small = await device.compile(modelProgram(model, bytes, { transform }), { frozen });
    const plain = await device.compile(modelProgram(model, image), { frozen });
    const values = Uint8Array.from({ length: 24 }, (_, i) => i * 10);
    const a = await (await small.run({ input: hostTensor(values, image.shape) })).logits!.read();
    const b = await (
      await plain.run({
        input: hostTensor(
          Float32Array.from(values, (v) => v / 255),
          image.shape,
        ),
      })
    ).logits!.read();
    for (const [i, value] of a.data.entries()) expect(value).toBeCloseTo(b.data[i]!, 5);
    await device.dispose();
  });

  it("hands over records, and names outputs by them", () => {
    class Two extends Module<{ a: Tensor; b: Tensor }, { sum: Tensor; aux?: Tensor | undefined }> {
      override forward({ a, b }: { a: Tensor; b: Tensor }, ctx: Context) {
        return { sum: mul(a, b), aux: ctx.training ? a : undefined };
      }
    }
    const specs = { a: image, b: image };
    const built = (training: boolean) => {
      const program = modelProgram(new Two(), specs, { training });
      const tensors = Object.fromEntries(
        Object.entries(program.inputs).map(([name, spec]) => [name, constantOf(spec.shape)]),
      );
      return { inputs: Object.keys(program.inputs), outputs: Object.keys(program.build(tensors, {}).outputs) };
    };
    expect(built(false)).toEqual({ inputs: ["a", "b"], outputs: ["sum"] });
    expect(built(true)).toEqual({ inputs: ["a", "b", "key"], outputs: ["sum", "aux"] });
    expect(() => modelProgram(new Two(), { key: image }, { training: true })).toThrow('an input has the name "key"');
  });

  it("names an output that is none", () => {
    class Wrong extends Module<Tensor, unknown> {
      constructor(readonly result: unknown) {
        super();
      }
      override forward(): unknown {
        return this.result;
      }
    }
    const build = (result: unknown) =>
      modelProgram(new Wrong(result), image).build({ input: constantOf(image.shape) }, {});
    expect(() => build(undefined)).toThrow(
      "modelProgram: the model returned undefined; it needs a tensor or a record of tensors",
    );
    expect(() => build({ a: 1 })).toThrow("modelProgram: the model returned a record whose a is no tensor");
  });

  it("gives gradients by ordinary graph calls", () => {
    const model = new Linear(3, 2);
    const program = modelProgram(model, { shape: [4, 3], dtype: "float32" });
    const leaf = (shape: readonly number[]) => constantOf(shape);
    const state = Object.fromEntries(
      Object.entries(program.state ?? {}).map(([name, spec]) => [name, leaf(spec.shape)]),
    );
    const { outputs } = program.build({ input: leaf([4, 3]) }, state);
    const grads = gradients(mean(outputs.logits!), Object.values(state));
    expect(grads.map(({ shape }) => shape)).toEqual([[2, 3], [2]]);
  });
});

function constantOf(shape: readonly number[]): Tensor {
  return constant(
    hostTensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
      shape,
    ),
  );
}
