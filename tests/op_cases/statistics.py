"""Counting."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, f, integers, sample, shapes


def histogram(input, weight=None, edges=None, count=None, range=None, density=False):
    x = input.reshape(-1)
    if edges is None and range is None and x.size == 0:
        range = (0, 1)
    return np.histogram(x, bins=count if edges is None else edges, range=range, density=density,
                        weights=None if weight is None else weight.reshape(-1))[0].astype(float), \
        np.histogram_bin_edges(x, bins=count if edges is None else edges, range=range)


def histogramdd(input, weight=None, count=None, edges=None, range=None, density=False):
    ranges = None if range is None else list(zip(range[::2], range[1::2]))
    hist, found = np.histogramdd(input, bins=count if edges is None else edges, range=ranges, density=density, weights=weight)
    return hist, *found


CASES = {
    "bincount": OpCase(
        sample(shapes(min_dims=1, max_dims=1).flatmap(lambda s: st.tuples(integers(s, 0, 5), st.one_of(st.none(), arrays(s)))),
               minlength=st.integers(0, 8)),
        lambda input, weights, minlength: np.bincount(input, weights, minlength).astype(
            np.int64 if weights is None else np.float64),
        bad=[Bad((np.array([-1]), None), {}, RuntimeError, "1-d non-negative integral inputs"),
             Bad((np.arange(3), f(2)), {}, RuntimeError, "weights should be 1-d and have the same length")]),
    "histc": OpCase(sample(arrays(shapes(max_dims=2)), bins=st.integers(1, 5), min=st.just(-1.5), max=st.just(1.5)),
                    lambda input, bins, min, max: np.histogram(input, bins, (min, max))[0].astype(float),
                    bad=[Bad((f(3),), {"bins": 0}, RuntimeError, "bins must be > 0"),
                         Bad((f(3),), {"min": 2, "max": 1}, RuntimeError, "max must be larger than min")]),
    "_histogram": OpCase(
        sample(arrays(shapes(min_dims=1, min_side=2, max_dims=2)), st.none(),
               st.none() | st.just(np.array([-2.0, -0.5, 0.1, 2.0])),
               count=st.integers(1, 4), density=st.booleans()), histogram, constant=("input", "weight", "edges"),
        examples=[((f(2, 3), f(2, 3)[::-1], None), {"count": 2, "range": (0.0, 1.0)}), ((f(0), None, None), {"count": 2})],
        bad=[Bad((f(3), None, None), {"count": 0}, RuntimeError, "bins must be > 0"),
             Bad((f(3), f(2), None), {"count": 2}, RuntimeError, "same shape as input")]),
    "_histogramdd": OpCase(
        sample(arrays((6, 2)), st.none() | arrays((6,), low=0.1), count=st.lists(st.integers(1, 3), min_size=2, max_size=2),
               range=st.none() | st.just((-1.0, 1.0, -2.0, 2.0))), histogramdd, constant=("input", "weight")),
}
