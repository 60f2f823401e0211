#!/usr/bin/python3
"""Prints PyTorch's losses for one training that generate.mjs wrote, in float64, and in float32 once as they are and --perturbed N times
with every initial value moved to a neighbouring float32: `{torch, float64: [...], float32: [[...], ...]}`. Run: curves.py FILE [options]

The file (safetensors) holds initial values under PyTorch's own keys, `batches.images` (uint8 [steps, N, C, H, W]) and
`batches.labels` (int32 [steps, N]); its metadata say which network, how pixels are normalised, and SGD's options.
One thread by default: with two, sums are split by chance.
"""

import argparse
import json

import numpy
import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"F32": "<f4", "U8": "u1", "I32": "<i4", "I64": "<i8"}


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")

    def tensor(entry):
        begin, end = entry["data_offsets"]
        flat = numpy.frombuffer(data[start + begin : start + end], DTYPES[entry["dtype"]])
        return torch.from_numpy(flat.reshape(entry["shape"]).copy())

    return {name: tensor(entry) for name, entry in header.items()}, metadata


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 120, 5),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


class CifarBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.stride = stride
        self.extra = out_channels - in_channels

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        # Shortcut option A: every second pixel, and zeros for the new channels.
        side = self.extra // 2
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, side, self.extra - side))
        return F.relu(y + shortcut)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self.stage(16, 16, 1)
        self.layer2 = self.stage(16, 32, 2)
        self.layer3 = self.stage(32, 64, 2)
        self.linear = nn.Linear(64, 10)

    @staticmethod
    def stage(before, after, stride):
        return nn.Sequential(CifarBlock(before, after, stride), CifarBlock(after, after, 1), CifarBlock(after, after, 1))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


NETWORKS = {"lenet5_modern": LeNet5, "resnet20_cifar": ResNet20}


def load(model, values):
    missing, unexpected = model.load_state_dict(values, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"the file's keys do not fit: missing {missing}, unexpected {unexpected}")


def normaliser(statistics, dtype):
    """As training/src/transform.ts: one multiply and one subtraction a pixel, by numbers worked out in float64."""
    mean, std = (torch.tensor(statistics[name], dtype=torch.float64).view(1, -1, 1, 1) for name in ("mean", "std"))
    scale, shift = (1 / (255 * std)).to(dtype), (mean / std).to(dtype)
    return lambda images: images.to(dtype) * scale - shift


def losses(tensors, training, dtype):
    values = dict(tensors)
    images, labels = values.pop("batches.images"), values.pop("batches.labels")
    model = NETWORKS[training["name"]]().to(dtype).train()
    load(model, values)
    normalise = normaliser(training["statistics"], dtype)
    options = training["optimizer"]
    optimizer = torch.optim.SGD(
        model.parameters(), options["lr"], momentum=options["momentum"], weight_decay=options["weightDecay"]
    )
    curve = []
    for batch, wanted in zip(images, labels):
        loss = F.cross_entropy(model(normalise(batch)), wanted.long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    return curve


def perturbed(tensors, seed):
    """Every float32 times 1 +- 6e-8, which is the float32 next to it; the signs are drawn from the seed."""
    generator = torch.Generator().manual_seed(seed)

    def moved(tensor):
        signs = torch.randint(0, 2, tensor.shape, generator=generator) * 2 - 1
        return (tensor.double() * (1 + 6e-8 * signs)).float()

    return {name: moved(tensor) if tensor.dtype == torch.float32 else tensor for name, tensor in tensors.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--perturbed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tensors, metadata = read_safetensors(arguments.file)
    training = json.loads(metadata["training"])
    starts = [tensors, *(perturbed(tensors, seed) for seed in range(arguments.perturbed))]
    result = {
        "torch": torch.__version__,
        "float64": losses(tensors, training, torch.float64),
        "float32": [losses(start, training, torch.float32) for start in starts],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
