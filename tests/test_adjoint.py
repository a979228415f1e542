"""Adjoint pairs: <A x, y> = <x, A' y> for random x and y, and the derivative rule of A is A'."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest

from minigrad import autograd
from minigrad.ops.indexing import indexing, scatter
from minigrad.ops.linear_algebra import products
from minigrad.ops.neural import convolution, embedding, loss, normalization, pooling
from minigrad.ops.pointwise import arithmetic
from minigrad.ops.reducing import reduction
from minigrad.ops.shaping import shape, slicing
from tests.checks import tensor_of

Map = Callable[[Any], Any]
I2 = np.array([[0, 2, 2], [1, 0, 2]])
PLACES = (np.array([1, 0, 1]), np.array([2, 2, 0]))
MASK = np.array([[True, False, True], [False, False, True]])
BATCH, KERNEL = np.linspace(-1, 1, 2 * 4 * 7 * 6).reshape(2, 4, 7, 6), np.cos(np.arange(6 * 2 * 3 * 2)).reshape(6, 2, 3, 2)
CONV = {"stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2), "groups": 2}
GRID = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2)}

# For each pair: A, its adjoint, and the shape of x.
PAIRS: dict[str, tuple[Map, Map, tuple[int, ...]]] = {
    "expand, sum_to_size": (lambda x: shape.expand(x, size=(4, 2, 3)), lambda y: shape.sum_to_size(y, size=(2, 1)), (2, 1)),
    "reshape, reshape": (lambda x: shape.reshape(x, shape=(3, 2)), lambda y: shape.reshape(y, shape=(2, 3)), (2, 3)),
    "permute, permute back": (lambda x: shape.permute(x, dims=(2, 0, 1)), lambda y: shape.permute(y, dims=(1, 2, 0)), (2, 3, 4)),
    "transpose, transpose": (lambda x: shape.transpose(x, dim0=0, dim1=-1), lambda y: shape.transpose(y, dim0=0, dim1=-1),
                             (2, 3, 4)),
    "flip, flip": (lambda x: shape.flip(x, dims=(0, 2)), lambda y: shape.flip(y, dims=(0, 2)), (2, 3, 4)),
    "roll, roll back": (lambda x: shape.roll(x, shifts=(1, -2), dims=(0, 1)),
                        lambda y: shape.roll(y, shifts=(-1, 2), dims=(0, 1)), (3, 4)),
    "tril, tril": (lambda x: slicing.tril(x, diagonal=1), lambda y: slicing.tril(y, diagonal=1), (3, 4)),
    "pad, crop": (lambda x: slicing.constant_pad_nd(x, pad=(1, 2, 0, 3)),
                  lambda y: slicing.constant_pad_nd(y, pad=(-1, -2, 0, -3)), (2, 3)),
    "diagonal, fill_diagonals": (lambda x: slicing.diagonal(x, offset=1),
                                 lambda y: slicing.fill_diagonals(y, size=(3, 4), offset=1), (3, 4)),
    "slices, fill_slices": (lambda x: slicing.slices(x, index=(slice(None), slice(0, 4, 2))),
                            lambda y: slicing.fill_slices(y, index=(slice(None), slice(0, 4, 2)), size=(2, 5)), (2, 5)),
    "unfold, fold_windows": (lambda x: slicing.unfold(x, dimension=1, size=3, step=2),
                             lambda y: slicing.fold_windows(y, shape=(2, 7), dimension=1, size=3, step=2), (2, 7)),
    "unbind, stack": (lambda x: slicing.unbind(x, dim=1), lambda y: slicing.stack(y, dim=1), (2, 3)),
    "split, cat": (lambda x: slicing.split_with_sizes(x, split_sizes=(1, 3), dim=1), lambda y: slicing.cat(y, dim=1), (2, 4)),
    "lookup, accumulate_at": (lambda x: indexing.lookup(x, indices=PLACES),
                              lambda y: indexing.accumulate_at(y, indices=PLACES, size=(2, 3)), (2, 3)),
    "lookup of a mask, accumulate_at": (lambda x: indexing.lookup(x, indices=(MASK,)),
                                        lambda y: indexing.accumulate_at(y, indices=(MASK,), size=(2, 3)), (2, 3)),
    "select_rows, scatter_rows": (lambda x: indexing.select_rows(x, PLACES[0], dim=1),
                                  lambda y: indexing.scatter_rows(y, PLACES[0], dim=1, size=(2, 3)), (2, 3)),
    "gather_at, scatter_at": (lambda x: scatter.gather_at(x, I2, dim=1),
                              lambda y: scatter.scatter_at(np.zeros((2, 3)), I2, y, dim=1, add=True), (2, 3)),
    "rows_of, collect_rows": (lambda x: embedding.rows_of(x, I2),
                              lambda y: embedding.collect_rows(y, I2, rows=4, padding_idx=None, by_frequency=False), (4, 3)),
    "collect_rows, spread_rows": (
        lambda x: embedding.collect_rows(x, I2, rows=4, padding_idx=1, by_frequency=True),
        lambda y: embedding.spread_rows(y, I2, padding_idx=1, by_frequency=True), (2, 3, 5)),
    "sum, expand": (lambda x: reduction.sum(x, dim=1, keepdim=True), lambda y: shape.expand(y, size=(2, 3)), (2, 3)),
    "cumsum, reversed cumsum": (lambda x: reduction.cumsum(x, dim=1), lambda y: reduction.reverse_cumsum(y, dim=1), (2, 5)),
    "shift, shift back": (lambda x: reduction.shift(x, dim=1, by=2), lambda y: reduction.shift(y, dim=1, by=-2), (2, 5)),
    "window_sum, its mirror": (lambda x: normalization.window_sum(x, dim=1, before=1, after=2),
                               lambda y: normalization.window_sum(y, dim=1, before=2, after=1), (2, 6)),
    "mm, mm of the transpose": (lambda x: products.mm(KERNEL[:, 0, :, 0], x),
                                lambda y: products.mm(KERNEL[:, 0, :, 0].T, y), (3, 4)),
    "convolution, convolution_transpose": (lambda x: convolution.convolution(x, KERNEL, **CONV),
                                           lambda y: convolution.convolution_transpose(y, KERNEL, **CONV), (2, 4, 7, 6)),
    "convolution of a weight, convolution_weight": (lambda w: convolution.convolution(BATCH, w, **CONV),
                                                    lambda y: convolution.convolution_weight(BATCH, y, **CONV), (6, 2, 3, 2)),
    "im2col, col2im": (lambda x: convolution.im2col(x, **GRID), lambda y: convolution.col2im(y, size=(7, 6), **GRID),
                       (2, 3, 7, 6)),
    "avg_pool, avg_unpool": (
        lambda x: pooling.avg_pool(x, kernel=(2, 2), stride=(2, 2), padding=((0, 0), (1, 1)), divisor=4),
        lambda y: pooling.avg_unpool(y, size=(6, 6), kernel=(2, 2), stride=(2, 2), padding=((0, 0), (1, 1)), divisor=4),
        (2, 3, 6, 6)),
    "view_as_complex, view_as_real": (lambda x: arithmetic.view_as_complex(x), lambda y: arithmetic.view_as_real(y), (3, 2)),
    "pick_class, place_class": (lambda x: loss.pick_class(x, PLACES[0]),
                                lambda y: loss.place_class(y, PLACES[0], classes=2), (3, 2)),
    "contract, contract": (lambda x: products.contract(x, BATCH[0], spec=((0, 1), (1, 2, 3), (3, 0, 2))),
                           lambda y: products.contract(y, BATCH[0], spec=((3, 0, 2), (1, 2, 3), (0, 1))), (5, 4)),
}


def inner(a: Any, b: Any) -> float:
    """The real inner product, summed over several arrays where there are several."""
    if isinstance(a, tuple):
        return sum(inner(x, y) for x, y in zip(a, b))
    return float(np.sum(np.conj(a) * b).real)


def like(rng: Any, x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(like(rng, part) for part in x)
    return rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0)


@pytest.mark.parametrize("name", PAIRS)
def test_adjoint_pair(name: str) -> None:
    forward, adjoint, size = PAIRS[name]
    rng = np.random.default_rng(0)
    x = rng.normal(size=size)
    out = forward(x)
    y = like(rng, out)
    back = adjoint(y)
    assert back.shape == x.shape
    assert inner(out, y) == pytest.approx(inner(x, back), rel=1e-12)
    t = tensor_of(x, requires_grad=True)
    results = forward(t)
    results, seeds = (results, y) if isinstance(results, tuple) else ((results,), (y,))
    g, = autograd.grad(results, t, [tensor_of(s) for s in seeds])
    np.testing.assert_allclose(g.numpy(), back, rtol=1e-12, atol=1e-12)
