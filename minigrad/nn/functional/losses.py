"""Losses with PyTorch's signatures: the fused ones of :mod:`minigrad.ops.neural.loss`, and compositions.

Every loss has `reduction`: ``"none"`` gives the loss of each element or sample, ``"sum"`` their sum, ``"mean"`` their mean.
`size_average` and `reduce` are PyTorch's older way to say the same.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.nn.functional.distance import pairwise_distance, raise_to_floor
from minigrad.ops.indexing import scatter
from minigrad.ops.linear_algebra import products
from minigrad.ops.neural import activation, loss
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.ops.reducing import reduction as reductions
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.recording import hints
from minigrad.recording.call import about_to_read
from minigrad.recording.device_guard import on_device_of_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
           "ctc_loss", "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy",
           "margin_ranking_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
           "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
           "triplet_margin_with_distance_loss"]


def reduction_of(size_average: Any, reduce: Any, reduction: str) -> str:
    """PyTorch's older way to say the reduction, by two flags, in the newer words."""
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"


def reduce_weighted(losses: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Weighted losses of the elements, reduced; their mean is over the weights."""
    loss.check_reduction(reduction)
    losses = losses * weight
    if reduction == "none":
        return losses
    total = reductions.sum(losses)
    return total if reduction == "sum" else total / reductions.sum(shapes.expand(weight, size=losses.shape))


def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
             weight: Tensor | None = None) -> Tensor:
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


def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
            weight: Tensor | None = None) -> Tensor:
    """Absolute difference ``|input - target|``, times `weight` where given."""
    reduction = reduction_of(size_average, reduce, reduction)
    if weight is None:
        return loss.l1_loss(input, target, reduction=reduction)
    return reduce_weighted(loss.l1_loss(input, target, reduction="none"), weight, reduction)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
               weight: Tensor | None = None) -> Tensor:
    """``d ** 2 / 2`` where ``d = |input - target| <= delta``, ``delta * (d - delta / 2)`` beyond; times `weight` where given."""
    if weight is None:
        return loss.huber_loss(input, target, reduction=reduction, delta=delta)
    return reduce_weighted(loss.huber_loss(input, target, reduction="none", delta=delta), weight, reduction)


def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
             ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """Minus the log-probability that `input` gives to the class `target` of each sample.

    Shapes: input ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``; target the same without C, integers; weight ``(C,)``. Samples of
    class `ignore_index` do not count; the mean is over the weights. Raises ``IndexError`` for a class out of range.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    return loss.nll_loss(input, target, weight, reduction=reduction, ignore_index=ignore_index)


def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                  ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
                  label_smoothing: float = 0.0) -> Tensor:
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
        found: Tensor = loss.cross_entropy_of_classes(input, target, weight, reduction=reduction, ignore_index=ignore_index)[0]
        return found
    return _smoothed_cross_entropy(input, target, weight, reduction, ignore_index, label_smoothing)


def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``-target * log(input) - (1 - target) * log(1 - input)`` for probabilities `input`; logarithms are cut at -100.

    Raises ``ValueError`` where `target` has another shape, ``RuntimeError`` where `input` lies outside of [0, 1].
    """
    return loss.binary_cross_entropy(input, target, weight, reduction=reduction_of(size_average, reduce, reduction))


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
                                     pos_weight: Tensor | None = None) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, computed safely; `pos_weight` multiplies the loss of the positives."""
    return loss.binary_cross_entropy_with_logits(input, target, weight, pos_weight,
                                                 reduction=reduction_of(size_average, reduce, reduction))


@on_device_of_inputs
def _smoothed_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, ignore_index: int, smoothing: float) -> Tensor:
    """The rarer kinds of :func:`cross_entropy`: smoothed classes, and probabilities."""
    loss.check_reduction(reduction)
    if not 0 <= smoothing <= 1:
        raise RuntimeValueError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")
    if target.dtype.kind in "iu":
        q = loss.smoothed_classes(input, target, weight, smoothing, reduction, ignore_index)
        losses = loss.cross_entropy_of_probabilities(input, q)
        total = losses if reduction == "none" else reductions.sum(losses)
        return total + math.nan if reduction == "mean" and not bool((target != ignore_index).any()) else total
    if ignore_index >= 0:
        raise RuntimeValueError("cross_entropy: ignore_index is not supported for floating point target; give those samples the "
                                "target 0")
    axis = loss.class_axis(input)
    classes = input.shape[axis]
    q = target * (1 - smoothing) + smoothing / max(classes, 1) if smoothing else target
    if weight is not None:
        if weight.shape != (classes,):
            raise ShapeError(f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes "
                             f"but got weight tensor of shape: {list(weight.shape)}")
        q = q * shapes.reshape(weight, shape=(classes,) + (1,) * (input.ndim - axis - 1))
    losses = loss.cross_entropy_of_probabilities(input, q)
    if reduction == "none":
        return losses
    total = reductions.sum(losses)
    return total if reduction == "sum" else total / math.prod(losses.shape) if math.prod(losses.shape) else total * math.nan


