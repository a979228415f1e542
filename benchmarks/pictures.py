"""How long recording and drawing take: ``python -m benchmarks.pictures`` prints a line for each figure."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

import minigrad as mg
from benchmarks.workloads.images import lenet_network
from benchmarks.workloads.language import LETTERS, gpt
from minigrad import nn, viz
from minigrad.nn import functional as F

ROUNDS = 30
LAYERS, HEADS, WIDTH, LENGTH = 12, 4, 128, 32
OPERATIONS = 100_000


def seconds(function: Callable[[], Any]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def recorded_step() -> float:
    """A step of LeNet-5 that is recorded, as a multiple of one that is not: of each the shortest of many, taken in turn."""
    model, rng = lenet_network(nn), np.random.default_rng(0)
    x, y = mg.from_numpy(rng.standard_normal((64, 1, 28, 28)).astype(np.float32)), mg.from_numpy(rng.integers(0, 10, 64))
    optimizer = mg.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    def recorded() -> None:
        with viz.record(model):
            step()

    step()
    recorded()
    plain, watched = zip(*[(seconds(step), seconds(recorded)) for _ in range(ROUNDS)])
    return min(watched) / min(plain)


def drawn_gpt() -> float:
    """The seconds from the loss of a GPT of 12 layers to its page."""
    model = gpt(mg, LAYERS, HEADS, WIDTH, LENGTH)
    text = mg.randint(0, LETTERS, (2, LENGTH))
    loss = F.cross_entropy(model(text).flatten(0, 1), text.flatten())
    loss.backward()
    return min(seconds(lambda: viz.draw(loss, model=model).html()) for _ in range(3))


def drawn_chain() -> float:
    """The seconds from the end of a chain of 100,000 operations to its page."""
    w = mg.ones(3, requires_grad=True)
    x = w
    for _ in range(OPERATIONS // 2):
        x = (x * 1.0001).tanh()
    return seconds(lambda: viz.draw(x.sum()).html())


def figures() -> dict[str, float]:
    """All of them, by name."""
    return {"recorded_step": recorded_step(), "drawn_gpt": drawn_gpt(), "drawn_chain": drawn_chain()}


def lines(found: dict[str, float]) -> list[str]:
    """What is said of them."""
    return [f"a recorded step of LeNet-5, batch 64: {found['recorded_step']:.2f} times one that is not (goal: at most 2)",
            f"a page of a GPT of {LAYERS} layers of {WIDTH}: {found['drawn_gpt']:.2f} s (goal: less than 2)",
            f"a page of {OPERATIONS:,} operations: {found['drawn_chain']:.1f} s (goal: less than 10)"]


if __name__ == "__main__":
    print("\n".join(lines(figures())))
