"""Every kind of layer and loss on the strict stand-in for CuPy: the same results and gradients as on the CPU, on the device.

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


def rand(*size: int) -> Any:
    return mg.rand(*size, dtype=mg.float64)


def classes(n: int, *size: int) -> Any:
    return mg.randint(0, n, size)


SIGNS = mg.tensor([1.0, -1.0, 1.0, -1.0], dtype=mg.float64)

# What makes the module, and what makes its arguments.
LAYERS: dict[str, tuple[Callable[[], Any], Callable[[], tuple[Any, ...]]]] = {
    "Linear": (lambda: nn.Linear(3, 4), lambda: (randn(2, 3),)),
    "Bilinear": (lambda: nn.Bilinear(2, 3, 4), lambda: (randn(5, 2), randn(5, 3))),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 3, stride=2, padding=1), lambda: (randn(2, 2, 7),)),
    "Conv2d in groups": (lambda: nn.Conv2d(4, 4, 3, dilation=2, groups=2), lambda: (randn(2, 4, 9, 9),)),
    "Conv2d reflecting": (lambda: nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), lambda: (randn(1, 1, 5, 5),)),
    "Conv3d": (lambda: nn.Conv3d(1, 2, 2), lambda: (randn(1, 1, 3, 3, 3),)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1), lambda: (randn(1, 2, 4, 4),)),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1, return_indices=True), lambda: (randn(1, 2, 7, 7),)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1), lambda: (randn(1, 2, 7, 7),)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(3), lambda: (randn(1, 2, 7, 7),)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(3), lambda: (randn(1, 2, 7, 7),)),
    "LPPool2d": (lambda: nn.LPPool2d(2, 2), lambda: (randn(1, 2, 6, 6),)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), lambda: (randn(4, 3),)),
    "BatchNorm2d in evaluation": (lambda: nn.BatchNorm2d(3).eval(), lambda: (randn(4, 3, 2, 2),)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), lambda: (randn(2, 4, 3),)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(3, affine=True), lambda: (randn(2, 3, 4, 4),)),
    "LayerNorm": (lambda: nn.LayerNorm((3, 4)), lambda: (randn(2, 3, 4),)),
    "RMSNorm": (lambda: nn.RMSNorm(4), lambda: (randn(2, 3, 4),)),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), lambda: (randn(2, 4, 3, 3),)),
    "Embedding": (lambda: nn.Embedding(10, 3, padding_idx=0), lambda: (classes(10, 2, 3),)),
    "Embedding of bounded norm": (lambda: nn.Embedding(10, 3, max_norm=1.0), lambda: (classes(10, 2, 3),)),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(10, 3), lambda: (classes(10, 2, 3),)),
    "RNN": (lambda: nn.RNN(3, 4), lambda: (randn(5, 2, 3),)),
    "LSTM": (lambda: nn.LSTM(3, 4, 2, bidirectional=True), lambda: (randn(5, 2, 3),)),
    "GRU": (lambda: nn.GRU(3, 4, batch_first=True), lambda: (randn(2, 5, 3),)),
    "LSTMCell": (lambda: nn.LSTMCell(3, 4), lambda: (randn(2, 3),)),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), lambda: (randn(2, 3, 4),) * 3),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
                                lambda: (randn(2, 3, 4),)),
    "Transformer": (lambda: nn.Transformer(4, 2, 1, 1, 8, dropout=0.0, batch_first=True),
                    lambda: (randn(2, 3, 4), randn(2, 2, 4))),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), lambda: (randn(1, 4, 2, 2),)),
    "Upsample, nearest": (lambda: nn.Upsample(scale_factor=2), lambda: (randn(1, 2, 3, 3),)),
    "Upsample, bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), lambda: (randn(1, 2, 3, 3),)),
    "Upsample, bicubic": (lambda: nn.Upsample(scale_factor=2, mode="bicubic"), lambda: (randn(1, 2, 4, 4),)),
    "Fold": (lambda: nn.Fold((4, 4), 2), lambda: (randn(1, 4, 9),)),
    "Unfold": (lambda: nn.Unfold(2), lambda: (randn(1, 2, 4, 4),)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d(1), lambda: (randn(1, 1, 3, 3),)),
    "CircularPad2d": (lambda: nn.CircularPad2d(1), lambda: (randn(1, 1, 3, 3),)),
    "ReplicationPad1d": (lambda: nn.ReplicationPad1d(1), lambda: (randn(1, 1, 3),)),
    "Softmax": (lambda: nn.Softmax(1), lambda: (randn(2, 3),)),
    "PReLU": (nn.PReLU, lambda: (randn(2, 3),)),
    "GLU": (nn.GLU, lambda: (randn(2, 4),)),
    "CosineSimilarity": (nn.CosineSimilarity, lambda: (randn(2, 4), randn(2, 4))),
    "PairwiseDistance": (nn.PairwiseDistance, lambda: (randn(2, 4), randn(2, 4))),
    "CrossEntropyLoss": (lambda: nn.CrossEntropyLoss(mg.tensor([1.0, 2.0, 3.0]), ignore_index=2, label_smoothing=0.1),
                         lambda: (randn(4, 3), classes(3, 4))),
    "CrossEntropyLoss of probabilities": (nn.CrossEntropyLoss, lambda: (randn(4, 3), rand(4, 3))),
    "CrossEntropyLoss of images": (nn.CrossEntropyLoss, lambda: (randn(2, 3, 4, 4), classes(3, 2, 4, 4))),
    "NLLLoss": (nn.NLLLoss, lambda: (randn(4, 3).log_softmax(1), classes(3, 4))),
    "BCELoss": (nn.BCELoss, lambda: (rand(4, 3), rand(4, 3))),
    "BCEWithLogitsLoss": (lambda: nn.BCEWithLogitsLoss(pos_weight=mg.tensor([1.0, 2.0, 3.0])), lambda: (randn(4, 3), rand(4, 3))),
    "KLDivLoss": (lambda: nn.KLDivLoss(reduction="batchmean"), lambda: (randn(4, 3).log_softmax(1), rand(4, 3))),
    "MSELoss": (nn.MSELoss, lambda: (randn(4, 3), randn(4, 3))),
    "L1Loss": (nn.L1Loss, lambda: (randn(4, 3), randn(4, 3))),
    "SmoothL1Loss": (nn.SmoothL1Loss, lambda: (randn(4, 3), randn(4, 3))),
    "HuberLoss": (nn.HuberLoss, lambda: (randn(4, 3), randn(4, 3))),
    "PoissonNLLLoss": (lambda: nn.PoissonNLLLoss(full=True), lambda: (randn(4, 3), rand(4, 3) * 5)),
    "GaussianNLLLoss": (nn.GaussianNLLLoss, lambda: (randn(4, 3), randn(4, 3), rand(4, 3))),
    "CTCLoss": (nn.CTCLoss, lambda: (randn(6, 2, 4).log_softmax(2), classes(3, 2, 3) + 1, mg.tensor([6, 6]), mg.tensor([3, 2]))),
    "TripletMarginLoss": (nn.TripletMarginLoss, lambda: (randn(4, 3), randn(4, 3), randn(4, 3))),
    "MultiMarginLoss": (nn.MultiMarginLoss, lambda: (randn(4, 3), classes(3, 4))),
    "MultiLabelMarginLoss": (nn.MultiLabelMarginLoss, lambda: (randn(2, 4), mg.tensor([[3, 0, -1, 1], [1, -1, 0, 0]]))),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, lambda: (randn(2, 4), classes(2, 2, 4).double())),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss, lambda: (randn(4), SIGNS)),
    "MarginRankingLoss": (nn.MarginRankingLoss, lambda: (randn(4), randn(4), SIGNS)),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss, lambda: (randn(4, 3), randn(4, 3), SIGNS)),
    "SoftMarginLoss": (nn.SoftMarginLoss, lambda: (randn(4), SIGNS)),
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
