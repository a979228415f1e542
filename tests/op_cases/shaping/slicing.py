"""Cases of the operations in ``minigrad/ops/shaping/slicing.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad.ops.shaping import shape as ops
from minigrad.ops.shaping import slicing
from tests.op_cases import Bad, OpCase, arrays, dims, f, sample, shapes

IOOB = r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"


def of_shape(make: Any, **bounds: Any) -> Any:
    """Samples of one array and the settings that ``make(shape)`` gives strategies or values of."""
    return shapes(**bounds).flatmap(lambda s: sample(arrays(s), **make(s)))


@st.composite
def sliced(draw: Any, shape: Any) -> Any:
    """An index of integers, slices, None and ``...`` into `shape`."""
    parts: list[Any] = []
    for n in shape[:draw(st.integers(0, len(shape)))]:
        forwards = st.slices(n).filter(lambda s: 0 < (s.step or 1) < 2**31)
        parts.append(draw(forwards | st.integers(-n, n - 1) if n else forwards))
    parts.append(...)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@st.composite
def filled_slices(draw: Any) -> Any:
    size = draw(shapes())
    index = draw(sliced(size))
    return draw(sample(arrays(np.empty(size)[index].shape), index=index, size=size))


def fill_slices(input: Any, index: Any, size: Any) -> Any:
    out = np.zeros(size)
    out[index] = input
    return out


@st.composite
def pieces(draw: Any) -> Any:
    shape = draw(shapes(min_dims=1))
    d = draw(dims(len(shape), none=False))
    cuts = sorted(draw(st.lists(st.integers(0, shape[d]), max_size=3)))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, shape[d]])]
    return draw(sample(arrays(shape), split_sizes=tuple(sizes), dim=d))


@st.composite
def joined(draw: Any) -> Any:
    """Arrays for cat: equal sizes but for one dimension, and among them perhaps an empty vector."""
    shape = draw(shapes(min_dims=1))
    d = draw(dims(len(shape), none=False))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    tensors = [draw(arrays((*shape[:d % len(shape)], n, *shape[d % len(shape) + 1:]))) for n in sizes]
    if draw(st.booleans()):
        tensors.insert(draw(st.integers(0, len(tensors))), np.zeros(0))
    return draw(sample(tuple(tensors), dim=d))


def concatenate(*tensors: Any, dim: Any) -> Any:
    parts = [x for x in tensors if x.ndim > 1 or x.size] or list(tensors)
    return np.concatenate([x for x in tensors if x.ndim == parts[0].ndim], axis=dim)


def stacked(shape: Any) -> Any:
    return st.integers(1, 3).flatmap(lambda n: sample(*[arrays(shape) for _ in range(n)],
                                                      dim=dims(len(shape) + 1, none=False)))


def two_dims(shape: Any) -> Any:
    return st.permutations(range(len(shape))).flatmap(
        lambda p: st.booleans().map(lambda negative: (p[0] - len(shape) * negative, p[1])))


@st.composite
def with_diagonal(draw: Any) -> Any:
    shape = draw(shapes(min_dims=2))
    d1, d2 = draw(two_dims(shape))
    offset = draw(st.integers(-min(shape[d1], 2), min(shape[d2], 2)))
    return draw(sample(arrays(shape), offset=offset, dim1=d1, dim2=d2))


@st.composite
def on_diagonal(draw: Any) -> Any:
    (example,), settings = draw(with_diagonal())
    shape = np.diagonal(example, settings["offset"], settings["dim1"], settings["dim2"]).shape
    return draw(sample(arrays(shape), size=example.shape, **settings))


def on_diagonals(input: Any, size: Any, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Any:
    d1, d2 = dim1 % len(size), dim2 % len(size)
    out = np.zeros(size)
    rest = [d for d in range(len(size)) if d not in (d1, d2)]
    for place in np.ndindex(input.shape):
        where = dict(zip(rest, place[:-1])) | {d1: place[-1] + max(-offset, 0), d2: place[-1] + max(offset, 0)}
        out[tuple([where[d] for d in range(len(size))])] = input[place]
    return out


@st.composite
def padded(draw: Any) -> Any:
    shape = draw(shapes())
    pad: list[int] = []
    for n in shape[::-1][:draw(st.integers(0, len(shape)))]:
        pad += [draw(st.integers(-(n // 2), 2)), draw(st.integers(-(n // 2), 2))]
    return draw(sample(arrays(shape), pad=tuple(pad), value=st.sampled_from([0, 1.5])))


def pad(input: Any, pad: Any, value: Any) -> Any:
    for k in range(len(pad) // 2):
        axis = input.ndim - 1 - k
        before, after = pad[2 * k], pad[2 * k + 1]
        widths = [(0, 0)] * input.ndim
        widths[axis] = (max(before, 0), max(after, 0))
        input = np.pad(input, widths, constant_values=value)
        start, end = max(-before, 0), input.shape[axis] - max(-after, 0)
        input = input[(slice(None),) * axis + (slice(start, end),)]
    return input


@st.composite
def windowed(draw: Any) -> Any:
    shape = draw(shapes(max_dims=2))
    d = draw(dims(len(shape), none=False))
    length = shape[d] if shape else 1
    return draw(sample(arrays(shape), dimension=d, size=draw(st.integers(0, length)), step=st.integers(1, 3)))


def windows(input: Any, dimension: Any, size: Any, step: Any) -> Any:
    if not input.ndim:
        return input.reshape(1)[:size]
    found = [np.moveaxis(input.take(range(k, k + size), axis=dimension), dimension, -1)
             for k in range(0, input.shape[dimension] - size + 1, step)]
    return np.stack(found, axis=dimension % input.ndim)


@st.composite
def folded(draw: Any) -> Any:
    (example,), settings = draw(windowed())
    return draw(sample(arrays(windows(example, **settings).shape), shape=example.shape, **settings))


def fold(input: Any, shape: Any, dimension: Any, size: Any, step: Any) -> Any:
    places = windows(np.arange(math.prod(shape)).reshape(shape), dimension, size, step)
    out = np.zeros(math.prod(shape))
    np.add.at(out, places.reshape(-1), input.reshape(-1))
    return out.reshape(shape)


VIEW = ((ops.permute, {"dims": (1, 0)}), (slicing.slices, {"index": (1, slice(0, 2))}))  # of a (3, 2) array: x.T[1, 0:2]


def replaced(input: Any, src: Any, view: Any) -> Any:
    out = input.copy()
    out.T[1, 0:2] = src
    return out


CASES = {
    "slices": OpCase(shapes().flatmap(lambda s: sample(arrays(s), index=sliced(s))), lambda input, index: input[index],
                     analytic=True, complex=True),
    "fill_slices": OpCase(filled_slices(), fill_slices, complex=True),
    "select": OpCase(
        of_shape(lambda s: {"dim": -1, "index": st.integers(-s[-1], s[-1] - 1)}, min_dims=1, min_side=1),
        lambda input, dim, index: np.take(input, index, axis=dim), analytic=True, complex=True,
        bad=[Bad((f(2, 3),), {"dim": 1, "index": 3}, IndexError, "select: index 3 is out of bounds for dimension 1 with size 3"),
             Bad((f(),), {"dim": 0, "index": 0}, IndexError, "0-dim")]),
    "narrow_to": OpCase(of_shape(lambda s: {"dim": 0, "start": st.integers(0, s[0]), "length": 0}, min_dims=1),
                        lambda input, dim, start, length: input.take(range(start, start + length), axis=dim),
                        analytic=True, complex=True,
                        examples=[((f(3, 4),), {"dim": 1, "start": 1, "length": 2})]),
    "split_with_sizes": OpCase(
        pieces(), lambda tensor, split_sizes, dim: tuple(np.split(tensor, np.cumsum(split_sizes)[:-1], axis=dim)),
        analytic=True, complex=True,
        bad=[Bad((f(5),), {"split_sizes": (2, 2)}, RuntimeError, "expects split_sizes to sum exactly to 5"),
             Bad((f(),), {"split_sizes": (1,)}, RuntimeError, "at least a 1-dimensional tensor")]),
    "unbind": OpCase(of_shape(lambda s: {"dim": dims(len(s), none=False)}, min_dims=1, min_side=1),
                     lambda input, dim: tuple([np.take(input, k, axis=dim) for k in range(input.shape[dim])]),
                     analytic=True, complex=True, bad=[Bad((f(2, 3),), {"dim": 2}, IndexError, "unbind: " + IOOB)]),
    "cat": OpCase(
        joined(), concatenate, analytic=True, complex=True,
        bad=[Bad((f(2, 3), f(3, 3)), {"dim": 1}, RuntimeError, "Expected size 2 but got size 3 for tensor number 1 in the list"),
             Bad((f(2, 3), f(3)), {}, RuntimeError, "must have same number of dimensions: got 2 and 1"),
             Bad((f(), f()), {}, RuntimeError, r"zero-dimensional tensor \(at position 0\) cannot be concatenated")]),
    "stack": OpCase(shapes(max_dims=2).flatmap(stacked), lambda *tensors, dim: np.stack(tensors, axis=dim),
                    analytic=True, complex=True, bad=[Bad((f(2), f(3)), {}, RuntimeError,
                                                           r"equal size, but got \[2\] at entry 0 and \[3\] at entry 1")]),
    "diagonal": OpCase(with_diagonal(), lambda input, offset, dim1, dim2: np.diagonal(input, offset, dim1, dim2), analytic=True,
                       complex=True, bad=[Bad((f(2, 3),), {"dim1": 1, "dim2": -1}, RuntimeError, "cannot be identical 1, -1")]),
    "fill_diagonals": OpCase(on_diagonal(), on_diagonals, complex=True),
    "trace": OpCase(sample(arrays(shapes(min_dims=2, max_dims=2))), np.trace, analytic=True, complex=True,
                    bad=[Bad((f(2),), {}, RuntimeError, "trace: expected a matrix, but got tensor with dim 1")]),
    "tril": OpCase(of_shape(lambda s: {"diagonal": st.integers(-3, 3)}, min_dims=2), lambda input, diagonal: np.where(
        np.subtract.outer(np.arange(input.shape[-2]), np.arange(input.shape[-1])) >= -diagonal, input, 0), analytic=True,
        complex=True, bad=[Bad((f(2),), {}, RuntimeError, "at least 2 dimensions")]),
    "triu": OpCase(of_shape(lambda s: {"diagonal": st.integers(-3, 3)}, min_dims=2), lambda input, diagonal: np.where(
        np.subtract.outer(np.arange(input.shape[-2]), np.arange(input.shape[-1])) <= -diagonal, input, 0), analytic=True,
        complex=True, bad=[Bad((f(2),), {}, RuntimeError, "at least 2 dimensions")]),
    "constant_pad_nd": OpCase(
        padded(), pad, analytic=True, complex=True,
        bad=[Bad((f(2),), {"pad": (1,)}, RuntimeError, "Length of pad must be even"),
             Bad((f(2),), {"pad": (-3, 0)}, RuntimeError, "resulted in a negative output size")]),
    "unfold": OpCase(windowed(), windows, analytic=True, complex=True,
                     bad=[Bad((f(3),), {"dimension": 0, "size": 4, "step": 1}, RuntimeError, "dimension 0 is 3 but size is 4"),
                          Bad((f(3),), {"dimension": 0, "size": 2, "step": 0}, RuntimeError, "step is 0 but must be > 0"),
                          Bad((f(3),), {"dimension": 0, "size": -1, "step": 1}, RuntimeError, "size is -1 but must be >= 0")]),
    "fold_windows": OpCase(folded(), fold, complex=True),
    "replace_view": OpCase(
        sample(arrays((3, 2)), arrays((2,)), view=VIEW, order=st.sampled_from([(0, 1), (1, 0)])),
        lambda input, written, view, order: replaced(input, written, view), analytic=True, complex=True),
    "blank_view": OpCase(
        sample(arrays((3, 2)), view=VIEW, order=st.sampled_from([(0, 1), (1, 0)])),
        lambda input, view, order: replaced(input, 0, view), analytic=True, complex=True),
    "scatter_view": OpCase(
        sample(arrays((3, 2)), arrays((2,)), view=VIEW), replaced, complex=True,
        bad=[Bad((f(3, 2), f(3)), {"view": VIEW}, RuntimeError, r"src size = \[3\], slice size = \[2\]")]),
}
