"""The kernels of the host, as operations ask for them: which arrays they take, and how the work is divided."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad._arrays.host import attention, normalization, softmax
from minigrad._arrays.host.threads import share
from minigrad._arrays.kernels import Kernels
from minigrad._arrays.sums import sum_over

__all__ = ["HostKernels"]

SHORTEST = 16  # elements that have a weight in common, below which a kernel is not faster than NumPy


def takes(*arrays: Any) -> bool:
    """Whether these are NumPy arrays of one type that there are kernels for, float32 or float64."""
    dtype = arrays[0].dtype
    return dtype.char in "fd" and dtype.isnative and all([a.__class__ is np.ndarray and a.dtype == dtype for a in arrays])


class HostKernels(Kernels):
    """The kernels that numba compiles when they are first used. For float32 and float64."""

    def softmax(self, x: Any, axis: int, logarithm: bool) -> Any:
        if not takes(x) or not x.size or axis not in (-1, x.ndim - 1):
            return None
        x = np.ascontiguousarray(x)
        y, n = np.empty_like(x), x.shape[-1]
        share(softmax.log_softmax if logarithm else softmax.softmax, x.size // n, x.reshape(-1, n), y.reshape(-1, n))
        return y

    def softmax_slope(self, grad: Any, out: Any, axis: int, logarithm: bool) -> Any:
        if not takes(grad, out) or grad.shape != out.shape or not out.size or axis not in (-1, out.ndim - 1):
            return None
        slope, n = np.empty(out.shape, out.dtype), out.shape[-1]
        rows = [np.ascontiguousarray(a).reshape(-1, n) for a in (grad, out, slope)]
        share(softmax.log_softmax_slope if logarithm else softmax.softmax_slope, len(rows[0]), *rows)
        return slope

    def standardize(self, x: Any, weight: Any, bias: Any, layout: tuple[int, int, int], step: int, eps: float,
                    centered: bool) -> Any:
        given = [v for v in (weight, bias) if v is not None]
        seen = runs_of(x, layout, step, given[0].size if given else 0)
        if seen is None or not takes(x, *given):
            return None
        each, size = len(seen) == 2, given[0].size if given else 1
        x, result, rows = np.ascontiguousarray(x), np.empty(x.shape, x.dtype), seen[0 if each else 1]
        mean, var = [np.empty((1, rows, 1), x.dtype) for _ in range(2)]
        weight, bias = [np.full(size, k, x.dtype) if v is None else np.ascontiguousarray(v).reshape(-1)
                        for k, v in ((1, weight), (0, bias))]
        share(normalization.standardize_each if each else normalization.standardize, rows, x.reshape(seen), weight, bias,
              result.reshape(seen), mean.reshape(-1), var.reshape(-1), float(eps), centered)
        return result, mean, var

    def standardize_backward(self, grad: Any, x: Any, mean: Any, var: Any, weight: Any, layout: tuple[int, int, int], step: int,
                             eps: float, centered: bool, shape: tuple[int, ...], wanted: tuple[bool, bool, bool]) -> Any:
        count = math.prod(shape) if weight is not None or wanted[1] or wanted[2] else 0
        seen = runs_of(x, layout, step, count)
        if seen is None or not takes(grad, x, mean, var, *([] if weight is None else [weight])):
            return None
        grad, x, result = np.ascontiguousarray(grad), np.ascontiguousarray(x), np.empty(x.shape, x.dtype)
        weight = np.ones(count or 1, x.dtype) if weight is None else np.ascontiguousarray(weight).reshape(-1)
        if len(seen) == 2:
            kernel, shares = normalization.standardize_each_backward, -(-seen[0] // normalization.ROWS)
            sums, products = np.empty((2, shares, count), x.dtype)
        else:
            kernel, shares = normalization.standardize_backward, seen[1]
            sums, products = np.empty((2, shares, seen[2]), x.dtype)
        statistics = [np.ascontiguousarray(v).reshape(-1) for v in (mean, var)]
        share(kernel, shares, grad.reshape(seen), x.reshape(seen), *statistics, weight, result.reshape(seen), sums, products,
              float(eps), centered)
        nothing = [np.empty(0, x.dtype) for _ in wanted]
        grads = [sum_over(v.reshape(-1, count), 0).reshape(shape) if asked else none
                 for v, asked, none in zip((products, sums), wanted[1:], nothing)]
        return (result if wanted[0] else nothing[2], *grads)

    def attend(self, scores: Any, mask: Any, scale: float, first: int | None) -> Any:
        if not takes(scores) or not scores.size or not scores.flags.c_contiguous:
            return None
        lse = np.empty((*scores.shape[:-1], 1), scores.dtype)
        share(attention.attend, lse.size, scores.reshape(-1, scores.shape[-1]), lse.reshape(-1), with_mask(scores, mask, scale),
              scores.shape[-2], first or 0, first is not None, mask is not None)
        return lse

    def slope_of_scores(self, scores: Any, d: Any, mask: Any, lse: Any, grad_lse: Any, scale: float, first: int | None) -> bool:
        if not takes(scores, d, lse) or not scores.size or not (scores.flags.c_contiguous and d.flags.c_contiguous):
            return False
        shift = np.zeros(lse.size, lse.dtype) if grad_lse is None else np.ascontiguousarray(grad_lse).reshape(-1)
        share(attention.slope_of_scores, lse.size, scores.reshape(-1, scores.shape[-1]), d.reshape(-1, scores.shape[-1]),
              np.ascontiguousarray(lse).reshape(-1), shift, with_mask(scores, mask, scale), float(scale), scores.shape[-2],
              first or 0, first is not None)
        return True


def with_mask(scores: Any, mask: Any, scale: float) -> float:
    """What remains to multiply scores by, where a mask is to be added: nothing, because that is done here."""
    if mask is None:
        return float(scale)
    scores *= scores.dtype.type(scale)
    scores += mask
    return 1.0


def runs_of(x: Any, layout: tuple[int, int, int], step: int, count: int) -> Any:
    """The shape in which kernels of :mod:`~minigrad._arrays.host.normalization` see `x`, whose `count` weights belong to `step`
    elements each, or None where they would be slow: where few elements have a weight in common, but not one a weight."""
    outer, rows, inner = x.reshape(layout).shape
    if not x.size:
        return None
    if not count:
        return outer, rows, 1, inner
    if step == 1 and outer == 1 and inner == count:
        return rows, inner
    return (outer, rows, inner // step, step) if step >= SHORTEST else None
