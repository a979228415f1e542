"""Cases of the operations in ``minigrad/ops/indexing/indexing.py``."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, booleans, dims, f, integers, sample, shapes


def i(*values: Any) -> Any:
    return np.array(values, dtype=np.int64)


@st.composite
def looked_up(draw: Any, repeats: bool = True) -> Any:
    """A size and index arrays, or a mask, for some of its dimensions."""
    size = draw(shapes(min_dims=1, min_side=1))
    if draw(st.booleans()):
        skipped = draw(st.integers(0, len(size) - 1))
        return size, (None,) * skipped + (draw(booleans(size[skipped:draw(st.integers(skipped + 1, len(size)))])),)
    named = draw(st.lists(st.booleans(), min_size=len(size), max_size=len(size)).filter(any))
    last = max(k for k, chosen in enumerate(named) if chosen)
    shape = draw(shapes(max_dims=2, min_side=0 if repeats else 1)) if repeats else (1,)
    return size, tuple([draw(integers(shape, 0, n - 1)).astype(np.intp) if chosen else None
                        for n, chosen in zip(size[:last + 1], named)])


def placed(indices: Any) -> Any:
    return tuple([slice(None) if k is None else k for k in indices])


def of_size(make: Any, **options: Any) -> Any:
    return looked_up(**options).flatmap(lambda drawn: make(*drawn))


def part(size: Any, indices: Any) -> Any:
    return np.empty(size)[placed(indices)].shape


def accumulated(input: Any, indices: Any, size: Any) -> Any:
    out = np.zeros(size)
    np.add.at(out, placed(indices), input)
    return out


def overwritten(input: Any, value: Any, index: Any, indices: Any) -> Any:
    out = input.copy()
    out[index if indices is None else placed(indices)] = value
    return out


def added(input: Any, values: Any, index: Any, indices: Any) -> Any:
    return input + accumulated(np.broadcast_to(values, part(input.shape, indices)), indices, input.shape)


@st.composite
def rows(draw: Any, *makers: Any, **settings: Any) -> Any:
    """An array, a vector of places in one of its dimensions and, made from the shape of those elements, more arrays."""
    shape = draw(shapes(min_dims=1, min_side=1))
    d = draw(dims(len(shape), none=False))
    index = draw(integers(draw(shapes(1, 1)), 0, shape[d] - 1))
    named = tuple([index.size if k == d % len(shape) else n for k, n in enumerate(shape)])
    return draw(sample(arrays(shape), index, *[make(named) for make in makers], dim=d, **settings))


def at(index: Any, dim: Any, ndim: int) -> Any:
    return (slice(None),) * (dim % ndim) + (index,)


def rows_written(input: Any, index: Any, source: Any, dim: Any) -> Any:
    out = input.copy()
    for k, place in enumerate(index):
        out[at(place, dim, input.ndim)] = source if source.ndim == 0 else source[at(k, dim, input.ndim)]
    return out


def rows_added(input: Any, index: Any, source: Any, dim: Any, alpha: Any = 1) -> Any:
    out = input.copy()
    for k, place in enumerate(index):
        out[at(place, dim, input.ndim)] += alpha * source[at(k, dim, input.ndim)]
    return out


@st.composite
def scattered_rows(draw: Any) -> Any:
    (x, index), settings = draw(rows())
    shape = x.take(index, axis=settings["dim"]).shape
    return draw(sample(arrays(shape), index, size=x.shape, **settings))


@st.composite
def distinct_rows(draw: Any) -> Any:
    """As :func:`rows`, but no place twice: what of two values written to one place stays is not asked here."""
    shape = draw(shapes(min_dims=1, min_side=1))
    d = draw(dims(len(shape), none=False))
    index = np.array(draw(st.permutations(range(shape[d])))[:draw(st.integers(0, shape[d]))], dtype=np.int64)
    named = tuple([index.size if k == d % len(shape) else n for k, n in enumerate(shape)])
    return draw(sample(arrays(shape), index, arrays(named), dim=d))


OUT = "index {} is out of bounds for dimension {} with size {}"

CASES = {
    "lookup": OpCase(of_size(lambda size, indices: sample(arrays(size), indices=indices)),
                     lambda input, indices: input[placed(indices)], analytic=True, complex=True),
    "accumulate_at": OpCase(
        of_size(lambda size, indices: sample(arrays(part(size, indices)), indices=st.just(indices), size=size)), accumulated,
        complex=True),
    "overwrite": OpCase(
        st.one_of(of_size(lambda size, indices: sample(arrays(size), arrays(part(size, indices)), index=(...,),
                                                       indices=st.just(indices)), repeats=False),
                  sample(arrays((3, 4)), arrays((2, 1)), index=(slice(0, 2), slice(1, None)), indices=None)),
        overwritten, analytic=False, complex=True,
        bad=[Bad((f(3), f(2)), {"index": (...,), "indices": None}, RuntimeError,
                 r"index_put: shape mismatch: value tensor of shape \[2\] cannot be broadcast to indexing result of shape "
                 r"\[3\]")]),
    "add_at": OpCase(
        of_size(lambda size, indices: sample(arrays(size), arrays(part(size, indices)), index=(...,), indices=st.just(indices))),
        added, complex=True, examples=[((f(3, 2), f(1)), {"index": (...,), "indices": (i(0, 0, 2),)})]),
    "select_rows": OpCase(
        rows(), lambda input, index, dim: np.take(input, index.reshape(-1), axis=dim) if input.ndim else input,
        analytic=True, complex=True,
        examples=[((f(), i(0)), {"dim": 0}), ((f(3), np.array(1)), {"dim": 0})],
        bad=[Bad((f(2, 3), i(3)), {"dim": 1}, IndexError, OUT.format(3, 1, 3)),
             Bad((f(2), i(-1)), {"dim": 0}, IndexError, OUT.format(-1, 0, 2)),
             Bad((f(2), np.array([[0]])), {"dim": 0}, IndexError, "index is supposed to be a vector"),
             Bad((f(2), f(1)), {"dim": 0}, RuntimeError, "Expected dtype int32 or int64 for index")]),
    "scatter_rows": OpCase(
        scattered_rows(), lambda input, index, dim, size: rows_added(np.zeros(size), index, input, dim), complex=True),
    "add_rows": OpCase(
        rows(arrays, alpha=st.sampled_from([1, -2.5])), rows_added, complex=True,
        bad=[Bad((f(3, 2), i(0, 1), f(2, 3)), {"dim": 0}, RuntimeError, r"source of shape \[2, 3\] does not fit"),
             Bad((f(3), i(3), f(1)), {"dim": 0}, IndexError, OUT.format(3, 0, 3))]),
    "copy_rows": OpCase(distinct_rows(), rows_written, complex=True,
                        bad=[Bad((f(3, 2), i(0), f(2, 2)), {"dim": 0}, RuntimeError, "does not fit")]),
    "fill_rows": OpCase(distinct_rows().flatmap(lambda s: sample(s[0][0], s[0][1], arrays(()), **s[1])), rows_written,
                        complex=True,
                        bad=[Bad((f(3), i(0), f(1)), {"dim": 0}, RuntimeError, "only supports a 0-dimensional value tensor")]),
    "unique_values": OpCase(sample(integers((5,))), lambda input: np.array(sorted(set(input.tolist())))),
}
