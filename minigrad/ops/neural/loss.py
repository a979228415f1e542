"""How far a prediction is from a target: the losses that pay to be one operation, each with its exact derivative.

Every loss has `reduction`: ``"none"`` gives the loss of each element or sample, ``"sum"`` their sum, ``"mean"`` their mean.
Losses that are compositions of other operations are in :mod:`minigrad.nn.functional`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays import choice
from minigrad._types import dtypes, layouts
from minigrad.errors import DimensionError, DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.neural import activation
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.ops.reducing import reduction as reductions
from minigrad.ops.shaping import shape as shapes
from minigrad.recording import hints
from minigrad.recording.op import op

__all__: list[str] = []  # PyTorch has these in nn.functional, which re-exports them

NEARLY_0 = 1e-30  # below it float32 begins to lose digits


# ---------------------------------------------------------------------------------------------------- reductions

def check_reduction(reduction: str) -> None:
    """Raise ``ValueError`` unless `reduction` is one there is."""
    if reduction not in ("mean", "sum", "none"):
        raise InvalidValueError(f"{reduction} is not a valid value for reduction; it can be 'none', 'mean' or 'sum'")


def reduce_loss(loss: Any, reduction: str) -> Any:
    """An array of losses, reduced as `reduction` says."""
    if reduction == "none":
        return loss
    check_reduction(reduction)
    total = _arrays.sum_over(loss)
    return total if reduction == "sum" else total / loss.size if loss.size else total * math.nan


def loss_share(g: Any, reduction: str, *arrays: Any) -> Any:
    """The gradient of each element's loss, given that of the reduced loss. The shapes of `arrays` broadcast to that of the
    losses."""
    if reduction != "mean":
        return g
    size = math.prod(np.broadcast_shapes(*[a.shape for a in arrays]))
    return g / size if size else g


def warn_if_broadcast(input: Any, target: Any) -> None:
    """Warn where shapes differ and are broadcast: an ``(n, 1)`` prediction with an ``(n,)`` target makes n * n losses."""
    if input.shape != target.shape:
        hints.hint(f"Using a target size ({list(target.shape)}) that is different to the input size "
                   f"({list(input.shape)}). This will likely lead to incorrect results due to broadcasting. Please ensure "
                   f"they have the same size.{remedy(input, target).replace(';', ' To do so,')}")


def warn_of_column(input: Any, target: Any) -> None:
    """The same for losses that are often broadcast on purpose: warn only of an ``(n, 1)`` tensor with an ``(n,)`` one."""
    a, b = getattr(input, "shape", ()), getattr(target, "shape", ())
    if (a == (*b, 1) or b == (*a, 1)) and math.prod(a) > 1:
        warn_if_broadcast(input, target)


def remedy(input: Any, target: Any, first: str = "input", second: str = "target") -> str:
    """How to give `input` and `target` one shape, as the end of a sentence; nothing where no one step does that."""
    steps = [step_to(second, target.shape, input.shape), step_to(first, input.shape, target.shape)]
    return f"; write {' or '.join(filter(None, steps))}" if any(steps) else ""


def step_to(name: str, shape: Any, wanted: Any) -> str:
    """The code that gives the tensor `name`, of this `shape`, the shape `wanted`, where one step does; else ""."""
    shape, wanted = tuple(shape), tuple(wanted)
    if (*shape, 1) == wanted:
        return f"{name}.unsqueeze(-1)"
    if shape == (*wanted, 1):
        return f"{name}.squeeze(-1)"
    if shape == wanted[::-1] and len(shape) == 2:
        return f"{name}.T"
    if math.prod(shape) == math.prod(wanted):
        return f"{name}.reshape({list(wanted)})"
    fits = len(shape) <= len(wanted) and all(m in (1, n) for m, n in zip(shape[::-1], wanted[::-1]))
    return f"{name}.expand({list(wanted)})" if fits else ""


# ---------------------------------------------------------------------------------------------------- distances

@op(broadcasts=True, opmath=True)
def mse_loss(input: Any, target: Any, *, reduction: Any = "mean") -> Any:
    """Squared difference ``(input - target) ** 2``."""
    arithmetic.require_real("mse_loss", input, target)
    warn_if_broadcast(input, target)
    difference = input - target
    return reduce_loss(difference * difference, reduction)
@mse_loss.derivative("input")
def mse_loss_wrt_input(g: Any, input: Any, target: Any, reduction: Any) -> Any:
    return (input - target) * (loss_share(g, reduction, input, target) * 2)
@mse_loss.derivative("target")
def mse_loss_wrt_target(g: Any, input: Any, target: Any, reduction: Any) -> Any:
    return (target - input) * (loss_share(g, reduction, input, target) * 2)


@op(broadcasts=True, holomorphic=False, opmath=True)
def l1_loss(input: Any, target: Any, *, reduction: Any = "mean") -> Any:
    """Absolute difference ``|input - target|``."""
    warn_if_broadcast(input, target)
    return reduce_loss(np.abs(input - target), reduction)
@l1_loss.derivative("input")
def l1_loss_wrt_input(g: Any, input: Any, target: Any, reduction: Any) -> Any:
    return arithmetic.sgn(input - target) * loss_share(g, reduction, input, target)
@l1_loss.derivative("target")
def l1_loss_wrt_target(g: Any, input: Any, target: Any, reduction: Any) -> Any:
    return arithmetic.sgn(target - input) * loss_share(g, reduction, input, target)


@op(broadcasts=True, opmath=True)
def huber_loss(input: Any, target: Any, *, reduction: Any = "mean", delta: Any = 1.0) -> Any:
    """``d ** 2 / 2`` where ``d = |input - target| <= delta``, and ``delta * (d - delta / 2)`` beyond: linear from there."""
    arithmetic.require_real("huber_loss", input, target)
    if not delta > 0:
        raise RuntimeValueError(f"huber_loss does not support non-positive values for delta, got {delta}")
    warn_if_broadcast(input, target)
    distance = np.abs(input - target)
    near = choice.at_most(distance, delta)
    return reduce_loss(near * (distance - 0.5 * near), reduction)
@huber_loss.derivative("input")
def huber_loss_wrt_input(g: Any, input: Any, target: Any, reduction: Any, delta: Any) -> Any:
    return comparison.clamp(input - target, -delta, delta) * loss_share(g, reduction, input, target)
@huber_loss.derivative("target")
def huber_loss_wrt_target(g: Any, input: Any, target: Any, reduction: Any, delta: Any) -> Any:
    return comparison.clamp(target - input, -delta, delta) * loss_share(g, reduction, input, target)


@op(broadcasts=True, opmath=True)
def smooth_l1_loss(input: Any, target: Any, *, reduction: Any = "mean", beta: Any = 1.0) -> Any:
    """:func:`huber_loss` divided by its threshold, `beta`; :func:`l1_loss` for `beta` = 0."""
    arithmetic.require_real("smooth_l1_loss", input, target)
    if not beta >= 0:
        raise RuntimeValueError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    warn_if_broadcast(input, target)
    distance = np.abs(input - target)
    near = choice.at_most(distance, beta)
    return reduce_loss(distance if not beta else near * (distance - 0.5 * near) / beta, reduction)
@smooth_l1_loss.derivative("input")
def smooth_l1_loss_wrt_input(g: Any, input: Any, target: Any, reduction: Any, beta: Any) -> Any:
    return smooth_sign(input - target, beta) * loss_share(g, reduction, input, target)
@smooth_l1_loss.derivative("target")
def smooth_l1_loss_wrt_target(g: Any, input: Any, target: Any, reduction: Any, beta: Any) -> Any:
    return smooth_sign(target - input, beta) * loss_share(g, reduction, input, target)


def smooth_sign(x: Any, beta: float) -> Any:
    """The derivative of :func:`smooth_l1_loss`: -1, 1, and a straight line between them within `beta` of 0."""
    return comparison.clamp(x / beta, -1, 1) if beta else arithmetic.sign(x)


# ---------------------------------------------------------------------------------------------------- probabilities of events

@op(dtypes="promote", opmath=True, layout="elementwise")
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: Any = "mean") -> Any:
    """``-target * log(input) - (1 - target) * log(1 - input)`` for probabilities; logarithms are cut at -100.

    Raises ``ValueError`` where `target` has another shape, ``RuntimeError`` where `input` lies outside of [0, 1].
    """
    arithmetic.require_real("binary_cross_entropy", input, target, weight)
    if input.shape != target.shape:
        raise InvalidValueError(f"Using a target size ({list(target.shape)}) that is different to the input size "
                                f"({list(input.shape)}) is deprecated. Please ensure they have the same size"
                                f"{remedy(input, target)}.")
    if not ((input >= 0) & (input <= 1)).all():
        raise RuntimeValueError("all elements of input should be between 0 and 1; for scores of any size use "
                                "binary_cross_entropy_with_logits")
    check_weights(input, weight=weight)
    log_p, log_q = choice.at_least(np.log(input), -100), choice.at_least(np.log1p(-input), -100)
    return reduce_loss(weighted((target - 1) * log_q - target * log_p, weight), reduction)
@binary_cross_entropy.derivative("input")
def binary_cross_entropy_wrt_input(g: Any, input: Any, target: Any, weight: Any, reduction: Any) -> Any:
    g = weighted(loss_share(g, reduction, input), weight)
    return (input - target) * g / comparison.clamp(input * (1 - input), 1e-12)
@binary_cross_entropy.derivative("target")
def binary_cross_entropy_wrt_target(g: Any, input: Any, weight: Any, reduction: Any) -> Any:
    log_p, log_q = elementary.log(input), elementary.log1p(-input)
    g = weighted(loss_share(g, reduction, input), weight)
    return (comparison.clamp(log_q, -100) - comparison.clamp(log_p, -100)) * g
@binary_cross_entropy.derivative("weight")
def binary_cross_entropy_wrt_weight(g: Any, input: Any, target: Any, weight: Any, reduction: Any) -> Any:
    losses = loss_share(g, reduction, input) * binary_cross_entropy(input, target, reduction="none")
    return shapes.sum_to_size(losses, size=weight.shape)


@op(dtypes="promote", opmath=True)
def binary_cross_entropy_with_logits(input: Any, target: Any, weight: Any = None, pos_weight: Any = None, *,
                                     reduction: Any = "mean") -> Any:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, computed without overflow or loss of digits.

    `pos_weight` multiplies the part of the loss that ``target`` = 1 contributes.
    """
    arithmetic.require_real("binary_cross_entropy_with_logits", input, target, weight, pos_weight)
    if input.shape != target.shape:
        raise InvalidValueError(f"Target size ({list(target.shape)}) must be the same as input size ({list(input.shape)}): make "
                                f"it so{remedy(input, target)}")
    check_weights(input, weight=weight, pos_weight=pos_weight)
    log_q = activation.log1p_of_exp(-input)  # -log(sigmoid(input))
    loss = (1 - target) * input + (log_q if pos_weight is None else log_q * (1 + (pos_weight - 1) * target))
    loss = weighted(loss, weight)
    return layouts.lay_out("like_input", loss, target) if reduction == "none" else reduce_loss(loss, reduction)
