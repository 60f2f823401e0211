// LeNet-5, for the programs whose size is watched.
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "@ocelli/layers";

const pool = () => new MaxPool2d({ kernelSize: 2 });
export const model = new Sequential(
  new Conv2d(1, 6, { kernelSize: 5, padding: 2 }),
  new ReLU(),
  pool(),
  new Conv2d(6, 16, { kernelSize: 5 }),
  new ReLU(),
  pool(),
  new Conv2d(16, 120, { kernelSize: 5 }),
  new ReLU(),
  new Flatten(),
  new Linear(120, 84),
  new ReLU(),
  new Linear(84, 10),
);
