"""Losses, for models that compute theirs."""

from __future__ import annotations

from typing import Any

from minigrad.onnx.building import Builder, Operand
from minigrad.onnx.translation.reducing import reduce
from minigrad.onnx.translation.table import translates


def reduced(b: Builder, x: str, ndim: int, reduction: str) -> str:
    """The mean or the sum of the elements, or themselves."""
    op_type = "ReduceMean" if reduction == "mean" else "ReduceSum"
    return x if reduction == "none" else reduce(b, op_type, x, list(range(ndim)), False)


@translates("mse_loss")
def mse_loss(b: Builder, x: Operand, target: Operand, *, reduction: str = "mean") -> str:
    apart = b("Sub", x, target)
    return reduced(b, b("Mul", apart, apart), max(x.ndim, target.ndim), reduction)


@translates("l1_loss")
def l1_loss(b: Builder, x: Operand, target: Operand, *, reduction: str = "mean") -> str:
    return reduced(b, b("Abs", b("Sub", x, target)), max(x.ndim, target.ndim), reduction)


@translates("nll_loss")
def nll_loss(b: Builder, x: Operand, target: Operand, weight: Operand | None, *, reduction: str = "mean",
             ignore_index: int = -100) -> str:
    return loss_of_classes(b, "NegativeLogLikelihoodLoss", x, target, weight, reduction, ignore_index)


@translates("cross_entropy_of_classes")
def cross_entropy_of_classes(b: Builder, x: Operand, target: Operand, weight: Operand | None, *, reduction: str = "mean",
                             ignore_index: int = -100) -> Any:
    found = loss_of_classes(b, "SoftmaxCrossEntropyLoss", x, target, weight, reduction, ignore_index)
    return found, b("Softmax", x, axis=min(1, x.ndim - 1))


def loss_of_classes(b: Builder, op_type: str, x: Operand, target: Operand, weight: Operand | None, reduction: str,
                    ignore_index: int) -> str:
    inputs: Any = (x, target)
    if x.ndim == 1:  # one sample, without a batch
        inputs = [b("Unsqueeze", t, b.ints([0])) for t in inputs]
    found = b(op_type, *inputs, weight, reduction=reduction, ignore_index=ignore_index)
    return b("Reshape", found, b.ints([])) if x.ndim == 1 else found


@translates("huber_loss", "smooth_l1_loss")
def huber_loss(b: Builder, x: Operand, target: Operand, *, reduction: str = "mean", delta: float = 1.0, beta: float = 1.0) -> str:
    assert b.call is not None
    edge = delta if b.call.op == "huber_loss" else beta
    distance = b("Abs", b("Sub", x, target))
    found = distance
    if edge:
        near = b("Min", distance, b.number(edge, x.dtype))
        found = b("Mul", near, b("Sub", distance, b("Mul", near, b.number(0.5, x.dtype))))
        found = found if b.call.op == "huber_loss" or beta == 1 else b("Div", found, b.number(beta, x.dtype))
    return reduced(b, found, max(x.ndim, target.ndim), reduction)


@translates("binary_cross_entropy")
def binary_cross_entropy(b: Builder, x: Operand, target: Operand, weight: Operand | None, *, reduction: str = "mean") -> str:
    one, least = b.number(1, x.dtype), b.number(-100, x.dtype)
    log_p, log_q = b("Max", b("Log", x), least), b("Max", b("Log", b("Sub", one, x)), least)
    found = b("Sub", b("Mul", b("Sub", target, one), log_q), b("Mul", target, log_p))
    return reduced(b, found if weight is None else b("Mul", found, weight), x.ndim, reduction)


@translates("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(b: Builder, x: Operand, target: Operand, weight: Operand | None,
                                     pos_weight: Operand | None, *, reduction: str = "mean") -> str:
    one = b.number(1, x.dtype)
    log_q = b("Softplus", b("Neg", x))
    if pos_weight is not None:
        log_q = b("Mul", log_q, b("Add", one, b("Mul", b("Sub", pos_weight, one), target)))
    found = b("Add", b("Mul", b("Sub", one, target), x), log_q)
    return reduced(b, found if weight is None else b("Mul", found, weight), x.ndim, reduction)
