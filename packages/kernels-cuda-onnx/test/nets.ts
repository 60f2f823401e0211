import {
  add,
  batchNormInference,
  batchNormTrain,
  conv2d,
  crossEntropy,
  gradients,
  type HostTensor,
  hostTensor,
  matmul,
  maxPool2d,
  mean,
  mul,
  relu,
  type StateDict,
  sub,
  type Tensor,
  type Traceable,
} from "@ocelli/core";

/** Numbers in -1..1 by a formula, the same everywhere. */
export function numbers(shape: readonly number[], seed: number, scale = 1): HostTensor {
  let state = seed >>> 0;
  const data = Float32Array.from({ length: shape.reduce((size, dim) => size * dim, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * ((state / 2 ** 32) * 2 - 1);
  });
  return hostTensor(data, shape);
}

export const batch = 8;
export const imageShape = [batch, 3, 9, 8] as const;

const filled = (shape: readonly number[], value: number): HostTensor =>
  hostTensor(new Float32Array(shape.reduce((size, dim) => size * dim, 1)).fill(value), shape);

/** A small network with one of everything: strides, batch-norm, a shortcut, max pooling. */
export function initialState(): StateDict {
  const params = {
    "conv1.weight": numbers([8, 3, 3, 3], 1, 0.4),
    "bn1.weight": filled([8], 1),
    "bn1.bias": filled([8], 0),
    "conv2.weight": numbers([8, 8, 3, 3], 2, 0.25),
    "conv3.weight": numbers([12, 8, 3, 3], 3, 0.25),
    "conv3.bias": numbers([12, 1, 1], 4, 0.1),
    "fc.weight": numbers([5, 12], 5, 0.4),
    "fc.bias": numbers([5], 6, 0.1),
  };
  const momentum = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, filled(shape, 0)]));
  return { params, buffers: { "bn1.mean": filled([8], 0), "bn1.variance": filled([8], 1) }, optimizer: momentum };
}

type Named = Readonly<Record<string, Tensor>>;

interface Forward {
  readonly logits: Tensor;
  readonly buffers: Named;
}

export function forward(x: Tensor, state: Named, training: boolean): Forward {
  const p = (name: string): Tensor => state[`params/${name}`] as Tensor;
  const [oldMean, oldVariance] = [state["buffers/bn1.mean"] as Tensor, state["buffers/bn1.variance"] as Tensor];
  const first = conv2d(x, p("conv1.weight"), { padding: 1 });
  const trained = training ? batchNormTrain(first, p("bn1.weight"), p("bn1.bias")) : undefined;
  const normal = trained?.output ?? batchNormInference(first, p("bn1.weight"), p("bn1.bias"), oldMean, oldVariance);
  const a = relu(normal);
  const b = relu(add(conv2d(a, p("conv2.weight"), { padding: 1 }), a));
  const pooled = maxPool2d(b, { kernelSize: 2 });
  const c = relu(add(conv2d(pooled, p("conv3.weight"), { padding: 1, stride: 2 }), p("conv3.bias")));
  const logits = add(matmul(mean(c, { axes: [2, 3] }), p("fc.weight"), { transposeB: true }), p("fc.bias"));
  const blend = (old: Tensor, now: Tensor): Tensor => add(mul(old, 0.9), mul(now, 0.1));
  if (trained === undefined) return { logits, buffers: {} };
  const buffers = {
    "buffers/bn1.mean": blend(oldMean, trained.mean),
    "buffers/bn1.variance": blend(oldVariance, trained.variance),
  };
  return { logits, buffers };
}

export function flat(state: StateDict): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(state).flatMap(([collection, values]) =>
      Object.entries(values).map(([name, value]) => [`${collection}/${name}`, value]),
    ),
  );
}

const specsOf = (values: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> => ({ ...values });

/** One step of SGD with momentum. */
export function trainingStep(): Traceable {
  return {
    inputs: {
      x: { shape: imageShape, dtype: "float32" },
      labels: { shape: [batch], dtype: "int32" },
      lr: { shape: [], dtype: "float32" },
    },
    state: specsOf(flat(initialState())),
    build: (inputs, state) => {
      const { logits, buffers } = forward(inputs.x as Tensor, state, true);
      const loss = crossEntropy(logits, inputs.labels as Tensor);
      const names = Object.keys(initialState().params ?? {});
      const grads = gradients(
        loss,
        names.map((name) => state[`params/${name}`] as Tensor),
      );
      const updates: Record<string, Tensor> = { ...buffers };
      for (const [i, name] of names.entries()) {
        const parameter = state[`params/${name}`] as Tensor;
        const slope = add(grads[i] as Tensor, mul(parameter, 1e-3));
        const velocity = add(mul(state[`optimizer/${name}`] as Tensor, 0.9), slope);
        updates[`optimizer/${name}`] = velocity;
        updates[`params/${name}`] = sub(parameter, mul(velocity, inputs.lr as Tensor));
      }
      return { outputs: { loss }, updates };
    },
  };
}

export function prediction(): Traceable {
  const { params = {}, buffers = {} } = initialState();
  return {
    inputs: { x: { shape: imageShape, dtype: "float32" } },
    state: specsOf(flat({ params, buffers })),
    build: (inputs, state) => ({ outputs: { logits: forward(inputs.x as Tensor, state, false).logits } }),
  };
}

/** A step's inputs: images and labels that vary with `step`. */
export function feedsOf(step: number): Record<string, HostTensor> {
  return {
    x: numbers(imageShape, 100 + step),
    labels: hostTensor(
      Int32Array.from({ length: batch }, (_, i) => (i * 3 + step) % 5),
      [batch],
    ),
    lr: hostTensor(Float32Array.of(0.05 / (1 + step / 20)), []),
  };
}
