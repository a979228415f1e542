"""PyTorch's ``masked``: reductions and normalizations of the elements where a mask is True.

A mask is a boolean tensor that is broadcast to the input; None takes every element. What is left out counts as the value
that changes nothing, 0 in a sum and -inf in a maximum, so a result that nothing went into is that value, or NaN where there
is none. Apart from `mask` the arguments are those of the functions of the same names in :mod:`minigrad`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from minigrad._types import dtypes
from minigrad.errors import InvalidValueError
from minigrad.ops.indexing import scatter
from minigrad.ops.neural import activation
from minigrad.ops.pointwise import arithmetic, comparison, elementary
from minigrad.ops.reducing import ordering, reduction

if TYPE_CHECKING:
    from minigrad._types.annotations import IntOrInts, Tensor
    from minigrad._types.dtypes import dtype

__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
           "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var"]


def fill_masked(input: Any, mask: Any, other: Any) -> Tensor:
    """`input` where `mask` is True, and the number `other` elsewhere."""
    return input if mask is None else scatter.masked_fill(input, ~mask, other)


def lowest_value(dtype: dtypes.dtype) -> Any:
    """The smallest value of `dtype`, which is -inf for floating types."""
    return -math.inf if dtype.is_floating_point else False if dtype.kind == "b" else dtypes.iinfo(dtype).min


def highest_value(dtype: dtypes.dtype) -> Any:
    """The value of `dtype` that no other is larger than."""
    return math.inf if dtype.is_floating_point else True if dtype.kind == "b" else dtypes.iinfo(dtype).max


def convert(input: Any, dtype: Any) -> Tensor:
    return input if dtype is None or input.dtype is dtype else arithmetic.cast(input, dtype=dtype)


# ---------------------------------------------------------------------------------------------------- reductions

def sum(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
        mask: Tensor | None = None) -> Tensor:
    """Sum over `dim` of the elements where `mask` is True.

    >>> import minigrad
    >>> minigrad.masked.sum(minigrad.tensor([1., 2., 4.]), 0, mask=minigrad.tensor([True, False, True]))
    tensor(5.)
    """
    return reduction.sum(fill_masked(input, mask, 0), dim, keepdim, dtype)


def prod(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
         mask: Tensor | None = None) -> Tensor:
    """Product over `dim` (an int or several) of the elements where `mask` is True."""
    x = convert(fill_masked(input, mask, 1), dtype)
    for d in sorted(reduction.reduced_dims(dim, input.ndim), reverse=True):
        x = reduction.prod(x, d, keepdim)
    return x if input.ndim else reduction.prod(x)


def amax(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
         mask: Tensor | None = None) -> Tensor:
    """Largest element over `dim` where `mask` is True."""
    x = convert(input, dtype)
    return reduction.amax(fill_masked(x, mask, lowest_value(x.dtype)), dim, keepdim)


def amin(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
         mask: Tensor | None = None) -> Tensor:
    """Smallest element over `dim` where `mask` is True."""
    x = convert(input, dtype)
    return reduction.amin(fill_masked(x, mask, highest_value(x.dtype)), dim, keepdim)


def argmax(input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
           mask: Tensor | None = None) -> Tensor:
    """Index along `dim` of the largest element where `mask` is True, in the dtype of the input unless `dtype` says another."""
    found = reduction.argmax(fill_masked(input, mask, lowest_value(input.dtype)), dim, keepdim)
    return convert(found, dtype or input.dtype)


def argmin(input: Tensor, dim: int | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
           mask: Tensor | None = None) -> Tensor:
    """Index along `dim` of the smallest element where `mask` is True, in the dtype of the input unless `dtype` says another."""
    found = reduction.argmin(fill_masked(input, mask, highest_value(input.dtype)), dim, keepdim)
    return convert(found, dtype or input.dtype)


def counts(input: Tensor, dim: Any, mask: Any) -> Tensor:
    """How many elements over `dim` count, with those dimensions kept as 1."""
    every = comparison.eq(arithmetic.zeros_of(input), 0)
    return reduction.sum(every if mask is None else every & mask, dim, True)


def mean(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
         mask: Tensor | None = None) -> Tensor:
    """Arithmetic mean over `dim` of the elements where `mask` is True; NaN where there are none."""
    if (dtype or input.dtype).kind not in "fc":
        raise InvalidValueError("mean(): Could not infer output dtype. Input dtype must be either a floating point or complex "
                                f"dtype. Got: {dtype or input.dtype!r}; convert it first, for instance with .float()")
    if mask is None:
        return reduction.mean(input, dim, keepdim, dtype)
    total = sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / counts(input, dim, mask).reshape(total.shape)


def median(input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: dtype | None = None,
           mask: Tensor | None = None) -> Any:
    """Median along `dim` of the elements where `mask` is True, the lower of two; NaN where there are none."""
    x = convert(input, dtype)
    if mask is None:
        return ordering.median(x, dim, keepdim)[0]
    return ordering.nanmedian(fill_masked(x, mask, math.nan), dim, keepdim)[0]


def var(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, *, correction: int | None = None,
        keepdim: bool = False, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Variance over `dim` of the elements where `mask` is True; see :func:`minigrad.var`."""
    correction = reduction.correction_of("var", unbiased, correction)
    x = convert(input, dtype or (None if input.dtype.kind in "fc" else dtypes.float32))
    n = counts(x, dim, mask)
    d = x - sum(x, dim, keepdim=True, mask=mask) / n
    total = sum(d * arithmetic.conj(d), dim, keepdim=keepdim, mask=mask)
    return total / comparison.clamp(n.reshape(total.shape) - correction, min=0)


