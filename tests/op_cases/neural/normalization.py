"""What normalization layers are made of. Their composite forms, the oracle, are in tests/test_normalization.py."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.op_cases import Bad, OpCase, arrays, dims, f, sample, shapes

# Of an input: its shape, the layout of its block, how many weights there are, and to how many elements each belongs.
blocks = [((2, 3, 4), (2, 3, 4), 3, 4), ((6,), (1, 2, 3), 3, 1), ((2, 4, 3), (1, 4, 6), 4, 3), ((2, 3, 2, 2), (1, 6, 4), 3, 4),
          ((5, 2), (5, 2, 1), 2, 1)]


def of_blocks(*others, **settings):
    """An array, arrays made by `others` from a row of `blocks`, and the settings layout and step."""
    return st.sampled_from(blocks).flatmap(
        lambda b: sample(arrays(b[0]), *[o(b) for o in others], layout=b[1], step=b[3], eps=st.sampled_from([1e-5, 0.5]),
                         centered=st.booleans(), **{name: make(b) for name, make in settings.items()}))


def weights(block):
    return st.none() | arrays((block[2],))


def statistics(low):
    return lambda block: arrays((1, block[1][1], 1), low=low)


def spread(v, like, step):
    """The element of `v` that belongs to each of an array's: `step` elements have one, and after the last the first follows."""
    return np.resize(np.repeat(v, step), like.size).reshape(like.shape)


def over_rows(x, layout):
    x = x.reshape(layout)
    return x.sum(axis=(0, 2), keepdims=True) / (x.shape[0] * x.shape[2])


def standardized(input, weight=None, bias=None, layout=(1, 1, -1), step=1, eps=1e-5, centered=True):
    x = input.reshape(layout)
    mean = over_rows(x, layout) if centered else np.zeros((1, x.shape[1], 1), x.dtype)
    var = over_rows((x - mean) ** 2, layout)
    out = ((x - mean) / np.sqrt(var + eps)).reshape(input.shape)
    out = out if weight is None else out * spread(weight, input, step)
    return out if bias is None else out + spread(bias, input, step), mean, var


def backward(grad, input, mean, var, weight=None, layout=(1, 1, -1), step=1, eps=1e-5, centered=True, shape=(),
             wanted=(True, True, True)):
    s = ((input.reshape(layout) - mean * centered) / np.sqrt(var + eps)).reshape(input.shape)
    h = grad if weight is None else grad * spread(weight, input, step)
    slope = h.reshape(layout) - over_rows(h, layout) * centered - s.reshape(layout) * over_rows(h * s, layout)
    slope = (slope / np.sqrt(var + eps)).reshape(input.shape)
    owner = spread(np.arange(np.prod(shape, dtype=int)), input, step)
    sums = [np.array([x[owner == k].sum() for k in range(owner.max() + 1)]).reshape(shape) for x in (grad * s, grad)]
    return tuple(x if asked else np.zeros(0, x.dtype) for x, asked in zip((slope, *sums), wanted))


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
    "standardize": OpCase(
        of_blocks(weights, weights), standardized, analytic=True, saves=("mean", "var"),
        examples=[((f(0, 3), f(3), f(3)), {"layout": (0, 3, 1), "step": 1}), ((f(5, 2), None, None), {})],
        bad=[Bad((np.arange(3),), {"layout": (1, 1, 3), "eps": 0.1}, RuntimeError, "floating point.*int64")]),
    "standardize_backward": OpCase(
        of_blocks(lambda b: arrays(b[0]), statistics(-1.0), statistics(0.5), weights, shape=lambda b: st.just((b[2],)),
                  wanted=lambda b: st.sampled_from([(True, True, True), (True, False, True), (False, True, False)])),
        backward, analytic=True, saves=("grad_input",)),
    "scale_shift": OpCase(
        sample(arrays((2, 3)), st.none() | arrays((3,)) | arrays((2, 1)), st.none() | arrays((3,)) | arrays((1, 1))),
        scaled, analytic=True, bad=[Bad((f(2), f(2).astype(np.float32)), {}, RuntimeError, "to have the same dtype")]),
    "product_sum": OpCase(shapes().flatmap(lambda s: sample(arrays(s), arrays(s), size=sizes(s))), summed, analytic=True,
                          complex=True),
    "window_sum": OpCase(shapes(min_dims=1).flatmap(lambda s: sample(
        arrays(s), dim=dims(len(s), none=False), before=st.integers(0, 3), after=st.integers(0, 3))), windowed, analytic=True,
        complex=True),
}
