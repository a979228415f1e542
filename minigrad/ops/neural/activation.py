"""Activation functions, and softmax.

Each is one operation with one rule, so that a layer costs one node and no more memory than its result. At a kink the
derivative is PyTorch's: 0 for ``relu`` and both ends of ``hardtanh``, the slope of the left side for ``leaky_relu``.

Signs are irregular, so that no choice by them is made by a branch: see :mod:`minigrad._arrays.choice`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._arrays import choice
from minigrad._types import dtypes
from minigrad._types.dtypes import as_dtype
from minigrad.errors import DtypeError, RuntimeValueError, ShapeError, UnsupportedDtypeError
from minigrad.ops.pointwise import arithmetic, comparison, elementary, special
from minigrad.ops.pointwise.arithmetic import apply_mask
from minigrad.ops.reducing import reduction as reductions
from minigrad.ops.shaping import shape as shapes
from minigrad.ops.shaping import slicing
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor
    from minigrad._types.dtypes import dtype

__all__ = ["celu", "celu_", "hardshrink", "log_softmax", "prelu", "relu", "relu_", "selu", "selu_", "softmax", "threshold",
           "threshold_"]

# Klambauer et al., Self-Normalizing Neural Networks, 2017, https://arxiv.org/abs/1706.02515
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

SHORT = 4096  # elements that are added up quicker, and well enough, one after the other than in pairs


# ---------------------------------------------------------------------------------------------------- of straight pieces

@op
def relu(input: Any) -> Any:
    """``max(x, 0)``; its derivative at 0 is 0."""
    if input.dtype.kind in "bc":
        raise UnsupportedDtypeError(f"relu is not supported for {dtypes.FROM_NUMPY[input.dtype]!r} tensors; it takes real "
                                    "numbers")
    return choice.at_least(input, 0)
@relu.derivative("input")
def relu_wrt_input(g: Any, out: Any) -> Any: return apply_mask(g, out > 0)


@op(dtypes="float")
def leaky_relu(input: Any, *, negative_slope: float = 0.01) -> Any:
    """x where it is positive, else ``negative_slope * x``."""
    arithmetic.require_real("leaky_relu", input)
    slope = float(negative_slope)
    if (fused := _arrays.kernels_of(input).each("leaky_relu", input, slope)) is not None:
        return fused
    return np.maximum(input, input * slope) if 0 <= slope <= 1 else choice.choose(input > 0, input, input * slope)
@leaky_relu.derivative("input")
def leaky_relu_wrt_input(g: Any, input: Any, negative_slope: float) -> Any: return g * slope_of_sides(input, below=negative_slope)


@op(differentiable=False)
def slope_of_sides(input: Any, *, below: float) -> Any:
    """1 where `input` is positive, else `below`."""
    arithmetic.require_real("slope_of_sides", input)
    if (fused := _arrays.kernels_of(input).each("slope_of_sides", input, below)) is not None:
        return fused
    return choice.choose(input > 0, *[_arrays.full((), number, input) for number in (1, below)])


@op(broadcasts=True, grad_name="PreluKernelBackward0", called="prelu", opmath=True, connected=True)
def prelu_kernel(input: Any, weight: Any) -> Any:
    """x where it is positive, else ``weight * x``."""
    arithmetic.require_real("prelu", input, weight)
    return choice.choose(input > 0, input, weight * input)
@prelu_kernel.derivative("input")
def prelu_kernel_wrt_input(g: Any, input: Any, weight: Any) -> Any:
    return comparison.where(input > 0, g, g * weight)
@prelu_kernel.derivative("weight")
def prelu_kernel_wrt_weight(g: Any, input: Any) -> Any: return apply_mask(g * input, ~(input > 0))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where it is positive, else ``weight * x``, with a learned weight.

    Shapes: weight ``()``, ``(1,)`` or ``(C,)``, one for each channel, the second dimension of `input` (the first of a vector).
    """
    if weight.ndim > 1:
        raise ShapeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if input.dtype != weight.dtype:
        raise DtypeError(f"prelu: Type promoting not supported. Got {input.dtype!r} and {weight.dtype!r}; convert one with .to()")
    channels = math.prod(weight.shape)
    if channels == 1:
        return prelu_kernel(input, shapes.reshape(weight, shape=(1,) * input.ndim))
    found = 1 if input.ndim < 2 else input.shape[1]
    if input.ndim == 0:
        raise ShapeError("prelu: Not allow zero-dim input tensor with more than one weight.")
    if found != channels:
        raise ShapeError(f"prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = {channels} "
                         f"and channel size = {found}.")
    return prelu_kernel(input, shapes.reshape(weight, shape=(1, channels) + (1,) * (input.ndim - 2)))


