#!/usr/bin/python3
"""PyTorch's side of the ResNet-20 experiment: trains on CIFAR-10's batches 1 and 2 and prints one JSON line an epoch.

The paper's training (He et al. 2016, section 4.2), in short: SGD 0.1, momentum 0.9, decay 1e-4, batches of 128, crops from images padded by 4,
flips. The rate falls to 0 as half a cosine wave, at every step: short runs that end at a rate above it differ by points from seed to seed.
Run: resnet20.py DATA_DIR --seed 0 --epochs 8
"""

import argparse
import json
import math
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "curves"))
from curves import ResNet20  # noqa: E402


def read(path):
    records = numpy.fromfile(path, numpy.uint8).reshape(-1, 3073)
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype("int64"))


def augment(images, generator):
    """A crop of 32x32 from each image padded by 4 black pixels, every second one mirrored."""
    count = len(images)
    padded = F.pad(images, (4, 4, 4, 4))
    top, left = torch.randint(0, 9, (2, count), generator=generator)
    flip = torch.randint(0, 2, (count, 1), generator=generator).bool()
    rows = top[:, None] + torch.arange(32)
    columns = left[:, None] + torch.where(flip, 31 - torch.arange(32), torch.arange(32))
    samples = torch.arange(count)
    # Advanced indices around a slice put the channels last.
    return padded[samples[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def evaluate(model, normalise, images, labels):
    model.eval()
    with torch.no_grad():
        hits = [(model(normalise(x)).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500))]
    return sum(hits) / len(images)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)

    parts = [read(options.data / f"data_batch_{i}.bin") for i in (1, 2)]
    images, labels = (torch.cat(tensors) for tensors in zip(*parts))
    tests = read(options.data / "test_batch.bin")
    images, labels, *tests = (tensor[: options.limit] for tensor in (images, labels, *tests))
    pixels = images.double() / 255
    # Black before the padding becomes black after it: the border is padded first, as the paper's crops are.
    mean, std = (f(pixels, dim=(0, 2, 3)).float().view(1, 3, 1, 1) for f in (torch.mean, torch.std))
    normalise = lambda batch: (batch.float() / 255 - mean) / std  # noqa: E731

    model = ResNet20()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    steps = options.epochs * (len(images) // 128)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
    started = time.time()
    for epoch in range(options.epochs):
        model.train()
        order = torch.randperm(len(images), generator=generator)
        loss_sum = hits = 0
        batches = order.split(128)[: len(images) // 128]
        for indices in batches:
            logits = model(normalise(augment(images[indices], generator)))
            loss = F.cross_entropy(logits, labels[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item()
            hits += (logits.argmax(1) == labels[indices]).sum().item()
        record = {
            "seed": options.seed,
            "epoch": epoch + 1,
            "trainLoss": loss_sum / len(batches),
            "trainAccuracy": hits / (128 * len(batches)),
            "testAccuracy": evaluate(model, normalise, *tests),
            "seconds": time.time() - started,
        }
        print(json.dumps(record), flush=True)


main()
