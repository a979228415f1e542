"""Steps of optimizers, each in one pass over the parameter, its state and its gradient.

Memory takes the time, so nothing is lost by rounding as NumPy's functions do: a step has the same bits with a kernel and without.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

from numba import carray, types
from numba.extending import intrinsic

from minigrad._arrays.host.compiling import kernel, part
from minigrad._arrays.host.loops import address_of_member

__all__ = ["RULES", "TOGETHER"]


@part(rounds=True)
def slope_of(p: Any, g: Any, decay: Any, sign: Any) -> Any:
    """The gradient to go down, weight decay added."""
    return sign * g + decay * p if decay != 0 else sign * g


@part(rounds=True)
def greater(a: Any, b: Any) -> Any:
    """The greater of two numbers, NaN where one of them is."""
    return a if a >= b or a != a else b


@kernel(rounds=True)
def sgd(p: Any, g: Any, rate: float, decay: float, sign: float, begin: int, end: int) -> None:
    """``p -= rate slope``."""
    p, g, real = p[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        p[k] -= real(rate) * slope_of(p[k], g[k], real(decay), real(sign))


@kernel(rounds=True)
def momentum(p: Any, buffer: Any, g: Any, rate: float, decay: float, sign: float, keep: float, take: float, momentum: float,
             nesterov: float, begin: int, end: int) -> None:
    """``buffer = keep buffer + take slope``, ``p -= rate buffer`` or, with `nesterov`, ``rate (slope + momentum buffer)``."""
    p, buffer, g, real = p[begin:end], buffer[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        slope = slope_of(p[k], g[k], real(decay), real(sign))
        mean = buffer[k] * real(keep) + slope * real(take)
        p[k] -= real(rate) * (slope + mean * real(momentum) if nesterov else mean)
        buffer[k] = mean


@kernel(rounds=True)
def adam(p: Any, m: Any, v: Any, g: Any, keep1: float, take1: float, keep2: float, take2: float, rate: float, eps: float,
         decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    """``m = keep1 m + take1 slope``, ``v = keep2 v + (take2 slope)**2``, ``p = shrink p - rate m / (sqrt(v) + eps)``."""
    p, m, v, g, real = p[begin:end], m[begin:end], v[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] * real(keep1) + slope * real(take1), v[k] * real(keep2) + (slope * real(take2)) ** 2
        p[k] = x - mean / (math.sqrt(square) + real(eps)) * real(rate)
        m[k], v[k] = mean, square


@kernel(rounds=True)
def amsgrad(p: Any, m: Any, v: Any, top: Any, g: Any, keep1: float, take1: float, keep2: float, take2: float, rate: float,
            eps: float, decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    """As :func:`adam`, with the greatest v so far."""
    p, m, v, top, g, real = p[begin:end], m[begin:end], v[begin:end], top[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] * real(keep1) + slope * real(take1), v[k] * real(keep2) + (slope * real(take2)) ** 2
        largest = greater(top[k], square)
        p[k] = x - mean / (math.sqrt(largest) + real(eps)) * real(rate)
        m[k], v[k], top[k] = mean, square, largest


@kernel(rounds=True)
def nadam(p: Any, m: Any, v: Any, g: Any, take1: float, keep2: float, take2: float, rate: float, rate_g: float, lack: float,
          eps: float, decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    """As Adam, with the next step's momentum: ``p = shrink p - (rate_g slope + rate m) / (sqrt(v / lack) + eps)``."""
    p, m, v, g, real = p[begin:end], m[begin:end], v[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] + (slope - m[k]) * real(take1), v[k] * real(keep2) + real(take2) * slope * slope
        p[k] = x - (slope * real(rate_g) + mean * real(rate)) / (math.sqrt(square / real(lack)) + real(eps))
        m[k], v[k] = mean, square


