"""Sums that keep their digits.

NumPy adds in pairs along the dimension that lies together in memory, and row to row along every other: of three million float32
numbers that loses three digits of seven. Here rows are added in blocks, and the sums of blocks again. A product with a vector of
ones adds the rows of a block several times faster than a sum does.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

BLOCK = 128  # how many rows are added one after the other


def sum_over(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of `x` over `axis`: an int, several, which count from the front, or None for all."""
    if x.__class__ is not np.ndarray:
        return x.sum(axis=axis, keepdims=keepdims)
    if x.size <= 4 * BLOCK or x.dtype.char not in "fdFD" or axis == ():
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]  # what sum() does, sooner
    if axis is None and (x.flags.c_contiguous or x.flags.f_contiguous):
        return np.add.reduce(x, axis=None, keepdims=keepdims)  # type: ignore[call-overload]
    reduced = range(x.ndim) if axis is None else (axis % x.ndim,) if isinstance(axis, int) else axis
    if math.prod([x.shape[d] for d in reduced]) <= BLOCK:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    by_stride = sorted(range(x.ndim), key=lambda d: -abs(x.strides[d]))
    total = sum_inner_first(x.transpose(by_stride), [by_stride.index(d) for d in reduced])
    kept = [d for d in by_stride if d not in reduced]
    total = total.transpose([kept.index(d) for d in sorted(kept)])
    return np.expand_dims(total, tuple(reduced)) if keepdims else total


def sum_inner_first(x: Any, reduced: list[int]) -> Any:
    """The sum of `x`, whose strides fall from dimension to dimension, over the dimensions `reduced`."""
    while reduced:
        first = last = max(reduced)
        while first - 1 in reduced and x.strides[first - 1] == x.strides[first] * x.shape[first]:
            first -= 1
        x = x.reshape(*x.shape[:first], math.prod(x.shape[first:last + 1]), *x.shape[last + 1:])
        x = np.add.reduce(x, axis=first) if first == x.ndim - 1 or x.shape[first] < 32 else sum_rows(x, first)
        reduced = [d for d in reduced if d < first]
    return x


def sum_rows(x: Any, axis: int) -> Any:
    """The sum of `x` over a dimension that is not the last."""
    shape = x.shape[:axis] + x.shape[axis + 1:]
    x = x.reshape(math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1:]))
    while x.shape[1] > BLOCK:
        outer, rows, inner = x.shape
        whole = rows - rows % BLOCK
        sums = np.ones(BLOCK, x.dtype) @ x[:, :whole].reshape(outer, whole // BLOCK, BLOCK, inner)
        x = np.concatenate([sums, x[:, whole:].sum(axis=1, keepdims=True)], axis=1)
    return (np.ones(x.shape[1], x.dtype) @ x).reshape(shape)


def sum_products(*arrays: Any, axes: Any) -> Any:
    """The sum of the product of `arrays`, NumPy's and of one shape, over the dimensions `axes`, a tuple, without making that
    product. Of one array, whose rows along the last dimension are not too short, it is faster than :func:`sum_over`."""
    shape = arrays[0].shape
    if len(arrays) == 1 and arrays[0].size <= 4 * BLOCK:
        return np.add.reduce(arrays[0], axis=axes)  # what einsum() would do, sooner
    subscripts, d, size = plan(shape, axes, len(arrays))
    if subscripts:
        return np.einsum(subscripts, *arrays)
    others = tuple([k for k in axes if k != d])
    if not size:
        return sum_over(sum_products(*arrays, axes=others), d - sum(k < d for k in others))
    whole = shape[d] - shape[d] % size
    before = (slice(None),) * d
    blocks = [a[*before, :whole].reshape(*shape[:d], whole // size, size, *shape[d + 1:]) for a in arrays]
    parts = sum_products(*blocks, axes=tuple([k + (k >= d) for k in axes]))
    return (sum_over(parts, d - sum(k < d for k in others))
            + sum_products(*[a[*before, whole:] for a in arrays], axes=axes))


@functools.lru_cache(maxsize=1024)
def plan(shape: tuple[int, ...], axes: tuple[int, ...], arrays: int) -> tuple[str, int, int]:
    """How :func:`sum_products` keeps its digits: the subscripts of one ``einsum``, where few are added one after the other; or
    else a dimension that is summed by itself, in blocks of a size, or where that is 0 after the others."""
    # How many are added one after the other; along the last dimension NumPy adds at least 16 side by side.
    runs = {k: shape[k] if k < len(shape) - 1 else shape[k] // 16 + 1 for k in axes}
    if math.prod(runs.values()) <= 2 * BLOCK:
        letters = "abcdefghijklmnopqrstuvwxyz"[:len(shape)]
        kept = "".join([c for k, c in enumerate(letters) if k not in axes])
        return f"{','.join([letters] * arrays)}->{kept}", 0, 0
    d = next((k for k in axes if runs[k] > 2 * BLOCK), None)
    if d is None:
        return "", next(k for k in axes if runs[k] > 1), 0
    return "", d, BLOCK * (shape[d] // runs[d])