@binary_cross_entropy_with_logits.derivative("input")
def binary_cross_entropy_with_logits_wrt_input(g: Any, input: Any, target: Any, weight: Any, pos_weight: Any,
                                               reduction: Any) -> Any:
    g = weighted(loss_share(g, reduction, input), weight)
    if pos_weight is None:
        return (elementary.sigmoid(input) - target) * g
    return (elementary.sigmoid(input) * (1 + (pos_weight - 1) * target) - pos_weight * target) * g
@binary_cross_entropy_with_logits.derivative("target")
def binary_cross_entropy_with_logits_wrt_target(g: Any, input: Any, weight: Any, pos_weight: Any, reduction: Any) -> Any:
    g = weighted(loss_share(g, reduction, input), weight)
    return -input * g if pos_weight is None else ((1 - pos_weight) * activation.logsigmoid(input) - input) * g
@binary_cross_entropy_with_logits.derivative("weight")
def binary_cross_entropy_with_logits_wrt_weight(g: Any, input: Any, target: Any, weight: Any, pos_weight: Any,
                                                reduction: Any) -> Any:
    losses = binary_cross_entropy_with_logits(input, target, None, pos_weight, reduction="none")
    return shapes.sum_to_size(loss_share(g, reduction, input) * losses, size=weight.shape)
