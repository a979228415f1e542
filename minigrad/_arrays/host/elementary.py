"""Elementary functions of one float32 or float64, made of arithmetic alone, so that the compiler computes several at once.

The polynomials have the least greatest error on their interval (Remez's exchange). What error each function has, in units of the
last place, is stated and tested in ``tests/test_host.py``.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from minigrad._arrays.host.compiling import part

__all__ = ["exp", "greatest"]

INTEGER: dict[Any, Any] = {np.float32: np.int32, np.float64: np.int64}  # of the same size
LOG2_REST = 2.3190468138462996e-17  # the logarithm of 2, less what float64 has of it


def for_types(make: Callable[..., Any], **settings: tuple[Any, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function that in kernels is what `make` makes of the type, float32 or float64, and of the settings for it."""
    made = {getattr(types, T.__name__): make(T, **{name: pair[k] for name, pair in settings.items()})
            for k, T in enumerate(INTEGER)}

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        def choose(x: Any) -> Any:
            chosen = made[getattr(x, "dtype", x)]
            return lambda x: chosen(x)

        overload(function, strict=False)(choose)
        return function

    return declare


# ---------------------------------------------------------------------------------------------------- bits

LLVM = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.int32: ir.IntType(32), types.int64: ir.IntType(64)}
SAME_SIZE = {types.float32: types.int32, types.float64: types.int64, types.int32: types.float32, types.int64: types.float64}


@intrinsic  # type: ignore[untyped-decorator]
def bits_as(context: Any, x: Any) -> Any:
    """The bits of a floating point number as an integer of the same size, and of an integer as a floating point number."""
    return SAME_SIZE[x](x), lambda _, builder, signature, args: builder.bitcast(args[0], LLVM[signature.return_type])


# ---------------------------------------------------------------------------------------------------- functions

def greatest_for(T: Any) -> Any:
    I = INTEGER[T]  # noqa: E741
    least, most, sign = I(np.iinfo(I).min), I(np.iinfo(I).max), I(np.iinfo(I).bits - 1)

    @part
    def ordered(bits: Any) -> Any:
        """An integer for the bits of each number, in the order of the numbers; and the bits of that integer's number."""
        return I(bits ^ I(I(bits >> sign) & most))

    @part
    def greatest(x: Any) -> Any:
        found = least  # the compiler compares integers several at once, but numbers, which may be NaN, one by one
        for k in range(x.size):
            found = max(found, ordered(bits_as(x[k])))
        return bits_as(ordered(found))

    return greatest


@for_types(greatest_for)
def greatest(x: Any) -> Any:
    """The greatest element of an array that is not empty; where some are NaN, NaN or another element."""


def exp_for(T: Any, digits: Any, bias: Any, least: Any, most: Any, coefficients: tuple[float, ...]) -> Any:
    """For numbers with so many `digits` after the point and `bias` on their exponents: the result is 0 below `least` and infinite
    above `most`. The `coefficients` are those of ``(exp(r) - 1 - r) / r**2`` for r up to half the logarithm of 2."""
    I = INTEGER[T]  # noqa: E741
    least, most, zero, one = T(least), T(most), T(0), T(1)
    per_log2 = T(1 / math.log(2))
    high = T(round(math.log(2) * 2 ** 9) / 2 ** 9)  # so few digits that its product with the exponent is exact
    low = T(math.log(2) - float(high) + LOG2_REST)
    rounder = T(1.5 * 2 ** digits)  # a sum with this has no digits after the point, and its last bits are the integer
    rounder_bits, bias, digits, half = rounder.view(I), I(bias), I(digits), I(1)
    coefficients = tuple([T(c) for c in reversed(coefficients)])

    @part
    def exp(x: Any) -> Any:
        vanishes = x < least
        y = zero if vanishes else most if x > most else x
        shifted = y * per_log2 + rounder
        n = shifted - rounder
        r = (y - n * high) - n * low
        p = coefficients[0]
        for c in coefficients[1:]:
            p = p * r + c
        p = p * (r * r) + r + one
        exponent = I(bits_as(shifted) - rounder_bits)  # that of 2, in two parts, of which neither is too large for a number
        first = I(exponent >> half)
        p = p * bits_as(I((first + bias) << digits)) * bits_as(I((exponent - first + bias) << digits))
        return zero if vanishes else p

    return exp


@for_types(exp_for, digits=(23, 52), bias=(127, 1023), least=(-104, -746), most=(89, 710), coefficients=(
    (0.500000008951320826, 0.166665221176666567, 0.0416662179620504072, 0.00836858318006279351, 0.00139498719777640558),
    (0.5, 0.166666666666666821, 0.0416666666666667184, 0.00833333333331779336, 0.00138888888888604808,
     0.000198412698948349967, 2.48015873706996041e-05, 2.75572361801529136e-06, 2.75572354531866812e-07,
     2.51116359859944898e-08, 2.09264003589143461e-09)))
def exp(x: Any) -> Any:
    """``e**x``."""