def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                   reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """``d ** 2 / (2 * beta)`` where ``d = |input - target| < beta``, ``d - beta / 2`` beyond; `beta` = 0 is :func:`l1_loss`."""
    return loss.smooth_l1_loss(input, target, reduction=reduction_of(size_average, reduce, reduction), beta=beta)


def _reduce(losses: Any, reduction: str) -> Tensor:
    """Losses of elements or samples brought to what `reduction` asks for."""
    loss.check_reduction(reduction)
    return losses if reduction == "none" else reductions.sum(losses) if reduction == "sum" else reductions.mean(losses)


def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
           log_target: bool = False) -> Tensor:
    """``target * (log(target) - input)`` for log-probabilities `input`: the Kullback-Leibler divergence, element by element.

    ``reduction="batchmean"`` divides the sum by the number of samples, as the mathematical definition has it. With
    `log_target` the target is given as logarithms too.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    loss.warn_of_column(input, target)
    losses = elementary.exp(target) * (target - input) if log_target else elementary.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return reductions.sum(losses) / input.shape[0] if input.ndim else reductions.sum(losses)
    if reduction == "mean":
        hints.hint("reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
                   "divides only by the batch size, and aligns with the KL div math definition. 'mean' will be changed to "
                   "behave the same as 'batchmean' in the next major release.")
    return _reduce(losses, reduction)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
                     eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """Minus the log-likelihood of counts `target` where `input` is the (logarithm of the) rate of a Poisson distribution.

    `full` adds Stirling's approximation of ``log(target!)`` where target > 1.
    """
    loss.warn_of_column(input, target)
    losses = elementary.exp(input) - target * input if log_input else input - target * elementary.log(input + eps)
    if full:
        large = comparison.where(target > 1, target, 1.0)
        stirling = large * elementary.log(large) - large + 0.5 * elementary.log(2 * math.pi * large)
        losses = losses + comparison.where(target > 1, stirling, 0.0)
    return _reduce(losses, reduction_of(size_average, reduce, reduction))


def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Tensor:
    """Minus the log-likelihood of `target` under normal distributions of mean `input` and variance `var`, at least `eps`.

    `var` has the shape of `input`, or that without the last dimension or with 1 there; or is a number.
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise InvalidValueError("var has negative entry/entries")
        var = input.detach() * 0 + var
    elif var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = shapes.unsqueeze(var, dim=-1)
        elif not (var.ndim == input.ndim and all(v in (1, n) for v, n in zip(var.shape, input.shape))):
            raise InvalidValueError(f"var is of incorrect size: got {list(var.shape)} for an input of {list(input.shape)}")
    loss.check_reduction(reduction)
    loss.warn_of_column(input, target)
    if bool(reductions.any(var < 0)):
        raise InvalidValueError("var has negative entry/entries")
    var = raise_to_floor(var, eps)
    losses = 0.5 * (elementary.log(var) + (input - target) ** 2 / var)
    return _reduce(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The distance `input` itself where `target` is 1, ``max(0, margin - input)`` where it is -1."""
    loss.warn_of_column(input, target)
    losses = (comparison.where(target != 1, comparison.clamp(margin - input, 0), 0.0)
              + comparison.where(target != -1, input, 0.0))
    return _reduce(losses, reduction_of(size_average, reduce, reduction))


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                        reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``: `input1` should rank higher where `target` is 1, lower where it is -1."""
    if not input1.ndim == input2.ndim == target.ndim:
        odd = "target" if input1.ndim == input2.ndim else "input2"
        raise ShapeError("margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
                         f"{list(input1.shape)}, input2: {list(input2.shape)}, target: {list(target.shape)}"
                         f"{loss.remedy(input1, target if input1.ndim == input2.ndim else input2, 'input1', odd)}")
    return _reduce(comparison.clamp(-target * (input1 - input2) + margin, 0), reduction_of(size_average, reduce, reduction))


def soft_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                     reduction: str = "mean") -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1."""
    loss.warn_of_column(input, target)
    return _reduce(-activation.logsigmoid(target * input), reduction_of(size_average, reduce, reduction))


def multi_margin_loss(input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
                      size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The mean over classes other than `target` of ``max(0, margin - input[target] + input[class]) ** p``, divided by C.

    Shapes: input ``(N, C)`` or ``(C,)``, target ``(N,)`` or ``()``, weight ``(C,)``.
    """
    if p not in (1, 2):
        raise InvalidValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise InvalidValueError("weight must be one-dimensional")
    _require_classes("multi_margin_loss", input, target)
    rows = input if input.ndim == 2 else shapes.reshape(input, shape=(1, -1))
    classes = shapes.reshape(target, shape=(-1,))
    own = loss.pick_class(rows, classes)[:, None]
    excess = activation.relu(margin - own + rows)
    losses = excess * excess if p == 2 else excess
    if weight is not None:
        losses = losses * loss.pick_class(shapes.expand(weight, size=rows.shape), classes)[:, None]
    own_losses = loss.place_class(loss.pick_class(losses, classes), classes, classes=rows.shape[1])
    total = reductions.sum(losses - own_losses, dim=1) / rows.shape[1]
    return _reduce(shapes.reshape(total, shape=tuple(target.shape)), reduction_of(size_average, reduce, reduction))


