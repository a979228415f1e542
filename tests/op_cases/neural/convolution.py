"""Convolution and its two derivatives, unfold and fold: against loops over every element of every window."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad.ops.neural.sliding_window import exact_padding
from tests.op_cases import Bad, OpCase, f


def geometry(rng: Any, ndim: int, ceil: bool = False, dilated: bool = True) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Sizes, kernel and positions that fit together, with the settings that say so."""
    kernel = tuple(map(int, rng.integers(1, 4, ndim)))
    stride = tuple(map(int, rng.integers(1, 4, ndim))) if rng.random() < 0.5 else (1,) * ndim
    dilation = tuple(map(int, rng.integers(1, 3, ndim))) if dilated and rng.random() < 0.5 else (1,) * ndim
    before = [int(rng.integers(0, k // 2 + 1)) for k in kernel]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    size = tuple(int(rng.integers(max(1, r - 2 * b), r + 4)) for r, b in zip(reach, before))
    positions = tuple((n + 2 * b - r) // s + 1 for n, b, r, s in zip(size, before, reach, stride))
    if ceil:
        positions = tuple(p + 1 if p * s < n + b and rng.random() < 0.5 else p
                          for p, s, n, b in zip(positions, stride, size, before))
    settings = {"stride": stride, "dilation": dilation,
                "padding": exact_padding(size, kernel, stride, dilation, before, positions)}
    return size, kernel, positions, settings


def meetings(size: Any, kernel: Any, positions: Any, stride: Any, padding: Any,
             dilation: Any = None) -> Iterator[tuple[Any, Any, Any]]:
    """Every element of the window, position of it and element of the image that meet."""
    dilation = dilation or (1,) * len(size)
    for k in itertools.product(*map(range, kernel)):
        for p in itertools.product(*map(range, positions)):
            i = tuple(s * a + d * b - before for a, b, s, d, (before, _) in zip(p, k, stride, dilation, padding))
            if all(0 <= a < n for a, n in zip(i, size)):
                yield (..., *k), (..., *p), (..., *i)


def drawn(make: Callable[[Any, int], Any]) -> st.SearchStrategy[Any]:
    """Samples that `make` makes of a random generator and a number of dimensions."""
    return st.builds(lambda seed, ndim: make(np.random.default_rng(seed), ndim), st.integers(0, 2**20), st.integers(1, 2))


def parts(rng: Any, ndim: int) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """Image, weight, output and bias of one convolution, and its settings."""
    size, kernel, positions, settings = geometry(rng, ndim)
    groups, n = int(rng.integers(1, 3)), int(rng.integers(0, 3))
    channels, out = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    image, output = rng.normal(size=(n, channels, *size)), rng.normal(size=(n, out, *positions))
    weight = rng.normal(size=(out, channels // groups, *kernel))
    return image, weight, output, rng.normal(size=out), {**settings, "groups": groups}


def convolution_sample(rng: Any, ndim: int) -> Any:
    image, weight, _, bias, settings = parts(rng, ndim)
    return (image, weight, bias if rng.random() < 0.5 else None), settings


def transpose_sample(rng: Any, ndim: int) -> Any:
    image, weight, output, _, settings = parts(rng, ndim)
    return (output, weight, rng.normal(size=image.shape[1]) if rng.random() < 0.5 else None), settings


def weight_sample(rng: Any, ndim: int) -> Any:
    image, _, output, _, settings = parts(rng, ndim)
    return (image, output), settings


def grouped(image: Any, weight: Any, output: Any, groups: int, windows: dict[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """What multiplies and adds: for each group, the parts (n, c), (o, c) and (n, o) of image, weight and output that meet."""
    sizes = image.shape[2:], weight.shape[2:], output.shape[2:]
    for x, w, y in zip(np.split(image, groups, 1), np.split(weight, groups, 0), np.split(output, groups, 1)):
        for k, p, i in meetings(*sizes, **windows):
            yield x[i], w[k], y[p]


def convolution(input: Any, weight: Any, bias: Any, groups: int = 1, **windows: Any) -> Any:
    positions = [(n + sum(pair) - d * (k - 1) - 1) // s + 1 for n, k, s, d, pair in
                 zip(input.shape[2:], weight.shape[2:], windows["stride"], windows["dilation"], windows["padding"])]
    y = np.zeros((input.shape[0], weight.shape[0], *positions), input.dtype)
    for x, w, out in grouped(input, weight, y, groups, windows):
        out += x @ w.T
    return y if bias is None else y + bias.reshape(-1, *[1] * len(positions))


def convolution_transpose(input: Any, weight: Any, bias: Any, groups: int = 1, **windows: Any) -> Any:
    size = [(p - 1) * s + d * (k - 1) + 1 - sum(pair) for p, k, s, d, pair in
            zip(input.shape[2:], weight.shape[2:], windows["stride"], windows["dilation"], windows["padding"])]
    x = np.zeros((input.shape[0], weight.shape[1] * groups, *size), input.dtype)
    for image, w, y in grouped(x, weight, input, groups, windows):
        image += y @ w
    return x if bias is None else x + bias.reshape(-1, *[1] * len(size))


def convolution_weight(input: Any, other: Any, groups: int = 1, **windows: Any) -> Any:
    kernel = [(n + sum(pair) - (p - 1) * s - 1) // d + 1 for n, p, s, d, pair in
              zip(input.shape[2:], other.shape[2:], windows["stride"], windows["dilation"], windows["padding"])]
    weight = np.zeros((other.shape[1], input.shape[1] // groups, *kernel), input.dtype)
    for x, w, y in grouped(input, weight, other, groups, windows):
        w += y.T @ x
    return weight


def im2col_sample(rng: Any, ndim: int) -> Any:
    size, kernel, _, settings = geometry(rng, ndim)
    return (rng.normal(size=(int(rng.integers(0, 3)), 2, *size)),), {**settings, "kernel": kernel}


def col2im_sample(rng: Any, ndim: int) -> Any:
    size, kernel, positions, settings = geometry(rng, ndim)
    columns = rng.normal(size=(int(rng.integers(0, 3)), 2 * int(np.prod(kernel)), int(np.prod(positions))))
    return (columns,), {**settings, "kernel": kernel, "size": size}


def positions_of(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return [(n + sum(pair) - d * (k - 1) - 1) // s + 1 for n, k, s, d, pair in zip(size, kernel, stride, dilation, padding)]


def im2col(input: Any, kernel: Any, **windows: Any) -> Any:
    n, channels, size = *input.shape[:2], input.shape[2:]
    positions = positions_of(size, kernel, **windows)
    columns = np.zeros((n, channels, *kernel, *positions), input.dtype)
    for k, p, i in meetings(size, kernel, positions, **windows):
        columns[(..., *k[1:], *p[1:])] = input[i]
    return columns.reshape(n, channels * int(np.prod(kernel)), int(np.prod(positions)))


def col2im(input: Any, size: Any, kernel: Any, **windows: Any) -> Any:
    n, channels, positions = input.shape[0], input.shape[1] // int(np.prod(kernel)), positions_of(size, kernel, **windows)
    columns, image = input.reshape(n, channels, *kernel, *positions), np.zeros((n, channels, *size), input.dtype)
    for k, p, i in meetings(size, kernel, positions, **windows):
        image[i] += columns[(..., *k[1:], *p[1:])]
    return image


POINTWISE = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 2}
DEEP = {"stride": (1, 2, 1), "padding": ((1, 1), (0, 0), (1, 0)), "dilation": (1, 1, 2), "groups": 1}
MIXED = Bad((f(1, 1, 3, 3), f(1, 1, 2, 2, dtype=np.float32)), {}, RuntimeError, r"to have the same dtype, but got")

CASES = {
    "convolution": OpCase(
        drawn(convolution_sample), convolution, analytic=True, complex=True, bad=[MIXED],
        examples=[((f(2, 4, 3), f(2, 2, 1), f(2)), POINTWISE), ((f(2, 2, 3, 3, 4), f(1, 2, 2, 1, 2), None), DEEP)]),
    "convolution_transpose": OpCase(
        drawn(transpose_sample), convolution_transpose, analytic=True, complex=True, bad=[MIXED],
        examples=[((f(2, 2, 3), f(2, 2, 1), f(4)), POINTWISE), ((f(2, 1, 4, 2, 3), f(1, 2, 2, 1, 2), None), DEEP)]),
    "convolution_weight": OpCase(
        drawn(weight_sample), convolution_weight, analytic=True, complex=True, bad=[MIXED],
        examples=[((f(2, 4, 3), f(2, 2, 3)), POINTWISE), ((f(2, 2, 3, 3, 4), f(2, 1, 4, 2, 3)), DEEP)]),
    "im2col": OpCase(drawn(im2col_sample), im2col, analytic=True, complex=True),
    "col2im": OpCase(drawn(col2im_sample), col2im, analytic=True, complex=True),
}
