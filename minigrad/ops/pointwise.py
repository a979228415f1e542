"""Operations on each element by itself, and their derivatives.

Operands are broadcast together and brought to one dtype by PyTorch's rules; Python numbers may stand on either side. Where
a function has several forms (``pow`` of two tensors, of a tensor and a number), each form is an operation and a plain
function of PyTorch's name chooses. At a kink the derivative is the subgradient PyTorch documents, and a piecewise constant
function has the derivative zero.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from minigrad import backend, dtypes
from minigrad.autograd.call import SCALARS, not_a_tensor, number
from minigrad.autograd.graph import TensorBase
from minigrad.autograd.inplace import with_inplace
from minigrad.autograd.op import op
from minigrad.autograd.placement import on_its_card
from minigrad.dtypes import as_dtype
from minigrad.errors import DivisionByZeroError, DtypeError, ShapeError

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "allclose", "angle", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clamp", "clamp_max", "clamp_min", "clip",
    "complex", "conj", "conj_physical", "copysign", "cos", "cosh", "deg2rad", "div", "divide", "eq", "equal", "exp", "exp2",
    "expm1", "fix", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac", "frexp", "gcd", "ge",
    "greater", "greater_equal", "gt", "heaviside", "hypot", "imag", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "lcm", "ldexp", "le", "lerp", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "lt", "maximum", "minimum", "mul",
    "multiply", "nan_to_num", "ne", "neg", "negative", "nextafter", "not_equal", "polar", "positive", "pow", "rad2deg", "real",
    "reciprocal", "remainder", "round", "rsqrt", "rsub", "sgn", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "sqrt",
    "square", "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "view_as_complex", "view_as_real", "where", "xlogy"]

LN2, LN10 = math.log(2), math.log(10)


# ---------------------------------------------------------------------------------------------------- helpers

def array_of(x: Any) -> Any:
    """The array of a tensor; an array or a Python number as it is."""
    return x.array if isinstance(x, TensorBase) else x


def with_number(input: Any, *numbers: Any) -> Any:
    """`input` in the dtype that it and Python `numbers` (or None) have together."""
    array = array_of(input)
    if array.dtype.kind == "f" and not any([n.__class__ is builtins.complex for n in numbers]):
        return input
    wanted = dtypes.result_dtype([array, *numbers])
    return input if array.dtype is wanted.numpy else cast(input, dtype=wanted)


def real_only(name: str, x: Any) -> None:
    if x.dtype.kind == "c":
        raise DtypeError(f"{name} is not supported for complex tensors, which have no order; compare abs() or real")


def integers_only(name: str, *arrays: Any) -> None:
    for x in arrays:
        if x.dtype.kind not in "iub":
            raise DtypeError(f"\"{name}\" not implemented for {dtypes.FROM_NUMPY[x.dtype]!r}; it takes integers and booleans")


def refuse_zero(other: Any) -> None:
    """Integers cannot be divided by zero; of booleans and complex numbers there are no rounded quotients at all."""
    if other.dtype.kind in "bc":
        raise DtypeError(f"not implemented for {dtypes.FROM_NUMPY[other.dtype]!r}; convert the tensors first, or use true_divide")
    if other.dtype.kind in "iu" and not np.all(other):
        raise DivisionByZeroError("ZeroDivisionError: integer division by zero; floating-point tensors give inf or nan instead")


# ---------------------------------------------------------------------------------------------------- dtype and zeros

@op(holomorphic=False, grad_name="ToCopyBackward0", called="to")
def cast(input: Any, *, dtype: Any) -> Any:
    """`input` converted to `dtype`. Every change of dtype, promotion included, is recorded as this operation."""
    return (input.real if input.dtype.kind == "c" and dtype.kind not in "cb" else input).astype(dtype.numpy)
@cast.derivative("input")
def cast_wrt_input(g: Any, input_dtype: Any) -> Any: return cast(g, dtype=as_dtype(input_dtype))


@op
def zeros_of(input: Any) -> Any:
    """Zeros in the shape and dtype of `input`: the derivative of what is piecewise constant."""
    return np.zeros_like(input)


@op(broadcasts=True, dtypes="any")
def masked(input: Any, mask: Any) -> Any:
    """`input` where `mask`, else 0, whatever `input` is there; ``input * mask`` would keep its nan and inf."""
    return np.where(mask, input, 0)
@masked.derivative("input")
def masked_wrt_input(g: Any, mask: Any) -> Any: return masked(g, mask)


# ---------------------------------------------------------------------------------------------------- arithmetic

@op(broadcasts=True)
def mul(input: Any, other: Any) -> Any:
    """Elementwise product ``input * other``."""
    return input * other
@mul.derivative("input")
def mul_wrt_input(g: Any, other: Any) -> Any: return g * other
@mul.derivative("other")
def mul_wrt_other(g: Any, input: Any) -> Any: return g * input


@op(broadcasts=True)
def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Elementwise ``input + alpha * other``."""
    return input + other if alpha == 1 else input + scaled(other, alpha)
