"""Pooling: loops over every window. MaxUnpool puts values where the indices say."""

from __future__ import annotations

import math

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal


def pooled(reduce, kernel, stride, padding=0, fill=0.0, dilation=1):
    """`reduce` of every window of the padded input, an array of (N, C, ...) and the last dimension the window's."""
    def run(state, x):
        n = x.ndim - 2
        x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * n, constant_values=fill)
        size = [(s - dilation * (kernel - 1) - 1) // stride + 1 for s in x.shape[2:]]
        y = np.empty((*x.shape[:2], *size))
        for place in np.ndindex(*size):
            window = [slice(p * stride, p * stride + dilation * (kernel - 1) + 1, dilation) for p in place]
            y[(slice(None), slice(None), *place)] = reduce(x[(slice(None), slice(None), *window)].reshape(*x.shape[:2], -1))
        return y
    return run


def adaptive(reduce, sizes):
    """`reduce` of parts as even as can be: part k of n begins at floor(k * size / n) and ends at ceil((k + 1) * size / n)."""
    def run(state, x):
        wanted = [s if given is None else given for s, given in zip(x.shape[2:], sizes)]
        y = np.empty((*x.shape[:2], *wanted))
        for place in np.ndindex(*wanted):
            part = [slice(k * s // n, -(-(k + 1) * s // n)) for k, s, n in zip(place, x.shape[2:], wanted)]
            y[(slice(None), slice(None), *place)] = reduce(x[(slice(None), slice(None), *part)].reshape(*x.shape[:2], -1))
        return y
    return run


def largest(x):
    return x.max(-1)


def mean(x):
    return x.mean(-1)


def power_mean(p):
    """The p-th root of the sum of p-th powers."""
    return lambda x: (x**p).sum(-1) ** (1 / p)


def fractional(kernel, sizes):
    """Windows that begin where the random number says: at floor((k + u) * alpha) - floor(u * alpha)."""
    def run(state, x):
        n, samples = x.ndim - 2, state["_random_samples"]
        y = np.empty((*x.shape[:2], *sizes))
        for row, channel in np.ndindex(*x.shape[:2]):
            starts = []
            for d in range(n):
                u, size, out = samples[row, channel, n - 1 - d if n == 2 else d], x.shape[2 + d], sizes[d]
                alpha = (size - kernel) / (out - 1)
                starts.append([math.floor((k + u) * alpha) - math.floor(u * alpha) for k in range(out - 1)] + [size - kernel])
            for place in np.ndindex(*sizes):
                window = tuple([slice(s[p], s[p] + kernel) for s, p in zip(starts, place)])
                y[(row, channel, *place)] = x[row, channel][window].max()
        return y
    return run


def unpooled(state, x, indices):
    """Each value at its place, counted along the flat image, of a result twice as large."""
    y = np.zeros((*x.shape[:2], math.prod(2 * s for s in x.shape[2:])))
    for place in np.ndindex(x.shape):
        y[(*place[:2], indices[place])] = x[place]
    return y.reshape(*x.shape[:2], *[2 * s for s in x.shape[2:]])


def first_places(x):
    """Indices, one for each value, in an image twice as large: the first of each of the windows of 2."""
    size = [2 * s for s in x.shape[2:]]
    found = np.empty(x.shape, dtype=np.int64)
    for place in np.ndindex(x.shape):
        found[place] = np.ravel_multi_index([2 * p for p in place[2:]], size)
    return found


def fractional_case(n, sizes, x):
    def make(t):
        return getattr(t.nn, f"FractionalMaxPool{n}d")(2, output_size=sizes, _random_samples=t.rand(*x.shape[:2], n))
    return ModuleCase(make, (x,), fractional(2, sizes),
                      bad=[Bad((normal(2, 2),), RuntimeError, rf"Expected {n + 1}D or {n + 2}D \(batch mode\) tensor")])


def cases_of(n):
    """Those of the layers for `n` dimensions."""
    x, smaller = normal(2, 2, *(7, 5, 4)[:n]), normal(2, 1, *(3, 2, 2)[:n])
    sizes = (3, 2, None)[:n]
    wrong = [Bad((normal(3),), RuntimeError, rf"Expected {n + 1}D or {n + 2}D \(batch mode\) tensor")]
    few = [Bad((normal(3),), ValueError, f"Input dimension should be at least {n + 1}")]

    def kind(name):
        return f"{name}{n}d"

    def layer(name, *given, **settings):
        return lambda t: getattr(t.nn, kind(name))(*given, **settings)

    return {
        kind("MaxPool"): [
            ModuleCase(layer("MaxPool", 2), (x,), pooled(largest, 2, 2), batch=0, bad=wrong),
            ModuleCase(layer("MaxPool", 2, 1, 1), (x,), pooled(largest, 2, 1, 1, -np.inf)),
            ModuleCase(layer("MaxPool", 2, stride=1, dilation=2), (x,), pooled(largest, 2, 1, dilation=2))],
        kind("AvgPool"): [ModuleCase(layer("AvgPool", 2), (x,), pooled(mean, 2, 2), batch=0, bad=wrong),
                          ModuleCase(layer("AvgPool", 3, 2, 1), (x,), pooled(mean, 3, 2, 1))],
        kind("LPPool"): [ModuleCase(layer("LPPool", 3, 2), (np.abs(x),), pooled(power_mean(3), 2, 2), batch=0)],
        kind("AdaptiveAvgPool"): [ModuleCase(layer("AdaptiveAvgPool", sizes if n > 1 else 3), (x,), adaptive(mean, sizes),
                                             batch=0, bad=few)],
        kind("AdaptiveMaxPool"): [ModuleCase(layer("AdaptiveMaxPool", sizes if n > 1 else 3), (x,), adaptive(largest, sizes),
                                             batch=0, bad=few)],
        kind("MaxUnpool"): [ModuleCase(layer("MaxUnpool", 2), (smaller, first_places(smaller)), unpooled, batch=0,
                                       bad=[Bad((smaller, first_places(smaller)[:1]), RuntimeError,
                                                "Expected shape of indices to be the same as that of the input tensor")])],
    }


CASES = {
    **cases_of(1), **cases_of(2), **cases_of(3),
    "FractionalMaxPool2d": [fractional_case(2, (3, 2), normal(2, 2, 7, 5))],
    "FractionalMaxPool3d": [fractional_case(3, (3, 2, 2), normal(1, 2, 6, 5, 4))],
}