def std(input: Tensor, dim: IntOrInts | None = None, unbiased: bool | None = None, *, correction: int | None = None,
        keepdim: bool = False, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Standard deviation over `dim` of the elements where `mask` is True; see :func:`minigrad.std`."""
    return arithmetic.sqrt(var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask))


def norm(input: Tensor, ord: float | None = 2.0, dim: IntOrInts | None = None, *, keepdim: bool = False,
         dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """The `ord`-norm over `dim` of the elements where `mask` is True."""
    ord = 2.0 if ord is None else ord
    return reduction.vector_norm(fill_masked(input, mask, math.inf if ord < 0 else 0), ord, dim, keepdim, dtype)


def logsumexp(input: Tensor, dim: IntOrInts | None = None, *, keepdim: bool = False, dtype: dtype | None = None,
              mask: Tensor | None = None) -> Tensor:
    """log(sum(exp(x))) over `dim` of the elements where `mask` is True; in the input's dtype unless `dtype` says another."""
    x = convert(input, dtype)
    wide = x if x.dtype.kind in "fc" else convert(x, dtypes.get_default_dtype())
    return convert(reduction.logsumexp(fill_masked(wide, mask, -math.inf), () if dim is None else dim, keepdim), x.dtype)


# ---------------------------------------------------------------------------------------------------- element by element

def logaddexp(input: Tensor, other: Tensor, *, dtype: dtype | None = None, input_mask: Tensor | None = None,
              other_mask: Tensor | None = None) -> Tensor:
    """``log(exp(input) + exp(other))``, without those of each whose own mask is False."""
    x, y = convert(input, dtype), convert(other, dtype)
    return elementary.logaddexp(fill_masked(x, input_mask, -math.inf), fill_masked(y, other_mask, -math.inf))


def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Cumulative sum along `dim` of the elements where `mask` is True."""
    return reduction.cumsum(fill_masked(input, mask, 0), dim, dtype)


def cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Cumulative product along `dim` of the elements where `mask` is True."""
    return reduction.cumprod(fill_masked(input, mask, 1), dim, dtype)


def softmax(input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Softmax along `dim` among the elements where `mask` is True; 0 elsewhere."""
    return activation.softmax(fill_masked(convert(input, dtype), mask, -math.inf), dim)


def log_softmax(input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """Logarithm of the softmax along `dim` among the elements where `mask` is True; -inf elsewhere."""
    return activation.log_softmax(fill_masked(convert(input, dtype), mask, -math.inf), dim)


def softmin(input: Tensor, dim: int, *, dtype: dtype | None = None, mask: Tensor | None = None) -> Tensor:
    """``softmax(-x)`` along `dim` among the elements where `mask` is True; 0 elsewhere."""
    return activation.softmin(fill_masked(convert(input, dtype), mask, math.inf), dim)


def normalize(input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: dtype | None = None,
              mask: Tensor | None = None) -> Tensor:
    """The elements where `mask` is True divided by their `ord`-norm along `dim`, or by `eps` if it is smaller; 0 elsewhere."""
    x = convert(input, dtype)
    return fill_masked(x, mask, 0) / comparison.clamp(norm(x, ord, dim, keepdim=True, mask=mask), min=eps)
