import { type Device, type HostTensor, hostTensor, type StateDict, type Tensor, toNumbers } from "@ocelli/core";
import { type Context, Conv2d, Flatten, GlobalAvgPool, type Layer, Linear, Module, Sequential } from "@ocelli/layers";
import { type Explainer, type ExplainerOptions, explainer } from "../src/explain/index.js";

export const numbers = (tensor: HostTensor): number[] => [...toNumbers(tensor)];

/** Fresh values with some of the parameters given. */
export function valuesOf(
  model: Module<Tensor, unknown>,
  given: Readonly<Record<string, readonly number[]>>,
): StateDict {
  const { params = {}, buffers = {} } = model.initialState({ seed: 0 });
  const own = Object.entries(given).map(([name, list]) => [name, hostTensor(list, params[name]?.shape)]);
  return { params: { ...params, ...Object.fromEntries(own) }, buffers };
}

/** Uses an explainer, and disposes of it whatever comes. */
export async function explaining<T>(
  device: Device,
  options: ExplainerOptions,
  use: (asked: Explainer) => Promise<T>,
): Promise<T> {
  const asked = await explainer(device, options);
  try {
    return await use(asked);
  } finally {
    asked[Symbol.dispose]();
  }
}

/**
 * Of the pixel 0.5: the first layer gives 1, 2 and -0.5 before its activation; the second 2 - 1 = 1 and -1; the logits are 1 and -1.
 * Backwards from the first class: 1 and 2 behind the second activation, of which the first unit is active; so 2, -0.5 and 0.5 behind the
 * first, of which the third unit is not active.
 */
class Units extends Module {
  readonly first = new Conv2d(1, 3, { kernelSize: 1, bias: false });
  readonly second = new Conv2d(3, 2, { kernelSize: 1, bias: false });
  readonly flat = new Flatten();
  readonly last = new Linear(2, 2, { bias: false });
  readonly between: Layer;
  constructor(between: Layer) {
    super();
    this.between = between;
  }
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.first, this.between, this.second, this.between, this.flat, this.last);
  }
}
export const units = (between: Layer) => {
  const model = new Units(between);
  const values = valuesOf(model, {
    "first.weight": [2, 4, -1],
    "second.weight": [2, -0.5, 0.5, 1, -1, 0],
    "last.weight": [1, 2, -1, 1],
  });
  return { model, values };
};
export const pixel = hostTensor([0.5], [1, 1, 1, 1]);

/** Two maps, their means, two classes. */
export const twoMaps = () => {
  const model = new Sequential(
    new Conv2d(1, 2, { kernelSize: 1, bias: false }),
    new GlobalAvgPool(),
    new Linear(2, 2, { bias: false }),
  );
  return { model, values: valuesOf(model, { "0.weight": [1, -2], "2.weight": [4, 1, -8, 0] }) };
};
export const four = hostTensor([0, 0.25, 0.5, 1], [1, 1, 2, 2]);
