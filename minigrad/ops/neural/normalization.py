"""Normalization layers: subtract the mean, divide by the deviation, scale and shift.

All of them are one operation. :func:`standardize` sees its input as a block of shape (outer, rows, inner) and gives every
row, the elements ``[:, row, :]``, mean 0 and variance 1; then it applies weight and bias, of which each number belongs to
`step` elements that lie together. Layer, group and instance normalization differ from batch normalization only in what is a
row. With fixed statistics nothing is left but a scale and a shift, :func:`scale_shift`.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.dtypes import FROM_NUMPY, float32, is_low_precision, opmath_dtype
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.pointwise import arithmetic, comparison
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping.shape import expand, in_layout, reshape, sum_to_size
from minigrad.recording import clock
from minigrad.recording.argument_errors import refuse_grad, require_one_device
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import refuse_read_only
from minigrad.recording.op import op
from minigrad.recording.watching import watched

if TYPE_CHECKING:
    from minigrad._types.annotations import IntOrInts, Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "native_batch_norm",
           "native_group_norm", "native_layer_norm", "normalize", "rms_norm"]


# ---------------------------------------------------------------------------------------------------- the operation

def row_sums(x: Any, y: Any = None) -> Any:
    """Over the rows of a block, the sum of `x` or of ``x * y``, without making that product; of shape (1, rows, 1)."""
    if x.__class__ is not np.ndarray:
        return (np.einsum("ors->r", x) if y is None else np.einsum("ors,ors->r", x, y))[None, :, None]
    return _arrays.sum_products(*((x,) if y is None else (x, y)), axes=(0, 2))[None, :, None]


def channel_blocks(x: Any, count: int, step: int) -> Any:
    """`x`, an array or a tensor, in the shape (*, count, step): where lie the elements that belong to each of `count` weights."""
    return x.reshape((math.prod(x.shape) // (count * step or 1), count, step))


def channel_sums(count: int, step: int, *arrays: Any) -> Any:
    """Over the elements that belong to each of `count` weights, the sum of the product of `arrays`."""
    if arrays[0].__class__ is not np.ndarray:
        return functools.reduce(operator.mul, arrays).reshape(-1, count, step).sum(axis=(0, 2))
    blocks = [channel_blocks(a, count, step) for a in arrays]
    return _arrays.sum_products(*[b[..., 0] for b in blocks] if step == 1 else blocks, axes=(0,) if step == 1 else (0, 2))


def row_factors(rstd: Any, weight: Any) -> Any:
    """What the rows of a block are multiplied by, where one weight belongs to all elements of a row."""
    return rstd if weight is None else (rstd.reshape(-1, weight.size) * weight.reshape(-1)).reshape(rstd.shape)


@op(outputs=("result", "mean", "var"), dtypes="same", opmath=True, wide=("mean", "var"), layout="contiguous")
def standardize(input: Any, weight: Any = None, bias: Any = None, *, layout: Any = (1, 1, -1), step: Any = 1,
                eps: Any = 1e-5, centered: Any = True) -> Any:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the mean and the variance of the rows of `input`, seen in the shape
    `layout` = (outer, rows, inner).

    The weights and the biases belong to `step` elements each, one after the other, and begin again after the last. Not
    `centered`: the mean is taken to be 0, so that "var" is the mean square. Mean and variance have shape (1, rows, 1).
    """
    if input.dtype.kind not in "fc":
        raise DtypeError(f"expected a floating point input, got {FROM_NUMPY[input.dtype]!r}; convert it, for instance with "
                         ".float()")
    if fused := _arrays.kernels_of(input).standardize(input, weight, bias, layout, step, eps, centered):
        return fused
    x, result = input.reshape(layout), np.empty_like(input, order="C")
    y, n = result.reshape(layout), x.dtype.type(x.shape[0] * x.shape[2])
    mean = row_sums(x) / n if centered else np.zeros((1, x.shape[1], 1), x.dtype, like=x)
    d = np.subtract(x, mean, out=y) if centered else x
    var = row_sums(d, d) / n
    rstd = 1 / np.sqrt(var + x.dtype.type(eps))
    whole_rows = weight is None or x.shape[2] == step
    np.multiply(d, row_factors(rstd, weight) if whole_rows else rstd, out=y)
    for v, apply in ((None if whole_rows else weight, np.multiply), (bias, np.add)):
        if v is not None:
            blocks = channel_blocks(result, v.size, step)
            apply(blocks, v.reshape(-1, 1), out=blocks)
    return result, mean, var
