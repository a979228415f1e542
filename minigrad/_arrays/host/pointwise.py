"""Functions of the elements at one place of arrays of one shape, for which NumPy's functions would pass over the memory several
times."""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.elementary import exp
from minigrad._arrays.host.polynomials import LOGIT_POLYNOMIAL

__all__ = ["KERNELS", "TYPES", "dropout_mask"]


def each(formula: Callable[..., Any]) -> Callable[..., None]:
    """The kernel that computes `formula`, of one or two elements, at every place."""
    of = part(formula)

    def one(x: Any, out: Any, begin: int, end: int) -> None:
        a, b = x[begin:end], out[begin:end]
        for k in range(a.size):
            b[k] = of(a[k])

    def two(x: Any, y: Any, out: Any, begin: int, end: int) -> None:
        a, b, c = x[begin:end], y[begin:end], out[begin:end]
        for k in range(a.size):
            c[k] = of(a[k], b[k])

    loop = (one, two)[formula.__code__.co_argcount - 1]
    loop.__name__ = loop.__qualname__ = formula.__name__
    return kernel(loop)


# ---------------------------------------------------------------------------------------------------- exponentials

@part
def logistic(x: Any) -> Any:
    return type(x)(1) / (type(x)(1) + exp(-x))


@each
def sigmoid(x: Any) -> Any:
    return logistic(x)


@each
def silu(x: Any) -> Any:
    return x * logistic(x)


@each
def silu_slope(grad: Any, x: Any) -> Any:
    s, one = logistic(x), type(x)(1)
    return grad * (s * (one + x * (one - s)))


LOGIT = tuple([np.float32(c) for c in reversed(LOGIT_POLYNOMIAL)])


@part
def odds_against(x: Any) -> Any:
    """``ndtr(-x) / ndtr(x)``."""
    square, p = x * x, LOGIT[0]
    for c in LOGIT[1:]:
        p = p * square + c
    return exp(-p * x)


@each
def gelu(x: Any) -> Any:
    return x / (np.float32(1) + odds_against(x))


@each
def gelu_slope(grad: Any, x: Any) -> Any:
    density = exp(x * x * np.float32(-0.5)) * np.float32(1 / math.sqrt(2 * math.pi))
    return grad * (np.float32(1) / (np.float32(1) + odds_against(x)) + x * density)


# ---------------------------------------------------------------------------------------------------- choices

@each
def masked(x: Any, mask: Any) -> Any:
    return x if mask else type(x)(0)


@kernel
def leaky_relu(x: Any, slope: Any, out: Any, begin: int, end: int) -> None:
    a, b = x[begin:end], out[begin:end]
    for k in range(a.size):
        b[k] = a[k] * slope if a[k] <= 0 else a[k]


@kernel
def slope_of_sides(x: Any, below: Any, out: Any, begin: int, end: int) -> None:
    a, b, above = x[begin:end], out[begin:end], x.dtype.type(1)
    for k in range(a.size):
        b[k] = above if a[k] > 0 else below


@kernel
def dropout_mask(uniform: Any, p: Any, scale: Any, out: Any, begin: int, end: int) -> None:
    """`scale` where `uniform` is at least `p`, else 0."""
    a, b, dropped = uniform[begin:end], out[begin:end], out.dtype.type(0)
    for k in range(a.size):
        b[k] = scale if a[k] >= p else dropped


SINGLE, BOTH = (np.dtype(np.float32),), (np.dtype(np.float32), np.dtype(np.float64))
TYPES = {"gelu": SINGLE, "gelu_slope": SINGLE, "leaky_relu": BOTH, "masked": BOTH, "sigmoid": BOTH, "silu": BOTH,
         "silu_slope": BOTH, "slope_of_sides": BOTH}
KERNELS = {name: globals()[name] for name in TYPES}
