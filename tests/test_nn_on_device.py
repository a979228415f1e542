"""Layers on the strict stand-in for CuPy, beside those of ``tests/module_cases``: the same results and gradients as on the CPU.

The device is a card that is not the current one.
"""

from __future__ import annotations

import copy
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests import (
    fake_cuda,
    standin,  # noqa: F401  (registers the device "standin")
)

CARD = "standin:2"


def randn(*size: int) -> Any:
    return mg.randn(*size, dtype=mg.float64)


def classes(n: int, *size: int) -> Any:
    return mg.randint(0, n, size)


# What makes the module, and what makes its arguments.
LAYERS: dict[str, tuple[Callable[[], Any], Callable[[], tuple[Any, ...]]]] = {
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1, return_indices=True), lambda: (randn(1, 2, 7, 7),)),
    "Embedding of bounded norm": (lambda: nn.Embedding(10, 3, max_norm=1.0), lambda: (classes(10, 2, 3),)),
    "LSTM": (lambda: nn.LSTM(3, 4, 2, bidirectional=True), lambda: (randn(5, 2, 3),)),
    "Upsample, bicubic": (lambda: nn.Upsample(scale_factor=2, mode="bicubic"), lambda: (randn(1, 2, 4, 4),)),
    "CrossEntropyLoss": (lambda: nn.CrossEntropyLoss(mg.tensor([1.0, 2.0, 3.0]), ignore_index=2, label_smoothing=0.1),
                         lambda: (randn(4, 3), classes(3, 4))),
    "CrossEntropyLoss of images": (nn.CrossEntropyLoss, lambda: (randn(2, 3, 4, 4), classes(3, 2, 4, 4))),
}


def tensors_in(x: Any) -> list[Any]:
    if isinstance(x, mg.Tensor):
        return [x]
    return [t for part in x for t in tensors_in(part)] if isinstance(x, (tuple, list)) else []


def run(module: Any, args: tuple[Any, ...], device: str) -> list[Any]:
    """The results of `module` on `device` and the gradients of its first argument and its parameters, brought home."""
    module = copy.deepcopy(module).to(device)
    moved = [a.detach().to(device) for a in args]
    if moved[0].is_floating_point():
        moved[0].requires_grad_()
    outs = tensors_in(module(*moved))
    sum((o * o).sum() for o in outs if o.requires_grad).backward()
    grads = [t.grad for t in (moved[0], *module.parameters()) if t.grad is not None]
    assert grads
    assert all(str(t.device) == device for t in outs + grads)
    return [t.detach().cpu().numpy() for t in outs + grads]


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_does_the_same_on_the_device(name: str) -> None:
    make, arguments = LAYERS[name]
    module, args = make().double(), arguments()
    here = run(module, args, "cpu")
    with fake_cuda.nothing_changes():
        there = run(module, args, CARD)
    assert len(here) == len(there)
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [lambda: nn.Dropout(0.5), lambda: nn.Dropout2d(0.5), lambda: nn.AlphaDropout(0.5), nn.RReLU])
def test_a_random_layer_stays_on_the_device(make: Callable[[], Any]) -> None:
    assert run(make(), (randn(4, 4, 2, 2),), CARD)[0].shape == (4, 4, 2, 2)