@kernel(rounds=True)
def radam(p: Any, m: Any, v: Any, g: Any, take1: float, keep2: float, take2: float, rate: float, rectified: float, eps: float,
          decay: float, shrink: float, sign: float, begin: int, end: int) -> None:
    """As Adam, and without the division until `rectified`."""
    p, m, v, g, real = p[begin:end], m[begin:end], v[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        x = p[k] * real(shrink)
        slope = slope_of(x, g[k], real(decay), real(sign))
        mean, square = m[k] + (slope - m[k]) * real(take1), v[k] * real(keep2) + real(take2) * slope * slope
        p[k] = x - (mean * real(rate) / (math.sqrt(square) + real(eps)) if rectified else mean * real(rate))
        m[k], v[k] = mean, square


@kernel(rounds=True)
def adamax(p: Any, m: Any, u: Any, g: Any, take1: float, keep2: float, rate: float, eps: float, decay: float, sign: float,
           begin: int, end: int) -> None:
    """``m += take1 (slope - m)``, ``u = max(keep2 u, |slope| + eps)``, ``p -= rate m / u``."""
    p, m, u, g, real = p[begin:end], m[begin:end], u[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        slope = slope_of(p[k], g[k], real(decay), real(sign))
        mean, largest = m[k] + (slope - m[k]) * real(take1), greater(u[k] * real(keep2), abs(slope) + real(eps))
        p[k] -= mean * real(rate) / largest
        m[k], u[k] = mean, largest


@kernel(rounds=True)
def adagrad(p: Any, total: Any, g: Any, rate: float, eps: float, decay: float, sign: float, begin: int, end: int) -> None:
    """``total += slope**2``, ``p -= rate slope / (sqrt(total) + eps)``."""
    p, total, g, real = p[begin:end], total[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        slope = slope_of(p[k], g[k], real(decay), real(sign))
        square = total[k] + slope * slope
        p[k] -= slope * real(rate) / (math.sqrt(square) + real(eps))
        total[k] = square


@kernel(rounds=True)
def rmsprop(p: Any, v: Any, g: Any, keep: float, take: float, rate: float, eps: float, decay: float, sign: float, begin: int,
            end: int) -> None:
    """``v = keep v + take slope**2``, ``p -= rate slope / (sqrt(v) + eps)``."""
    p, v, g, real = p[begin:end], v[begin:end], g[begin:end], p.dtype.type
    for k in range(p.size):
        slope = slope_of(p[k], g[k], real(decay), real(sign))
        square = v[k] * real(keep) + real(take) * slope * slope
        p[k] -= slope / (math.sqrt(square) + real(eps)) * real(rate)
        v[k] = square


# ---------------------------------------------------------------------------------------------------- many parameters at once

@intrinsic  # type: ignore[untyped-decorator]
def pointer(typing: Any, like: Any, address: Any) -> Any:
    """An address as a pointer to numbers of the dtype of the array `like`."""
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[1], context.get_value_type(signature.return_type))
    return types.CPointer(like.dtype)(like, types.intp), generate


def together(rule: Any, count: int) -> Any:
    """The kernel that applies a rule to small parameters. In each row of `addresses` are those of the parameter and of what else
    the rule moves, `count` arrays; `grads` is the address of a tuple of gradients; `like` is any array of their dtype."""
    def one(like: Any, addresses: Any, sizes: Any, grads: int, factors: Any) -> None:
        for k in range(sizes.size):
            n, a = sizes[k], addresses[k]
            rule(carray(pointer(like, a[0]), n), carray(pointer(like, address_of_member(grads, k)), n), *factors, 0, n)

    def two(like: Any, addresses: Any, sizes: Any, grads: int, factors: Any) -> None:
        for k in range(sizes.size):
            n, a = sizes[k], addresses[k]
            rule(carray(pointer(like, a[0]), n), carray(pointer(like, a[1]), n),
                 carray(pointer(like, address_of_member(grads, k)), n), *factors, 0, n)

    def three(like: Any, addresses: Any, sizes: Any, grads: int, factors: Any) -> None:
        for k in range(sizes.size):
            n, a = sizes[k], addresses[k]
            rule(carray(pointer(like, a[0]), n), carray(pointer(like, a[1]), n), carray(pointer(like, a[2]), n),
                 carray(pointer(like, address_of_member(grads, k)), n), *factors, 0, n)

    def four(like: Any, addresses: Any, sizes: Any, grads: int, factors: Any) -> None:
        for k in range(sizes.size):
            n, a = sizes[k], addresses[k]
            rule(carray(pointer(like, a[0]), n), carray(pointer(like, a[1]), n), carray(pointer(like, a[2]), n),
                 carray(pointer(like, a[3]), n), carray(pointer(like, address_of_member(grads, k)), n), *factors, 0, n)

    function = (one, two, three, four)[count - 1]
    function.__name__ = f"{rule.__name__}_together"
    return kernel(rounds=True)(function)


RULES = {"sgd": sgd, "momentum": momentum, "adam": adam, "amsgrad": amsgrad, "nadam": nadam, "radam": radam, "adamax": adamax,
         "adagrad": adagrad, "rmsprop": rmsprop}
TOGETHER = {name: together(rule, list(inspect.signature(rule).parameters).index("g")) for name, rule in RULES.items()}
