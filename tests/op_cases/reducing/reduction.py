"""Reductions, and what runs along a dimension."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, booleans, dims, f, integers, sample, shapes, with_dim

full = shapes(min_side=1)  # for what cannot reduce nothing
out_of_range = Bad((f(2, 3),), {"dim": 2}, IndexError,
                   r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)")
twice = Bad((f(2, 3),), {"dim": (0, -2)}, RuntimeError, r"dim 0 appears multiple times")


def axis(dim):
    return None if dim == () else dim


def np_axis(input, dim):
    """NumPy's axis for a `dim` that may also name the one dimension of an array without dimensions."""
    return () if np.ndim(input) == 0 else axis(dim)


def mean(input, dim=None, keepdim=False, dtype=None):
    n = input.size // max(np.sum(input, axis=np_axis(input, dim)).size, 1) if input.size else 0
    total = np.sum(input, axis=np_axis(input, dim), keepdims=keepdim)
    return total / n if n else np.full_like(total, np.nan)


def variance(input, dim=None, correction=1, keepdim=False):
    ax = np_axis(input, dim)
    n = np.sum(np.ones(input.shape), axis=ax, keepdims=True)
    m = np.sum(input, axis=ax, keepdims=True) / n
    return np.sum(np.abs(input - m) ** 2, axis=ax, keepdims=keepdim) / np.maximum(n.flat[0] - correction if n.size else 1, 0)


def logsumexp(input, dim, keepdim=False):
    return np.log(np.sum(np.exp(input), axis=np_axis(input, dim), keepdims=keepdim))


def norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    a, ax = np.abs(x), np_axis(x, dim)
    if ord == np.inf:
        return np.max(a, axis=ax, keepdims=keepdim)
    if ord == -np.inf:
        return np.min(a, axis=ax, keepdims=keepdim)
    if ord == 0:
        return np.sum(a != 0, axis=ax, keepdims=keepdim).astype(float)
    return np.sum(a ** ord, axis=ax, keepdims=keepdim) ** (1 / ord)


def along(function):
    """A scan in NumPy, which wants at least one dimension."""
    def scan(input, dim, **_):
        return function(np.atleast_1d(input), axis=dim).reshape(np.shape(input))
    return scan


def backwards(function):
    return along(lambda x, axis: np.flip(function(np.flip(x, axis), axis=axis), axis))


def shifted(input, dim, by, fill=0):
    out = np.full_like(input, fill)
    n = input.shape[dim]
    for k in range(n):
        if 0 <= k - by < n:
            out[(slice(None),) * (dim % input.ndim) + (k,)] = np.take(input, k - by, axis=dim)
    return out


def recurrence(factor, input, dim, reverse=False):
    a, b = np.moveaxis(factor, dim, 0), np.moveaxis(input, dim, 0)
    s = np.zeros_like(b)
    n = len(b)
    for t in reversed(range(n)) if reverse else range(n):
        before = t + 1 if reverse else t - 1
        s[t] = b[t] + (a[t] * s[before] if 0 <= before < n else 0)
    return np.moveaxis(s, 0, dim)


def argument(choose):
    def found(input, dim=None, keepdim=False):
        if input.ndim == 0:
            return np.int64(0)
        return choose(input, axis=dim, keepdims=keepdim) if dim is not None or not keepdim else \
            choose(input).reshape((1,) * input.ndim)
    return found


def ties(input, extreme, dim):
    same = input == extreme
    return same / np.sum(same, axis=np_axis(input, dim), keepdims=True)


def with_extreme(drawn):
    x, dim = drawn[0].astype(float), drawn[1]
    return (x, np.asarray(np.max(x, axis=np_axis(x, dim), keepdims=True))), {"dim": dim}


def pairs(shape=None):
    """Two arrays of one shape, a dimension of it, and whether to go backwards."""
    return shapes(min_dims=1).flatmap(lambda s: sample(arrays(s), arrays(s), dim=dims(len(s), none=False), reverse=st.booleans()))


def shifts():
    return shapes(min_dims=1).flatmap(lambda s: sample(
        arrays(s), dim=dims(len(s), none=False), by=st.sampled_from([-2, -1, 1, 2]), fill=st.sampled_from([0, 1])))


several = {"several": True, "none": True, "keepdim": st.booleans()}
one = {"keepdim": st.booleans()}
zeros = np.array([[2.0, 0.0, 3.0], [0.0, 0.5, 0.0], [1.5, -2.0, 4.0]])