@standardize.derivative("input", "weight", "bias")
def standardize_wrt_all(g: Any, input: Any, weight: Any, mean: Any, var: Any, bias_shape: Any, layout: Any, step: Any, eps: Any,
                        centered: Any, wanted: Any) -> Any:
    g_result, g_mean, g_var = g
    by_input, by_weight, by_bias = [], None, None
    if g_result is not None:
        shape = bias_shape or () if weight is None else weight.shape
        grad_input, by_weight, by_bias = standardize_backward(
            g_result, input, mean, var, weight, layout=layout, step=step, eps=eps, centered=centered, shape=shape, wanted=wanted)
        by_input.append(grad_input)
    if g_mean is not None or g_var is not None:
        x = reshape(input, shape=layout)
        n = x.shape[0] * x.shape[2] or 1
        if g_mean is not None and centered:
            by_input.append(reshape(expand(g_mean / n, size=x.shape), shape=input.shape))
        if g_var is not None:
            by_input.append(reshape((x - mean) * (g_var * (2 / n)), shape=input.shape))
    return functools.reduce(operator.add, by_input) if by_input else input * 0, by_weight, by_bias


@op(outputs=("grad_input", "grad_weight", "grad_bias"), dtypes="same", opmath=True, layout="contiguous")
def standardize_backward(grad: Any, input: Any, mean: Any, var: Any, weight: Any = None, *, layout: Any = (1, 1, -1),
                         step: Any = 1, eps: Any = 1e-5, centered: Any = True, shape: Any = (),
                         wanted: Any = (True, True, True)) -> Any:
    """The gradients of :func:`standardize` with respect to input, weight and bias, which have `shape`: with the input
    standardized, s, and h = grad * weight, they are rstd * (h - mean(h) - s * mean(h * s)) with means over rows, the sums of
    grad * s, and the sums of grad. What is not `wanted` is an array without elements.
    """
    kernels = _arrays.kernels_of(input)
    if fused := kernels.standardize_backward(grad, input, mean, var, weight, layout, step, eps, centered, shape, wanted):
        return fused
    count = math.prod(shape)
    x, result = input.reshape(layout), np.empty_like(input, order="C")
    s, g, n = result.reshape(layout), grad.reshape(layout), x.dtype.type(x.shape[0] * x.shape[2] or 1)
    rstd = 1 / np.sqrt(var + x.dtype.type(eps))
    np.multiply(np.subtract(x, mean, out=s) if centered else x, rstd, out=s)
    each_row_has_one_weight = x.shape[2] == step
    h, factors = (g, row_factors(rstd, weight)) if weight is None or each_row_has_one_weight else (
        (channel_blocks(grad, count, step) * weight.reshape(-1, 1)).reshape(layout), rstd)
    sums, products = row_sums(h), row_sums(h, s)
    if each_row_has_one_weight:
        by_weight, by_bias = (v.reshape(-1, count).sum(axis=0) for v in (products, sums))
    else:
        by_weight = channel_sums(count, step, grad, result) if wanted[1] else None
        by_bias = channel_sums(count, step, grad) if wanted[2] else None
    if wanted[0]:
        np.multiply(s, products / -n, out=s)
        np.add(s, h, out=s)
        if centered:
            np.subtract(s, sums / n, out=s)
        np.multiply(s, factors, out=s)
    by_weight, by_bias = [v if v is None or v.shape == shape else v.reshape(shape) for v in (by_weight, by_bias)]
    return tuple([v if asked else np.empty_like(mean, shape=(0,)) for v, asked in zip((result, by_weight, by_bias), wanted)])
