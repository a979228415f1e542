"""Losses, for models that compute theirs."""

from __future__ import annotations

from typing import Any

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.reducing import reduce
from minigrad.onnx.translation.table import translates


def reduced(b: Builder, x: str, ndim: int, reduction: str) -> str:
    """The mean or the sum of the elements, or themselves."""
    return x if reduction == "none" else reduce(b, "ReduceMean" if reduction == "mean" else "ReduceSum", x, list(range(ndim)), False)


@translates("mse_loss")
def mse_loss(b: Builder, x: Operand, target: Operand, *, reduction: str = "mean") -> str:
    apart = b("Sub", x, target)
    return reduced(b, b("Mul", apart, apart), max(x.ndim, target.ndim), reduction)


@translates("l1_loss")
def l1_loss(b: Builder, x: Operand, target: Operand, *, reduction: str = "mean") -> str:
    return reduced(b, b("Abs", b("Sub", x, target)), max(x.ndim, target.ndim), reduction)


@translates("cross_entropy_of_classes", "nll_loss")
def loss_of_classes(b: Builder, x: Operand, target: Operand, weight: Operand | None, *, reduction: str = "mean",
                    ignore_index: int = -100) -> str:
    assert b.call is not None
    op_type = "NegativeLogLikelihoodLoss" if b.call.op == "nll_loss" else "SoftmaxCrossEntropyLoss"
    inputs: Any = (x, target)
    if x.ndim == 1:  # one sample, without a batch
        inputs = [b("Unsqueeze", t, b.ints([0])) for t in inputs]
    found = b(op_type, *inputs, weight, reduction=reduction, ignore_index=ignore_index)
    return b("Reshape", found, b.ints([])) if x.ndim == 1 else found
