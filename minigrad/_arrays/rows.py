"""Rows added up by number: the gradients of embeddings and of other rows that were taken by an index.

Rows of one number are added in their order, one after the other. NumPy has no function that adds whole rows so. SciPy's product
of a sparse matrix, which has a 1 where row k goes to place i, is one; it is several times as fast as what there is in NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad._arrays.host import NONE, switch
from minigrad._arrays.kernels import Kernels
from minigrad._arrays.optional import scipy_module

__all__ = ["add_rows", "as_rows", "sum_rows"]

SHORT = 2048  # elements that are added up before SciPy's product has begun


def as_rows(target: Any, index: Any, values: Any) -> tuple[Any, Any, Any]:
    """`target` with the indexed dimensions first, the number of each named position in them, and `values` with one row for
    each."""
    parts = [part for i in (index if isinstance(index, tuple) else (index,))
             for part in (i.nonzero() if getattr(i, "dtype", None) == np.bool_ else (i,))]
    axes = [d for d, i in enumerate(parts) if not isinstance(i, slice)]
    arrays = [parts[d] for d in axes]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    places: Any = 0
    for d, a in zip(axes, arrays):
        n = target.shape[d]
        places = places * n + (np.where(a < 0, a + n, a) if a.size and a.min() < 0 else a)
    places = np.broadcast_to(places, shape).reshape(-1)
    rows = np.moveaxis(target, axes, range(len(axes)))
    rest, found = rows.shape[len(axes):], len(shape)
    first = axes[0] if axes == list(range(axes[0], axes[0] + len(axes))) else 0
    values = np.broadcast_to(values, (*rest[:first], *shape, *rest[first:]))
    values = np.moveaxis(values, range(first, first + found), range(found))
    return rows, places, values.reshape(places.size, math.prod(rest))


def add_rows(target: Any, places: Any, values: Any) -> None:
    """``target[places] += values`` for matrices, `target` being contiguous; values are added in their order."""
    if not values.size or kernels_for(values).add_rows(target, places, values):
        return
    count, width = target.shape
    if width > 1 and target.size <= 4 * values.size and fits_product(values, places, count):
        target += product(values, places, count)
        return
    if width >= 64:
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        counts = np.diff(starts, append=len(ordered))
        if 16 * counts.max() < len(ordered):  # the first value of every place at once, then the second, ...
            for k in range(counts.max()):
                nth = starts[counts > k] + k
                target[ordered[nth]] += values[order[nth]]
            return
    if width > 1:
        places = (places[:, None] * width + np.arange(width)).reshape(-1)
    np.add.at(target.reshape(-1), places, values.reshape(-1))


def sum_rows(values: Any, places: Any, count: int) -> Any:
    """A matrix of `count` rows: each is the sum of those rows of `values` whose number in `places` is its own."""
    if kernels_for(values) is NONE and fits_product(values, places, count):
        return product(values, places, count)
    out = np.zeros((count, values.shape[1]), values.dtype)
    add_rows(out, places, values)
    return out


def kernels_for(values: Any) -> Kernels:
    return switch.kernels() if values.size >= switch.least else NONE


def fits_product(values: Any, places: Any, count: int) -> bool:
    """Whether SciPy's product is the way to add up these rows. It does not look whether a number is one of a row."""
    return bool(values.size > SHORT and places.min() >= 0 and places.max() < count and scipy_module("sparse") is not None)


def product(values: Any, places: Any, count: int) -> Any:
    """:func:`sum_rows` by SciPy's product."""
    n = len(places)
    return scipy_module("sparse").csc_array((np.ones(n, values.dtype), places, np.arange(n + 1)), (count, n)) @ values
