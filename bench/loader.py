"""torchvision's pictures through PyTorch's DataLoader, for loader.mjs: python3 loader.py DIR WORKERS BATCH SECONDS prints one line of JSON."""

import json
import resource
import sys
import time

import PIL
import torch
import torchvision
from torchvision import datasets, transforms


def main():
    folder, workers, batch, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    transform = transforms.Compose(
        [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    )
    pictures = datasets.ImageFolder(folder, transform)
    loader = torch.utils.data.DataLoader(
        pictures, batch_size=batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=True
    )
    # Workers start and caches fill.
    for _ in loader:
        pass
    start, images = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for data, _ in loader:
            assert data.shape == (batch, 3, 224, 224)
            images += len(data)
    wall = time.perf_counter() - start
    # Of children the system tells only once they have ended.
    del loader
    self, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    versions = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}"
    print(json.dumps({"imagesPerSecond": images / wall, "peakMiB": (self + workers * child) / 1024, "versions": versions}))


main()
