"""Operations that reduce dimensions to one value, or run along one."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.dtypes import as_dtype, opmath_dtype, promote_types
from minigrad.errors import ArgumentError, DimensionError, DtypeError, OutOfBoundsError, ShapeError
from minigrad.ops.pointwise import arithmetic, elementary
from minigrad.ops.pointwise.arithmetic import cast, require_real
from minigrad.ops.shaping.shape import expand, reshape, wrap_dim, wrap_dims
from minigrad.recording import call, hints
from minigrad.recording.declaration import NUMPY_NAMES
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import serve_out
from minigrad.recording.lazy import Signature, numpy_signature
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import DTypeLike, IntOrInts, Tensor
    from minigrad._types.dtypes import dtype

__all__ = ["all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "hash_tensor",
           "logcumsumexp", "logsumexp", "mean", "nanmean", "nansum", "prod", "std", "std_mean", "sum", "var", "var_mean"]

F = TypeVar("F", bound=Callable[..., Any])


# ---------------------------------------------------------------------------------------------------- dimensions

def axes_of(dim: Any, ndim: int) -> Any:
    """`dim`, which may be an int, several, or None or () for all dimensions, as NumPy's ``axis``.

    A tensor without dimensions has one that can be named, 0.
    """
    if dim is None:
        return None
    if not isinstance(dim, (tuple, list)):
        return wrap_dim(dim, ndim) if ndim else wrap_dims((dim,), 0)[1:]
    return (wrap_dims(dim, ndim) or None) if ndim else wrap_dims(dim, 0)[len(dim):]


def reduced_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that a reduction over `dim` removes."""
    axes = axes_of(dim, ndim)
    return tuple(range(ndim)) if axes is None else (axes,) if isinstance(axes, int) else axes


def kept_shape(shape: Any, dim: Any) -> tuple[int, ...]:
    """`shape` with size 1 in the reduced dimensions, as ``keepdim=True`` gives it."""
    dims = reduced_dims(dim, len(shape))
    return tuple(1 if d in dims else n for d, n in enumerate(shape))


def reduced_count(shape: Any, dim: Any) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape if dim is None else [shape[d] for d in reduced_dims(dim, len(shape))])


def keep_dims(g: Any, shape: Any, dim: Any) -> Any:
    """`g`, a reduction's result or its gradient, with the reduced dimensions of `shape` back, of size 1."""
    return reshape(g, shape=kept_shape(shape, dim))


def expand_reduced(g: Any, shape: Any, dim: Any) -> Any:
    """`g` expanded to `shape`, which was reduced over `dim`."""
    return expand(g if g.ndim in (0, len(shape)) else keep_dims(g, shape, dim), size=shape)


def refuse_empty(name: str, shape: Any, dim: Any) -> None:
    """Raise if there is nothing to choose from: the largest of no elements has no value."""
    for d in reduced_dims(dim, len(shape)):
        if shape[d] == 0:
            if dim is None or isinstance(dim, (tuple, list)) and not dim:
                kind = DimensionError if name.startswith("arg") else ShapeError
                raise kind(f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                           "with the 'dim' argument.")
            raise DimensionError(f"{name}(): Expected reduction dim {d} to have non-zero size; input has shape {list(shape)}")


def require_float(name: str, dtype: Any) -> None:
    """Raise ``DtypeError`` unless the dtype is floating or complex."""
    if dtype.kind not in "fc":
        raise DtypeError(f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex "
                         f"dtype. Got: {dtypes.FROM_NUMPY.get(dtype, dtype)!r}; convert it first, for instance with .float()")


def numpy_names(function: F) -> F:
    """Decorator: let `function` be given ``axis=`` for ``dim=`` and ``keepdims=`` for ``keepdim=``, as operations can be."""
    @functools.wraps(function)
    def wrapper(*args: Any, **named: Any) -> Any:
        for ours, theirs in NUMPY_NAMES.items():
            if theirs in named:
                named[ours] = named.pop(theirs)
        return function(*args, **named)
    wrapper.__signature__ = Signature(lambda: numpy_signature(function))  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


# ---------------------------------------------------------------------------------------------------- sums

def summed_dtype(x: Any, dtype: Any) -> Any:
    """NumPy's dtype of a sum or product of `x`: `dtype` where one is given, else int64 for integers, as in PyTorch."""
    return dtype.numpy if dtype is not None else x.dtype if x.dtype.kind in "fc" else dtypes.int64.numpy