def _require_classes(name: str, input: Any, target: Any) -> None:
    """Raise unless `input` is ``(N, C)`` or ``(C,)`` and `target` a class for each sample."""
    if input.ndim > 2 or 0 in input.shape[-1:]:
        raise ShapeError(f"{name}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                         f"{list(input.shape)}")
    samples = input.shape[0] if input.ndim == 2 else 1
    if target.ndim > 1 or math.prod(target.shape) != samples:
        step = loss.step_to("target", target.shape, (samples,))
        raise ShapeError(f"{name}: inconsistent target size: target tensor should be 1-D with size equal to the number of "
                         f"samples. Expected target size [{samples}], but got {list(target.shape)}: with input of shape "
                         f"{list(input.shape)}, target holds the class of each sample" + (step and f"; write {step}"))


def multilabel_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                           reduction: str = "mean") -> Tensor:
    """The sum over pairs of a target class and another class of ``max(0, 1 - (input[target] - input[other]))``, divided by C.

    `target` has the shape of `input`, ``(N, C)`` or ``(C,)``: the numbers of the target classes, ended by -1.
    """
    if input.ndim > 2 or 0 in input.shape[-1:]:
        raise ShapeError("multilabel_margin_loss: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                         f"{list(input.shape)}")
    if target.shape != input.shape and not (input.shape == (1,) and target.shape == ()):
        raise ShapeError(f"multilabel_margin_loss: inconsistent target size: {list(target.shape)} for input of size: "
                         f"{list(input.shape)}{loss.remedy(input, target)}")
    rows = input if input.ndim == 2 else shapes.reshape(input, shape=(1, -1))
    listed = loss.listed_classes(shapes.reshape(target, shape=rows.shape))
    chosen = arithmetic.cast(listed, dtype=rows.dtype)  # (N, position in the list, C), one-hot or 0
    in_list = reductions.sum(chosen, dim=2, keepdim=True)
    other = 1 - comparison.clamp(reductions.sum(chosen, dim=1, keepdim=True), None, 1)
    own = products.matmul(chosen, shapes.unsqueeze(rows, dim=2))
    losses = activation.relu(1 - own + shapes.unsqueeze(rows, dim=1)) * in_list * other
    total = reductions.sum(losses, dim=(1, 2)) / rows.shape[1]
    return _reduce(total if input.ndim == 2 else shapes.reshape(total, shape=()), reduction_of(size_average, reduce, reduction))


def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                                reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """Binary cross entropy of ``sigmoid(input)``, times `weight` where given, averaged over the classes (the last dimension)."""
    loss.warn_of_column(input, target)
    losses = -(target * activation.logsigmoid(input) + (1 - target) * activation.logsigmoid(-input))
    losses = losses if weight is None else losses * weight
    return _reduce(reductions.sum(losses, dim=-1) / input.shape[-1], reduction_of(size_average, reduce, reduction))


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
                          reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """``1 - cos(input1, input2)`` where `target` is 1, ``max(0, cos(input1, input2) - margin)`` where it is -1.

    Shapes: inputs ``(N, D)`` with target ``(N,)``, or ``(D,)`` with ``()``.
    """
    if target.ndim > 1 or not input1.ndim == input2.ndim == target.ndim + 1:
        step = loss.step_to("target", target.shape, input1.shape[:-1])
        wanted = "0D or 1D target tensor expected: " if target.ndim > 1 else ""
        raise ShapeError(f"cosine_embedding_loss: {wanted}{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, "
                         f"but found inputs with sizes {list(input1.shape)} and {list(input2.shape)} and a target of "
                         f"{list(target.shape)}; inputs (N, D) go with a target (N,)" + (step and f"; write {step}"))
    norms = (reductions.sum(input1 * input1, dim=-1) + 1e-12) * (reductions.sum(input2 * input2, dim=-1) + 1e-12)
    cosine = reductions.sum(input1 * input2, dim=-1) / arithmetic.sqrt(norms)
    losses = (comparison.where(target == 1, 1 - cosine, 0.0)
              + comparison.where(target == -1, comparison.clamp(cosine - margin, 0), 0.0))
    return _reduce(losses, reduction_of(size_average, reduce, reduction))


def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
                        swap: bool = False, size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm as distance.

    With `swap` the negative's distance is to the anchor or the positive, whichever is nearer. Source: Balntas et al., 2016.
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda a, b: pairwise_distance(a, b, p, eps), margin=margin, swap=swap,
        reduction=reduction_of(size_average, reduce, reduction))


