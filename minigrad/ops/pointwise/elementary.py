"""Elementary functions of each element: powers, exponentials and logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.dtypes import as_dtype
from minigrad._types.tensor_base import unwrap
from minigrad.errors import DtypeError
from minigrad.ops.pointwise.arithmetic import apply_mask, cast, make_complex, mul, real, rsqrt, with_number, zeros_of
from minigrad.ops.pointwise.comparison import _where
from minigrad.recording.argument_errors import not_a_tensor
from minigrad.recording.call import SCALARS
from minigrad.recording.inplace import with_inplace
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Number, Tensor

__all__ = ["acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh",
           "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "exp", "exp2", "expm1", "float_power", "frexp", "ldexp",
           "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logit", "pow", "rad2deg", "sigmoid", "sin", "sinc",
           "sinh", "tan", "tanh", "xlogy"]

LN2, LN10 = math.log(2), math.log(10)


# ---------------------------------------------------------------------------------------------------- exponentials

@op(dtypes="float")
def exp(input: Any) -> Any:
    """Elementwise e**x."""
    return np.exp(input)
@exp.derivative("input")
def exp_wrt_input(g: Any, out: Any) -> Any: return g * out


@op(dtypes="float")
def exp2(input: Any) -> Any:
    """Elementwise 2**x."""
    return np.exp2(input)
@exp2.derivative("input")
def exp2_wrt_input(g: Any, out: Any) -> Any: return g * (out * LN2)


@op(dtypes="float")
def expm1(input: Any) -> Any:
    """Elementwise e**x - 1, exact for small x."""
    return np.expm1(input)
@expm1.derivative("input")
def expm1_wrt_input(g: Any, out: Any) -> Any: return g * (out + 1)


@op(dtypes="float")
def log(input: Any) -> Any:
    """Natural logarithm; -inf at zero, nan below."""
    return np.log(input)
@log.derivative("input")
def log_wrt_input(g: Any, input: Any) -> Any: return g / input


@op(dtypes="float")
def log2(input: Any) -> Any:
    """Logarithm to base 2."""
    return np.log2(input)
@log2.derivative("input")
def log2_wrt_input(g: Any, input: Any) -> Any: return g / (input * LN2)


@op(dtypes="float")
def log10(input: Any) -> Any:
    """Logarithm to base 10."""
    return np.log10(input)
@log10.derivative("input")
def log10_wrt_input(g: Any, input: Any) -> Any: return g / (input * LN10)


@op(dtypes="float")
def log1p(input: Any) -> Any:
    """``log(1 + x)``, exact for small x."""
    return log1p_of(input)
@log1p.derivative("input")
def log1p_wrt_input(g: Any, input: Any) -> Any: return g / (input + 1)


@op(broadcasts=True, dtypes="float", numbers=())
def logaddexp(input: Any, other: Any) -> Any:
    """``log(exp(input) + exp(other))`` without overflow."""
    return np.logaddexp(input, other) if input.dtype.kind != "c" else complex_logaddexp(input, other)
@logaddexp.derivative("input")
def logaddexp_wrt_input(g: Any, input: Any, other: Any) -> Any: return g / (1 + exp(other - input))
@logaddexp.derivative("other")
def logaddexp_wrt_other(g: Any, input: Any, other: Any) -> Any: return g / (1 + exp(input - other))


def complex_logaddexp(a: Any, b: Any) -> Any:
    swap = a.real < b.real
    large, small = np.where(swap, b, a), np.where(swap, a, b)
    same = (large == small) & np.isinf(large.real)
    return np.where(same, large, large + log1p_of(np.exp(small - large)))


def log1p_of(x: Any) -> Any:
    """``log(1 + x)`` of an array; NumPy's loses the digits of small complex numbers."""
    if x.dtype.kind != "c":
        return np.log1p(x)
    a, b = x.real, x.imag
    small = np.abs(x) < 0.5
    excess = np.where(small, a * (2 + a) + b * b, 0)  # of |1 + x|**2 over 1
    size = np.where(small, np.where(excess == 0, a, np.log1p(excess) / 2), np.log(np.hypot(a + 1, b)))
    return make_complex(size, np.arctan2(b, a + 1))


