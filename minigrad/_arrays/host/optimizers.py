"""Steps of optimizers, each in one pass over the parameter, its state and its gradient. What moves by which numbers, and its
formula for a GPU, says ``STEPS`` in :mod:`minigrad._arrays.kernels`."""

from __future__ import annotations

import math
from typing import Any

from minigrad._arrays.host.compiling import kernel, part

__all__ = ["RULES"]


@part
def slope_of(p: Any, g: Any, decay: Any, sign: Any) -> Any:
    """The gradient to go down, weight decay added."""
    return sign * g + decay * p if decay != 0 else sign * g


@kernel
def sgd(p: Any, g: Any, rate: float, decay: float, sign: float, begin: int, end: int) -> None:
    p, g, real = p[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        p[k] -= real(rate) * slope_of(p[k], g[k], real(decay), real(sign))


@kernel
def momentum(p: Any, buffer: Any, g: Any, rate: float, decay: float, sign: float, keep: float, take: float, momentum: float,
             nesterov: float, begin: int, end: int) -> None:
    p, buffer, g, real = p[begin:end], buffer[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        slope = slope_of(p[k], g[k], real(decay), real(sign))
        mean = buffer[k] * real(keep) + slope * real(take)
        p[k] -= real(rate) * (slope + mean * real(momentum) if nesterov else mean)
        buffer[k] = mean


@kernel
def adam(p: Any, m: Any, v: Any, g: Any, keep1: float, take1: float, keep2: float, take2: float, rate: float, eps: float,
         decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    p, m, v, g, real = p[begin:end], m[begin:end], v[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] * real(keep1) + slope * real(take1), v[k] * real(keep2) + (slope * real(take2)) ** 2
        p[k] = x - mean / (math.sqrt(square) + real(eps)) * real(rate)
        m[k], v[k] = mean, square


@kernel
def amsgrad(p: Any, m: Any, v: Any, top: Any, g: Any, keep1: float, take1: float, keep2: float, take2: float, rate: float,
            eps: float, decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    p, m, v, top, g, real = p[begin:end], m[begin:end], v[begin:end], top[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] * real(keep1) + slope * real(take1), v[k] * real(keep2) + (slope * real(take2)) ** 2
        largest = top[k] if top[k] >= square or top[k] != top[k] else square  # NaN where one of them is
        p[k] = x - mean / (math.sqrt(largest) + real(eps)) * real(rate)
        m[k], v[k], top[k] = mean, square, largest


RULES = {"sgd": sgd, "momentum": momentum, "adam": adam, "amsgrad": amsgrad}
