"""PyTorch's ``nn.functional``: layers and losses as functions.

Most are operations, declared with their derivatives in :mod:`minigrad.ops` and only named here. What is written here is
composed of them, so its derivatives follow.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops import linalg, loss, pointwise
from minigrad.ops import reduction as reductions
from minigrad.ops import shape as shapes
from minigrad.ops.linalg import linear

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "l1_loss", "linear",
           "mse_loss", "nll_loss"]


# ---------------------------------------------------------------------------------------------------- losses

def reduction_of(size_average: Any, reduce: Any, reduction: str) -> str:
    """PyTorch's older way to say the reduction, by two flags, in the newer words."""
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"


def reduce_weighted(losses: Any, weight: Any, reduction: str) -> Any:
    """Weighted losses of the elements, reduced; their mean is over the weights."""
    loss.check_reduction(reduction)
    total = losses * weight
    if reduction == "none":
        return total
    return total.sum() if reduction == "sum" else total.sum() / weight.expand(*losses.shape).sum()


def mse_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
             weight: Any = None) -> Any:
    """Squared difference ``(input - target) ** 2``, times `weight` where given.

    Shapes: input and target alike; others are broadcast with a warning. Result: a number, or their shape for ``"none"``.

    >>> import minigrad
    >>> mse_loss(minigrad.tensor([1., 2.]), minigrad.tensor([1., 4.]))
    tensor(2.)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if weight is None:
        return loss.mse_loss(input, target, reduction=reduction)
    return reduce_weighted(loss.mse_loss(input, target, reduction="none"), weight, reduction)


def l1_loss(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
            weight: Any = None) -> Any:
    """Absolute difference ``|input - target|``, times `weight` where given."""
    reduction = reduction_of(size_average, reduce, reduction)
    if weight is None:
        return loss.l1_loss(input, target, reduction=reduction)
    return reduce_weighted(loss.l1_loss(input, target, reduction="none"), weight, reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """``d ** 2 / 2`` where ``d = |input - target| <= delta`` and ``delta * (d - delta / 2)`` beyond, times `weight` where given."""
    if weight is None:
        return loss.huber_loss(input, target, reduction=reduction, delta=delta)
    return reduce_weighted(loss.huber_loss(input, target, reduction="none", delta=delta), weight, reduction)


def nll_loss(input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
             reduce: Any = None, reduction: str = "mean") -> Any:
    """Minus the log-probability that `input` gives to the class `target` of each sample.

    Shapes: input ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``; target the same without C, integers; weight ``(C,)``. Samples of
    class `ignore_index` do not count; the mean is over the weights. Raises ``IndexError`` for a class out of range.
    """
    return loss.nll_loss(input, target, weight, reduction=reduction_of(size_average, reduce, reduction), ignore_index=ignore_index)


def cross_entropy(input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
                  reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    """Cross entropy between scores and the true class of each sample, or the true probabilities of all classes.

    Args:
        input: scores of any size (the softmax is inside), ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``.
        target: integers, the class of each sample, in the shape of input without C; or floats in the shape of input, how
            probable each class is.
        weight: how much each class counts, ``(C,)``.
        ignore_index: samples of this class do not count.
        label_smoothing: between 0 and 1; this much of each target is spread evenly over all classes.

    Raises ``IndexError`` for a class out of range, ``ValueError`` or ``RuntimeError`` where shapes do not fit.

    >>> import minigrad
    >>> cross_entropy(minigrad.zeros(1, 4), minigrad.tensor([2]))
    tensor(1.3863)
    """
    reduction = reduction_of(size_average, reduce, reduction)
    if not label_smoothing and target.dtype.kind in "iu":
        return loss.cross_entropy_of_classes(input, target, weight, reduction=reduction, ignore_index=ignore_index)
    return _smoothed_cross_entropy(input, target, weight, reduction, ignore_index, label_smoothing)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
                         reduction: str = "mean") -> Any:
    """``-target * log(input) - (1 - target) * log(1 - input)`` for probabilities `input`; logarithms are cut at -100.

    Raises ``ValueError`` where `target` has another shape, ``RuntimeError`` where `input` lies outside of [0, 1].
    """
    return loss.binary_cross_entropy(input, target, weight, reduction=reduction_of(size_average, reduce, reduction))


def binary_cross_entropy_with_logits(input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
                                     reduction: str = "mean", pos_weight: Any = None) -> Any:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, computed safely; `pos_weight` multiplies the loss of the positives."""
    return loss.binary_cross_entropy_with_logits(input, target, weight, pos_weight,
                                                 reduction=reduction_of(size_average, reduce, reduction))


def _smoothed_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int, smoothing: float) -> Any:
    """The rarer kinds of :func:`cross_entropy`: smoothed classes, and probabilities."""
    loss.check_reduction(reduction)
    if not 0 <= smoothing <= 1:
        raise ShapeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")
    if target.dtype.kind in "iu":
        q = loss.smoothed_classes(input, target, weight, label_smoothing=smoothing, reduction=reduction, ignore_index=ignore_index)
        losses = loss.cross_entropy_of_probabilities(input, q)
        return losses if reduction == "none" else reductions.sum(losses)
    if ignore_index >= 0:
        raise ShapeError("cross_entropy: ignore_index is not supported for floating point target; give those samples the target 0")
    axis = loss.class_axis(input)
    classes = input.shape[axis]
    q = target * (1 - smoothing) + smoothing / classes if smoothing else target
    if weight is not None:
        if weight.shape != (classes,):
            raise ShapeError(f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but "
                             f"got weight tensor of shape: {list(weight.shape)}")
        q = q * shapes.reshape(weight, shape=(classes,) + (1,) * (input.ndim - axis - 1))
    losses = loss.cross_entropy_of_probabilities(input, q)
    if reduction == "none":
        return losses
    total = reductions.sum(losses)
    return total if reduction == "sum" else total / (math.prod(input.shape) / classes)