CASES = {
    "sum": OpCase(with_dim(**several), lambda input, dim=None, keepdim=False, dtype=None: np.sum(
        input, axis=np_axis(input, dim), keepdims=keepdim), analytic=True, complex=True, bad=[out_of_range, twice],
        examples=[((f(2, 3),), {"dim": ()}), ((np.arange(6, dtype=np.uint8).astype(np.int8),), {"dim": 0})]),
    "nansum": OpCase(with_dim(**several), lambda input, dim=None, keepdim=False, dtype=None: np.nansum(
        input, axis=np_axis(input, dim), keepdims=keepdim), bad=[out_of_range]),
    "mean": OpCase(with_dim(full, **several), mean, analytic=True, complex=True, bad=[
        out_of_range, Bad((np.arange(3),), {}, RuntimeError, r"could not infer output dtype.*int64")]),
    "_var": OpCase(with_dim(shapes(min_dims=1, min_side=2), correction=st.sampled_from([0, 1, 0.5]), **several), variance,
                   complex=True, bad=[out_of_range, Bad((np.arange(3),), {}, RuntimeError, "only support floating point")]),
    "_std": OpCase(with_dim(shapes(min_dims=1, min_side=2), values={"distinct": True}, correction=st.sampled_from([0, 1]),
                            several=True, **one), lambda *args, **kw: np.sqrt(variance(*args, **kw)), complex=True,
                   saves=("out",)),
    "vector_norm": OpCase(
        with_dim(full, values={"away": [0.0], "distinct": True}, ord=st.sampled_from([2, 1, 3, 0.5, 0, -1, np.inf, -np.inf]),
                 **several), norm, complex=True, grad_rtol=1e-5,
        bad=[Bad((f(0),), {"ord": np.inf}, RuntimeError, "cannot compute the inf norm on an empty tensor"),
             Bad((np.arange(3),), {}, RuntimeError, "Expected a floating point or complex tensor")], saves=("out",)),
    "amax": OpCase(with_dim(full, several=True, values={"distinct": True}, **one), lambda input, dim=(), keepdim=False: np.max(
        input, axis=np_axis(input, dim), keepdims=keepdim), bad=[
            out_of_range, Bad((f(2, 0),), {"dim": 1}, IndexError, "Expected reduction dim 1 to have non-zero size")],
                   saves=("out",)),
    "amin": OpCase(with_dim(full, several=True, values={"distinct": True}, **one), lambda input, dim=(), keepdim=False: np.min(
        input, axis=np_axis(input, dim), keepdims=keepdim), bad=[
            out_of_range, Bad((f(0),), {"dim": ()}, RuntimeError, "Expected reduction dim to be specified")], saves=("out",)),
    "aminmax": OpCase(with_dim(full, values={"distinct": True}, **one), lambda input, dim=None, keepdim=False: (
        np.min(input, axis=np_axis(input, dim), keepdims=keepdim), np.max(input, axis=np_axis(input, dim), keepdims=keepdim)),
                      saves=("min", "max")),
    "tie_shares": OpCase(full.flatmap(lambda s: st.tuples(integers(s, 0, 2), dims(len(s)))).map(
        with_extreme), ties, underivable="a small step ends a tie"),
    "argmax": OpCase(with_dim(full, none=True, values={"distinct": True}, **one), argument(np.argmax), bad=[
        out_of_range, Bad((f(0),), {}, IndexError, "Expected reduction dim to be specified"),
        Bad((f(2) + 1j,), {}, RuntimeError, "argmax is not supported for complex tensors, which have no order")]),
    "argmin": OpCase(with_dim(full, none=True, values={"distinct": True}, **one), argument(np.argmin), bad=[out_of_range]),
    "all": OpCase(shapes().flatmap(lambda s: sample(booleans(s), dim=dims(len(s), several=True), keepdim=st.booleans())),
                  lambda input, dim=None, keepdim=False: np.all(input, axis=np_axis(input, dim), keepdims=keepdim),
                  bad=[out_of_range]),
    "any": OpCase(shapes().flatmap(lambda s: sample(booleans(s), dim=dims(len(s), several=True), keepdim=st.booleans())),
                  lambda input, dim=None, keepdim=False: np.any(input, axis=np_axis(input, dim), keepdims=keepdim),
                  bad=[out_of_range]),
    "count_nonzero": OpCase(shapes().flatmap(lambda s: sample(integers(s, 0, 2), dim=dims(len(s), several=True))),
                            lambda input, dim=None: np.count_nonzero(input, axis=np_axis(input, dim))),
    "logsumexp": OpCase(with_dim(full, several=True, **one), logsumexp, analytic=True, complex=True, bad=[out_of_range],
                        saves=("out",)),
    "softmax_parts": OpCase(full.flatmap(lambda s: sample(arrays(s), arrays((1,) * len(s)))),
                            lambda input, normalizer: np.exp(input - normalizer), analytic=True, complex=True, saves=("out",)),
    "cumsum": OpCase(with_dim(), along(np.cumsum), analytic=True, complex=True, bad=[out_of_range]),
    "reverse_cumsum": OpCase(with_dim(), backwards(np.cumsum), analytic=True, complex=True),
    "cumprod": OpCase(with_dim(), along(np.cumprod), analytic=True, complex=True, bad=[out_of_range],
                      examples=[((zeros,), {"dim": 0}), ((zeros,), {"dim": 1})]),
    "reverse_cumprod": OpCase(with_dim(), backwards(np.cumprod), analytic=True, complex=True, examples=[((zeros,), {"dim": 1})]),
    "prod": OpCase(with_dim(none=True, **one), lambda input, dim=None, keepdim=False, dtype=None: np.prod(
        input, axis=np_axis(input, dim), keepdims=keepdim), analytic=True, complex=True, bad=[out_of_range],
        examples=[((zeros,), {}), ((zeros,), {"dim": 1})]),
    "shift": OpCase(shifts(), shifted, analytic=True, complex=True),
    "recurrence": OpCase(pairs(), recurrence, analytic=True, complex=True, saves=("out",)),
    "logcumsumexp": OpCase(with_dim(), along(np.logaddexp.accumulate), complex=True, grad_rtol=1e-6, saves=("out",)),
}