@binary_cross_entropy_with_logits.derivative("pos_weight")
def binary_cross_entropy_with_logits_wrt_pos_weight(g: Any, input: Any, target: Any, weight: Any, pos_weight: Any,
                                                    reduction: Any) -> Any:
    g = weighted(loss_share(g, reduction, input), weight)
    return shapes.sum_to_size(-activation.logsigmoid(input) * target * g, size=pos_weight.shape)


def weighted(x: Any, weight: Any) -> Any:
    return x if weight is None else x * weight


def check_weights(input: Any, **weights: Any) -> None:
    """Raise ``RuntimeError`` for weights of the elements that are not broadcast to the shape of `input`."""
    for name, weight in weights.items():
        if weight is not None and np.broadcast_shapes(weight.shape, input.shape) != input.shape:
            raise ShapeError(f"output with shape {list(input.shape)}, that of input, doesn't match the broadcast shape "
                             f"{list(np.broadcast_shapes(weight.shape, input.shape))}: {name} has shape {list(weight.shape)}")


# ---------------------------------------------------------------------------------------------------- classes

def class_axis(x: Any) -> int:
    """The dimension of the classes: the second, or the only one."""
    return 1 if x.ndim > 1 else 0


def in_rows(x: Any) -> Any:
    """`x` with its elements in memory in row-major order, in which :func:`places_of` counts them."""
    return x if x.flags.c_contiguous else x.copy()


