import { Conv2d, Dropout, Flatten, type Layer, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";

/** LeNet-5 up to its last convolution. */
export const lenet = (): Sequential =>
  new Sequential(
    new Conv2d(1, 6, { kernelSize: 5, padding: 2 }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(6, 16, { kernelSize: 5 }),
    new ReLU(),
    new MaxPool2d({ kernelSize: 2 }),
    new Conv2d(16, 120, { kernelSize: 5 }),
    new ReLU(),
  );

/** A VGG of so many convolutions in each of its five stages. */
export function vgg(counts: readonly [number, number, number, number, number]): Sequential {
  const features: Layer[] = [];
  let channels = 3;
  for (const [stage, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      const out = Math.min(512, 64 << stage);
      features.push(new Conv2d(channels, out, { kernelSize: 3, padding: 1 }), new ReLU());
      channels = out;
    }
    features.push(new MaxPool2d({ kernelSize: 2 }));
  }
  const hidden = [new Linear(512 * 49, 4096), new ReLU(), new Dropout(), new Linear(4096, 4096), new ReLU()];
  return new Sequential(...features, new Flatten(), ...hidden, new Dropout(), new Linear(4096, 1000));
}
