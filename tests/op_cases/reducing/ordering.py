"""Selecting and arranging by order. Ties are kept away by the strategies, and pinned in tests/test_ordering.py."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, dims, f, integers, sample, shapes, with_dim

full = shapes(min_side=1)
distinct = {"distinct": True}
out_of_range = Bad((f(2, 3),), {"dim": 2}, IndexError,
                   r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)")
no_order = Bad((f(2, 3) + 1j,), {"dim": 0}, RuntimeError, "is not supported for complex tensors, which have no order")


def selecting(choose):
    """The reference of an operation that gives (values, indices) of one element along a dimension."""
    def reference(input, dim=-1, keepdim=False, **settings):
        x = np.atleast_1d(input)
        index = np.expand_dims(choose(x, dim, **settings), dim)
        values = np.take_along_axis(x, index, axis=dim)
        if input.ndim == 0:
            return values.reshape(()), index.reshape(())
        return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))
    return reference


def sorting(input, dim=-1, descending=False, stable=False):
    x = np.atleast_1d(input)
    index = np.argsort(-x if descending else x, axis=dim)
    return np.take_along_axis(x, index, axis=dim).reshape(input.shape), index.reshape(input.shape)


def topk(input, k, dim=-1, largest=True, sorted=True):
    x = np.atleast_1d(input)
    index = np.take(np.argsort(-x if largest else x, axis=dim), range(k), axis=dim)
    return np.take_along_axis(x, index, axis=dim), index


def ranked(x, dim, k):
    return np.take(np.argsort(x, axis=dim), k, axis=dim)


def middle(x, dim, skip_nan=False):
    return ranked(x, dim, (x.shape[dim] - 1) // 2)


def commonest(x, dim):
    def of_row(row):
        values, counts = np.unique(row, return_counts=True)
        return np.flatnonzero(row == values[np.argmax(counts)])[-1]
    return np.apply_along_axis(of_row, dim, x)


def running(better):
    def reference(input, dim):
        x = np.moveaxis(np.atleast_1d(input), dim, 0)
        values, index = x.copy(), np.zeros(x.shape, np.int64)
        for t in range(len(x)):
            index[t] = t
            if t:
                keep = ~better(x[t], values[t - 1])
                values[t], index[t] = np.where(keep, values[t - 1], x[t]), np.where(keep, index[t - 1], t)
        return np.moveaxis(values, 0, dim).reshape(input.shape), np.moveaxis(index, 0, dim).reshape(input.shape)
    return reference


def with_places():
    """An array, indices of which no two in a row are equal, a dimension, and the shape of what they point into."""
    def make(shape, dim, size, seed):
        rng = np.random.default_rng(seed)
        rows = [n for d, n in enumerate(shape) if d != dim]
        index = np.stack([rng.permutation(size)[:shape[dim]] for _ in range(int(np.prod(rows)))]) if np.prod(rows) else \
            np.zeros((0, shape[dim]), np.int64)
        index = np.moveaxis(index.reshape(*rows, shape[dim]), -1, dim)
        target = tuple(size if d == dim else n for d, n in enumerate(shape))
        return (rng.uniform(-1, 1, shape), index), {"dim": dim, "shape": target}
    return shapes(min_dims=1, max_side=3).flatmap(lambda s: st.builds(
        make, st.just(s), st.integers(0, len(s) - 1), st.integers(3, 4), st.integers(0, 999)))


def place(input, index, dim, shape):
    out = np.zeros(shape, input.dtype)
    for where, value in np.ndenumerate(input):
        out[(*where[:dim], index[where], *where[dim + 1:])] = value
    return out


def unique(input, dim, consecutive):
    if not consecutive:
        if dim is None or input.ndim == 0:
            values, inverse, counts = np.unique(input, return_inverse=True, return_counts=True)
            return values, inverse.reshape(input.shape), counts
        values, inverse, counts = np.unique(input, axis=dim, return_inverse=True, return_counts=True)
        return values, inverse.reshape(-1), counts
    x = input.reshape(-1) if dim is None or input.ndim == 0 else np.moveaxis(input, dim, 0)
    starts = [k for k in range(len(x)) if k == 0 or not np.array_equal(x[k], x[k - 1])]
    inverse = np.array([sum(s <= k for s in starts) - 1 for k in range(len(x))], dtype=np.int64)
    counts = np.diff([*starts, len(x)]).astype(np.int64)
    values = x[starts] if starts else x[:0]
    if dim is None or input.ndim == 0:
        return values, inverse.reshape(input.shape), counts
    return np.moveaxis(values, 0, dim), inverse, counts


def uniques():
    return shapes(max_dims=2, min_side=1).flatmap(
        lambda s: sample(st.one_of(integers(s, 0, 2), arrays(s, distinct=True)), dim=dims(len(s)), consecutive=st.booleans()))


def searched(sorted_sequence, input, sorter=None, right=False, out_int32=False):
    edges = sorted_sequence if sorter is None else np.take_along_axis(sorted_sequence, sorter, -1)
    side = "right" if right else "left"
    if edges.ndim == 1:
        return np.searchsorted(edges, input, side=side)
    out = np.zeros(input.shape, np.int64)
    for row in np.ndindex(*edges.shape[:-1]):
        out[row] = np.searchsorted(edges[row], input[row], side=side)
    return out


edges = arrays((4,), distinct=True).map(np.sort)

CASES = {
    "place": OpCase(with_places(), place, analytic=True, complex=True),
    "max_dim": OpCase(with_dim(full, values=distinct, keepdim=st.booleans()), selecting(lambda x, dim: np.argmax(x, dim)), bad=[
        out_of_range, no_order, Bad((f(2, 0),), {"dim": 1}, IndexError, "max.*Expected reduction dim 1 to have non-zero size")]),
    "min_dim": OpCase(with_dim(full, values=distinct, keepdim=st.booleans()), selecting(lambda x, dim: np.argmin(x, axis=dim)),
                      bad=[out_of_range]),
    "sort": OpCase(with_dim(values=distinct, descending=st.booleans(), stable=st.booleans()), sorting,
                   bad=[out_of_range, no_order]),
    "topk": OpCase(with_dim(shapes(min_dims=1, min_side=2), values=distinct, k=st.integers(0, 2), largest=st.booleans()), topk,
                   examples=[((f(40),), {"k": 3}), ((f(2, 40),), {"k": 2, "largest": False})],
                   bad=[Bad((f(3),), {"k": 4}, RuntimeError, "selected index k out of range")]),
    "kthvalue": OpCase(with_dim(shapes(min_side=2), values=distinct, k=st.just(1), keepdim=st.booleans()),
                       selecting(lambda x, dim, k: ranked(x, dim, k - 1)), examples=[((f(3, 4)[::-1],), {"k": 2, "dim": 0})],
                       bad=[Bad((f(3),), {"k": 0}, RuntimeError, "selected number k out of range")]),
    "median_dim": OpCase(with_dim(full, values=distinct, keepdim=st.booleans(), skip_nan=st.booleans()), selecting(middle), bad=[
        out_of_range, Bad((f(0),), {"dim": 0}, IndexError, "median.*non-zero size")]),
    "median_all": OpCase(sample(arrays(full, distinct=True), skip_nan=st.booleans()),
                         lambda input, skip_nan: np.sort(input, axis=None)[(input.size - 1) // 2], saves=("out",)),
    "mode": OpCase(with_dim(full, values=distinct, keepdim=st.booleans()), selecting(commonest),
                   bad=[out_of_range]),
    "cummax": OpCase(with_dim(values=distinct), running(np.greater_equal), bad=[out_of_range]),
    "cummin": OpCase(with_dim(values=distinct), running(np.less_equal), bad=[out_of_range]),
    "_unique": OpCase(uniques(), unique, examples=[((f(0),), {"dim": None, "consecutive": False})]),
    "_searchsorted": OpCase(
        sample(edges, arrays(shapes(max_dims=2)), st.none(), right=st.booleans()), searched,
        examples=[((np.sort(np.cos(f(2, 5)), axis=-1), np.sin(f(2, 3)), None), {"right": True}),
                  ((f(4)[::-1].copy(), f(2, 3), np.arange(4)[::-1].copy()), {})],
        bad=[Bad((f(2, 3), f(3, 3), None), {}, RuntimeError, r"boundaries tensor \[2, 3\] and input value tensor \[3, 3\]"),
             Bad((f(3), f(2), np.arange(2)), {}, RuntimeError, "boundary and sorter must have the same size")]),
}