def places_of(target: Any, classes: int) -> Any:
    """Where the class of each sample stands among the scores ``(N, C, d1, ...)``, counted in row-major order; of the shape of
    `target`."""
    count = _arrays.xp_of(target).arange
    target = target.astype(np.int64, copy=False)
    inner = math.prod(target.shape[1:])
    if inner == 1:
        return target + count(0, target.size * classes, classes).reshape(target.shape)
    rows = target.reshape(-1, inner) + count(0, target.shape[0] * classes, classes)[:, None]
    return (rows * inner + count(inner)).reshape(target.shape)


def classes_of(input: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """Where the class of each sample stands among the scores `input`, and the weight of each sample (None: all 1), both in the
    shape of `target`. An ignored sample has the weight 0, and the place of class 0.

    Raises where shapes do not fit or a class is out of range.
    """
    classes = check_classes(input, target, weight)
    kept = None
    # A negative number is a very large one where it is read as unsigned, so that one look at the largest is enough.
    if target.size and target.view(f"u{target.itemsize}").max() >= classes:
        kept = target != ignore_index
        wrong = target[((target < 0) | (target >= classes)) & kept]
        if wrong.size:
            raise class_out_of_bounds(input, wrong[0])
        target = np.where(kept, target, 0)
    elif 0 <= ignore_index < classes:
        kept = target != ignore_index
    scale = None if weight is None else weight[target]
    if kept is not None:
        kept = kept.astype(input.dtype)
        scale = kept if scale is None else scale * kept
    return places_of(target, classes), scale


def check_classes(input: Any, target: Any, weight: Any) -> int:
    """How many classes `input` holds scores of. Raises where shapes or dtypes do not fit."""
    axis, classes = class_axis(input), input.shape[class_axis(input)] if input.ndim else 0
    if input.ndim == 0 or target.shape != (*input.shape[:axis], *input.shape[axis + 1:]):
        raise class_shape_error(input, target)
    if target.dtype.kind not in "iu":
        raise DtypeError(f"expected scalar type Long but found {target.dtype}: target holds the class of each sample; convert "
                         "it with target.long()")
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(f"weight tensor should be defined either for all {classes} classes or no classes but got weight "
                         f"tensor of shape: {list(weight.shape)}")
    return int(classes)


def class_out_of_bounds(input: Any, target: Any) -> Exception:
    classes = input.shape[class_axis(input)]
    return DimensionError(f"Target {target} is out of bounds: with input of shape {list(input.shape)} there are {classes} "
                          f"classes, numbered 0 to {classes - 1}")


def class_shape_error(input: Any, target: Any) -> Exception:
    expected = [*input.shape[:class_axis(input)], *input.shape[class_axis(input) + 1:]]
    if input.ndim and target.ndim and input.shape[0] != target.shape[0]:
        return InvalidValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
                                 f"({target.shape[0]}): input has shape {list(input.shape)}, target {list(target.shape)}")
    if target.dtype.kind == "f":
        return DtypeError(f"expected target dtype to be Long or Byte, but got {dtypes.FROM_NUMPY[target.dtype]!r} of shape "
                          f"{list(target.shape)}: classes are integers, target.long() of shape {expected}; probabilities have "
                          f"the shape of input, {list(input.shape)}")
    if target.shape == input.shape and input.ndim > 1:
        return ShapeError("Expected floating point type for target with class probabilities, of the shape of input, but got "
                          f"{dtypes.FROM_NUMPY[target.dtype]!r}: write target.float(); or Expected target size {expected}, the "
                          f"class of each sample: write target.argmax(dim={class_axis(input)})")
    step = step_to("target", target.shape, expected)
    one = "1D target tensor expected: " if input.ndim == 2 else ""
    return ShapeError(f"{one}Expected target size {expected}, got {list(target.shape)}: with input of shape {list(input.shape)}, "
                      f"(N, C, ...), target holds the class of each sample" + (step and f"; write {step}"))