@add.derivative("input")
def add_wrt_input(g: Any) -> Any: return g
@add.derivative("other")
def add_wrt_other(g: Any, alpha: Any) -> Any: return g if alpha == 1 else g * alpha


@op(broadcasts=True)
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Elementwise ``input - alpha * other``. Raises ``RuntimeError`` for booleans: ``~mask`` inverts a mask."""
    refuse_bool("Subtraction", input)
    return input - other if alpha == 1 else input - scaled(other, alpha)
@sub.derivative("input")
def sub_wrt_input(g: Any) -> Any: return g
@sub.derivative("other")
def sub_wrt_other(g: Any, alpha: Any) -> Any: return -g if alpha == 1 else g * -alpha


@op(broadcasts=True, numbers=("other",))
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """Elementwise ``other - alpha * input``; what ``2 - x`` calls."""
    refuse_bool("Subtraction", input)
    return other - input if alpha == 1 else other - scaled(input, alpha)
@rsub.derivative("input")
def rsub_wrt_input(g: Any, alpha: Any) -> Any: return -g if alpha == 1 else g * -alpha
@rsub.derivative("other")
def rsub_wrt_other(g: Any) -> Any: return g


def scaled(other: Any, alpha: Any) -> Any:
    """``alpha * other`` in the dtype of `other`."""
    if type(alpha) is float and other.dtype.kind in "iub":
        raise DtypeError("For integral input tensors, argument alpha must not be a floating point number; got "
                         f"alpha={alpha} with {dtypes.FROM_NUMPY[other.dtype]!r}")
    if type(alpha) is bool and other.dtype.kind != "b":
        raise DtypeError("Boolean alpha only supported for Boolean results; use alpha=1 or alpha=0")
    return other * alpha


def refuse_bool(what: str, x: Any) -> None:
    if x.dtype.kind == "b":
        raise DtypeError(f"{what}, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
                         "use the `~` or `logical_not()` operator instead.")


@op(broadcasts=True, dtypes="float", grad_name="DivBackward0")
def true_divide(input: Any, other: Any) -> Any:
    """Elementwise quotient ``input / other``; integers give the default floating type."""
    return input / other
@true_divide.derivative("input")
def true_divide_wrt_input(g: Any, other: Any) -> Any: return g / other
@true_divide.derivative("other")
def true_divide_wrt_other(g: Any, other: Any, out: Any) -> Any: return -g * out / other


@op(broadcasts=True)
def floor_divide(input: Any, other: Any) -> Any:
    """``input / other`` rounded down, in the dtype of the operands. Raises ``RuntimeError`` for an integer zero divisor."""
    refuse_zero(other)
    return np.floor_divide(input, other)
@floor_divide.derivative("input")
def floor_divide_wrt_input(g: Any) -> Any: return zeros_of(g)
@floor_divide.derivative("other")
def floor_divide_wrt_other(g: Any) -> Any: return zeros_of(g)


@op(broadcasts=True, called="div")
def trunc_divide(input: Any, other: Any) -> Any:
    """``input / other`` rounded towards zero, in the dtype of the operands."""
    refuse_zero(other)
    return np.trunc(input / other) if input.dtype.kind not in "iub" else quotient_towards_zero(input, other)
@trunc_divide.derivative("input")
def trunc_divide_wrt_input(g: Any) -> Any: return zeros_of(g)
@trunc_divide.derivative("other")
def trunc_divide_wrt_other(g: Any) -> Any: return zeros_of(g)


def quotient_towards_zero(a: Any, b: Any) -> Any:
    down = np.floor_divide(a, b)
    return down + ((down < 0) & (down * b != a)).astype(down.dtype)


@with_inplace
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """Elementwise quotient.

    Args:
        rounding_mode: None for the true quotient, ``"trunc"`` to round towards zero as C does, ``"floor"`` to round down as
            Python's ``//`` does; the rounded forms keep integers.

    >>> import minigrad
    >>> minigrad.div(minigrad.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        return true_divide(input, other, out=out)
    if rounding_mode == "floor":
        return floor_divide(input, other, out=out)
    if rounding_mode == "trunc":
        return trunc_divide(input, other, out=out)
    raise DtypeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@op(broadcasts=True)
def remainder(input: Any, other: Any) -> Any:
    """What ``input // other`` leaves, with the sign of `other`, as Python's ``%``."""
    refuse_zero(other)
    return np.remainder(input, other)
@remainder.derivative("input")
def remainder_wrt_input(g: Any) -> Any: return g
@remainder.derivative("other")
def remainder_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * floor_divide(input, other)


@op(broadcasts=True, numbers=("other",))
def fmod(input: Any, other: Any) -> Any:
    """What the division rounded towards zero leaves, with the sign of `input`, as C's ``fmod``."""
    refuse_zero(other)
    return np.fmod(input, other)
@fmod.derivative("input")
def fmod_wrt_input(g: Any) -> Any: return g
@fmod.derivative("other")
def fmod_wrt_other(g: Any, input: Any, other: Any) -> Any: return -g * trunc_divide(input, other)


@op
def neg(input: Any) -> Any:
    """Elementwise ``-input``. Raises ``RuntimeError`` for booleans."""
    refuse_bool("Negation", input)
    return -input
@neg.derivative("input")
def neg_wrt_input(g: Any) -> Any: return -g


def positive(input: Any) -> Any:
    """`input` itself. Raises ``RuntimeError`` for booleans."""
    if array_of(input).dtype.kind == "b":
        raise DtypeError("The `+` operator, on a bool tensor is not supported; convert it with .to(minigrad.int64)")
    return input


@op(dtypes="float")
def reciprocal(input: Any) -> Any:
    """Elementwise ``1 / input``."""
    return 1 / input
@reciprocal.derivative("input")
def reciprocal_wrt_input(g: Any, out: Any) -> Any: return -g * out * out


@op
def square(input: Any) -> Any:
    """Elementwise ``input * input``; booleans give int64."""
    x = input.astype(np.int64) if input.dtype.kind == "b" else input
    return x * x
@square.derivative("input")
def square_wrt_input(g: Any, input: Any) -> Any: return g * (2 * input)


@op(dtypes="float")
def sqrt(input: Any) -> Any:
    """Elementwise square root; nan below zero."""
    return np.sqrt(input)
@sqrt.derivative("input")
def sqrt_wrt_input(g: Any, out: Any) -> Any: return g / (2 * out)


@op(dtypes="float")
def rsqrt(input: Any) -> Any:
    """Elementwise ``1 / sqrt(input)``."""
    return 1 / np.sqrt(input)
@rsqrt.derivative("input")
def rsqrt_wrt_input(g: Any, out: Any) -> Any: return -0.5 * g * (out * out * out)


# ---------------------------------------------------------------------------------------------------- powers

@op(grad_name="PowBackward0", called="pow")
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


@op(broadcasts=True, grad_name="PowBackward0", called="pow")
def pow_tensor(input: Any, exponent: Any) -> Any:
    """`input` to the power `exponent`, both tensors; a negative power of an integer is rounded towards zero."""
    return np.power(input, exponent) if input.dtype.kind in "fc" else integer_power(input, exponent)
@pow_tensor.derivative("input")
def pow_tensor_wrt_input(g: Any, input: Any, exponent: Any) -> Any: return g * slope_of_power(input, exponent)
@pow_tensor.derivative("exponent")
def pow_tensor_wrt_exponent(g: Any, input: Any, exponent: Any, out: Any) -> Any:
    return masked(g * (out * log(input)), (input != 0) | (real(exponent) < 0))


def slope_of_power(base: Any, exponent: Any) -> Any:
    return masked(exponent * pow_tensor(base, exponent - 1), exponent != 0)


def integer_power(base: Any, exponent: Any) -> Any:
    """``base ** exponent`` of integers or booleans; a negative power is 0 but for the bases 1 and -1."""
    power = np.power(base, np.maximum(exponent, 0))
    inverse = np.where(base == 1, 1, np.where(base == -1, 1 - 2 * (exponent & 1), 0))
    return np.where(exponent < 0, inverse, power).astype(base.dtype)


@with_inplace
def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Elementwise ``input ** exponent``, of two tensors or of a tensor and a number on either side.

    Raises ``RuntimeError`` for an integer tensor and a negative integer number.

    >>> import minigrad
    >>> minigrad.pow(minigrad.tensor([1., 2., 3.]), 2)
    tensor([1., 4., 9.])
    """
    if not isinstance(exponent, SCALARS):
        return pow_tensor(input, exponent, out=out)
    if not isinstance(input, SCALARS) and array_of(input).dtype.kind != "f" or exponent.__class__ is builtins.complex:
        input = with_number(input, exponent)
    return pow_number(input, exponent=exponent, out=out)


@with_inplace
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """Elementwise ``input ** exponent`` computed in float64, or complex128 where an operand is complex."""
    operands = [array_of(input), array_of(exponent)]
    wide = dtypes.complex128 if dtypes.result_dtype(operands).is_complex else dtypes.float64
    input, exponent = (x if isinstance(x, SCALARS) or array_of(x).dtype is wide.numpy else cast(x, dtype=wide)
                       for x in (input, exponent))
    return pow(input, exponent, out=out)


# ---------------------------------------------------------------------------------------------------- size and sign

@op(holomorphic=False)
def abs(input: Any) -> Any:
    """Absolute value; of a complex number, its distance from zero."""
    return np.abs(input)
@abs.derivative("input")
def abs_wrt_input(g: Any, input: Any) -> Any: return g * sgn(input)


@op
def sign(input: Any) -> Any:
    """-1, 0 or 1. Raises ``RuntimeError`` for complex numbers, whose :func:`sgn` it would be."""
    if input.dtype.kind == "c":
        raise DtypeError("Unlike NumPy, torch.sign doesn't allow for complex tensors. Use sgn() instead.")
    return signs(input)
@sign.derivative("input")
def sign_wrt_input(g: Any) -> Any: return zeros_of(g)


@op(holomorphic=False)
def sgn(input: Any) -> Any:
    """The sign of real numbers; of a complex one, the number of length 1 in its direction (0 for 0)."""
    return np.sign(input) if input.dtype.kind == "c" else signs(input)
@sgn.derivative("input")
def sgn_wrt_input(g: Any, input: Any, out: Any) -> Any:
    if input.dtype.kind != "c":
        return zeros_of(g)
    return masked((g - real(g * conj(out)) * out) / abs(input), input != 0)


def signs(x: Any) -> Any:
    """-1, 0 or 1 in the dtype of `x`; 0 for nan, as in PyTorch."""
    return x.copy() if x.dtype.kind == "b" else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


@op
def signbit(input: Any) -> Any:
    """Whether the sign bit is set: True for negative numbers and -0."""
    return np.signbit(input) if input.dtype.kind == "f" else input < 0


@op(broadcasts=True, dtypes="float", numbers=("other",))
def copysign(input: Any, other: Any) -> Any:
    """The size of `input` with the sign of `other`, which -0 has too."""
    return np.copysign(input, other)
@copysign.derivative("input")
def copysign_wrt_input(g: Any, input: Any, out: Any) -> Any: return masked(g * out / input, input != 0)
@copysign.derivative("other")
def copysign_wrt_other(g: Any) -> Any: return zeros_of(g)


@op(broadcasts=True, numbers=())
def hypot(input: Any, other: Any) -> Any:
    """``sqrt(input**2 + other**2)`` without overflow."""
    return np.hypot(input, other)
@hypot.derivative("input")
def hypot_wrt_input(g: Any, input: Any, out: Any) -> Any: return g * (input / out)
@hypot.derivative("other")
def hypot_wrt_other(g: Any, other: Any, out: Any) -> Any: return g * (other / out)


@op(broadcasts=True, dtypes="same")
def heaviside(input: Any, values: Any) -> Any:
    """The step function: 0 below zero, `values` at zero, 1 above."""
    real_only("heaviside", input)
    return np.where(input == 0, values, (input > 0).astype(input.dtype))


@op(broadcasts=True, numbers=())
def nextafter(input: Any, other: Any) -> Any:
    """The next floating-point number after `input` in the direction of `other`."""
    return np.nextafter(input, other)
@nextafter.derivative("input")
def nextafter_wrt_input(g: Any) -> Any: return g
@nextafter.derivative("other")
def nextafter_wrt_other(g: Any) -> Any: return zeros_of(g)


# ---------------------------------------------------------------------------------------------------- combinations

@op(broadcasts=True, numbers=("weight",))
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Linear interpolation ``input + weight * (end - input)``; `weight` is a tensor or a number."""
    return np.where(np.abs(weight) < 0.5, input + weight * (end - input), end - (end - input) * (1 - weight))
@lerp.derivative("input")
def lerp_wrt_input(g: Any, weight: Any) -> Any: return g * (1 - weight)
@lerp.derivative("end")
def lerp_wrt_end(g: Any, weight: Any) -> Any: return g * weight
@lerp.derivative("weight")
def lerp_wrt_weight(g: Any, input: Any, end: Any) -> Any: return g * (end - input)


@op(broadcasts=True, numbers=())
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``."""
    return input + scaled(tensor1 * tensor2, value)
@addcmul.derivative("input")
def addcmul_wrt_input(g: Any) -> Any: return g
@addcmul.derivative("tensor1")
def addcmul_wrt_tensor1(g: Any, tensor2: Any, value: Any) -> Any: return g * (tensor2 * value)
@addcmul.derivative("tensor2")
def addcmul_wrt_tensor2(g: Any, tensor1: Any, value: Any) -> Any: return g * (tensor1 * value)


@op(broadcasts=True, numbers=())
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``, of floating-point tensors."""
    refuse_integer_quotient(input)
    return input + value * (tensor1 / tensor2)
@addcdiv.derivative("input")
def addcdiv_wrt_input(g: Any) -> Any: return g
@addcdiv.derivative("tensor1")
def addcdiv_wrt_tensor1(g: Any, tensor2: Any, value: Any) -> Any: return g * (value / tensor2)
@addcdiv.derivative("tensor2")
def addcdiv_wrt_tensor2(g: Any, tensor1: Any, tensor2: Any, value: Any) -> Any: return g * (-value * tensor1 / tensor2**2)


def refuse_integer_quotient(x: Any) -> None:
    if x.dtype.kind in "iub":
        raise DtypeError("Integer division with addcdiv is no longer supported; convert a tensor with .float(), or write "
                         "input + value * minigrad.div(tensor1, tensor2, rounding_mode='trunc')")


# ---------------------------------------------------------------------------------------------------- comparison

@op(broadcasts=True, numbers=("other",))
def eq(input: Any, other: Any) -> Any:
    """Elementwise ``input == other``."""
    return input == other


@op(broadcasts=True, numbers=("other",))
def ne(input: Any, other: Any) -> Any:
    """Elementwise ``input != other``."""
    return input != other


@op(broadcasts=True, numbers=("other",))
def lt(input: Any, other: Any) -> Any:
    """Elementwise ``input < other``."""
    real_only("lt", input)
    return input < other


@op(broadcasts=True, numbers=("other",))
def le(input: Any, other: Any) -> Any:
    """Elementwise ``input <= other``."""
    real_only("le", input)
    return input <= other


@op(broadcasts=True, numbers=("other",))
def gt(input: Any, other: Any) -> Any:
    """Elementwise ``input > other``."""
    real_only("gt", input)
    return input > other


@op(broadcasts=True, numbers=("other",))
def ge(input: Any, other: Any) -> Any:
    """Elementwise ``input >= other``."""
    real_only("ge", input)
    return input >= other


@op(broadcasts=True, dtypes="same")
def isclose(input: Any, other: Any, *, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``; an infinity is close to itself only, nan to nan if `equal_nan`."""
    if rtol < 0 or atol < 0:
        raise DtypeError(f"rtol and atol must not be negative; got rtol={rtol}, atol={atol}")
    same = (input == other) | (np.isnan(input) & np.isnan(other) if equal_nan else False)
    return same | near(input, other, rtol, atol) if rtol or atol else same


def near(a: Any, b: Any, rtol: float, atol: float) -> Any:
    difference = np.abs(a - b) if a.dtype.kind != "b" else a ^ b
    return np.isfinite(b) & (difference <= atol + np.abs(rtol * b))


@on_its_card
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close, by :func:`isclose`."""
    return bool(array_of(isclose(input, other, rtol, atol, equal_nan)).all())


@on_its_card
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and elements."""
    return tuple(input.shape) == tuple(other.shape) and bool(array_of(eq(input, other)).all())


@op
def isnan(input: Any) -> Any:
    """Whether each element is nan."""
    return np.isnan(input)


@op
def isinf(input: Any) -> Any:
    """Whether each element is infinite."""
    return np.isinf(input)


@op
def isfinite(input: Any) -> Any:
    """Whether each element is neither infinite nor nan."""
    return np.isfinite(input)


@op
def isposinf(input: Any) -> Any:
    """Whether each element is +inf."""
    real_only("isposinf", input)
    return np.isinf(input) & (input > 0)


@op
def isneginf(input: Any) -> Any:
    """Whether each element is -inf."""
    real_only("isneginf", input)
    return np.isinf(input) & (input < 0)


@op
def isreal(input: Any) -> Any:
    """Whether each element is a real number: its imaginary part is 0."""
    return input.imag == 0


# ---------------------------------------------------------------------------------------------------- logic and bits

@op(broadcasts=True, dtypes="any")
def logical_and(input: Any, other: Any) -> Any:
    """Whether both are nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_and(input, other)


@op(broadcasts=True, dtypes="any")
def logical_or(input: Any, other: Any) -> Any:
    """Whether one or both are nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_or(input, other)


@op(broadcasts=True, dtypes="any")
def logical_xor(input: Any, other: Any) -> Any:
    """Whether exactly one is nonzero."""
    if input.__class__ is not np.ndarray:
        input, other = truth(input), truth(other)
    return np.logical_xor(input, other)


@op
def logical_not(input: Any) -> Any:
    """Whether each element is zero."""
    return np.logical_not(input if input.__class__ is np.ndarray else truth(input))


def truth(x: Any) -> Any:
    """What is nonzero where `x` is, and not complex, which CuPy's logical functions do not take."""
    return x != 0 if x.dtype.kind == "c" else x


@op(broadcasts=True)
def bitwise_and(input: Any, other: Any) -> Any:
    """Bits set in both; for booleans, the logical and."""
    integers_only("bitwise_and", input)
    return input & other


@op(broadcasts=True)
def bitwise_or(input: Any, other: Any) -> Any:
    """Bits set in one or both; for booleans, the logical or."""
    integers_only("bitwise_or", input)
    return input | other


@op(broadcasts=True)
def bitwise_xor(input: Any, other: Any) -> Any:
    """Bits set in exactly one; for booleans, the logical exclusive or."""
    integers_only("bitwise_xor", input)
    return input ^ other


@op
def bitwise_not(input: Any) -> Any:
    """All bits inverted; for booleans, the logical not."""
    integers_only("bitwise_not", input)
    return ~input


@op(broadcasts=True)
def bitwise_left_shift(input: Any, other: Any) -> Any:
    """``input * 2**other`` by shifting bits."""
    integers_only("bitwise_left_shift", input)
    return input << other


@op(broadcasts=True)
def bitwise_right_shift(input: Any, other: Any) -> Any:
    """``input // 2**other`` by shifting bits; negative numbers stay negative."""
    integers_only("bitwise_right_shift", input)
    return input >> other


@op(broadcasts=True, numbers=())
def gcd(input: Any, other: Any) -> Any:
    """Greatest common divisor of integers; never negative."""
    integers_only("gcd", input)
    return np.gcd(input, other)


@op(broadcasts=True, numbers=())
def lcm(input: Any, other: Any) -> Any:
    """Least common multiple of integers; never negative."""
    integers_only("lcm", input)
    return np.lcm(input, other)


# ---------------------------------------------------------------------------------------------------- rounding

@op
def floor(input: Any) -> Any:
    """The largest integer not above each element, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.floor(input)
@floor.derivative("input")
def floor_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def ceil(input: Any) -> Any:
    """The smallest integer not below each element, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.ceil(input)
@ceil.derivative("input")
def ceil_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def trunc(input: Any) -> Any:
    """Each element without its fraction, in the dtype of `input`."""
    return input.copy() if input.dtype.kind in "iu" else np.trunc(input)
@trunc.derivative("input")
def trunc_wrt_input(g: Any) -> Any: return zeros_of(g)


@op
def frac(input: Any) -> Any:
    """The fraction of each element, with its sign."""
    return input - np.trunc(input)
@frac.derivative("input")
def frac_wrt_input(g: Any) -> Any: return g


@op
def round(input: Any, *, decimals: int = 0) -> Any:
    """Rounded to `decimals` places after the point (before it, if negative); halves go to the even neighbour."""
    return np.rint(input) if decimals == 0 and input.dtype.kind == "f" else rounded(input, decimals)
@round.derivative("input")
def round_wrt_input(g: Any) -> Any: return zeros_of(g)


def rounded(x: Any, decimals: int) -> Any:
    if x.dtype.kind in "iu":
        if decimals:
            raise DtypeError(f"\"round\" not implemented for integers with decimals={decimals}; convert with .float()")
        return x.copy()
    scale = x.dtype.type(10.0 ** builtins.abs(decimals))
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


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
    return np.log1p(input)
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
    return np.where(same, large, large + np.log1p(np.exp(small - large)))


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
def xlogy_wrt_input(g: Any, input: Any, other: Any) -> Any: return masked(g * log(other), (input != 0) | (other > 0))
@xlogy.derivative("other")
def xlogy_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * input / other


@op(dtypes="float")
def sigmoid(input: Any) -> Any:
    """The logistic function ``1 / (1 + exp(-x))``."""
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
    return masked(x / square, square != 0)


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
    return masked(g * (math.pi * (x * cos(x) - sin(x)) / (x * x)), x * x != 0)


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


# ---------------------------------------------------------------------------------------------------- choosing

@op(broadcasts=True, numbers=())
def maximum(input: Any, other: Any) -> Any:
    """The larger of two elements; nan if one is. Equal ones get half the gradient each."""
    real_only("maximum", input)
    return np.maximum(input, other)
@maximum.derivative("input")
def maximum_wrt_input(g: Any, input: Any, other: Any) -> Any: return g * share(input < other, input <= other, g)
@maximum.derivative("other")
def maximum_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * share(other < input, other <= input, g)


@op(broadcasts=True, numbers=())
def minimum(input: Any, other: Any) -> Any:
    """The smaller of two elements; nan if one is. Equal ones get half the gradient each."""
    real_only("minimum", input)
    return np.minimum(input, other)
@minimum.derivative("input")
def minimum_wrt_input(g: Any, input: Any, other: Any) -> Any: return g * share(input > other, input >= other, g)
@minimum.derivative("other")
def minimum_wrt_other(g: Any, input: Any, other: Any) -> Any: return g * share(other > input, other >= input, g)


def share(loses: Any, loses_or_draws: Any, g: Any) -> Any:
    """The part of a gradient that an operand gets: 0 where it loses, half in a draw, all where it wins or one is nan."""
    dtype = as_dtype(g.dtype)
    return 1 - 0.5 * (cast(loses, dtype=dtype) + cast(loses_or_draws, dtype=dtype))


@op(broadcasts=True, numbers=())
def fmax(input: Any, other: Any) -> Any:
    """The larger of two elements, or the one that is not nan."""
    real_only("fmax", input)
    return np.fmax(input, other)
@fmax.derivative("input")
def fmax_wrt_input(g: Any, input: Any, other: Any) -> Any: return masked(g, (input >= other) | isnan(other))
@fmax.derivative("other")
def fmax_wrt_other(g: Any, input: Any, other: Any) -> Any: return masked(g, ~((input >= other) | isnan(other)))


@op(broadcasts=True, numbers=())
def fmin(input: Any, other: Any) -> Any:
    """The smaller of two elements, or the one that is not nan."""
    real_only("fmin", input)
    return np.fmin(input, other)
@fmin.derivative("input")
def fmin_wrt_input(g: Any, input: Any, other: Any) -> Any: return masked(g, (input <= other) | isnan(other))
@fmin.derivative("other")
def fmin_wrt_other(g: Any, input: Any, other: Any) -> Any: return masked(g, ~((input <= other) | isnan(other)))


@op(grad_name="ClampBackward0", called="clamp")
def clamp_numbers(input: Any, *, min: Any = None, max: Any = None) -> Any:
    """`input` brought into the range of two Python numbers, either of which may be None."""
    return between(input, min, max)
@clamp_numbers.derivative("input")
def clamp_numbers_wrt_input(g: Any, input: Any, min: Any, max: Any) -> Any: return g * inside(input, min, max)


@op(broadcasts=True, grad_name="ClampBackward0", numbers=("min", "max"), called="clamp")
def clamp_tensors(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` brought into the range of two tensors, either of which may be None; where min > max the result is max."""
    return between(input, min, max)
@clamp_tensors.derivative("input")
def clamp_tensors_wrt_input(g: Any, input: Any, min: Any, max: Any) -> Any: return masked(g, inside(input, min, max))
@clamp_tensors.derivative("min")
def clamp_tensors_wrt_min(g: Any, input: Any, min: Any, max: Any) -> Any: return masked(g, below(input, min, max))
@clamp_tensors.derivative("max")
def clamp_tensors_wrt_max(g: Any, input: Any, min: Any, max: Any) -> Any: return masked(g, above(input, min, max))


def between(x: Any, low: Any, high: Any) -> Any:
    """`x` brought into the range from `low` to `high`, of which one may be None."""
    real_only("clamp", x)
    return np.maximum(x, low) if high is None else np.minimum(x, high) if low is None else np.clip(x, low, high)


def inside(x: Any, low: Any, high: Any) -> Any:
    """Where `x` lies in the range, its ends included."""
    return x <= high if low is None else x >= low if high is None else (x >= low) & (x <= high)


def below(x: Any, low: Any, high: Any) -> Any:
    """Where the lower bound is what counts; where the bounds cross it is not."""
    return x < low if high is None else (x < low) & (low < high)


def above(x: Any, low: Any, high: Any) -> Any:
    """Where the upper bound is what counts."""
    return x > high if low is None else (x > high) | (high < low)


@with_inplace
def clamp(input: Any, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """`input` brought into the range from `min` to `max`: numbers, tensors that broadcast, or None for no bound.

    Raises ``RuntimeError`` where both bounds are None.

    >>> import minigrad
    >>> minigrad.clamp(minigrad.tensor([-2., 0.5, 3.]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise DtypeError("clamp: At least one of 'min' or 'max' must not be None")
    if (min is None or isinstance(min, SCALARS)) and (max is None or isinstance(max, SCALARS)):
        return clamp_numbers(with_number(input, min, max), min=min, max=max, out=out)
    return clamp_tensors(input, min, max, out=out)


@with_inplace
def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """`input`, but nowhere below `min`, a number or a tensor."""
    return clamp(input, min, out=out)


@with_inplace
def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """`input`, but nowhere above `max`, a number or a tensor."""
    return clamp(input, max=max, out=out)


@op(broadcasts=True, mixed=("condition",), called="where")
def _where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition`, else `other`."""
    return np.where(condition, input, other)
@_where.derivative("input")
def _where_wrt_input(g: Any, condition: Any) -> Any: return masked(g, condition)
@_where.derivative("other")
def _where_wrt_other(g: Any, condition: Any) -> Any: return masked(g, ~condition)


@op(outputs=True, called="where")
def where_nonzero(condition: Any) -> Any:
    """The positions of the nonzero elements: an index tensor for each dimension."""
    return np.nonzero(condition if condition.ndim else condition.reshape(1))


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """`input` where the boolean tensor `condition` is True, else `other`; broadcast together, numbers allowed.

    With `condition` alone: the positions where it is nonzero, as a tuple with an index tensor for each dimension.

    >>> import minigrad
    >>> x = minigrad.tensor([1., -2., 3.])
    >>> minigrad.where(x > 0, x, 0.)
    tensor([1., 0., 3.])
    """
    if input is None and other is None:
        return where_nonzero(condition)
    kind = array_of(condition).dtype
    if kind.char == "B":
        condition = cast(condition, dtype=dtypes.bool_)
    elif kind.char != "?":
        raise DtypeError("where expected condition to be a boolean tensor, but got a tensor with dtype "
                         f"{dtypes.FROM_NUMPY[kind]!r}; write a comparison, such as condition != 0")
    if isinstance(other, SCALARS):
        if isinstance(input, SCALARS):
            input = fill_number(cast(condition, dtype=dtypes.result_dtype([input, other])), value=input)
        constant = number(input, other)  # the quick way, for floating tensors
        other = other if constant is None else constant
    return _where(condition, input, other) if out is None else _where(condition, input, other, out=out)


@op
def nan_to_num(input: Any, *, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`input` with nan, +inf and -inf replaced; None stands for 0, the largest and the smallest finite number."""
    return np.nan_to_num(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)
@nan_to_num.derivative("input")
def nan_to_num_wrt_input(g: Any, input: Any) -> Any: return masked(g, isfinite(input))


@op(grad_name="FillBackward0", called="fill")
def fill_number(input: Any, *, value: Any) -> Any:
    """The Python number `value` in the shape and dtype of `input`."""
    return np.full_like(input, value)
@fill_number.derivative("input")
def fill_number_wrt_input(g: Any) -> Any: return zeros_of(g)


# ---------------------------------------------------------------------------------------------------- floating-point parts

@with_inplace
def ldexp(input: Any, other: Any, *, out: Any = None) -> Any:
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
def frexp_wrt_input(g: Any, out: Any) -> Any:
    return g[0] * pow_tensor(cast(zeros_of(out[0]) + 2, dtype=as_dtype(g[0].dtype)), -out[1])


# ---------------------------------------------------------------------------------------------------- complex numbers

@op(holomorphic=False)
def conj(input: Any) -> Any:
    """Complex conjugate; a real input is returned as it is."""
    return np.conjugate(input) if input.dtype.kind == "c" else input
@conj.derivative("input")
def conj_wrt_input(g: Any) -> Any: return conj(g)


@op(holomorphic=False, view=True)
def real(input: Any) -> Any:
    """The real part, a view; a real input is returned as it is."""
    return input.real
@real.derivative("input")
def real_wrt_input(g: Any, input_dtype: Any) -> Any: return cast(g, dtype=as_dtype(input_dtype))


@op(holomorphic=False, view=True)
def imag(input: Any) -> Any:
    """The imaginary part, a view. Raises ``RuntimeError`` for real tensors."""
    if input.dtype.kind != "c":
        raise DtypeError("imag is not implemented for tensors with non-complex dtypes.")
    return input.imag
@imag.derivative("input")
def imag_wrt_input(g: Any) -> Any: return g * 1j


@op(holomorphic=False, dtypes="float")
def angle(input: Any) -> Any:
    """The angle of complex numbers, in radians; of real ones 0 or, below zero, pi."""
    return np.arctan2(input.imag, input.real) if input.dtype.kind == "c" else angle_of_real(input)
@angle.derivative("input")
def angle_wrt_input(g: Any, input: Any) -> Any:
    return zeros_of(g) if input.dtype.kind != "c" else masked(g * 1j / conj(input), input != 0)


def angle_of_real(x: Any) -> Any:
    return np.where(np.isnan(x), x, (x < 0) * x.dtype.type(math.pi))


@op(broadcasts=True, dtypes="same", holomorphic=False)
def complex(real: Any, imag: Any) -> Any:
    """The complex tensor of two floating-point tensors of one dtype."""
    floats_only(real)
    return composed(real, imag)
@complex.derivative("real")
def complex_wrt_real(g: Any) -> Any: return real(g)
@complex.derivative("imag")
def complex_wrt_imag(g: Any) -> Any: return imag(g)


@op(broadcasts=True, dtypes="same", holomorphic=False)
def polar(abs: Any, angle: Any) -> Any:
    """The complex tensor with the given sizes and angles (in radians)."""
    floats_only(abs)
    return composed(abs * np.cos(angle), abs * np.sin(angle))
@polar.derivative("abs")
def polar_wrt_abs(g: Any, out: Any) -> Any: return real(conj(g) * sgn(out))
@polar.derivative("angle")
def polar_wrt_angle(g: Any, out: Any) -> Any: return real(conj(g) * (out * 1j))


def floats_only(x: Any) -> None:
    if x.dtype.kind != "f":
        raise DtypeError(f"Expected both inputs to be Half, Float or Double tensors but got {dtypes.FROM_NUMPY[x.dtype]!r}")


def composed(real: Any, imag: Any) -> Any:
    """The complex array of two real ones."""
    real = backend.as_array(real)
    z = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(real.dtype, np.complex64), like=real)
    z.real, z.imag = real, imag
    return z


@op(holomorphic=False, view=True)
def view_as_real(input: Any) -> Any:
    """A complex tensor as a real one with a last dimension of 2: real and imaginary part. A view."""
    if input.dtype.kind != "c":
        raise DtypeError("view_as_real is only supported for complex tensors")
    return input[..., None].view(input.real.dtype)
@view_as_real.derivative("input")
def view_as_real_wrt_input(g: Any) -> Any: return view_as_complex(g)


@op(holomorphic=False, view=True)
def view_as_complex(input: Any) -> Any:
    """A real tensor whose last dimension holds real and imaginary part as a complex one; a view where memory allows it."""
    return pairs(input).view(np.result_type(input.dtype, np.complex64))[..., 0]
@view_as_complex.derivative("input")
def view_as_complex_wrt_input(g: Any) -> Any: return view_as_real(g)


def pairs(x: Any) -> Any:
    """`x` with its last dimension, of two, contiguous."""
    if x.dtype.char not in "fd":
        raise DtypeError(f"view_as_complex is only supported for float and double tensors; got {dtypes.FROM_NUMPY[x.dtype]!r}")
    if not x.ndim or x.shape[-1] != 2:
        raise ShapeError(f"Tensor must have a last dimension of size 2; got shape {list(x.shape)}")
    return x if x.strides[-1] == x.itemsize else x.copy()


# ---------------------------------------------------------------------------------------------------- second names

absolute, clip, conj_physical, divide, fix = abs, clamp, conj, div, trunc
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
multiply, negative, subtract = mul, neg, sub
arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh = acos, acosh, asin, asinh, atan, atan2, atanh