def triplet_margin_with_distance_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *,
                                      distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
                                      swap: bool = False, reduction: str = "mean") -> Tensor:
    """:func:`triplet_margin_loss` with any function as distance."""
    if margin <= 0:
        raise InvalidValueError(f"margin must be greater than 0, got {margin}")
    loss.check_reduction(reduction)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError("The anchor, positive, and negative tensors are expected to have the same number of dimensions, but "
                         f"got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = comparison.minimum(far, distance(positive, negative))
    return _reduce(comparison.clamp(near - far + margin, 0), reduction)


@dataclasses.dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch's :func:`linear_cross_entropy` splits its work to save memory. Accepted here, and without effect."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None


def linear_cross_entropy(input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
                         weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
                         label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None) -> Tensor:
    """:func:`cross_entropy` of ``linear(input, linear_weight, linear_bias)``.

    Shapes: input ``(N, in_features)`` or ``(in_features,)``, linear_weight ``(C, in_features)`` or ``(C, d1, ..., in_features)``.
    `options`, which in PyTorch say how to save memory, change nothing.
    """
    if ignore_index is None:
        ignore_index = -100
    elif target.dtype.kind not in "iu" and ignore_index != -100:
        raise RuntimeValueError("linear_cross_entropy: ignore_index is not supported for floating point target")
    rows = tuple(linear_weight.shape[:-1])
    if len(rows) > 1 and input.ndim == 1:
        raise ShapeError(f"linear_cross_entropy: K-dimensional loss defined by linear_weight shape {list(linear_weight.shape)} "
                         f"requires batched input, (N, {linear_weight.shape[-1]}), got unbatched input with shape "
                         f"{list(input.shape)}")
    if input.shape[-1:] != linear_weight.shape[-1:]:
        raise ShapeError("linear_cross_entropy: expected equal input and linear_weight last dimensions (in_features), got "
                         f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively")
    flat = shapes.reshape(linear_weight, shape=(math.prod(rows), linear_weight.shape[-1]))
    bias = None if linear_bias is None else shapes.reshape(linear_bias, shape=(-1,))
    scores = shapes.reshape(products.linear(input, flat, bias), shape=(*input.shape[:-1], *rows))
    return cross_entropy(scores, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


IMPOSSIBLE = -1e30  # a log-probability that nothing possible has, finite so that differences of two are


def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int], target_lengths: Tensor | Sequence[int],
             blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> Tensor:
    """Minus the log-probability of `targets`, summed over every way to stretch them to the length of the input.

    Args:
        log_probs: ``(T, N, C)``, or ``(T, C)`` for one sample: the logarithm of the probability of each class at each time.
        targets: ``(N, S)``, or all one after the other; the classes, none of them `blank`.
        input_lengths, target_lengths: ``(N,)`` tensors or sequences: how much of each sample counts.
        reduction: ``"mean"`` divides each loss by its target's length first.
        zero_infinity: losses that are infinite, as the input is shorter than the target, count as 0.

    Source: Graves et al., 2006, Connectionist temporal classification, section 4.1: the forward variables, as logarithms.
    """
    loss.check_reduction(reduction)
    if 0 in log_probs.shape:
        raise ShapeError(f"ctc_loss: log_probs tensor must not be empty, but got shape {list(log_probs.shape)}")
    single = log_probs.ndim == 2
    log_probs = shapes.unsqueeze(log_probs, dim=1) if single else log_probs
    steps, n, classes = log_probs.shape
    inputs, lengths = (_lengths(name, x, n) for name, x in (("input_lengths", input_lengths), ("target_lengths", target_lengths)))
    if not 0 <= blank < classes:
        raise RuntimeValueError(f"ctc_loss: blank must be in label range: 0 to {classes - 1}, got {blank}")
    if inputs.max(initial=0) > steps:
        raise RuntimeValueError(f"ctc_loss: Expected input_lengths to have value at most {steps}, but got value {inputs.max()}")
    labels = _with_blanks(targets, lengths, blank)
    width = labels.shape[1]
    repeated = np.full(labels.shape, True)
    repeated[:, 2:] = (labels[:, 2:] == blank) | (labels[:, 2:] == labels[:, :-2])
    skip = _constant(np.where(repeated, IMPOSSIBLE, 0).astype(log_probs.array.dtype), log_probs)
    start = _constant(np.where(np.arange(width) < 2, 0, IMPOSSIBLE).astype(log_probs.array.dtype), log_probs)
    index = shapes.expand(_constant(labels[None], log_probs), size=(steps, n, width))
    emitted = comparison.clamp(scatter.gather(log_probs, 2, index), IMPOSSIBLE)
    alpha = emitted[0] + start  # log-probability of all ways to be at each label now
    paths = [alpha]
    for t in range(1, steps):
        stay_or_step = elementary.logaddexp(alpha, slicing.constant_pad_nd(alpha, pad=(1, -1), value=IMPOSSIBLE))
        jump = slicing.constant_pad_nd(alpha, pad=(2, -2), value=IMPOSSIBLE) + skip
        alpha = elementary.logaddexp(stay_or_step, jump) + emitted[t]
        paths.append(alpha)
    at = (np.maximum(inputs - 1, 0), np.arange(n))
    whole = slicing.stack(paths)
    last = whole[(*at, 2 * lengths)]
    before = comparison.where(_constant(lengths > 0, log_probs), whole[(*at, np.maximum(2 * lengths - 1, 0))], IMPOSSIBLE)
    # PyTorch's gradient holds for log_probs that come out of log_softmax, where the sum of probabilities has no slope.
    used = elementary.exp(log_probs) * _constant((np.arange(steps)[:, None] < inputs)[:, :, None].astype(float), log_probs)
    ones = reductions.sum(used, dim=(0, 2))
    losses = ones - ones.detach() - elementary.logaddexp(last, before)
    losses = comparison.where(_constant(inputs == 0, log_probs), _constant(np.where(lengths > 0, math.inf, 0.0), losses), losses)
    losses = comparison.where(losses > -IMPOSSIBLE / 2, 0.0 if zero_infinity else math.inf, losses)
    if reduction == "mean":
        return reductions.mean(losses / _constant(np.maximum(lengths, 1), losses))
    return losses[0] if single and reduction == "none" else _reduce(losses, reduction)


def _constant(array: Any, like: Any) -> Any:
    """A NumPy array as a tensor where `like` lives, in its dtype if it is floating."""
    t: Any = object.__new__(like.result_class)
    array = array.astype(like.array.dtype) if array.dtype.kind == "f" else array
    t.array, t.node = _arrays.to_device(array, _arrays.device_of(like.array)), None
    return t


def _with_blanks(targets: Any, lengths: Any, blank: int) -> Any:
    """The targets as an array ``(N, 2 * S + 1)`` with a blank before and after each class, and blanks where they have ended."""
    about_to_read(targets)
    array = _arrays.to_numpy(targets.array)
    n, longest = lengths.shape[0], int(lengths.max(initial=0))
    if array.ndim == 1 and array.shape[0] < lengths.sum() or array.ndim == 2 and array.shape[1] < longest:
        raise ShapeError(f"ctc_loss: Expected targets to hold target_lengths, {lengths.tolist()}, classes, got shape "
                         f"{list(array.shape)}")
    labels = np.full((n, 2 * longest + 1), blank, dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    for k, size in enumerate(lengths):
        labels[k, 1:2 * size:2] = array[starts[k]:starts[k] + size] if array.ndim == 1 else array[k, :size]
    return labels


def _lengths(name: str, x: Any, n: int) -> Any:
    """The lengths of the samples as an array of integers in host memory."""
    array = np.asarray(_arrays.to_numpy(x.array) if hasattr(x, "array") else x).reshape(-1)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss: {name} must be integral, got {array.dtype}")
    if array.shape[0] != n:
        raise ShapeError(f"ctc_loss: {name} must be of size batch_size: {n}, got {array.shape[0]}")
    if (array < 0).any():
        raise RuntimeValueError(f"ctc_loss: {name} must be non-negative, got {array.min()}")
    return array