@op
def threshold(input: Any, *, threshold: float, value: float) -> Any:
    """x where it is above `threshold`, else `value`."""
    arithmetic.require_real("threshold", input)
    return choice.choose(input <= threshold, _arrays.full((), value, input), input)
@threshold.derivative("input")
def threshold_wrt_input(g: Any, input: Any, threshold: float) -> Any: return apply_mask(g, input > threshold)


@op
def hardtanh(input: Any, *, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x brought into ``[min_val, max_val]``; its derivative at both ends is 0."""
    arithmetic.require_real("hardtanh", input)
    return np.clip(input, input.dtype.type(min_val), input.dtype.type(max_val))
@hardtanh.derivative("input")
def hardtanh_wrt_input(g: Any, input: Any, min_val: float, max_val: float) -> Any:
    return apply_mask(g, (input > min_val) & (input < max_val))


@with_inplace
def relu6(input: Any) -> Any:
    """``min(max(x, 0), 6)``."""
    return hardtanh(input, 0.0, 6.0)


@op(dtypes="float")
def hardsigmoid(input: Any) -> Any:
    """``x / 6 + 1 / 2`` brought into [0, 1]."""
    arithmetic.require_real("hardsigmoid", input)
    return np.clip(input + 3, 0, 6) / 6
@hardsigmoid.derivative("input")
def hardsigmoid_wrt_input(g: Any, input: Any) -> Any: return apply_mask(g, (input > -3) & (input < 3)) / 6


@op(dtypes="float")
def hardswish(input: Any) -> Any:
    """``x * hardsigmoid(x)``."""
    arithmetic.require_real("hardswish", input)
    return input * np.clip(input + 3, 0, 6) / 6
@hardswish.derivative("input")
def hardswish_wrt_input(g: Any, input: Any) -> Any:
    return g * comparison.where(input >= 3, 1.0, apply_mask(input / 3 + 0.5, input > -3))


@op(dtypes="float")
def softshrink(input: Any, *, lambd: float = 0.5) -> Any:
    """x moved by `lambd` towards 0, and 0 where it is nearer than that."""
    arithmetic.require_real("softshrink", input)
    if not lambd >= 0:
        raise RuntimeValueError(f"softshrink: lambda must be greater or equal to 0, but found to be {lambd}.")
    return input - np.clip(input, -lambd, lambd)
@softshrink.derivative("input")
def softshrink_wrt_input(g: Any, input: Any, lambd: float) -> Any: return apply_mask(g, (input > lambd) | (input < -lambd))


@op(dtypes="float")
def hardshrink(input: Any, *, lambd: float = 0.5) -> Any:
    """x, and 0 where ``|x| <= lambd``."""
    arithmetic.require_real("hardshrink", input)
    return choice.masked(input, ~((input >= -lambd) & (input <= lambd)))
@hardshrink.derivative("input")
def hardshrink_wrt_input(g: Any, input: Any, lambd: float) -> Any:
    return apply_mask(g, ((input >= -lambd) & (input <= lambd)) == 0)


# ---------------------------------------------------------------------------------------------------- exponential

@op(dtypes="float")
def elu(input: Any, *, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Any:
    """``scale * x`` where x is positive, else ``scale * alpha * (exp(input_scale * x) - 1)``.

    Source: Clevert et al., Fast and Accurate Deep Network Learning by ELUs, 2015, https://arxiv.org/abs/1511.07289
    """
    arithmetic.require_real("elu", input)
    below = np.expm1(choice.at_most(input, 0) * float(input_scale)) * float(alpha * scale)
    return choice.at_least(input, 0) * float(scale) + below
@elu.derivative("input")
def elu_wrt_input(g: Any, input: Any, alpha: float, scale: float, input_scale: float) -> Any:
    below = elementary.exp(comparison.clamp_numbers(input, max=0) * input_scale) * (alpha * scale * input_scale)
    return g * comparison.where(input <= 0, below, scale)


@with_inplace
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``, smooth at 0 for every `alpha`.

    Source: Barron, Continuously Differentiable Exponential Linear Units, 2017, https://arxiv.org/abs/1704.07483
    """
    if alpha == 0:
        raise RuntimeValueError("celu: ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu(input, alpha, 1.0, 1.0 / alpha)


@with_inplace
def selu(input: Tensor) -> Tensor:
    """:func:`elu` with the constants that keep mean 0 and variance 1 through deep networks."""
    return elu(input, SELU_ALPHA, SELU_SCALE)


@op(dtypes="float")
def silu(input: Any) -> Any:
    """``x * sigmoid(x)``, also called swish."""
    if (fused := _arrays.kernels_of(input).each("silu", input)) is not None:
        return fused
    return input / (1 + np.exp(-input))
@silu.derivative("input")
def silu_wrt_input(g: Any, input: Any) -> Any: return silu_slope(g, input)


@op(grad_name="SiluBackwardBackward0", opmath=True)
def silu_slope(grad: Any, input: Any) -> Any:
    """The gradient of :func:`silu`: ``grad * s * (1 + x * (1 - s))`` where s is ``sigmoid(x)``."""
    if (fused := _arrays.kernels_of(input).each("silu_slope", grad, input)) is not None:
        return fused
    s = 1 / (1 + np.exp(-input))
    return grad * (s * (1 + input * (1 - s)))
@silu_slope.derivative("grad")
def silu_slope_wrt_grad(g: Any, input: Any) -> Any: return silu_slope(g, input)
@silu_slope.derivative("input")
def silu_slope_wrt_input(g: Any, grad: Any, input: Any) -> Any:
    s = elementary.sigmoid(input)
    return g * grad * (s * (1 - s) * (2 + input * (1 - 2 * s)))


@op(dtypes="float")
def gelu(input: Any, *, approximate: str = "none") -> Any:
    """x times the probability that a standard normal variable is below x.

    Args:
        approximate: ``"tanh"`` for ``0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))``, which is faster.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units, 2016, https://arxiv.org/abs/1606.08415
    """
    arithmetic.require_real("gelu", input)
    if approximate == "tanh":
        return 0.5 * input * (1 + np.tanh(gelu_angle(input)))
    if approximate != "none":
        raise RuntimeValueError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}.")
    if (fused := _arrays.kernels_of(input).each("gelu", input)) is not None:
        return fused
    return special.gelu_of(input)
@gelu.derivative("input")
def gelu_wrt_input(g: Any, input: Any, approximate: str) -> Any:
    if approximate == "none":
        return gelu_slope(g, input)
    t = elementary.tanh(gelu_angle(input))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * input * input)
    return g * (0.5 * (1 + t) + 0.5 * input * (1 - t * t) * slope)