@op(broadcasts=True, dtypes="float", numbers=())
def logaddexp2(input: Any, other: Any) -> Any:
    """``log2(2**input + 2**other)`` without overflow."""
    return np.logaddexp2(input, other)
@logaddexp2.derivative("input")
def logaddexp2_wrt_input(g: Any, input: Any, other: Any) -> Any: return g / (1 + exp2(other - input))
@logaddexp2.derivative("other")
def logaddexp2_wrt_other(g: Any, input: Any, other: Any) -> Any: return g / (1 + exp2(input - other))


@op(broadcasts=True, dtypes="float")
def xlogy(input: Any, other: Any) -> Any:
    """``input * log(other)``, and 0 where `input` is 0 unless `other` is nan."""
    return np.where((input == 0) & ~np.isnan(other), 0, input * np.log(other))
@xlogy.derivative("input")
def xlogy_wrt_input(g: Any, input: Any, other: Any) -> Any: return apply_mask(g * log(other), (input != 0) | (other > 0))
@xlogy.derivative("other")
def xlogy_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * input / other


@op(dtypes="float")
def sigmoid(input: Any) -> Any:
    """The logistic function ``1 / (1 + exp(-x))``."""
    if (fused := _arrays.kernels_of(input).each("sigmoid", input)) is not None:
        return fused
    return 1 / (1 + np.exp(-input))
@sigmoid.derivative("input")
def sigmoid_wrt_input(g: Any, out: Any) -> Any: return g * (out * (1 - out))


@op(dtypes="float")
def logit(input: Any, *, eps: float | None = None) -> Any:
    """``log(x / (1 - x))``, with x first brought into ``[eps, 1 - eps]`` where `eps` is given."""
    x = input if eps is None else np.clip(input, eps, 1 - eps)
    return np.log(x / (1 - x))
@logit.derivative("input")
def logit_wrt_input(g: Any, input: Any, eps: float | None) -> Any:
    low, outside = (0, math.nan) if eps is None else (eps, 0)
    return _where((input >= low) & (input <= 1 - low), g / (input * (1 - input)), outside)


# ---------------------------------------------------------------------------------------------------- powers

@op(grad_name="PowBackward0", called="pow", opmath=True)
def pow_number(input: Any, *, exponent: Any) -> Any:
    """`input` to the power of the Python number `exponent`."""
    if input.dtype.kind in "iub" and exponent < 0:
        raise DtypeError("Integers to negative integer powers are not allowed; use a floating-point tensor")
    return power_of(input, exponent)
@pow_number.derivative("input")
def pow_number_wrt_input(g: Any, input: Any, exponent: Any) -> Any:
    return zeros_of(g) if exponent == 0 else g * (exponent * pow_number(input, exponent=exponent - 1))


def power_of(x: Any, exponent: Any) -> Any:
    """``x ** exponent``; NumPy's is a hundred times slower than a product where it has no special case."""
    if exponent == 3:
        return x * x * x
    if exponent == 4:
        return (x * x) ** 2
    if x.dtype.kind == "b":
        return x | (not exponent)
    return 1 / (x * x) if exponent == -2 and x.dtype.kind in "fc" else x ** exponent


@op(broadcasts=True, grad_name="PowBackward0", called="pow", opmath=True)
def pow_tensor(input: Any, exponent: Any) -> Any:
    """`input` to the power `exponent`, both tensors; a negative power of an integer is rounded towards zero."""
    return np.power(input, exponent) if input.dtype.kind in "fc" else integer_power(input, exponent)