def sum_accumulated(x: Any, axis: Any, keepdim: bool, wanted: Any) -> Any:
    """The sum of `x` over `axis`, accumulated in the dtype in which numbers of the dtype `wanted` are summed."""
    accumulated = opmath_dtype(wanted)
    if accumulated.kind not in "fc":
        return x.sum(axis=axis, dtype=accumulated, keepdims=keepdim)
    return _arrays.sum_over(x.astype(accumulated, copy=False), axis, keepdim)


def narrow_dtype(x: Any, wanted: Any) -> Any:
    """`x` in the dtype `wanted`."""
    return x if x.dtype == wanted else x.astype(wanted)


def cast_back(g: Any, input_dtype: Any, dtype: Any) -> Any:
    """`g` in the dtype that the input had before it was converted to `dtype`, if it was."""
    return g if dtype is None else cast(g, dtype=as_dtype(input_dtype))


def is_plain_sum(x: Any, dim: Any, dtype: Any) -> bool:
    """Whether a sum can go straight to NumPy, as that of the gradient of every layer's bias and of nearly every loss."""
    return (dtype is None and (dim is None or dim.__class__ is int) and x.__class__ is np.ndarray and x.dtype.char in "fd"
            and x.ndim > 0)


@op(layout="contiguous")
def sum(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None) -> Any:
    """Sum over `dim` (an int, several, or None for all dimensions). Integers and booleans give int64.

    >>> import minigrad
    >>> minigrad.tensor([[1., 2.], [3., 4.]]).sum(dim=1)
    tensor([3., 7.])
    """
    if is_plain_sum(input, dim, dtype):
        return _arrays.sum_over(input, dim, keepdim)
    wanted = summed_dtype(input, dtype)
    return narrow_dtype(sum_accumulated(input, axes_of(dim, input.ndim), keepdim, wanted), wanted)
