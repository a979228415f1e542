"""Softmax of the rows of a matrix, its logarithm, and their gradients."""

from __future__ import annotations

import math
from typing import Any

from minigrad._arrays.host.compiling import kernel
from minigrad._arrays.host.elementary import exp, greatest

__all__ = ["log_softmax", "log_softmax_slope", "softmax", "softmax_slope"]


@kernel(sums=True)
def softmax(x: Any, y: Any, begin: int, end: int) -> None:
    """``exp(x) / sum(exp(x))``."""
    for row in range(begin, end):
        a, b = x[row], y[row]
        top, total = greatest(a), a.dtype.type(0)
        for k in range(a.size):
            b[k] = exp(a[k] - top)
            total += b[k]
        scale = a.dtype.type(1) / total
        for k in range(a.size):
            b[k] *= scale


@kernel(sums=True)
def log_softmax(x: Any, y: Any, begin: int, end: int) -> None:
    """``x - log(sum(exp(x)))``."""
    for row in range(begin, end):
        a, b = x[row], y[row]
        top, total = greatest(a), a.dtype.type(0)
        for k in range(a.size):
            b[k] = a[k] - top
            total += exp(b[k])
        shift = a.dtype.type(math.log(total))
        for k in range(a.size):
            b[k] -= shift


@kernel(sums=True)
def softmax_slope(grad: Any, out: Any, slope: Any, begin: int, end: int) -> None:
    """``(grad - sum(grad * out)) * out``."""
    for row in range(begin, end):
        g, y, s = grad[row], out[row], slope[row]
        total = y.dtype.type(0)
        for k in range(y.size):
            total += g[k] * y[k]
        for k in range(y.size):
            s[k] = (g[k] - total) * y[k]


@kernel(sums=True)
def log_softmax_slope(grad: Any, out: Any, slope: Any, begin: int, end: int) -> None:
    """``grad - exp(out) * sum(grad)``."""
    for row in range(begin, end):
        g, y, s = grad[row], out[row], slope[row]
        total = y.dtype.type(0)
        for k in range(y.size):
            total += g[k]
        for k in range(y.size):
            s[k] = g[k] - exp(y[k]) * total