@op(grad_name="GeluBackwardBackward0", opmath=True)
def gelu_slope(grad: Any, input: Any) -> Any:
    """The gradient of :func:`gelu`: ``grad * (ndtr(x) + x * density(x))``."""
    if (fused := _arrays.kernels_of(input).each("gelu_slope", grad, input)) is not None:
        return fused
    return grad * special.gelu_slope_of(input)
@gelu_slope.derivative("grad")
def gelu_slope_wrt_grad(g: Any, input: Any) -> Any: return gelu_slope(g, input)
@gelu_slope.derivative("input")
def gelu_slope_wrt_input(g: Any, grad: Any, input: Any) -> Any:
    square = input * input
    return g * grad * elementary.exp(square * -0.5) * (2 - square) * (1 / math.sqrt(2 * math.pi))


def gelu_angle(x: Any) -> Any:
    """The argument of the tanh in the approximate GELU."""
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


@op(dtypes="float")
def softplus(input: Any, *, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``, a smooth relu; x itself where ``beta * x > threshold``."""
    arithmetic.require_real("softplus", input)
    scaled = input * float(beta)
    return choice.choose(scaled > threshold, input, log1p_of_exp(scaled) / float(beta))
@softplus.derivative("input")
def softplus_wrt_input(g: Any, input: Any, beta: float, threshold: float) -> Any:
    scaled = input * beta
    return g * comparison.where(scaled > threshold, 1.0, elementary.sigmoid(scaled))


def log1p_of_exp(x: Any) -> Any:
    """``log(1 + exp(x))`` without overflow."""
    return choice.at_least(x, 0) + np.log1p(np.exp(-np.abs(x)))


@op(dtypes="float", layout="contiguous", grad_name="LogSigmoidBackward0")
def logsigmoid(input: Any) -> Any:
    """``log(sigmoid(x))`` without overflow."""
    arithmetic.require_real("logsigmoid", input)
    return -log1p_of_exp(-input)
@logsigmoid.derivative("input")
def logsigmoid_wrt_input(g: Any, input: Any) -> Any: return g * elementary.sigmoid(-input)


@op(dtypes="float")
def mish(input: Any) -> Any:
    """``x * tanh(softplus(x))``.

    Source: Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2019, https://arxiv.org/abs/1908.08681
    """
    arithmetic.require_real("mish", input)
    return input * np.tanh(log1p_of_exp(input))
@mish.derivative("input")
def mish_wrt_input(g: Any, input: Any) -> Any:
    t = elementary.tanh(softplus(input, threshold=math.inf))
    return g * (t + input * elementary.sigmoid(input) * (1 - t * t))


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return input / (1 + arithmetic.abs(input))


@op(dtypes="float")
def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``."""
    return input - np.tanh(input)
@tanhshrink.derivative("input")
def tanhshrink_wrt_input(g: Any, input: Any) -> Any:
    t = elementary.tanh(input)
    return g * (t * t)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The gated linear unit ``a * sigmoid(b)``, where a and b are the halves of `input` along `dim`.

    Source: Dauphin et al., Language Modeling with Gated Convolutional Networks, 2016, https://arxiv.org/abs/1612.08083
    """
    if input.ndim == 0:
        raise ShapeError("glu does not support 0-dimensional tensors")
    axis = shapes.wrap_dim(dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {axis} is size {size}")
    a, b = slicing.split_with_sizes(input, (size // 2, size // 2), axis)
    return a * elementary.sigmoid(b)


# ---------------------------------------------------------------------------------------------------- softmax

@op(layout="contiguous")
def softmax(input: Any, *, dim: int, dtype: dtype | None = None) -> Any:
    """``exp(x)`` along `dim`, divided by its sum there: positive numbers that sum to 1.

    Args:
        dtype: convert `input` to this type first; integers need one.

    >>> import minigrad
    >>> minigrad.softmax(minigrad.tensor([0., 0., 0., 0.]), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    x = to_working_dtype(input, dtype)
    if (fused := _arrays.kernels_of(x).softmax(x, dim, False)) is not None:
        return to_result_dtype(fused, input, dtype)
    e, sums, _ = exponentials(x, dim)
    e /= sums
    return to_result_dtype(e, input, dtype)
@softmax.derivative("input")
def softmax_wrt_input(g: Any, out: Any, dim: int, dtype: Any, input_dtype: Any) -> Any:
    grad = softmax_slope(g, out, dim=dim, logarithm=False)
    return grad if dtype is None else arithmetic.cast(grad, dtype=as_dtype(input_dtype))


@op(opmath=True)
def safe_softmax(input: Any, *, dim: Any) -> Any:
    """:func:`softmax`, but 0 where everything along `dim` is -inf, as where attention has nothing to look at."""
    arithmetic.require_real("softmax", input)
    if (fused := _arrays.kernels_of(input).softmax(input, dim, False)) is not None:
        return np.where(max_along(input, dim) == -np.inf, input.dtype.type(0), fused)
    e, sums, _ = exponentials(input, dim, safe=True)
    e /= np.where(sums == 0, input.dtype.type(1), sums)
    return e
@safe_softmax.derivative("input")
def safe_softmax_wrt_input(g: Any, out: Any, dim: int) -> Any: return softmax_slope(g, out, dim=dim, logarithm=False)


@op(layout="contiguous")
def log_softmax(input: Any, *, dim: int, dtype: dtype | None = None) -> Any:
    """``log(softmax(x))`` along `dim`, without overflow or underflow."""
    x = to_working_dtype(input, dtype)
    if (fused := _arrays.kernels_of(x).softmax(x, dim, True)) is not None:
        return to_result_dtype(fused, input, dtype)
    x = x - max_along(x, dim)
    x -= np.log(total(np.exp(x), dim))
    return to_result_dtype(x, input, dtype)
@log_softmax.derivative("input")
def log_softmax_wrt_input(g: Any, out: Any, dim: int, dtype: Any, input_dtype: Any) -> Any:
    grad = softmax_slope(g, out, dim=dim, logarithm=True)
    return grad if dtype is None else arithmetic.cast(grad, dtype=as_dtype(input_dtype))


@op(grad_name="SoftmaxBackwardDataBackward0")
def softmax_slope(grad: Any, soft: Any, *, dim: Any, logarithm: Any) -> Any:
    """The gradient of :func:`softmax`, or of its logarithm, from that of the result, `soft`."""
    g, y = to_working_dtype(grad, None), to_working_dtype(soft, None)
    if (fused := _arrays.kernels_of(y).softmax_slope(g, y, dim, logarithm)) is not None:
        return to_result_dtype(fused, grad, None)
    if logarithm:
        slope = np.exp(y)
        slope *= -total(g, dim)
        slope += g
        return to_result_dtype(slope, grad, None)
    slope = g - total(g, dim, y)
    slope *= y
    return to_result_dtype(slope, grad, None)
@softmax_slope.derivative("grad")
def softmax_slope_wrt_grad(g: Any, soft: Any, dim: Any, logarithm: Any) -> Any:
    if logarithm:
        return g - reductions.sum(g * elementary.exp(soft), dim, True)
    return softmax_slope(g, soft, dim=dim, logarithm=False)
@softmax_slope.derivative("soft")
def softmax_slope_wrt_soft(g: Any, grad: Any, soft: Any, dim: Any, logarithm: Any) -> Any:
    if logarithm:
        return -g * elementary.exp(soft) * reductions.sum(grad, dim, True)
    return g * (grad - reductions.sum(grad * soft, dim, True)) - grad * reductions.sum(g * soft, dim, True)


def softmin(input: Any, dim: int, dtype: Any = None) -> Tensor:
    """``softmax(-x)`` along `dim`."""
    return softmax(-input, dim, dtype)


def exponentials(x: Any, dim: int, safe: bool = False) -> tuple[Any, Any, Any]:
    """``exp(x - c)``, its sums along `dim`, and c: None, for 0, where that gives sums of good size, else the maximum along `dim`.

    To look for the maximum takes longer than all the rest. `safe`: where that is -inf, c is 0.
    """
    if x.__class__ is np.ndarray and x.dtype.kind == "f" and x.size:
        e = np.exp(x)
        sums = total(e, dim)
        if sums.min() > 1e-6 and sums.max() < math.inf:  # no overflow, and what underflows is nothing beside the sum
            return e, sums, None
    peak = max_along(x, dim)
    if safe:
        peak = np.where(peak == -np.inf, x.dtype.type(0), peak)
    e = np.exp(x - peak)
    return e, total(e, dim), peak


def total(x: Any, dim: int, y: Any = None) -> Any:
    """The sum of `x`, or of ``x * y``, along `dim`, which is kept."""
    if x.__class__ is np.ndarray and x.ndim and dim in (-1, x.ndim - 1) and 0 < x.shape[-1] <= SHORT:
        if y is not None or not x.flags.c_contiguous:
            return (np.einsum("...i->...", x) if y is None else np.einsum("...i,...i->...", x, y))[..., None]
        return (x.reshape(-1, x.shape[-1]) @ np.ones(x.shape[-1], x.dtype)).reshape(*x.shape[:-1], 1)
    return _arrays.sum_over(x if y is None else x * y, axis_of(x, dim), True)


def max_along(x: Any, dim: int) -> Any:
    """The maximum along `dim`, which is kept. Of an empty array, return an array of the right shape."""
    return (x.max if x.size else x.sum)(axis=axis_of(x, dim), keepdims=True)


def axis_of(x: Any, dim: int) -> int | None:
    """`dim` as the reductions of every library take it. A zero-dimensional array has a dimension 0 for PyTorch, and none for
    CuPy."""
    return dim if x.ndim or dim not in (-1, 0) else None


def to_working_dtype(x: Any, dtype: Any) -> Any:
    """`x` in the dtype that its softmax is computed in, which is float32 for float16."""
    kind = x.dtype if dtype is None else dtype.numpy
    if kind.kind not in "fc":
        raise UnsupportedDtypeError(f"\"softmax\" not implemented for {dtypes.FROM_NUMPY[kind]!r}; give dtype=minigrad.float32")
    return reductions.narrow_dtype(x, dtypes.opmath_dtype(kind))


def to_result_dtype(result: Any, x: Any, dtype: Any) -> Any:
    """`result` in the dtype that was asked for, or else in that of `x`."""
    kind = x.dtype if dtype is None else dtype.numpy
    return result if result.dtype is kind else result.astype(kind)


# ---------------------------------------------------------------------------------------------------- in place

relu_, celu_, selu_, threshold_ = relu.inplace, celu.inplace, selu.inplace, threshold.inplace
