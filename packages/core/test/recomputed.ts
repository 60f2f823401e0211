import {
  batchNormTrain,
  conv2d,
  type Device,
  gradients,
  greaterEqual,
  type HostTensor,
  hostTensor,
  matmul,
  maxPool2d,
  mean,
  mul,
  randomUniform,
  recompute,
  relu,
  type Spec,
  select,
  sum,
  type Tensor,
  type Traceable,
  tanh,
} from "../src/index.js";

const float = (shape: readonly number[]): Spec => ({ shape, dtype: "float32" });
const inputs: Readonly<Record<string, Spec>> = {
  x: float([4, 3, 8, 7]),
  w1: float([8, 3, 3, 3]),
  gain: float([8]),
  shift: float([8]),
  w2: float([8, 8, 3, 3]),
  head: float([8, 5]),
  key: { shape: [2], dtype: "uint32" },
};
const targets = ["head", "w2", "shift", "gain", "w1", "x"];

/** Loss and gradients of a network with dropout, whose two layers are recomputed, the second in a call within a call. */
function network(wrap: <T>(fn: () => T) => T): Traceable {
  const layer = (
    x: Tensor,
    w: Tensor,
    { gain, shift, key }: Readonly<Record<string, Tensor>>,
    stream: number,
  ): Tensor => {
    const { output } = batchNormTrain(conv2d(x, w, { padding: 1 }), gain as Tensor, shift as Tensor);
    const kept = greaterEqual(randomUniform(key as Tensor, output.shape, stream), 0.3);
    return select(kept, mul(relu(output), 1 / 0.7), 0);
  };
  return {
    inputs,
    build: (given) => {
      const { x, w1, w2, head } = given;
      const first = wrap(() => maxPool2d(layer(x as Tensor, w1 as Tensor, given, 1), { kernelSize: 2 }));
      const second = wrap(() => tanh(wrap(() => layer(first, w2 as Tensor, given, 2))));
      const loss = sum(tanh(matmul(mean(second, { axes: [2, 3] }), head as Tensor)));
      const grads = gradients(
        loss,
        targets.map((name) => given[name] as Tensor),
      );
      return { outputs: { loss, ...Object.fromEntries(targets.map((name, i) => [name, grads[i] as Tensor])) } };
    },
  };
}

function feeds(): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      if (dtype === "uint32") return [name, hostTensor(Uint32Array.of(17, 4), shape)];
      return [
        name,
        hostTensor(
          Float32Array.from({ length: size }, (_, i) => Math.sin(3 * i + name.length)),
          shape,
        ),
      ];
    }),
  );
}

/** Loss and gradients on a device, by name: kept and recomputed. The nodes of the compiled graphs, too. */
export async function bothWays(device: Device) {
  const run = async (wrap: <T>(fn: () => T) => T) => {
    using program = await device.compile(network(wrap));
    const handles = await program.run(feeds());
    const values: Record<string, readonly number[]> = {};
    for (const [name, handle] of Object.entries(handles)) values[name] = Array.from((await handle.read()).data, Number);
    return { values, nodes: program.stats.nodes };
  };
  return { kept: await run((fn) => fn()), recomputed: await run(recompute) };
}

/** Largest distance between lists of one name, relative to the largest magnitude there. */
export function distance(
  actual: Readonly<Record<string, readonly number[]>>,
  wanted: Readonly<Record<string, readonly number[]>>,
): number {
  return Object.entries(wanted).reduce((worst, [name, list]) => {
    const scale = list.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    return list.reduce((far, value, i) => {
      const off = Math.abs(value - (actual[name]?.[i] ?? Number.NaN)) / scale;
      return off <= far ? far : off;
    }, worst);
  }, 0);
}
