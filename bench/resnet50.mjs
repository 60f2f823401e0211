// ResNet-50 as torchvision has it (the stride in the 3x3), for measuring.
import { add, relu } from "@ocelli/core";
import { BatchNorm2d, Conv2d, GlobalAvgPool, Linear, MaxPool2d, Module, Sequential } from "@ocelli/layers";

const conv = (from, to, kernelSize, stride = 1) =>
  new Conv2d(from, to, { kernelSize, stride, padding: (kernelSize - 1) / 2, bias: false });

class Bottleneck extends Module {
  constructor(from, width, stride) {
    super();
    this.conv1 = conv(from, width, 1);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv(width, width, 3, stride);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv(width, 4 * width, 1);
    this.bn3 = new BatchNorm2d(4 * width);
    this.downsample =
      stride === 1 && from === 4 * width
        ? null
        : new Sequential(conv(from, 4 * width, 1, stride), new BatchNorm2d(4 * width));
  }

  forward(x, ctx) {
    const y = ctx.chain(x, this.conv1, this.bn1, relu, this.conv2, this.bn2, relu, this.conv3, this.bn3);
    return relu(add(y, this.downsample === null ? x : ctx.call(this.downsample, x)));
  }
}

class ResNet50 extends Module {
  constructor() {
    super();
    this.conv1 = conv(3, 64, 7, 2);
    this.bn1 = new BatchNorm2d(64);
    this.pool = new MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
    const stage = (from, width, count, stride) =>
      new Sequential(
        ...Array.from(
          { length: count },
          (_, i) => new Bottleneck(i === 0 ? from : 4 * width, width, i === 0 ? stride : 1),
        ),
      );
    this.layer1 = stage(64, 64, 3, 1);
    this.layer2 = stage(256, 128, 4, 2);
    this.layer3 = stage(512, 256, 6, 2);
    this.layer4 = stage(1024, 512, 3, 2);
    this.average = new GlobalAvgPool();
    this.fc = new Linear(2048, 1000);
  }

  forward(x, ctx) {
    const stem = ctx.chain(x, this.conv1, this.bn1, relu, this.pool);
    return ctx.chain(stem, this.layer1, this.layer2, this.layer3, this.layer4, this.average, this.fc);
  }
}

export const resnet50 = () => new ResNet50();
