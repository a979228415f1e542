"""Batches of small images by a DataLoader, one epoch of 4,096.

Workers stay from epoch to epoch. What an epoch returns is the mean of its last batch.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from benchmarks.workloads import Missing, Program, workload

IMAGES, BATCH = 4096, 64


class SmallImages:
    """Pictures of the size of MNIST's, each shifted, perhaps mirrored, and normalized when it is asked for, by NumPy."""

    def __init__(self, torch: Any, count: int) -> None:
        self.torch = torch
        self.pictures = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, k: int) -> Any:
        down, right = divmod(k % 9, 3)
        picture = np.pad(self.pictures[k], 2)[down:down + 28, right:right + 28]
        if k % 2:
            picture = picture[:, ::-1]
        return self.torch.from_numpy(((picture / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081))[None]), k % 10

    def __getstate__(self) -> Any:
        return self.torch.__name__, self.pictures  # a module cannot be pickled for processes that are spawned

    def __setstate__(self, state: Any) -> None:
        name, self.pictures = state
        self.torch = importlib.import_module(name)


def epoch(torch: Any, workers: int, context: str | None) -> Program:
    """One epoch."""
    loader = torch.utils.data.DataLoader(SmallImages(torch, IMAGES), BATCH, num_workers=workers, multiprocessing_context=context,
                                         persistent_workers=workers > 0)

    def step() -> Any:
        for images, _ in loader:
            last = images
        return last.mean()
    return step, [()]


@workload("DataLoader without workers")
def loader(torch: Any) -> Program:
    return epoch(torch, 0, None)


@workload("DataLoader, 2 workers that are threads")
def loader_threads(torch: Any) -> Program:
    if torch.__name__ == "torch":
        raise Missing("PyTorch's workers are processes")
    return epoch(torch, 2, "thread")


@workload("DataLoader, 2 workers that are forked")
def loader_forked(torch: Any) -> Program:
    return epoch(torch, 2, "fork")


@workload("DataLoader, 2 workers that are spawned")
def loader_spawned(torch: Any) -> Program:
    return epoch(torch, 2, "spawn")