@pow_tensor.derivative("input")
def pow_tensor_wrt_input(g: Any, input: Any, exponent: Any) -> Any: return g * slope_of_power(input, exponent)
@pow_tensor.derivative("exponent")
def pow_tensor_wrt_exponent(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    return apply_mask(g * (out * log(input)), (input != 0) | (real(exponent) < 0))


def slope_of_power(base: Any, exponent: Any) -> Any:
    return apply_mask(exponent * pow_tensor(base, exponent - 1), exponent != 0)


def integer_power(base: Any, exponent: Any) -> Any:
    """``base ** exponent`` of integers or booleans; a negative power is 0 but for the bases 1 and -1."""
    power = np.power(base, np.maximum(exponent, 0))
    inverse = np.where(base == 1, 1, np.where(base == -1, 1 - 2 * (exponent & 1), 0))
    return np.where(exponent < 0, inverse, power).astype(base.dtype)


@with_inplace
def pow(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input ** exponent``, of two tensors or of a tensor and a number on either side.

    Raises ``RuntimeError`` for an integer tensor and a negative integer number.

    >>> import minigrad
    >>> minigrad.pow(minigrad.tensor([1., 2., 3.]), 2)
    tensor([1., 4., 9.])
    """
    if not isinstance(exponent, SCALARS):
        return pow_tensor(input, exponent, out=out)
    if not isinstance(input, SCALARS) and unwrap(input).dtype.kind != "f" or exponent.__class__ is builtins.complex:
        input = with_number(input, exponent)
    return pow_number(input, exponent=exponent, out=out)


@with_inplace
def float_power(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """Elementwise ``input ** exponent`` computed in float64, or complex128 where an operand is complex."""
    operands = [unwrap(input), unwrap(exponent)]
    wide = dtypes.complex128 if dtypes.result_dtype(operands).is_complex else dtypes.float64
    input, exponent = (x if isinstance(x, SCALARS) or unwrap(x).dtype is wide.numpy else cast(x, dtype=wide)
                       for x in (input, exponent))
    return pow(input, exponent, out=out)


# ---------------------------------------------------------------------------------------------------- trigonometry

@op(dtypes="float")
def sin(input: Any) -> Any:
    """Sine of an angle in radians."""
    return np.sin(input)
@sin.derivative("input")
def sin_wrt_input(g: Any, input: Any) -> Any: return g * cos(input)


@op(dtypes="float")
def cos(input: Any) -> Any:
    """Cosine of an angle in radians."""
    return np.cos(input)
@cos.derivative("input")
def cos_wrt_input(g: Any, input: Any) -> Any: return -g * sin(input)


@op(dtypes="float")
def tan(input: Any) -> Any:
    """Tangent of an angle in radians."""
    return np.tan(input)
@tan.derivative("input")
def tan_wrt_input(g: Any, out: Any) -> Any: return g * (1 + out * out)


@op(dtypes="float")
def asin(input: Any) -> Any:
    """The angle, in radians, whose sine it is; nan outside [-1, 1]."""
    return np.arcsin(input)
@asin.derivative("input")
def asin_wrt_input(g: Any, input: Any) -> Any: return g * rsqrt(1 - input * input)


@op(dtypes="float")
def acos(input: Any) -> Any:
    """The angle, in radians, whose cosine it is; nan outside [-1, 1]."""
    return np.arccos(input)
@acos.derivative("input")
def acos_wrt_input(g: Any, input: Any) -> Any: return -g * rsqrt(1 - input * input)


@op(dtypes="float")
def atan(input: Any) -> Any:
    """The angle, in radians, whose tangent it is."""
    return np.arctan(input)
@atan.derivative("input")
def atan_wrt_input(g: Any, input: Any) -> Any: return g / (1 + input * input)


@op(broadcasts=True, dtypes="float", numbers=())
def atan2(input: Any, other: Any) -> Any:
    """The angle, in radians, of the point with y = `input` and x = `other`."""
    return np.arctan2(input, other)
@atan2.derivative("input")
def atan2_wrt_input(g: Any, input: Any, other: Any) -> Any: return g * over_square(other, input, other)
@atan2.derivative("other")
def atan2_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * over_square(input, input, other)


def over_square(x: Any, a: Any, b: Any) -> Any:
    """``x / (a**2 + b**2)``, and 0 at the origin."""
    square = a * a + b * b
    return apply_mask(x / square, square != 0)


@op(dtypes="float")
def sinh(input: Any) -> Any:
    """Hyperbolic sine."""
    return np.sinh(input)
@sinh.derivative("input")
def sinh_wrt_input(g: Any, input: Any) -> Any: return g * cosh(input)


@op(dtypes="float")
def cosh(input: Any) -> Any:
    """Hyperbolic cosine."""
    return np.cosh(input)
@cosh.derivative("input")
def cosh_wrt_input(g: Any, input: Any) -> Any: return g * sinh(input)


@op(dtypes="float")
def tanh(input: Any) -> Any:
    """Hyperbolic tangent."""
    return np.tanh(input)
@tanh.derivative("input")
def tanh_wrt_input(g: Any, out: Any) -> Any: return g * (1 - out * out)


@op(dtypes="float")
def asinh(input: Any) -> Any:
    """Inverse of :func:`sinh`."""
    return np.arcsinh(input)
@asinh.derivative("input")
def asinh_wrt_input(g: Any, input: Any) -> Any: return g * rsqrt(input * input + 1)


@op(dtypes="float")
def acosh(input: Any) -> Any:
    """Inverse of :func:`cosh`; nan below 1."""
    return np.arccosh(input)
@acosh.derivative("input")
def acosh_wrt_input(g: Any, input: Any) -> Any: return g * (rsqrt(input - 1) * rsqrt(input + 1))


@op(dtypes="float")
def atanh(input: Any) -> Any:
    """Inverse of :func:`tanh`; infinite at -1 and 1, nan outside."""
    return np.arctanh(input)
@atanh.derivative("input")
def atanh_wrt_input(g: Any, input: Any) -> Any: return g / (1 - input * input)


@op(dtypes="float")
def sinc(input: Any) -> Any:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
    return np.where(input == 0, 1, np.sin(math.pi * input) / (math.pi * input))
@sinc.derivative("input")
def sinc_wrt_input(g: Any, input: Any) -> Any:
    x = input * math.pi
    return apply_mask(g * (math.pi * (x * cos(x) - sin(x)) / (x * x)), x * x != 0)


@op(dtypes="float")
def deg2rad(input: Any) -> Any:
    """Degrees to radians."""
    return np.deg2rad(input)
@deg2rad.derivative("input")
def deg2rad_wrt_input(g: Any) -> Any: return g * (math.pi / 180)


@op(dtypes="float")
def rad2deg(input: Any) -> Any:
    """Radians to degrees."""
    return np.rad2deg(input)
@rad2deg.derivative("input")
def rad2deg_wrt_input(g: Any) -> Any: return g * (180 / math.pi)


# ---------------------------------------------------------------------------------------------------- floating-point parts

@with_inplace
def ldexp(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input * 2**other``."""
    if isinstance(input, SCALARS):
        raise not_a_tensor("ldexp", "input", input)
    return mul(input, pow(2.0, other), out=out)


@op(outputs=("mantissa", "exponent"))
def frexp(input: Any) -> Any:
    """A mantissa with 0.5 <= |mantissa| < 1 and an int32 exponent, so that ``input == mantissa * 2**exponent``."""
    if input.dtype.kind != "f":
        raise DtypeError(f"torch.frexp() only supports floating-point dtypes; got {dtypes.FROM_NUMPY[input.dtype]!r}")
    return np.frexp(input)
@frexp.derivative("input")
def frexp_wrt_input(g: Any, exponent: Any) -> Any: return g[0] / exp2(cast(exponent, dtype=as_dtype(g[0].dtype)))


# ---------------------------------------------------------------------------------------------------- second names

arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh = acos, acosh, asin, asinh, atan, atan2, atanh
