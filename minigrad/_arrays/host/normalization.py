"""Rows of mean 0 and variance 1, scaled and shifted, and the gradients of that.

There are two of each kernel. Where a weight belongs to many elements that lie together, as in batch normalization, `x` has the
shape (outer, rows, runs, step), and a weight belongs to the `step` elements of a run; after the last weight the first one
follows. Where each element of a row has a weight of its own, as in layer normalization, `x` has the shape (rows, elements).
"""

from __future__ import annotations

import math
from typing import Any

from minigrad._arrays.host.compiling import kernel, part

__all__ = ["ROWS", "standardize", "standardize_backward", "standardize_each", "standardize_each_backward"]

CHUNK = 4096  # elements that are added in the type of the array; the sums of chunks are added in float64
ROWS = 64  # of a matrix, whose gradients of the weights are added one after the other


@part(sums=True)
def total(x: Any) -> Any:
    """The sum of a row."""
    found = 0.0
    for start in range(0, x.size, CHUNK):
        a = x[start:start + CHUNK]
        s = a.dtype.type(0)
        for k in range(a.size):
            s += a[k]
        found += s
    return found


@part(sums=True)
def squares(x: Any, mean: Any) -> Any:
    """The sum of ``(x - mean) ** 2``."""
    found = 0.0
    for start in range(0, x.size, CHUNK):
        a = x[start:start + CHUNK]
        s = a.dtype.type(0)
        for k in range(a.size):
            s += (a[k] - mean) * (a[k] - mean)
        found += s
    return found


@part(sums=True)
def slopes(grad: Any, x: Any, mean: Any) -> Any:
    """The sums of `grad` and of ``grad * (x - mean)``."""
    found, product = 0.0, 0.0
    for start in range(0, x.size, CHUNK):
        g, a = grad[start:start + CHUNK], x[start:start + CHUNK]
        s, t = a.dtype.type(0), a.dtype.type(0)
        for k in range(a.size):
            s += g[k]
            t += g[k] * (a[k] - mean)
        found += s
        product += t
    return found, product


@part(sums=True)
def weighted_slopes(grad: Any, weight: Any, x: Any, mean: Any) -> Any:
    """The sums of ``grad * weight`` and of ``grad * weight * (x - mean)``."""
    found, product = 0.0, 0.0
    for start in range(0, x.size, CHUNK):
        g, w, a = grad[start:start + CHUNK], weight[start:start + CHUNK], x[start:start + CHUNK]
        s, t = a.dtype.type(0), a.dtype.type(0)
        for k in range(a.size):
            s += g[k] * w[k]
            t += g[k] * w[k] * (a[k] - mean)
        found += s
        product += t
    return found, product


@part
def rstd_of(var: Any, row: int, eps: float) -> Any:
    """``1 / sqrt(var + eps)`` of a row."""
    return var.dtype.type(1 / math.sqrt(var[row] + eps))


# ---------------------------------------------------------------------------------------------------- one weight for many

@kernel
def standardize(x: Any, weight: Any, bias: Any, y: Any, mean: Any, var: Any, eps: float, centered: bool, begin: int,
                end: int) -> None:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, and mean and variance of the rows."""
    outer, _, runs, step = x.shape
    for row in range(begin, end):
        m, v = 0.0, 0.0
        if centered:
            for o in range(outer):
                for run in range(runs):
                    m += total(x[o, row, run])
        mean[row] = m / (outer * runs * step)
        for o in range(outer):
            for run in range(runs):
                v += squares(x[o, row, run], mean[row])
        var[row] = v / (outer * runs * step)
        for o in range(outer):
            for run in range(runs):
                a, b, c = x[o, row, run], y[o, row, run], (row * runs + run) % weight.size
                middle, scale, shift = mean[row], rstd_of(var, row, eps) * weight[c], bias[c]
                for k in range(a.size):
                    b[k] = (a[k] - middle) * scale + shift


@kernel
def standardize_backward(grad: Any, x: Any, mean: Any, var: Any, weight: Any, slope: Any, sums: Any, products: Any, eps: float,
                         centered: bool, begin: int, end: int) -> None:
    """With s for the standardized x, r for 1 / sqrt(var + eps) and h for ``grad * weight``: the slope, which is
    ``r * (h - mean(h) - s * mean(h * s))`` over the rows, and of each run the sums of `grad` and of ``grad * s``."""
    outer, _, runs, step = x.shape
    for row in range(begin, end):
        r, h, hs = rstd_of(var, row, eps), 0.0, 0.0
        for run in range(runs):
            s, p = 0.0, 0.0
            for o in range(outer):
                found, product = slopes(grad[o, row, run], x[o, row, run], mean[row])
                s += found
                p += product * r
            c = (row * runs + run) % weight.size
            sums[row, run], products[row, run] = s, p
            h += s * weight[c]
            hs += p * weight[c]
        middle = mean[row]
        back = x.dtype.type(hs / (outer * runs * step) * r * r)
        down = x.dtype.type(h / (outer * runs * step) * r if centered else 0.0)
        for o in range(outer):
            for run in range(runs):
                g, a, b = grad[o, row, run], x[o, row, run], slope[o, row, run]
                scale = r * weight[(row * runs + run) % weight.size]
                for k in range(a.size):
                    b[k] = g[k] * scale - (a[k] - middle) * back - down


# ---------------------------------------------------------------------------------------------------- a weight for each

@kernel
def standardize_each(x: Any, weight: Any, bias: Any, y: Any, mean: Any, var: Any, eps: float, centered: bool, begin: int,
                     end: int) -> None:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, and mean and variance of the rows."""
    for row in range(begin, end):
        a, b = x[row], y[row]
        mean[row] = total(a) / a.size if centered else 0.0
        middle = mean[row]
        var[row] = squares(a, middle) / a.size
        r = rstd_of(var, row, eps)
        for k in range(a.size):
            b[k] = (a[k] - middle) * r * weight[k] + bias[k]


@kernel
def standardize_each_backward(grad: Any, x: Any, mean: Any, var: Any, weight: Any, slope: Any, sums: Any, products: Any,
                              eps: float, centered: bool, begin: int, end: int) -> None:
    """What :func:`standardize_backward` gives, for blocks of ``ROWS`` rows, of which `sums` and `products` have one row each."""
    for block in range(begin, end):
        db, dw = sums[block], products[block]
        for k in range(db.size):
            db[k] = 0
            dw[k] = 0
        for row in range(block * ROWS, min(len(x), (block + 1) * ROWS)):
            g, a, b, middle, r = grad[row], x[row], slope[row], mean[row], rstd_of(var, row, eps)
            h, hs = weighted_slopes(g, weight, a, middle)
            back = x.dtype.type(hs * r / a.size * r * r)
            down = x.dtype.type(h / a.size * r if centered else 0.0)
            for k in range(a.size):
                b[k] = g[k] * weight[k] * r - (a[k] - middle) * back - down
            for k in range(a.size):
                dw[k] += g[k] * (a[k] - middle) * r
                db[k] += g[k]