@standardize_backward.derivative("grad", "input", "mean", "var", "weight")
def standardize_backward_wrt_all(g: Any, grad: Any, input: Any, mean: Any, var: Any, weight: Any, grad_input: Any, layout: Any,
                                 step: Any, eps: Any, centered: Any, shape: Any, wanted: Any) -> Any:
    g_input, g_weight, g_bias = (part if asked else None for part, asked in zip(g, wanted))
    count = math.prod(shape)

    def rows(x: Any) -> Any: return reshape(x, shape=layout)
    def channels(x: Any) -> Any: return channel_blocks(x, count, step)
    def factors(v: Any) -> Any: return reshape(v, shape=(count, 1))

    d, rstd = rows(input) - mean if centered else rows(input), (var + eps) ** -0.5
    s, to_grad, to_s, to_rstd, to_weight = d * rstd, [], [], [], None
    if g_input is not None:  # the gradient of the input is a symmetric map of h = grad * weight
        mapped = standardize_backward(g_input, input, mean, var, layout=layout, step=step, eps=eps, centered=centered, shape=(),
                                      wanted=(True, False, False))[0]
        a, h = rows(g_input), rows(grad)
        to_grad.append(channels(mapped))
        if weight is not None:
            to_weight = reshape(product_sum(channels(grad), channels(mapped), size=(1, count, 1)), shape=shape)
            to_grad[0] = to_grad[0] * factors(weight)
            h = rows(channels(grad) * factors(weight))
        to_s.append((a * row_mean(h * s) + h * row_mean(a * s)) * -rstd)
        to_rstd.append(row_sum(a * rows(grad_input)) / rstd)
    if g_weight is not None:
        to_grad.append(channels(s) * factors(g_weight))
        to_s.append(rows(channels(grad) * factors(g_weight)))
    if g_bias is not None:
        to_grad.append(expand(factors(g_bias), size=channels(grad).shape))
    by_grad = reshape(functools.reduce(operator.add, to_grad), shape=grad.shape) if to_grad else None
    if not to_s:
        return by_grad, None, None, None, None
    by_s = functools.reduce(operator.add, to_s)
    by_rstd = functools.reduce(operator.add, [*to_rstd, row_sum(by_s * d)])
    return (by_grad, reshape(by_s * rstd, shape=input.shape), row_sum(by_s) * -rstd if centered else None,
            by_rstd * rstd ** 3 * -0.5, to_weight)


def row_sum(x: Any) -> Any:
    return reduction.sum(x, dim=(0, 2), keepdim=True)


def row_mean(x: Any) -> Any:
    return reduction.mean(x, dim=(0, 2), keepdim=True)


@op(dtypes="same", opmath=True)
def scale_shift(input: Any, weight: Any = None, bias: Any = None) -> Any:
    """``input * weight + bias``, each of which is broadcast to the input or is not there. Always a new array."""
    if weight is None:
        return input.copy() if bias is None else input + bias
    if bias is not None and (fused := _arrays.kernels_of(input).scale_shift(input, weight, bias)) is not None:
        return fused
    out = input * weight
    return out if bias is None else np.add(out, bias, out=out)
@scale_shift.derivative("input")
def scale_shift_wrt_input(g: Any, weight: Any) -> Any: return g if weight is None else g * weight
@scale_shift.derivative("weight")
def scale_shift_wrt_weight(g: Any, input: Any, weight_shape: Any) -> Any: return product_sum(g, input, size=weight_shape)
@scale_shift.derivative("bias")
def scale_shift_wrt_bias(g: Any, bias_shape: Any) -> Any: return sum_to_size(g, size=bias_shape)


@op(opmath=True)
def product_sum(input: Any, other: Any, *, size: Any) -> Any:
    """``(input * other).sum_to_size(size)`` for two arrays of one shape, without making their product."""
    lead = input.ndim - len(size)
    summed = tuple([d for d in range(input.ndim) if d < lead or size[d - lead] == 1 != input.shape[d]])
    if input.__class__ is not np.ndarray:  # CuPy's einsum makes two transposed copies and many products of two vectors
        return (input * other).sum(axis=summed, dtype=input.dtype).reshape(size)
    return _arrays.sum_products(input, other, axes=summed).reshape(size)
@product_sum.derivative("input")
def product_sum_wrt_input(g: Any, other: Any) -> Any: return g * other
@product_sum.derivative("other")
def product_sum_wrt_other(g: Any, input: Any) -> Any: return g * input


def widened(input: Any, weight: Any, bias: Any) -> Any:
    """The three in float32 where the input is of low precision and another in float32, as PyTorch lets them be; else None."""
    if is_low_precision(input.array.dtype) and any([x is not None and x.dtype is float32 for x in (weight, bias)]):
        return [x if x is None else arithmetic.cast(x, dtype=float32) for x in (input, weight, bias)]
    return None


