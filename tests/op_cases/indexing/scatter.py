"""Cases of the operations in ``minigrad/ops/indexing/scatter.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, booleans, broadcastable, dims, f, integers, sample, shapes
from tests.op_cases.indexing.indexing import OUT, i


@st.composite
def gathered(draw: Any, *makers: Any, distinct: bool = False, **settings: Any) -> Any:
    """An array, an index for gather and, of its shape or larger, more arrays."""
    shape = draw(shapes(min_side=1))
    d = draw(dims(len(shape), none=False))
    n = shape[d] if shape else 1
    count = draw(st.integers(0, n if distinct else 4)) if shape else None
    where = tuple([count if k == d % len(shape) else draw(st.integers(1, m)) for k, m in enumerate(shape)])
    index = draw(integers(where, 0, n - 1))
    if distinct and shape:
        index = np.moveaxis(np.broadcast_to(np.arange(n)[:count], np.moveaxis(np.empty(where), d, -1).shape), -1, d).copy()
    larger = tuple([m + draw(st.integers(0, 1)) for m in where])
    return draw(sample(arrays(shape), index, *[make(larger) for make in makers], dim=d, **settings))


def each_place(index: Any, dim: Any) -> Any:
    """Pairs of a place in the index and the place it names."""
    for place in np.ndindex(index.shape):
        yield place, tuple([int(index[place]) if k == dim % index.ndim else p for k, p in enumerate(place)])


def gathered_values(input: Any, index: Any, dim: Any) -> Any:
    out = np.zeros(index.shape)
    for place, named in each_place(index, dim):
        out[place] = input[named]
    return out


def scattered(input: Any, index: Any, src: Any, dim: Any, add: Any = False) -> Any:
    out = input.copy()
    for place, named in each_place(index, dim):
        value = src if src.ndim == 0 else src[place]
        out[named] = out[named] + value if add else value
    return out


def reduced(input: Any, index: Any, src: Any, dim: Any, reduce: Any, include_self: Any) -> Any:
    found: dict[Any, list[float]] = {}
    for place, named in each_place(index, dim):
        found.setdefault(named, [float(input[named])] if include_self else []).append(float(src[place]))
    out = input.copy()
    combine = {"sum": sum, "prod": math.prod, "mean": lambda v: sum(v) / len(v), "amax": max, "amin": min}[reduce]
    for named, values in found.items():
        out[named] = combine(values)
    return out


@st.composite
def for_reduction(draw: Any) -> Any:
    (x, index, src), settings = draw(gathered(arrays))
    both = draw(arrays((x.size + src.size,), low=0.5, distinct=True))
    return draw(sample(both[:x.size].reshape(x.shape), index, both[x.size:].reshape(src.shape),
                       reduce=st.sampled_from(["sum", "prod", "mean", "amax", "amin"]), include_self=st.booleans(), **settings))


@st.composite
def masked(draw: Any) -> Any:
    input, mask = draw(broadcastable(each=[arrays, booleans]))
    n = math.prod(np.broadcast_shapes(input.shape, mask.shape))
    return draw(sample(input, mask, arrays((n + draw(st.integers(0, 2)),))))


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    out, rest = np.broadcast_to(input, np.broadcast_shapes(input.shape, mask.shape)).copy(), iter(source.reshape(-1))
    for place in np.ndindex(out.shape):
        if np.broadcast_to(mask, out.shape)[place]:
            out[place] = next(rest)
    return out


@st.composite
def selected_by_mask(draw: Any) -> Any:
    shape = draw(shapes())
    return draw(sample(arrays(shape), booleans(shape[draw(st.integers(0, len(shape))):])))


CASES = {
    "gather_at": OpCase(
        gathered(), gathered_values, complex=True,
        bad=[Bad((f(2, 3), i(0)), {"dim": 0}, RuntimeError, "same number of dimensions as input tensor"),
             Bad((f(2, 3), np.array([[0, 3]])), {"dim": 1}, IndexError, OUT.format(3, 1, 3)),
             Bad((f(2, 3), np.zeros((3, 1), int)), {"dim": 1}, RuntimeError, "Size does not match at dimension 0"),
             Bad((f(2), f(2)), {"dim": 0}, RuntimeError, "Expected dtype int32/int64 for index")]),
    "scatter_at": OpCase(
        st.one_of(gathered(arrays, distinct=True), gathered(arrays, add=True)), scattered, complex=True,
        bad=[Bad((f(3), i(0, 1), f(1)), {"dim": 0}, RuntimeError, "no larger than src")]),
    "scatter_value": OpCase(gathered(lambda s: arrays(()), distinct=True), scattered, complex=True),
    "reduce_at": OpCase(
        for_reduction(), reduced, examples=[
            ((f(3), i(0, 0, 1), i(0, 2, 0) * 1.0), {"dim": 0, "reduce": "mean", "include_self": False})], saves=("out",)),
    "fill_mask": OpCase(
        broadcastable(each=[arrays, booleans]).flatmap(lambda pair: sample(*pair, arrays(()))),
        lambda input, mask, value: np.where(mask, value, input), analytic=True, complex=True,
        bad=[Bad((f(2), i(0, 1), f()), {}, RuntimeError, "only supports boolean masks")]),
    "masked_scatter": OpCase(
        masked(), masked_scatter, complex=True,
        bad=[Bad((f(3), np.array([True, False, True]), f(1)), {}, RuntimeError, r"number of elements in source \(1\)"),
             Bad((f(2), i(0, 1), f(2)), {}, RuntimeError, "only supports boolean masks")]),
    "select_mask": OpCase(selected_by_mask(), lambda input, mask: input[np.broadcast_to(mask, input.shape)],
                          analytic=True, complex=True),
}
