// The harness's networks, weights and batches on a device of ours. The adapters beside this file say which.
import {
  add,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  crossEntropy,
  hostTensor,
  item,
  narrow,
  relu,
  reshape,
  tanh,
} from "@ocelli/core";
import { AvgPool2d, BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, Module } from "@ocelli/layers";
import { predictor, sgd, trainStep } from "@ocelli/training";

class LeNet5 extends Module {
  c1 = new Conv2d(1, 6, { kernelSize: 5, padding: 2 });
  c2 = new Conv2d(6, 16, { kernelSize: 5 });
  c3 = new Conv2d(16, 120, { kernelSize: 5 });
  pool = new AvgPool2d({ kernelSize: 2 });
  flatten = new Flatten();
  f1 = new Linear(120, 84);
  f2 = new Linear(84, 10);

  forward(x, ctx) {
    const features = ctx.chain(x, this.c1, tanh, this.pool, this.c2, tanh, this.pool, this.c3, tanh);
    return ctx.chain(features, this.flatten, this.f1, tanh, this.f2);
  }
}

class ConvNorm extends Module {
  constructor(inChannels, outChannels, kernelSize, stride) {
    super();
    const padding = (kernelSize - 1) / 2;
    this.conv = new Conv2d(inChannels, outChannels, { kernelSize, stride, padding, bias: false });
    this.norm = new BatchNorm2d(outChannels);
  }

  forward(x, ctx) {
    return ctx.chain(x, this.conv, this.norm);
  }
}

class ResNet8 extends Module {
  stem = new ConvNorm(3, 16, 3, 1);
  s1a = new ConvNorm(16, 16, 3, 1);
  s1b = new ConvNorm(16, 16, 3, 1);
  s2a = new ConvNorm(16, 32, 3, 2);
  s2b = new ConvNorm(32, 32, 3, 1);
  s2p = new ConvNorm(16, 32, 1, 2);
  s3a = new ConvNorm(32, 64, 3, 2);
  s3b = new ConvNorm(64, 64, 3, 1);
  s3p = new ConvNorm(32, 64, 1, 2);
  pool = new GlobalAvgPool();
  fc = new Linear(64, 10);

  forward(x, ctx) {
    let y = ctx.chain(x, this.stem, relu);
    for (const [a, b, shortcut] of [
      [this.s1a, this.s1b],
      [this.s2a, this.s2b, this.s2p],
      [this.s3a, this.s3b, this.s3p],
    ]) {
      const side = shortcut === undefined ? y : ctx.call(shortcut, y);
      y = relu(add(ctx.chain(y, a, relu, b), side));
    }
    return ctx.chain(y, this.pool, this.fc);
  }
}

const models = { lenet5: () => new LeNet5(), resnet8: () => new ResNet8() };

const host = ({ shape, data }) => hostTensor(data, shape);
const specOf = ({ shape }) => ({ shape, dtype: "float32" });

/** The harness's name of a tensor (`s1a_g`) in our state: layers with batch-norm hold two modules. */
function nameOf(theirs, normalised) {
  const [layer, kind] = theirs.split("_");
  const plain = { w: "weight", b: "bias" };
  const both = { w: "conv.weight", g: "norm.weight", b: "norm.bias", m: "norm.running_mean", v: "norm.running_var" };
  return `${layer}.${(normalised.has(layer) ? both : plain)[kind]}`;
}

/** The model's state with the harness's values. Every one of them must have a place. */
function stateOf(model, { params, stats = {} }) {
  const fresh = model.initialState({ seed: 0 });
  const normalised = new Set(Object.keys(stats).map((theirs) => theirs.split("_")[0]));
  const put = (values, into = {}) => {
    const given = Object.entries(values).map(([theirs, value]) => [nameOf(theirs, normalised), host(value)]);
    const unknown = given.filter(([ours]) => !Object.hasOwn(into, ours)).map(([ours]) => ours);
    if (unknown.length > 0) throw new Error(`the model has no ${unknown.join(", ")}`);
    return { ...into, ...Object.fromEntries(given) };
  };
  return { ...fresh, params: put(params, fresh.params), buffers: put(stats, fresh.buffers) };
}

const train = (deviceOf) => async (q) => {
  const device = deviceOf();
  const model = models[q.model]();
  const state = await device.createState(stateOf(model, q));
  const optimizer = sgd({ lr: q.lr, momentum: q.momentum });
  const step = trainStep(device, state, { model, loss: crossEntropy, optimizer, metrics: {} });
  const batch = { images: host(q.x), labels: hostTensor(q.labels, [q.batch], "int32") };
  return {
    step: async () => item(await (await step(batch)).loss.read()),
  };
};

const infer = (deviceOf) => async (q) => {
  const device = deviceOf();
  const model = models[q.model]();
  const predict = await predictor(device, stateOf(model, q), { model, output: "logits" });
  const images = host(q.x);
  const output = async () => (await predict(images)).data;
  return { step: output, output };
};

const attrsOf = (q) => ({ stride: [q.s, q.s], padding: [q.p, q.p, q.p, q.p], dilation: [1, 1], groups: 1 });
const convolutions = {
  "conv-fwd": [["x", "w"], ({ x, w }, q) => conv2d(x, w, { stride: q.s, padding: q.p })],
  "conv-dx": [["dy", "w"], ({ dy, w }, q) => conv2dInputGrad(dy, w, { ...attrsOf(q), inputShape: q.x.shape })],
  "conv-dw": [["x", "dy"], ({ x, dy }, q) => conv2dWeightGrad(x, dy, { ...attrsOf(q), weightShape: q.w.shape })],
};

/** One convolution or one of its gradients. Inputs are fed and the result is read back each time, as by the others on WebAssembly. */
const fed = (deviceOf, names, build) => async (q) => {
  const inputs = Object.fromEntries(names.map((name) => [name, specOf(q[name])]));
  const program = await deviceOf().compile({ inputs, build: (given) => ({ outputs: { y: build(given, q) } }) });
  const feeds = Object.fromEntries(names.map((name) => [name, host(q[name])]));
  const output = async () => (await (await program.run(feeds)).y.read()).data;
  return { step: output, output };
};

/** The same with its inputs on the device; a step reads one element, as others on WebGPU do. */
const resident = (deviceOf, names, build) => async (q) => {
  const device = deviceOf();
  const state = await device.createState({ on: Object.fromEntries(names.map((name) => [name, host(q[name])])) });
  const specs = Object.fromEntries(names.map((name) => [`on/${name}`, specOf(q[name])]));
  const program = (pick) =>
    device.compile({
      inputs: {},
      state: specs,
      build: (_, on) => ({
        outputs: { y: pick(build(Object.fromEntries(names.map((name) => [name, on[`on/${name}`]])), q)) },
      }),
    });
  const [one, whole] = [await program((y) => narrow(reshape(y, [-1]), 0, 0, 1)), await program((y) => y)];
  const read = async (compiled) => (await (await compiled.run({}, state)).y.read()).data;
  return { step: () => read(one), output: () => read(whole) };
};

/** All cases. `isResident`: convolutions find their inputs on the device. */
export function casesOn(deviceOf, { isResident }) {
  const single = Object.entries(convolutions).map(([name, [names, build]]) => [
    name,
    (isResident ? resident : fed)(deviceOf, names, build),
  ]);
  return {
    "lenet5-train": train(deviceOf),
    "resnet8-train": train(deviceOf),
    "lenet5-infer": infer(deviceOf),
    "resnet8-infer": infer(deviceOf),
    ...Object.fromEntries(single),
  };
}