def affine(input: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """:func:`scale_shift`, in the dtype of the input."""
    wide = widened(input, weight, bias)
    return scale_shift(input, weight, bias) if wide is None else arithmetic.cast(scale_shift(*wide), dtype=input.dtype)


def norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, layout: tuple[int, int, int], step: int, eps: float,
         centered: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`standardize`, in the dtype of the input."""
    wide = widened(input, weight, bias)
    operands = (input, weight, bias) if wide is None else wide
    result, mean, var = standardize(*operands, layout=layout, step=step, eps=eps, centered=centered)
    return result if wide is None else arithmetic.cast(result, dtype=input.dtype), mean, var


def per_channel(x: Any, ndim: int) -> Any:
    """A vector with one value per channel, in a shape that is broadcast over dimension 1 of `ndim`."""
    return None if x is None else reshape(x, shape=(1, x.shape[0]) + (1,) * (ndim - 2))


def check_channels(name: str, channels: int, **vectors: Any) -> None:
    for argument, v in vectors.items():
        if v is not None and tuple(v.shape) != (channels,):
            raise ShapeError(f"{name}: {argument} should contain {channels} elements, one per channel of the input, "
                             f"not shape {list(v.shape)}")


# ---------------------------------------------------------------------------------------------------- over trailing dimensions

def trailing_layout(name: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> tuple[int, int, int]:
    """The layout for normalizing over the last dimensions, whose sizes must be `normalized_shape`."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    size = tuple(input.shape)
    if not shape:
        raise ShapeError(f"{name}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
                         "element, but got normalized_shape = []")
    for argument, v in (("weight", weight), ("bias", bias)):
        if v is not None and tuple(v.shape) != shape:
            raise ShapeError(f"{name}: Expected {argument} to be of same shape as normalized_shape, but got {argument} of shape "
                             f"{list(v.shape)} and normalized_shape = {list(shape)}")
    if size[-len(shape):] != shape:
        raise ShapeError(f"{name}: Given normalized_shape={list(shape)}, expected input with shape "
                         f"[*, {', '.join(map(str, shape))}], but got input of size {list(size)}")
    return 1, math.prod(size[:-len(shape)]), math.prod(shape)


def layer_norm(input: Tensor, normalized_shape: IntOrInts, weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5) -> Tensor:
    """Normalize each sample over its last dimensions, whose sizes are `normalized_shape`; then scale and shift.

    Args:
        input: of shape ``(*, *normalized_shape)``.
        weight, bias: of shape `normalized_shape`, or None.
        eps: added to the variance.

    Ba, Kiros, Hinton: Layer Normalization, https://arxiv.org/abs/1607.06450
    """
    layout = trailing_layout("layer_norm", input, normalized_shape, weight, bias)
    return norm(input, weight, bias, layout, 1, eps)[0]


def rms_norm(input: Tensor, normalized_shape: IntOrInts, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Divide each sample by the root mean square of its last dimensions, whose sizes are `normalized_shape`; then scale.

    `eps` is added to the mean square; None is the distance from 1 to the next number of the dtype it is computed in.

    Zhang, Sennrich: Root Mean Square Layer Normalization, https://arxiv.org/abs/1910.07467
    """
    layout = trailing_layout("rms_norm", input, normalized_shape, weight, None)
    if eps is None:
        eps = float(np.finfo(opmath_dtype(input.array.dtype)).eps)
    return in_layout("channels", norm(input, weight, None, layout, 1, eps, centered=False)[0], input)


# ---------------------------------------------------------------------------------------------------- over batch, group, instance

def channels_of(name: str, input: Any) -> tuple[int, int, int]:
    """(batch, channels, everything after) of an input of shape (N, C, *)."""
    if input.ndim < 2:
        raise ShapeError(f"{name}: Expected at least 2 dimensions, (N, C, *), but got input of size {list(input.shape)}")
    return input.shape[0], input.shape[1], math.prod(input.shape[2:])


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """Normalize each channel over the batch and all positions; then scale and shift it.

    Args:
        input: of shape (N, C, *).
        running_mean, running_var: of shape (C,), or None. While training they are moved towards the batch's mean and
            (unbiased) variance by the fraction `momentum`; otherwise they are what the input is normalized with.
        weight, bias: of shape (C,), or None.

    Raises ``ValueError`` when training on one value per channel, whose variance is not defined.

    Ioffe, Szegedy: Batch Normalization, https://arxiv.org/abs/1502.03167
    """
    if eps <= 0:
        raise InvalidValueError(f"batch_norm: eps must be positive, but got {eps}")
    if input.ndim < 2 and 0 in input.shape:  # of nothing, PyTorch does not ask for channels
        return scale_shift(input)
    layout = channels_of("batch_norm", input)
    refuse_grad("batch_norm", running_mean=running_mean, running_var=running_var)
    check_channels("batch_norm", layout[1], running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeValueError("batch_norm: Expected running_mean and running_var to be defined when training=False")
        return in_layout("channels", affine(input, *evaluation_affine(running_mean, running_var, weight, bias, eps,
                                                                           input.ndim)), input)
    if layout[0] * layout[2] == 1:
        raise InvalidValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    return in_layout("channels", normalize_batch(input, running_mean, running_var, weight, bias, momentum, eps)[0], input)


@on_device_of_inputs
def normalize_batch(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, momentum: float,
                    eps: float) -> Any:
    """The input normalized over batch and positions, scaled and shifted; its mean and its variance. The running statistics are
    moved towards these."""
    layout = channels_of("batch_norm", input)
    result, mean, var = norm(input, weight, bias, layout, layout[2], eps)
    n = layout[0] * layout[2]
    if n > 1:
        move(running_mean, mean.array.reshape(-1), momentum)
        move(running_var, var.array.reshape(-1), momentum, n / (n - 1))
    return result, mean, var


def evaluation_affine(running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float, ndim: int) -> tuple[Any, Any]:
    """The scale and the shift that normalize with fixed statistics and then apply weight and bias."""
    mean, var, weight, bias = (per_channel(v, ndim) for v in (running_mean, running_var, weight, bias))
    scale = (var + eps) ** -0.5
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    return scale, shift if bias is None else shift + bias


@watched
@on_device_of_inputs
def move(running: Any, towards: Any, momentum: float, factor: float = 1.0) -> None:
    """Move running statistics, where there are any, towards those of this batch times `factor`. Of those of several samples the
    mean counts."""
    if running is not None:
        if towards.ndim > 1:
            towards = towards.mean(axis=0)
        if factor != 1:
            towards = towards * factor
        if not running.array.__class__ is towards.__class__ is np.ndarray:
            require_one_device("batch_norm", input=towards, running_mean=running)
        refuse_read_only(running.array, "batch_norm: running statistics")
        running.array += (momentum * (towards - running.array)).astype(running.array.dtype)
        clock.ledger.record(running.array, "batch_norm")


def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
               eps: float = 1e-5) -> Tensor:
    """Normalize each sample over the channels of each of `num_groups` groups, and all positions; scale and shift channels.

    Args:
        input: of shape (N, C, *), where `num_groups` divides C.
        weight, bias: of shape (C,), or None.

    Wu, He: Group Normalization, https://arxiv.org/abs/1803.08494
    """
    n, channels, rest = channels_of("group_norm", input)
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input of "
                         f"shape {list(input.shape)} and num_groups={num_groups}")
    check_channels("group_norm", channels, weight=weight, bias=bias)
    if n * channels // num_groups * rest == 1:
        raise InvalidValueError(f"group_norm: Expected more than 1 value per channel when training, got input size "
                                f"{list(input.shape)} in {num_groups} groups: the one value of a group would be 0")
    layout = 1, n * num_groups, channels // num_groups * rest
    return in_layout("channels", norm(input, weight, bias, layout, rest, eps)[0], input)


@on_device_of_inputs
def instance_norm(input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
                  weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
                  eps: float = 1e-5) -> Tensor:
    """Normalize each channel of each sample over its positions; then scale and shift it.

    Args:
        input: of shape (N, C, *).
        running_mean, running_var: of shape (C,), or None; moved towards the mean over the batch of the statistics when
            `use_input_stats`, else used for normalizing.
        weight, bias: of shape (C,), or None.

    Ulyanov, Vedaldi, Lempitsky: Instance Normalization, https://arxiv.org/abs/1607.08022
    """
    n, channels, rest = channels_of("instance_norm", input)
    refuse_grad("instance_norm", running_mean=running_mean, running_var=running_var)
    check_channels("instance_norm", channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeValueError("instance_norm: Expected running_mean and running_var to be defined when "
                                    "use_input_stats=False")
        return affine(input, *evaluation_affine(running_mean, running_var, weight, bias, eps, input.ndim))
    if rest == 1:
        raise InvalidValueError(f"Expected more than 1 spatial element when training, got input size {list(input.shape)}")
    result, mean, var = norm(input, weight, bias, (1, n * channels, rest), rest, eps)
    if n and rest:
        move(running_mean, mean.array.reshape(n, channels), momentum)
        move(running_var, var.array.reshape(n, channels), momentum, rest / (rest - 1))
    return result


# ---------------------------------------------------------------------------------------------------- with their statistics

def native_layer_norm(input: Tensor, normalized_shape: IntOrInts, weight: Tensor, bias: Tensor,
                      eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`layer_norm`, and the mean and reciprocal deviation of each sample: a tuple of three tensors."""
    layout = trailing_layout("native_layer_norm", input, normalized_shape, weight, bias)
    result, mean, var = norm(input, weight, bias, layout, 1, eps)
    lead = input.ndim - (1 if isinstance(normalized_shape, int) else len(normalized_shape))
    each = (*input.shape[:lead], *(1,) * (input.ndim - lead))
    return result, reshape(mean, shape=each), reshape((var + eps) ** -0.5, shape=each)


def native_group_norm(input: Tensor, weight: Tensor, bias: Tensor, N: int, C: int, HxW: int, group: int,
                      eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`group_norm`, and the mean and reciprocal deviation of each group: a tuple of three tensors."""
    check_channels("native_group_norm", C, weight=weight, bias=bias)
    result, mean, var = norm(input, weight, bias, (1, N * group, C // group * HxW), HxW, eps)
    return result, reshape(mean, shape=(N, group)), reshape((var + eps) ** -0.5, shape=(N, group))


def native_batch_norm(input: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, training: bool,
                      momentum: float, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`batch_norm`, and the batch's mean and reciprocal deviation, which are empty if not `training`."""
    if not training:
        mean, var = (reshape(input, shape=(-1,))[:0] for _ in range(2))
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps), mean, var
    refuse_grad("native_batch_norm", running_mean=running_mean, running_var=running_var)
    result, mean, var = normalize_batch(input, running_mean, running_var, weight, bias, momentum, eps)
    return result, reshape(mean, shape=(-1,)), reshape((var + eps) ** -0.5, shape=(-1,))


# ---------------------------------------------------------------------------------------------------- over neighbours, to norm 1

@op(opmath=True)
def window_sum(input: Any, *, dim: Any, before: Any, after: Any) -> Any:
    """At each place of `dim`, the sum of the elements from `before` places earlier to `after` places later."""
    x = np.moveaxis(input, dim, 0)
    out = np.zeros_like(x)
    for by in range(-before, after + 1):
        if abs(by) < x.shape[0]:
            out[max(-by, 0):x.shape[0] - max(by, 0)] += x[max(by, 0):x.shape[0] + min(by, 0)]
    return np.moveaxis(out, 0, dim)
@window_sum.derivative("input")
def window_sum_wrt_input(g: Any, dim: Any, before: Any, after: Any) -> Any:
    return window_sum(g, dim=dim, before=after, after=before)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Divide each element by ``(k + alpha * mean of squares over `size` neighbouring channels) ** beta``.

    The input has shape (N, C, *). Krizhevsky, Sutskever, Hinton: ImageNet Classification, section 3.3.
    """
    if input.ndim < 3:
        raise InvalidValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if 0 in input.shape:
        return input
    squares = window_sum(input * input, dim=1, before=size // 2, after=(size - 1) // 2)
    return input / (squares * (alpha / size) + k) ** beta


def normalize(input: Tensor, p: float = 2.0, dim: IntOrInts = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Divide by the `p`-norm over `dim`, or by `eps` where the norm is smaller.

    >>> import minigrad
    >>> minigrad.nn.functional.normalize(minigrad.tensor([[3., 4.]]))
    tensor([[0.6000, 0.8000]])
    """
    norm = reduction.vector_norm(input, ord=p, dim=dim, keepdim=True)
    return arithmetic.div(input, comparison.clamp(norm, min=eps), out=out)
