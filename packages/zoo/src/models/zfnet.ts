/**
 * Zeiler, Fergus: "Visualizing and Understanding Convolutional Networks", ECCV 2014 (figure 3).
 */
import { relu, type Tensor } from "@ocelli/core";
import {
  type Context,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  normal,
} from "@ocelli/layers";
import { imagenetCentred, type ModelOptions, type ModelTable, sizeOfInput } from "../entry.js";
import { initialised } from "../initialise.js";
import { mapSize } from "../map-size.js";
import { zfnetRecipe } from "../recipes.js";
import { responseNorm } from "./alexnet.js";

/** Section 3.1: "all weights are initialized to 10^-2 and biases to 0", read as a deviation: equal weights would stay equal. */
const start = normal(0, 0.01);
const conv = (into: number, out: number, options: Conv2dOptions): Conv2d =>
  initialised(new Conv2d(into, out, options), start);
const linear = (into: number, out: number): Linear => initialised(new Linear(into, out), start);
const pool = (): MaxPool2d => new MaxPool2d({ kernelSize: 3, stride: 2, ceilMode: true });

/** Maps of conv3, conv4 and conv5. */
export type ZfNetWidths = readonly [conv3: number, conv4: number, conv5: number];

/**
 * ZFNet: `[N, 3, 224, 224]` -> `[N, 1000]`, 62,357,608 parameters with 384, 384 and 256 maps in the last three convolutions.
 *
 * Figure 3 prints maps of 110, 55, 26, 13 and 6 pixels but no padding. A border of 1 in conv1, none in conv2, 1 in the 3x3 convolutions and
 * poolings that keep a last partial window give exactly these; no one padding of the poolings does. Of its contrast normalisation across
 * maps the paper gives no constants: they are Krizhevsky's (2012).
 * @throws ShapeError when an input of `inputSize` leaves no map
 */
export class ZfNet extends Module {
  readonly conv1: Conv2d;
  readonly pool1 = pool();
  readonly norm1 = responseNorm();
  readonly conv2: Conv2d;
  readonly pool2 = pool();
  readonly norm2 = responseNorm();
  readonly conv3: Conv2d;
  readonly conv4: Conv2d;
  readonly conv5: Conv2d;
  readonly pool5 = pool();
  readonly flatten = new Flatten();
  readonly fc6: Linear;
  readonly drop6 = new Dropout();
  readonly fc7: Linear;
  readonly drop7 = new Dropout();
  readonly fc8: Linear;

  constructor([third, fourth, fifth]: ZfNetWidths, options: ModelOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, inputSize } = options;
    this.conv1 = conv(inChannels, 96, { kernelSize: 7, stride: 2, padding: 1 });
    this.conv2 = conv(96, 256, { kernelSize: 5, stride: 2 });
    this.conv3 = conv(256, third, { kernelSize: 3, padding: 1 });
    this.conv4 = conv(third, fourth, { kernelSize: 3, padding: 1 });
    this.conv5 = conv(fourth, fifth, { kernelSize: 3, padding: 1 });
    const { conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5 } = this;
    const layers = { conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5 };
    const [height, width] = mapSize("zfnet", sizeOfInput(inputSize, 224), layers);
    this.fc6 = linear(fifth * height * width, 4096);
    this.fc7 = linear(4096, 4096);
    this.fc8 = linear(4096, numClasses);
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv1, relu, this.pool1, this.norm1, this.conv2, relu, this.pool2, this.norm2);
    const features = ctx.chain(y, this.conv3, relu, this.conv4, relu, this.conv5, relu, this.pool5, this.flatten);
    return ctx.chain(features, this.fc6, relu, this.drop6, this.fc7, relu, this.drop7, this.fc8);
  }
}

const zeiler2014 = "Zeiler, Fergus: Visualizing and Understanding Convolutional Networks, ECCV 2014";

const common = {
  citation: zeiler2014,
  input: [3, 224, 224],
  numClasses: 1000,
  head: "fc8",
  preprocessing: imagenetCentred,
  recipe: zfnetRecipe,
} as const;

/** The table's part of this paper. */
export const zfnetModels = {
  zfnet: {
    ...common,
    summary: "ZFNet: AlexNet with a finer first layer (7x7, stride 2) in one tower",
    build: (options?: ModelOptions) => new ZfNet([384, 384, 256], options),
    published: [
      {
        dataset: "imagenet",
        top1: 38.4,
        top5: 16.5,
        protocol: "validation, ten crops",
        source: "Zeiler and Fergus 2014, table 2 (a)",
      },
    ],
  },
  zfnet512: {
    ...common,
    summary: "ZFNet with 512, 1024 and 512 maps in conv3, conv4 and conv5",
    build: (options?: ModelOptions) => new ZfNet([512, 1024, 512], options),
    published: [
      {
        dataset: "imagenet",
        top1: 37.5,
        top5: 16.0,
        protocol: "validation, ten crops",
        source: "Zeiler and Fergus 2014, table 2 (b)",
      },
    ],
  },
} as const satisfies ModelTable;