def total_weight(weight: Any, target: Any) -> Any:
    """What the mean over the samples divides by."""
    return target.size if weight is None else weight.sum()


def safe_divide(x: Any, total: Any) -> Any:
    """``x / total``. Where nothing counts return `x`, so that the gradient there is 0."""
    return x / total if total else x


def mean_of(loss: Any, total: Any) -> Any:
    """The sum of `loss` divided by `total`; PyTorch's mean of no losses is nan."""
    return _arrays.sum_over(loss) / total if total else _arrays.sum_over(loss) * math.nan


def weighted_loss(loss: Any, scale: Any) -> Any:
    """The losses of the samples, each times how much it counts; one that does not is 0, whatever its loss is."""
    return loss if scale is None else np.where(scale == 0, 0, loss * scale).astype(loss.dtype)


@op(discrete=("target",), connected=True)
def pick_class(input: Any, target: Any, *, ignore_index: Any = -100) -> Any:
    """The element of `input`, ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``, at the class of each sample; 0 for an ignored one."""
    places, kept = classes_of(input, target, None, ignore_index)
    return weighted_loss(in_rows(input).reshape(-1)[places], kept)
@pick_class.derivative("input")
def pick_class_wrt_input(g: Any, target: Any, input_shape: Any, ignore_index: Any) -> Any:
    return place_class(g, target, classes=input_shape[min(1, target.ndim)], ignore_index=ignore_index)


@op(discrete=("target",))
def place_class(input: Any, target: Any, *, classes: Any, ignore_index: Any = -100) -> Any:
    """Zeros but for the elements of `input` at the class of each sample: the adjoint of :func:`pick_class`."""
    kept = target != ignore_index
    scores = np.zeros((*target.shape[:1], classes, *target.shape[1:]), input.dtype, like=input)
    scores.reshape(-1)[places_of(np.where(kept, target, 0), classes)] = np.where(kept, input, input.dtype.type(0))
    return scores