@sum.derivative("input")
def sum_wrt_input(g: Any, input_shape: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    return expand_reduced(cast_back(g, input_dtype, dtype), input_shape, dim)


@op(layout="contiguous")
def nansum(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None) -> Any:
    """Sum over `dim` in which NaN counts as zero."""
    if input.dtype.kind == "c":
        raise DtypeError("nansum does not support complex inputs")
    x, wanted = np.where(input == input, input, input.dtype.type(0)), summed_dtype(input, dtype)
    return narrow_dtype(sum_accumulated(x, axes_of(dim, input.ndim), keepdim, wanted), wanted)
@nansum.derivative("input")
def nansum_wrt_input(g: Any, input: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    return expand_reduced(cast_back(g, input_dtype, dtype), input.shape, dim) * (input == input)


@op(opmath=True, layout="contiguous")
def mean(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None) -> Any:
    """Arithmetic mean over `dim` (an int, several, or None for all dimensions). An integer input needs a floating `dtype`."""
    if dim is None and is_plain_sum(input, dim, dtype) and input.size:
        return _arrays.sum_over(input, None, keepdim) / input.dtype.type(input.size)
    require_float("mean", input.dtype if dtype is None else dtype)
    wanted = summed_dtype(input, dtype)
    s = sum_accumulated(input, axes_of(dim, input.ndim), keepdim, wanted)
    return narrow_dtype(s / s.dtype.type(reduced_count(input.shape, dim)), wanted)
@mean.derivative("input")
def mean_wrt_input(g: Any, input_shape: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    return expand_reduced(cast_back(g, input_dtype, dtype) / (reduced_count(input_shape, dim) or 1), input_shape, dim)


@numpy_names
def nanmean(input: Tensor, dim: IntOrInts | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None,
            out: Tensor | None = None) -> Tensor:
    """Arithmetic mean over `dim` of the elements that are not NaN; NaN where there are none."""
    if input.dtype.kind not in "fc":
        raise DtypeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype!r}")
    wanted = as_dtype(input.dtype if dtype is None else dtype)
    exact = dtypes.FROM_NUMPY[opmath_dtype(wanted.numpy)]  # float16 ends before the count of many elements, and their sum
    average = arithmetic.div(nansum(input, dim, keepdim, exact), sum(input == input, dim, keepdim))
    return serve_out("nanmean", average if exact is wanted else arithmetic.cast(average, dtype=wanted), out)


# ---------------------------------------------------------------------------------------------------- variance

def variance(x: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    """Mean square distance from the mean, in two passes; of complex numbers, the real |x - mean|^2."""
    if x.dtype.kind not in "fc":
        raise DtypeError(f"std and var only support floating point and complex dtypes, got {dtypes.FROM_NUMPY[x.dtype]!r}")
    n, axis = reduced_count(x.shape, dim), axes_of(dim, x.ndim)
    d = x - _arrays.sum_over(x, axis, True) / x.dtype.type(n)
    square = d.real * d.real + d.imag * d.imag if d.dtype.kind == "c" else d * d
    s = _arrays.sum_over(square, axis, keepdim)
    if x.__class__ is np.ndarray and s.dtype == np.float32 and not in_range(s).all():
        return variance(x.astype(np.promote_types(x.dtype, np.float64)), dim, correction, keepdim)  # their squares are no float32
    return s / s.dtype.type(n - correction if n > correction else 0)


def in_range(s: Any) -> Any:
    """Where `s`, a sum of powers, is neither infinite, nor 0, nor of numbers so small that they had lost digits."""
    limits = np.finfo(s.dtype)
    return (s > limits.tiny / limits.eps) & (s < np.inf)


@op(holomorphic=False, called="var", opmath=True, layout="contiguous")
def _var(input: Any, *, dim: Any = None, correction: Any = 1, keepdim: Any = False) -> Any:
    """Sum of squared distances from the mean, divided by ``n - correction``."""
    return narrow_dtype(variance(input, dim, correction, keepdim), input.real.dtype)
@_var.derivative("input")
def var_wrt_input(g: Any, input: Any, dim: Any, correction: Any) -> Any:
    n = reduced_count(input.shape, dim)
    scale = 2 / (n - correction) if n > correction else math.nan
    return expand_reduced(g * scale, input.shape, dim) * (input - mean(input, dim=None if dim == () else dim, keepdim=True))


@op(holomorphic=False, called="std", opmath=True, layout="contiguous")
def _std(input: Any, *, dim: Any = None, correction: Any = 1, keepdim: Any = False) -> Any:
    """Square root of the variance."""
    return narrow_dtype(np.sqrt(variance(input, dim, correction, keepdim)), input.real.dtype)
@_std.derivative("input")
def std_wrt_input(g: Any, input: Any, out: Any, dim: Any, correction: Any) -> Any:
    # Where the deviation is 0 the gradient is taken to be 0.
    return var_wrt_input(g * (out != 0) / (2 * out + (out == 0)), input, dim, correction)


def correction_of(name: str, unbiased: Any, correction: Any) -> Any:
    """The correction that `unbiased` or `correction` asks for, which is 1 if neither does."""
    if correction is not None and unbiased is not None:
        raise ArgumentError(f"{name}() got both 'unbiased' and 'correction'; they say the same, give one")
    return correction if correction is not None else 1 if unbiased is None or unbiased else 0


def spread_arguments(name: str, input: Any, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    """`dim` and `correction` from what the several signatures of std and var allow: ``var(x, False)``, ``var(x, 0, False)``."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction_of(name, unbiased, correction)
    if reduced_count(input.shape, dim) <= correction:
        hints.hint(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                   "(input numel divided by output numel).")
    return dim, correction


@numpy_names
def var(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: int | None = None, out: Tensor | None = None) -> Tensor:
    """Variance over `dim`: the sum of squared distances from the mean, divided by ``n - correction``.

    Args:
        correction: 1 unless given, Bessel's correction; 0 is the variance of the elements themselves.
        unbiased: the older way to say it: True for ``correction=1``, False for 0.

    >>> import minigrad
    >>> minigrad.var(minigrad.tensor([1., 2., 3., 4.]), correction=0)
    tensor(1.2500)
    """
    dim, correction = spread_arguments("var", input, dim, unbiased, correction)
    return _var(input, dim=dim, correction=correction, keepdim=keepdim, out=out)


@numpy_names
def std(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: int | None = None, out: Tensor | None = None) -> Tensor:
    """Standard deviation over `dim`: the square root of :func:`var`, with the same arguments."""
    dim, correction = spread_arguments("std", input, dim, unbiased, correction)
    return _std(input, dim=dim, correction=correction, keepdim=keepdim, out=out)


@numpy_names
def var_mean(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: int | None = None) -> tuple[Tensor, Tensor]:
    """The pair of :func:`var` and :func:`mean`."""
    dim, correction = spread_arguments("var_mean", input, dim, unbiased, correction)
    return _var(input, dim=dim, correction=correction, keepdim=keepdim), mean(input, dim, keepdim)


@numpy_names
def std_mean(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: int | None = None) -> tuple[Tensor, Tensor]:
    """The pair of :func:`std` and :func:`mean`."""
    dim, correction = spread_arguments("std_mean", input, dim, unbiased, correction)
    return _std(input, dim=dim, correction=correction, keepdim=keepdim), mean(input, dim, keepdim)


# ---------------------------------------------------------------------------------------------------- norms

@op(holomorphic=False, grad_name="LinalgVectorNormBackward0", opmath=True, layout="contiguous")
def vector_norm(x: Any, *, ord: float = 2, dim: IntOrInts | None = None, keepdim: bool = False,
                dtype: dtype | None = None) -> Any:
    """The `ord`-norm over `dim` of the elements as a vector: ``sum(abs(x) ** ord) ** (1 / ord)``.

    `ord` is any number; inf and -inf give the largest and smallest absolute value, 0 the number of elements that are not 0.
    Where the norm is 0, the gradient is taken to be 0.
    """
    if dtype is not None and promote_types(dtypes.FROM_NUMPY[x.dtype], dtype) is not dtype:
        raise DtypeError(f"linalg.vector_norm: the dtype of the input ({dtypes.FROM_NUMPY[x.dtype]!r}) should be convertible "
                         f"without narrowing to the specified dtype ({dtype!r})")
    if x.dtype.kind not in "fc":
        raise DtypeError("linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
                         f"{dtypes.FROM_NUMPY[x.dtype]!r}")
    axis = axes_of(dim, x.ndim)
    if (ord < 0 or ord == math.inf) and 0 in [x.shape[d] for d in reduced_dims(dim, x.ndim)]:
        raise ShapeError(f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not "
                         f"have an identity; input has shape {list(x.shape)}")
    a = np.abs(x if dtype is None else x.astype(opmath_dtype(dtype.numpy)))
    if ord == math.inf:
        result = a.max(axis=axis, keepdims=keepdim)
    elif ord == -math.inf:
        result = a.min(axis=axis, keepdims=keepdim)
    elif ord == 0:
        result = (a != 0).sum(axis=axis, keepdims=keepdim, dtype=a.dtype)
    else:
        result = power_norm(a, ord, axis, keepdim)
    return result if dtype is None else narrow_dtype(result, dtype.to_real().numpy)
@vector_norm.derivative("x")
def vector_norm_wrt_x(g: Any, x: Any, out: Any, x_dtype: Any, ord: Any, dim: Any, dtype: Any) -> Any:
    x = x if dtype is None else cast(x, dtype=dtype)
    g, out = keep_dims(g, x.shape, dim), keep_dims(out, x.shape, dim)
    if ord == 0:
        grad = x * (g * 0)
    elif ord == 1:
        grad = arithmetic.sgn(x) * g
    elif abs(ord) == math.inf:
        grad = share_among_ties(arithmetic.sgn(x) * g, arithmetic.abs(x), out, dim)
    else:
        size = out + (out == 0)
        if ord == 2:
            grad = x / size * g
        else:  # powers of the ratio, which is a number of middle size where the elements are not
            ratio = arithmetic.abs(x) / size
            grad = arithmetic.sgn(x) * (elementary.pow(ratio if ord > 1 else ratio + (x == 0), ord - 1) * g)
        grad = grad * (out != 0)
    return cast_back(grad, x_dtype, dtype)


def power_norm(a: Any, ord: float, axis: Any, keepdim: bool) -> Any:
    """``sum(a ** ord) ** (1 / ord)`` of numbers that are not negative. Where powers overflow or vanish, they are those of the
    numbers divided by the one that counts most."""
    def norm(a: Any, keepdim: bool) -> tuple[Any, Any]:
        s = _arrays.sum_over(a if ord == 1 else a * a if ord == 2 else a ** a.dtype.type(ord), axis, keepdim)
        return s if ord == 1 else np.sqrt(s) if ord == 2 else s ** a.dtype.type(1 / ord), in_range(s)

    result, fine = norm(a, keepdim)
    if ord == 1 or a.__class__ is not np.ndarray or not a.size or fine.all():
        return result
    peak = (a.max if ord > 0 else a.min)(axis=axis, keepdims=True)
    peak = np.where((peak > 0) & (peak < np.inf), peak, a.dtype.type(1))
    return np.where(fine, result, norm(a / peak, keepdim)[0] * peak.reshape(result.shape))


# ---------------------------------------------------------------------------------------------------- extremes

@op(layout="contiguous")
def amax(input: Any, *, dim: IntOrInts = (), keepdim: bool = False) -> Any:
    """Largest element over `dim` (an int, several, or () for all). Elements that tie share the gradient evenly."""
    require_real("amax", input)
    refuse_empty("amax", input.shape, dim)
    return input.max(axis=axes_of(dim, input.ndim), keepdims=keepdim)
@amax.derivative("input")
def amax_wrt_input(g: Any, input: Any, out: Any, dim: Any) -> Any:
    return share_among_ties(keep_dims(g, input.shape, dim), input, keep_dims(out, input.shape, dim), dim)


@op(layout="contiguous")
def amin(input: Any, *, dim: IntOrInts = (), keepdim: bool = False) -> Any:
    """Smallest element over `dim` (an int, several, or () for all). Elements that tie share the gradient evenly."""
    require_real("amin", input)
    refuse_empty("amin", input.shape, dim)
    return input.min(axis=axes_of(dim, input.ndim), keepdims=keepdim)
@amin.derivative("input")
def amin_wrt_input(g: Any, input: Any, out: Any, dim: Any) -> Any:
    return share_among_ties(keep_dims(g, input.shape, dim), input, keep_dims(out, input.shape, dim), dim)


@op(differentiable=False)
def tie_shares(input: Any, extreme: Any, *, dim: Any) -> Any:
    """1/k where `input` is one of the k elements over `dim` that equal `extreme`, 0 elsewhere. It has no derivative."""
    ties = (input == extreme) | (input != input) & (extreme != extreme)
    return (ties / ties.sum(axis=axes_of(dim, input.ndim), keepdims=True)).astype(input.dtype)


def share_among_ties(g: Any, input: Any, extreme: Any, dim: Any) -> Any:
    """The gradient `g` of `extreme`, shared by the elements of `input` that equal it; 0 for the others, whatever `g` is."""
    shares = tie_shares(input, extreme, dim=dim)
    return arithmetic.apply_mask(g * shares, shares != 0)


@op(outputs=("min", "max"), layout="contiguous")
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Smallest and largest element over `dim`, or of all; a named tuple (min, max)."""
    require_real("aminmax", input)
    refuse_empty("aminmax", input.shape, dim)
    axis = axes_of(dim, input.ndim)
    return input.min(axis=axis, keepdims=keepdim), input.max(axis=axis, keepdims=keepdim)
@aminmax.derivative("input")
def aminmax_wrt_input(g: Any, input: Any, out: Any, dim: Any) -> Any:
    parts = [share_among_ties(keep_dims(d, input.shape, dim), input, keep_dims(o, input.shape, dim), dim)
             for d, o in zip(g, out) if d is not None]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def position(name: str, choose: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """The index ``choose``, NumPy's argmax or argmin, finds; into the flattened array where `dim` is None."""
    refuse_empty(name, x.shape, dim)
    require_real(name, x)
    axis = None if dim is None or x.ndim == 0 else wrap_dim(dim, x.ndim)
    if x.ndim == 0:
        wrap_dim(dim or 0, 0)
    found = choose(x, axis=axis)
    return found.reshape(kept_shape(x.shape, axis)) if keepdim else found


@op(differentiable=False, layout="contiguous")
def argmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Index of the largest element along `dim`, or in the flattened input; the first of those that tie. NaN is largest."""
    return position("argmax", np.argmax, input, dim, keepdim)


@op(differentiable=False, layout="contiguous")
def argmin(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Index of the smallest element along `dim`, or in the flattened input; the first of those that tie. NaN is smallest."""
    return position("argmin", np.argmin, input, dim, keepdim)


# ---------------------------------------------------------------------------------------------------- truth

def truth(x: Any, holds: str, dim: Any, keepdim: bool) -> Any:
    """Whether all, or any, elements over `dim` are non-zero; here, unlike elsewhere, no dimensions, (), are none at all."""
    axis = () if isinstance(dim, (tuple, list)) and not dim else axes_of(dim, x.ndim)
    found = getattr(x.astype(bool), holds)(axis=axis, keepdims=keepdim)
    return found.astype(np.uint8) if x.dtype == np.uint8 else found


@op(differentiable=False, layout="contiguous")
def all(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are non-zero. The result is bool, or uint8 for a uint8 input."""
    return truth(input, "all", dim, keepdim)


@op(differentiable=False, layout="contiguous")
def any(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is non-zero. The result is bool, or uint8 for a uint8 input."""
    return truth(input, "any", dim, keepdim)


@op(differentiable=False, layout="contiguous")
def count_nonzero(input: Any, *, dim: IntOrInts | None = None) -> Any:
    """How many elements over `dim` are not zero, as int64."""
    return (input != 0).sum(axis=axes_of(dim, input.ndim))


@on_device_of_inputs
def hash_tensor(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, mode: int = 0) -> Tensor:
    """The exclusive or, over `dim`, of the bits of the elements as 64-bit numbers, as uint64: equal for equal elements.

    It is computed in host memory. Raises ``TypeError`` for complex numbers, and for another `mode` than 0.

    >>> import minigrad as mg
    >>> mg.hash_tensor(mg.tensor([1, 2, 4]))
    tensor(7, dtype=minigrad.uint64)
    """
    if mode != 0 or input.is_complex():
        raise ArgumentError(f"hash_tensor: expected real numbers and mode=0, got {input.dtype} and mode={mode}")
    if not input.numel() and dim is None:
        raise OutOfBoundsError("hash_tensor: Expected reduction dim to be specified for input.numel() == 0; input has shape "
                               f"{list(input.shape)}")
    if empty := [d for d in reduced_dims(dim, input.ndim) if input.ndim and not input.shape[d]]:
        raise DimensionError(f"hash_tensor: Expected reduction dim {empty[0]} to have non-zero size; input has shape "
                             f"{list(input.shape)}")
    wide = np.float64 if input.is_floating_point() else np.int64
    bits = np.ascontiguousarray(_arrays.to_numpy(input.array).astype(wide)).view(np.uint64).reshape(tuple(input.shape))
    exclusive_or: Any = np.bitwise_xor
    found = np.asarray(exclusive_or.reduce(bits, axis=axes_of(dim, bits.ndim), keepdims=keepdim))
    return call.constant(_arrays.to_device(found, input.device), input)  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------------------- log of sums

def finite_peak(x: Any, dim: Any) -> Any:
    """What to subtract from `x` before exp() so that nothing overflows: its largest (real part), 0 where that is infinite."""
    real = x.real if x.dtype.kind == "c" else x
    if 0 in x.shape:
        return np.zeros(kept_shape(x.shape, dim), real.dtype, like=real)
    peak = real.max(axis=axes_of(dim, x.ndim), keepdims=True)
    return np.where(np.isfinite(peak), peak, real.dtype.type(0))


@op(dtypes="float", layout="contiguous")
def logsumexp(input: Any, *, dim: IntOrInts, keepdim: bool = False) -> Any:
    """log(sum(exp(x))) over `dim` (an int or several), computed so that it does not overflow. -inf for no elements.

    >>> import minigrad
    >>> minigrad.logsumexp(minigrad.tensor([1000., 1000.]), dim=0)
    tensor(1000.6932)
    """
    peak = finite_peak(input, dim)
    sums = _arrays.sum_over(np.exp(input - peak), axes_of(dim, input.ndim), keepdim)
    return np.log(sums) + peak.reshape(sums.shape)
@logsumexp.derivative("input")
def logsumexp_wrt_input(g: Any, input: Any, out: Any, dim: Any) -> Any:
    return keep_dims(g, input.shape, dim) * softmax_parts(input, keep_dims(out, input.shape, dim))


@op(opmath=True)
def softmax_parts(input: Any, normalizer: Any) -> Any:
    """exp(input - normalizer): each element's share of its log-sum-exp; 0 where both are -inf."""
    return np.where(input.real == -np.inf, input.dtype.type(0), np.exp(input - normalizer))
@softmax_parts.derivative("input")
def softmax_parts_wrt_input(g: Any, out: Any) -> Any: return g * out
@softmax_parts.derivative("normalizer")
def softmax_parts_wrt_normalizer(g: Any, out: Any, normalizer_shape: Any) -> Any:
    return -sum_to(g * out, normalizer_shape)


def sum_to(x: Any, shape: Any) -> Any:
    """`x` summed over the dimensions that are 1 in `shape`, which has as many."""
    dims = tuple(d for d, n in enumerate(shape) if n != x.shape[d])
    return sum(x, dim=dims, keepdim=True) if dims else x


# ---------------------------------------------------------------------------------------------------- running along a dimension

def scan(function: Any, x: Any, dim: Any, dtype: Any = None) -> Any:
    """NumPy's cumsum or cumprod in PyTorch's dtype; a tensor without dimensions is its own cumulative sum."""
    axis = wrap_dim(dim, x.ndim)
    wanted = summed_dtype(x, dtype)
    return narrow_dtype(function(x, axis=axis, dtype=opmath_dtype(wanted)), wanted) if x.ndim else x.astype(wanted)


def scan_pairwise(function: Any, x: Any, axis: int) -> Any:
    """`function`, which is associative, of each element and all before it along `axis`.

    It is found by doubling: round k joins results of 2**k elements, so it takes log2(n) operations on whole arrays.
    """
    if x.ndim == 0:
        return x.copy()
    y = np.moveaxis(x, axis, -1).copy()
    step = 1
    while step < y.shape[-1]:
        y[..., step:] = function(y[..., step:], y[..., :-step])
        step *= 2
    return np.moveaxis(y, -1, axis)


@op(layout="contiguous")
def cumsum(input: Any, *, dim: int, dtype: dtype | None = None) -> Any:
    """Sum of the elements up to and including each, along `dim`. Integers and booleans give int64."""
    return scan(np.cumsum, input, dim, dtype)
@cumsum.derivative("input")
def cumsum_wrt_input(g: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    return reverse_cumsum(cast_back(g, input_dtype, dtype), dim=dim)


@op
def reverse_cumsum(input: Any, *, dim: Any) -> Any:
    """Sum of the elements from each to the last, along `dim`; the adjoint of :func:`cumsum`."""
    if input.ndim == 0:
        return input.copy()
    return np.flip(scan(np.cumsum, np.flip(input, dim), dim), dim)
@reverse_cumsum.derivative("input")
def reverse_cumsum_wrt_input(g: Any, dim: Any) -> Any: return cumsum(g, dim=dim)


@op
def shift(input: Any, *, dim: Any, by: Any, fill: Any = 0) -> Any:
    """`input` moved `by` places towards the end of `dim` (towards the start if negative), with `fill` moving in."""
    moved = np.full_like(input, fill)
    if input.ndim:
        kept, taken = [slice(None)] * input.ndim, [slice(None)] * input.ndim
        kept[dim] = slice(by, None) if by > 0 else slice(None, by)
        taken[dim] = slice(None, -by) if by > 0 else slice(-by, None)
        moved[tuple(kept)] = input[tuple(taken)]
    return moved
@shift.derivative("input")
def shift_wrt_input(g: Any, dim: Any, by: Any) -> Any: return shift(g, dim=dim, by=-by)


@op(opmath=True)
def recurrence(factor: Any, input: Any, *, dim: Any, reverse: Any = False) -> Any:
    """The solution s of ``s[t] = input[t] + factor[t] * s[t - 1]`` along `dim`, or of ``factor[t] * s[t + 1]`` if `reverse`.

    Found by doubling as in :func:`scan_pairwise`: after k rounds s[t] is right for the equations of the last 2**k places, and
    a[t] is the product of their factors.
    """
    if input.ndim == 0:
        return input.copy()
    a, s = (np.moveaxis(x, dim, -1)[..., ::-1 if reverse else 1].copy() for x in (factor, input))
    step = 1
    while step < s.shape[-1]:
        s[..., step:] += a[..., step:] * s[..., :-step]
        a[..., step:] *= a[..., :-step].copy()
        step *= 2
    return np.moveaxis(s[..., ::-1 if reverse else 1], -1, dim)
@recurrence.derivative("factor")
def recurrence_wrt_factor(g: Any, factor: Any, out: Any, dim: Any, reverse: Any) -> Any:
    return recurrence_wrt_input(g, factor, dim, reverse) * shift(out, dim=dim, by=-1 if reverse else 1)
@recurrence.derivative("input")
def recurrence_wrt_input(g: Any, factor: Any, dim: Any, reverse: Any) -> Any:
    return recurrence(shift(factor, dim=dim, by=1 if reverse else -1), g, dim=dim, reverse=not reverse)


@op(opmath=True, layout="contiguous")
def cumprod(input: Any, *, dim: int, dtype: dtype | None = None) -> Any:
    """Product of the elements up to and including each, along `dim`. Integers and booleans give int64.

    The gradient divides by nothing, so it is right where elements are zero.
    """
    return scan(np.cumprod, input, dim, dtype)
@cumprod.derivative("input")
def cumprod_wrt_input(g: Any, input: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    # y[k] = x[0]...x[k], so dx[i] = x[0]...x[i-1] * (g[i] + x[i+1] g[i+1] + x[i+1] x[i+2] g[i+2] + ...)
    x = input if dtype is None else cast(input, dtype=dtype)
    before = cumprod(shift(x, dim=dim, by=1, fill=1), dim=dim)
    return cast_back(before * recurrence(shift(x, dim=dim, by=-1), g, dim=dim, reverse=True), input_dtype, dtype)


@op(opmath=True, layout="contiguous")
def prod(input: Any, *, dim: IntOrInts | None = None, keepdim: bool = False, dtype: dtype | None = None) -> Any:
    """Product over `dim` (an int, or None for all). Integers and booleans give int64."""
    axis = None if dim is None else wrap_dim(dim, input.ndim) if input.ndim else wrap_dims((dim,), 0)[1:]
    wanted = summed_dtype(input, dtype)
    return narrow_dtype(input.prod(axis=axis, dtype=opmath_dtype(wanted), keepdims=keepdim), wanted)
@prod.derivative("input")
def prod_wrt_input(g: Any, input: Any, input_dtype: Any, dim: Any, dtype: Any) -> Any:
    # The product of all others: of those before times of those after. Right where elements are zero.
    x = input if dtype is None else cast(input, dtype=dtype)
    x, d = (reshape(x, shape=(reduced_count(input.shape, None),)), 0) if dim is None else (x, dim)
    before = cumprod(shift(x, dim=d, by=1, fill=1), dim=d)
    others = before * reverse_cumprod(shift(x, dim=d, by=-1, fill=1), dim=d)
    return cast_back(expand_reduced(g, input.shape, dim) * reshape(others, shape=input.shape), input_dtype, dtype)


@op(opmath=True)
def reverse_cumprod(input: Any, *, dim: Any) -> Any:
    """Product of the elements from each to the last, along `dim`."""
    if input.ndim == 0:
        return input.copy()
    return np.flip(scan(np.cumprod, np.flip(input, dim), dim), dim)
@reverse_cumprod.derivative("input")
def reverse_cumprod_wrt_input(g: Any, input: Any, dim: Any) -> Any:
    after = reverse_cumprod(shift(input, dim=dim, by=-1, fill=1), dim=dim)
    return after * recurrence(shift(input, dim=dim, by=1), g, dim=dim)


@op(dtypes="float", layout="contiguous")
def logcumsumexp(input: Any, *, dim: int) -> Any:
    """log of the cumulative sum of exp(x) along `dim`, computed so that it does not overflow."""
    if input.dtype.kind != "c":
        return scan_pairwise(np.logaddexp, input, wrap_dim(dim, input.ndim))
    # An imaginary part is known only up to 2 pi, and depends on the order: PyTorch's is one by one.
    y = np.moveaxis(input.reshape(input.shape or (1,)), dim, -1).copy()
    for k in range(1, y.shape[-1]):
        y[..., k] = log_add_complex(y[..., k], y[..., k - 1])
    return np.moveaxis(y, -1, dim).reshape(input.shape)
@logcumsumexp.derivative("input")
def logcumsumexp_wrt_input(g: Any, input: Any, out: Any, dim: Any) -> Any:
    # dx[i] = sum over k >= i of g[k] exp(x[i] - y[k]), from differences y[k] - y[k+1], which do not overflow
    ratio = softmax_parts(out, shift(out, dim=dim, by=-1, fill=math.inf))
    return softmax_parts(input, out) * recurrence(ratio, g, dim=dim, reverse=True)


def log_add_complex(x: Any, y: Any) -> Any:
    """log(exp(x) + exp(y)) of complex arrays."""
    swap = (x.real < y.real) | (y.real != y.real)
    large, small = np.where(swap, y, x), np.where(swap, x, y)
    return np.where(small.real == -np.inf, large, large + elementary.log1p_of(np.exp(small - large)))
