"""What normalization layers are made of. Their composite forms, the oracle, are in tests/test_normalization.py."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, dims, f, sample, shapes

blocks = [((2, 3, 4), (2, 3, 4)), ((6,), (1, 2, 3)), ((2, 3, 2, 2), (1, 4, 6)), ((5, 2), (5, 2, 1)), ((0, 3), (0, 3, 1))]


def of_blocks(*others, **settings):
    """An array, arrays made by `others` from the shape of the array and the layout of its block, and the setting layout."""
    return st.sampled_from(blocks[:4]).flatmap(lambda b: sample(arrays(b[0]), *[o(*b) for o in others], layout=b[1], **settings))


def standardized(input, layout, eps, centered=True):
    x = input.reshape(layout)
    mean = x.mean(axis=(0, 2), keepdims=True) if centered else np.zeros((1, layout[1], 1), x.dtype)
    var = ((x - mean) ** 2).mean(axis=(0, 2), keepdims=True)
    return ((x - mean) / np.sqrt(var + eps)).reshape(input.shape), mean, var


def backward(grad, standard, rstd, layout, centered):
    g, x = grad.reshape(layout), standard.reshape(layout)
    mean = g.mean(axis=(0, 2), keepdims=True) if centered else 0
    return (rstd * (g - mean - x * (g * x).mean(axis=(0, 2), keepdims=True))).reshape(grad.shape)


def scaled(input, weight=None, bias=None):
    return (input if weight is None else input * weight) + (0 if bias is None else bias)


def summed(input, other, size):
    product = input * other
    lead = product.ndim - len(size)
    dims = tuple(range(lead)) + tuple(d + lead for d, n in enumerate(size) if n == 1)
    return product.sum(axis=dims, keepdims=True).reshape(size)


def sizes(s):
    """Sizes to which an array of shape `s` can be summed."""
    return st.tuples(st.integers(0, len(s)), st.lists(st.booleans(), min_size=len(s), max_size=len(s))).map(
        lambda p: tuple(1 if one else n for n, one in zip(s, p[1]))[p[0]:])


def windowed(input, dim, before, after):
    x = np.moveaxis(input, dim, 0)
    rows = [x[max(k - before, 0):k + after + 1].sum(axis=0) for k in range(len(x))]
    return np.moveaxis(np.stack(rows), 0, dim) if rows else input


CASES = {
    "standardize": OpCase(of_blocks(eps=st.sampled_from([1e-5, 0.5]), centered=st.booleans()), standardized, analytic=True,
                          bad=[Bad((np.arange(3),), {"layout": (1, 1, 3), "eps": 0.1}, RuntimeError, "floating point.*int64")],
                          saves=("standard", "var")),
    "standardize_backward": OpCase(
        of_blocks(lambda s, b: arrays(s), lambda s, b: arrays((1, b[1], 1), low=0.5), centered=st.booleans()), backward,
        analytic=True, saves=("out",)),
    "scale_shift": OpCase(
        sample(arrays((2, 3)), st.none() | arrays((3,)) | arrays((2, 1)), st.none() | arrays((3,)) | arrays((1, 1))),
        scaled, analytic=True, bad=[Bad((f(2), f(2).astype(np.float32)), {}, RuntimeError, "to have the same dtype")]),
    "product_sum": OpCase(shapes().flatmap(lambda s: sample(arrays(s), arrays(s), size=sizes(s))), summed, analytic=True,
                          complex=True),
    "window_sum": OpCase(shapes(min_dims=1).flatmap(lambda s: sample(
        arrays(s), dim=dims(len(s), none=False), before=st.integers(0, 3), after=st.integers(0, 3))), windowed, analytic=True,
        complex=True),
}