@place_class.derivative("input")
def place_class_wrt_input(g: Any, target: Any, ignore_index: Any) -> Any:
    return pick_class(g, target, ignore_index=ignore_index)


def along_classes(weight: Any, target: Any) -> Any:
    """The weights of the classes, ``(C,)``, in a shape that is broadcast to the scores."""
    return shapes.reshape(weight, shape=(-1,) + (1,) * max(target.ndim - 1, 0))


def counts_of(like: Any, target: Any, weight: Any, ignore_index: int) -> Any:
    """How much each sample counts, in the shape of `target`: the weight of its class, or 1; an ignored one does not."""
    if weight is None:
        return arithmetic.cast(comparison.ne(target, ignore_index), dtype=dtypes.as_dtype(like.dtype))
    size = (*target.shape[:1], *weight.shape, *target.shape[1:])
    return pick_class(shapes.expand(along_classes(weight, target), size=size), target, ignore_index=ignore_index)


def over_total(x: Any, counts: Any) -> Any:
    """`x` divided by the sum of `counts`, in two steps whose numbers half precision can hold; a sum of 0 divides nothing."""
    mean = reductions.mean(counts)
    return x / comparison.where(mean == 0, 1.0, mean) * (1 / max(math.prod(counts.shape), 1))


def class_scale(like: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    """What the loss of each sample is multiplied by in the reduced loss."""
    counts = counts_of(like, target, weight, ignore_index)
    return over_total(counts, counts) if reduction == "mean" else counts


def scale_wrt_weight(g: Any, target: Any, weight: Any, reduction: str, ignore_index: int) -> Any:
    """The gradient by `weight` when that of :func:`class_scale` is `g`."""
    if reduction == "mean":
        counts = counts_of(g, target, weight, ignore_index)
        g = over_total(g - reductions.sum(g * over_total(counts, counts)), counts)
    placed = place_class(g, target, classes=weight.shape[0], ignore_index=ignore_index)
    return shapes.sum_to_size(placed, size=(weight.shape[0],) + (1,) * max(target.ndim - 1, 0)).reshape(-1)


@op(outputs=("loss", "probabilities"), discrete=("target",), grad_name="CrossEntropyLossBackward0", called="cross_entropy",
    opmath=True, wide=("probabilities",))
def cross_entropy_of_classes(input: Any, target: Any, weight: Any = None, *, reduction: Any = "mean",
                             ignore_index: Any = -100) -> Any:
    """``-log(softmax(input))`` at the class of each sample, times that class's weight; the mean is over the weights. With it
    ``softmax(input)``, of which the gradient is made."""
    arithmetic.require_real("cross_entropy", input, weight)
    check_reduction(reduction)
    if weight is None and (fused := _arrays.kernels_of(input).cross_entropy(input, target, ignore_index)):
        loss, probabilities, total, wrong = fused
        if wrong is not None:
            raise class_out_of_bounds(input, wrong)
    else:
        places, scale = classes_of(input, target, weight, ignore_index)
        loss, probabilities = surprise(input, places)
        loss, total = weighted_loss(loss, scale), total_weight(scale, target) if reduction == "mean" else None
    return mean_of(loss, total) if reduction == "mean" else reduce_loss(loss, reduction), probabilities
@cross_entropy_of_classes.derivative("input")
def cross_entropy_of_classes_wrt_input(g: Any, target: Any, weight: Any, probabilities: Any, reduction: Any,
                                       ignore_index: Any) -> Any:
    g_loss, g_probabilities = g
    slope = None if g_loss is None else cross_entropy_slope(g_loss, probabilities, target, weight, reduction=reduction,
                                                            ignore_index=ignore_index)
    if g_probabilities is None:
        return slope
    rest = activation.softmax_slope(g_probabilities, probabilities, dim=class_axis(probabilities), logarithm=False)
    return rest if slope is None else slope + rest
@cross_entropy_of_classes.derivative("weight")
def cross_entropy_of_classes_wrt_weight(g: Any, input: Any, target: Any, weight: Any, reduction: Any, ignore_index: Any) -> Any:
    if g[0] is None:
        return None
    losses = cross_entropy_of_classes(input, target, reduction="none", ignore_index=ignore_index)[0]
    return scale_wrt_weight(g[0] * losses, target, weight, reduction, ignore_index)


def surprise(x: Any, places: Any) -> tuple[Any, Any]:
    """``-log(softmax(x))`` at `places`, and ``softmax(x)``; the softmax is over the classes."""
    axis, x = class_axis(x), in_rows(x)
    e, sums, peak = activation.exponentials(x, axis)
    picked, total = e.reshape(-1)[places], sums.reshape(places.shape)
    loss = np.log(total / picked)  # keeps the digits of losses near 0, which the difference of two logarithms does not
    if peak is not None or picked.size and not picked.min() > NEARLY_0:
        score = x.reshape(-1)[places]
        score = score if peak is None else score - peak.reshape(places.shape)
        loss = np.where(picked > NEARLY_0, loss, np.log(total) - score)
    e /= sums
    return loss, e


@op(discrete=("target",), opmath=True)
def cross_entropy_slope(grad: Any, probabilities: Any, target: Any, weight: Any = None, *, reduction: Any = "mean",
                        ignore_index: Any = -100) -> Any:
    """The gradient of :func:`cross_entropy_of_classes`: probabilities minus one-hot, times how much the sample counts."""
    if weight is None:
        fused = _arrays.kernels_of(probabilities).cross_entropy_slope(grad, probabilities, target, ignore_index,
                                                                      reduction == "mean")
        if fused is not None:
            return fused
    places, scale = classes_of(probabilities, target, weight, ignore_index)
    if reduction == "mean":
        scale = safe_divide(1 if scale is None else scale, total_weight(scale, target))
    factor = grad if scale is None else grad * scale
    slope = in_rows(probabilities) * (factor[:, None] if factor.ndim else factor)
    slope.reshape(-1)[places] -= factor
    return slope
@cross_entropy_slope.derivative("grad")
def cross_entropy_slope_wrt_grad(g: Any, probabilities: Any, target: Any, weight: Any, reduction: Any, ignore_index: Any) -> Any:
    each = beside_class(g, probabilities, target, ignore_index) * class_scale(g, target, weight, reduction, ignore_index)
    return each if reduction == "none" else reductions.sum(each)
@cross_entropy_slope.derivative("probabilities")
def cross_entropy_slope_wrt_probabilities(g: Any, grad: Any, target: Any, weight: Any, reduction: Any, ignore_index: Any) -> Any:
    scale = grad * class_scale(g, target, weight, reduction, ignore_index)
    return g * shapes.unsqueeze(scale, dim=class_axis(g))
@cross_entropy_slope.derivative("weight")
def cross_entropy_slope_wrt_weight(g: Any, grad: Any, probabilities: Any, target: Any, weight: Any, reduction: Any,
                                   ignore_index: Any) -> Any:
    each = beside_class(g, probabilities, target, ignore_index) * grad
    return scale_wrt_weight(each, target, weight, reduction, ignore_index)


def beside_class(x: Any, probabilities: Any, target: Any, ignore_index: int) -> Any:
    """For each sample the mean of `x` over the classes, by their `probabilities`, minus `x` at the sample's class."""
    mean = reductions.sum(x * probabilities, dim=class_axis(x))
    return mean - pick_class(x, target, ignore_index=ignore_index)


@op(dtypes="promote", grad_name="CrossEntropyLossBackward0", called="cross_entropy", opmath=True)
def cross_entropy_of_probabilities(input: Any, target: Any) -> Any:
    """``-(target * log(softmax(input))).sum()`` of each sample, for targets that are weights of the classes."""
    arithmetic.require_real("cross_entropy", input, target)
    if input.shape != target.shape:
        raise class_shape_error(input, target)
    axis = class_axis(input)
    shifted = input - input.max(axis=axis, keepdims=True) if input.size else input
    return _arrays.sum_over((np.log(_arrays.sum_over(np.exp(shifted), axis, True)) - shifted) * target, axis)
@cross_entropy_of_probabilities.derivative("input")
def cross_entropy_of_probabilities_wrt_input(g: Any, input: Any, target: Any) -> Any:
    axis = class_axis(input)
    g = g[:, None] if input.ndim > 1 else g
    return (activation.softmax(input, dim=axis) * reductions.sum(target, dim=axis, keepdim=True) - target) * g
@cross_entropy_of_probabilities.derivative("target")
def cross_entropy_of_probabilities_wrt_target(g: Any, input: Any) -> Any:
    return -activation.log_softmax(input, dim=class_axis(input)) * (g[:, None] if input.ndim > 1 else g)


@op(discrete=("target",), opmath=True, connected=True)
def nll_loss(input: Any, target: Any, weight: Any = None, *, reduction: Any = "mean", ignore_index: Any = -100) -> Any:
    """Minus the log-probability `input` gives to the class of each sample, times its weight; the mean is over the weights.

    Shapes: input ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``, target the same without C, weight ``(C,)``.
    """
    arithmetic.require_real("nll_loss", input, weight)
    places, scale = classes_of(input, target, weight, ignore_index)
    loss = weighted_loss(-in_rows(input).reshape(-1)[places], scale)
    return mean_of(loss, total_weight(scale, target)) if reduction == "mean" else reduce_loss(loss, reduction)
@nll_loss.derivative("input")
def nll_loss_wrt_input(g: Any, target: Any, weight: Any, input_shape: Any, reduction: Any, ignore_index: Any) -> Any:
    scale = class_scale(g, target, weight, reduction, ignore_index)
    return place_class(scale * -g, target, classes=input_shape[min(1, target.ndim)], ignore_index=ignore_index)
@nll_loss.derivative("weight")
def nll_loss_wrt_weight(g: Any, input: Any, target: Any, weight: Any, reduction: Any, ignore_index: Any) -> Any:
    return scale_wrt_weight(-g * pick_class(input, target, ignore_index=ignore_index), target, weight, reduction, ignore_index)


def smoothed_classes(input: Any, target: Any, weight: Any, smoothing: float, reduction: str, ignore_index: int) -> Any:
    """Classes as probabilities, times how much each sample counts in the reduced loss: the target that turns
    :func:`cross_entropy_of_probabilities` into the smoothed cross entropy."""
    axis = class_axis(input)
    classes = check_classes(input, target, weight)
    counts = counts_of(input, target, weight, ignore_index)
    kept = shapes.unsqueeze(counts_of(input, target, None, ignore_index), dim=axis)
    spread = (kept if weight is None else kept * along_classes(weight, target)) * (smoothing / classes)
    rows = place_class(counts * (1 - smoothing), target, classes=classes, ignore_index=ignore_index) + spread
    return over_total(rows, counts) if reduction == "mean" else rows


@op(differentiable=False)
def listed_classes(target: Any) -> Any:
    """Lists of classes, each ended by -1, as one-hot vectors of booleans: ``(N, C)`` gives ``(N, C, C)``, False after the end.

    Raises ``RuntimeError`` for a class out of range.
    """
    classes = target.shape[1]
    if target.size and (target.min() < -1 or target.max() >= classes):
        raise RuntimeValueError(f"target out of range: classes are numbered 0 to {classes - 1}, and -1 ends the list, but target "
                                f"has values from {target.min()} to {target.max()}")
    listed = np.cumprod(target >= 0, axis=1) > 0
    numbers = _arrays.xp_of(target).arange(classes)
    return (target[:, :, None] == numbers) & listed[:, :, None]
